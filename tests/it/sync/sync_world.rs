//! A world with a mirror: what tests of syncs ask of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::raw_http::RawClient;
use crate::world::World;

impl World {
    /// A world with few contacts, whose random events a seed decides.
    pub(crate) fn small_with_seed(contacts: usize, seed: u64) -> (Self, fastrand::Rng) {
        let world = Self::with_settings(|settings| {
            settings.contacts = contacts;
            settings.seed = seed;
        });
        (world, fastrand::Rng::with_seed(seed))
    }

    /// Runs a sync that succeeds, and gives its summary.
    #[track_caller]
    pub(crate) fn sync(&self, flags: &str) -> Value {
        self.run_command(&format!("sync --json {flags}")).exits(0).summary()
    }

    /// How many requests a command sends.
    pub(crate) fn requests_of(&self, work: impl FnOnce()) -> u64 {
        self.control_request("DELETE", "log", &Value::Null);
        work();
        self.get_control("log?last=0")["requests"].as_u64().unwrap()
    }

    /// The contacts of the account, in the order in which they were added.
    pub(crate) fn account_contacts(&self) -> Vec<Value> {
        self.get_control("state")["contacts"].as_array().unwrap().clone()
    }

    /// The id of one of the account's contacts.
    pub(crate) fn contact_id(&self, at: usize) -> String {
        self.account_contacts()[at]["contact"]["id"].as_str().unwrap().to_owned()
    }

    /// Changes a contact as a user does: its `dateUpdated` moves.
    pub(crate) fn edit_by_id(&self, id: &str, changes: &Value) {
        self.control_request("PUT", &format!("contacts/{id}"), changes);
    }

    /// Deletes a contact.
    pub(crate) fn delete_by_id(&self, id: &str) {
        self.control_request("DELETE", &format!("contacts/{id}"), &Value::Null);
    }

    /// Adds a contact and gives its id.
    pub(crate) fn add_contact(&self, row: &Value) -> String {
        let added = self.control_request("POST", "contacts", &json!([row]));
        added["ids"][0].as_str().unwrap().to_owned()
    }

    /// The tables of the mirror, as an incremental export writes them.
    #[track_caller]
    pub(crate) fn mirror_rows(&self, table: &str) -> BTreeMap<String, Value> {
        self.run_command("export --incremental --format jsonl --out mirrored").exits(0);
        let rows = self.read_rows(&format!("mirrored/{table}.jsonl"));
        rows.into_iter().map(|row| (row["id"].as_str().unwrap().to_owned(), row)).collect()
    }
}

/// The changes of a table in a summary: added, changed, deleted.
pub(crate) fn changes(summary: &Value, table: &str) -> [u64; 3] {
    ["added", "changed", "deleted"].map(|what| summary["changes"][table][what].as_u64().unwrap())
}

/// Deletes a contact as an application does, so that the index of the search lags.
pub(crate) fn delete_by_api(world: &World, id: &str) {
    let client = RawClient::new(world.url());
    let answer = client.send_request("DELETE", &format!("/contacts/{id}"), &Value::Null);
    assert_eq!(answer.status, 200, "{:?}", answer.body);
}

/// Adds a note to a contact as an application does: it does not show in the contact. Gives the note's id.
pub(crate) fn add_note_by_api(world: &World, contact: &str, body: &str) -> String {
    let client = RawClient::new(world.url());
    let path = format!("/contacts/{contact}/notes");
    let answer = client.send_request("POST", &path, &json!({ "body": body }));
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    answer.body["note"]["id"].as_str().unwrap().to_owned()
}
