//! Random histories of notes, with and without a proven search, with and without a date that moves: what the mirror lacks
//! is never older than it says, and after a walk and a whole rotation it lacks nothing.

use std::collections::{BTreeMap, BTreeSet};

use ghl_bulk::sandbox::ServiceQuirk;
use serde_json::{Value, json};

use super::incremental_export::assert_equals_plain_export;
use super::interrupted::mirror_path;
use super::sync_world::add_note_by_api;
use crate::kills::soak_seeds;
use crate::raw_http::RawClient;
use crate::world::World;

/// In CI; the soak has more.
const SEEDS: u64 = 2;
const BURSTS: i64 = 4;
const CONTACTS: usize = 110;
const DAY_S: i64 = 24 * 3600;
const POINTS: [&str; 5] =
    ["after_spool:1", "after_spool:2", "during_merge:2", "during_merge:3", "after_merge:1"];

/// How an account is.
#[derive(Debug, Clone, Copy)]
struct Account {
    seed: u64,
    /// Whether the token may search for notes.
    has_search: bool,
    /// Whether a note moves its contact's `dateUpdated`.
    moves_date: bool,
}

/// What has happened to an account, in milliseconds of the server's clock.
#[derive(Default)]
struct History {
    day: i64,
    /// When the notes of a contact last changed.
    changed: BTreeMap<String, i64>,
    /// Notes that were added.
    added: BTreeSet<String>,
    /// Notes that were changed or deleted since.
    touched: BTreeSet<String>,
}

fn build_world(account: Account) -> World {
    let world = World::with_settings(|settings| {
        settings.contacts = CONTACTS;
        settings.seed = account.seed;
        if account.moves_date {
            settings.quirks = vec![ServiceQuirk::ChildrenBump];
        }
    });
    let world = world.with_env("GHL_BULK_SETTLE_S", "0");
    if account.has_search {
        return world;
    }
    world.with_env("GHL_TOKEN", "pit-sandbox-without:notes.readonly")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The texts of the account's notes by contact and id.
fn account_notes(world: &World) -> BTreeMap<(String, String), String> {
    let mut notes = BTreeMap::new();
    for row in world.account_contacts() {
        for note in row["notes"].as_array().unwrap() {
            let key = (text(&row["contact"]["id"]), text(&note["id"]));
            notes.insert(key, text(&note["body"]));
        }
    }
    notes
}

fn mirror_notes(world: &World) -> BTreeMap<(String, String), String> {
    let rows = world.mirror_rows("notes");
    let key =
        |(id, row): (&String, &Value)| ((text(&row["contact_id"]), id.clone()), text(&row["body"]));
    rows.iter().map(key).collect()
}

/// When the mirror has read the notes of each contact.
fn readings(world: &World) -> BTreeMap<String, i64> {
    let connection = rusqlite::Connection::open(mirror_path(world)).unwrap();
    let mut query =
        connection.prepare("SELECT contact, coalesce(read_at, 0) FROM notes_of").unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

impl History {
    fn now_ms(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond() + self.day * DAY_S * 1000
    }

    fn change_at_random(&mut self, world: &World, random: &mut fastrand::Rng) {
        let contacts = world.account_contacts();
        let row = &contacts[random.usize(..contacts.len())];
        let contact = text(&row["contact"]["id"]);
        let notes = row["notes"].as_array().unwrap();
        let client = RawClient::new(world.url());
        let step = random.u32(..);
        match (random.u8(..6), notes.first().map(|note| text(&note["id"]))) {
            (0 | 1, _) => {
                let id = add_note_by_api(world, &contact, &format!("note {step}"));
                self.added.insert(id);
            }
            (2, Some(note)) => {
                let path = format!("/contacts/{contact}/notes/{note}");
                client.send_request("PUT", &path, &json!({"body": format!("edited {step}")}));
                self.touched.insert(note);
            }
            (3, Some(note)) => {
                let path = format!("/contacts/{contact}/notes/{note}");
                client.send_request("DELETE", &path, &Value::Null);
                self.touched.insert(note);
            }
            (4, _) => {
                world.add_contact(&json!({"firstName": "New", "__notes": [{"body": "n"}]}));
                return;
            }
            (5, _) => return world.delete_by_id(&contact),
            _ => return world.edit_by_id(&contact, &json!({"city": format!("City {step}")})),
        }
        self.changed.insert(contact, self.now_ms());
    }

    /// Every difference is of a contact whose notes changed after they were read.
    fn compare(&self, world: &World, account: Account) {
        let (mirror, truth, read) = (mirror_notes(world), account_notes(world), readings(world));
        let keys: BTreeSet<_> = mirror.keys().chain(truth.keys()).collect();
        for key in keys {
            if mirror.get(key) == truth.get(key) {
                continue;
            }
            let (contact, note) = key;
            let context = format!("{account:?}, day {}: {key:?}", self.day);
            assert!(!account.moves_date, "{context}: the date has moved");
            let changed = self.changed.get(contact);
            let changed = changed.unwrap_or_else(|| panic!("{context}: nothing happened to it"));
            assert!(*changed + 1000 >= read[contact], "{context}: it was read since");
            let is_new = self.added.contains(note) && !self.touched.contains(note);
            assert!(!account.has_search || !is_new, "{context}: the search shows new notes");
        }
    }
}

fn compare_history(account: Account) {
    let (world, mut random) = (build_world(account), fastrand::Rng::with_seed(account.seed));
    let mut history = History::default();
    let flags = "--walk-every 300d --notes-every 0s";
    world.sync(flags);
    for _ in 0..BURSTS {
        for _ in 0..random.usize(..6) {
            history.change_at_random(&world, &mut random);
        }
        if !account.has_search {
            history.day += 1;
            world.control_request("POST", "settings", &json!({"clock_ahead": history.day * DAY_S}));
        }
        let mut command = world.command(&format!("sync {flags}"));
        if random.bool() {
            command.env("GHL_BULK_FAILPOINT", POINTS[random.usize(..POINTS.len())]);
        }
        command.output().unwrap();
        world.sync(flags);
        history.compare(&world, account);
    }
    history.day += 8;
    world.control_request("POST", "settings", &json!({"clock_ahead": history.day * DAY_S}));
    // A walk reads all notes by search; without one, all of them are past the bound.
    let last = world.sync(if account.has_search { "--full" } else { "--walk-every 0s" });
    assert_eq!(last["note_coverage"]["within_bound"], 1.0, "{account:?}: {last}");
    assert_equals_plain_export(&world);
}

fn accounts(seeds: impl Iterator<Item = u64>) -> impl Iterator<Item = Account> {
    let kinds = [(true, true), (true, false), (false, true), (false, false)];
    seeds.flat_map(move |seed| {
        kinds.map(|(has_search, moves_date)| Account { seed, has_search, moves_date })
    })
}

#[test]
fn what_a_mirror_lacks_of_notes_is_never_older_than_it_says() {
    accounts(0..SEEDS).for_each(compare_history);
}

#[test]
#[ignore = "the soak of notes: cargo test --release -- --ignored soak"]
fn soak_of_notes_keeps_the_mirror_within_its_coverage() {
    accounts(soak_seeds("500")).for_each(compare_history);
}
