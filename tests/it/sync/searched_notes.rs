//! The notes of contacts that have changed, by search, where that is proven.

use serde_json::{Value, json};

use super::sync_world::{add_note_by_api, changes};
use crate::raw_http::RawClient;
use crate::world::World;

const CHANGED: usize = 40;
const SYNC: &str = "--overlap 1h --notes-every 0s";

/// A mirror of so many contacts that notes are searched for.
fn mirrored_world(behavior: &str) -> World {
    let world = World::with_settings(|settings| {
        settings.contacts = 300;
        settings.notes_search = behavior.parse().unwrap();
    })
    .with_env("GHL_BULK_SETTLE_S", "0");
    assert_eq!(world.sync("")["note_coverage"]["read_by"], "search");
    world
}

/// Changes contacts, and gives one of them a note.
fn change_contacts(world: &World) -> String {
    let ids: Vec<String> = (0..CHANGED).map(|at| world.contact_id(at * 5)).collect();
    for id in &ids {
        world.edit_by_id(id, &json!({ "city": "Ghent" }));
    }
    add_note_by_api(world, &ids[7], "a new note")
}

/// Checks that the mirror has a note, and that reading everything finds nothing more.
#[track_caller]
fn check_complete(world: &World, note: &str) {
    assert_eq!(world.mirror_rows("notes")[note]["body"], "a new note");
    assert_eq!(changes(&world.sync("--full"), "notes"), [0, 0, 0]);
}

#[test]
fn notes_of_many_changed_contacts_take_a_few_requests() {
    let world = mirrored_world("");
    let note = change_contacts(&world);
    let requests = world.requests_of(|| {
        assert_eq!(changes(&world.sync(SYNC), "contacts"), [0, CHANGED as u64, 0]);
    });
    assert!(requests <= 8, "{requests}");
    check_complete(&world, &note);
}

#[test]
fn contacts_that_changed_a_moment_ago_count_as_unread_until_they_are_looked_at_again() {
    let world = mirrored_world("");
    change_contacts(&world);
    assert_eq!(world.sync(SYNC)["note_coverage"]["outdated"], CHANGED);
    // The index may still lag.
    assert_eq!(world.requests_of(|| drop(world.sync("--overlap 1h"))), 1);
    assert_eq!(world.sync("--full")["note_coverage"]["outdated"], 0);
}

#[test]
fn contacts_that_changed_long_enough_ago_are_read_for_good() {
    let world = mirrored_world("");
    let updated = jiff::Timestamp::now() - std::time::Duration::from_mins(20);
    for at in 0..CHANGED {
        let row = json!({ "firstName": format!("New {at}"), "dateUpdated": updated.to_string() });
        world.add_contact(&row);
    }
    let requests = world.requests_of(|| {
        let summary = world.sync(SYNC);
        assert_eq!(changes(&summary, "contacts"), [CHANGED as u64, 0, 0]);
        let coverage = &summary["note_coverage"];
        assert_eq!((&coverage["outdated"], &coverage["unread"]), (&json!(0), &json!(0)));
    });
    assert!(requests <= 8, "{requests}");
}

#[test]
fn a_search_that_shows_notes_of_other_contacts_or_of_the_first_one_loses_none() {
    for behavior in
        ["relations=ignored", "join=first", "join=and", "wrong-relations=ignore,relations=ids"]
    {
        let world = mirrored_world("");
        world.control_request("POST", "settings", &json!({ "notes_search": behavior }));
        let note = change_contacts(&world);
        world.sync(SYNC);
        check_complete(&world, &note);
    }
}

#[test]
fn a_note_that_the_search_lacks_or_shows_in_other_words_is_read_from_its_contact() {
    let world = mirrored_world("");
    let notes = world.mirror_rows("notes");
    let (edited, deleted) = (notes.values().next().unwrap(), notes.values().next_back().unwrap());
    for note in [edited, deleted] {
        world.edit_by_id(note["contact_id"].as_str().unwrap(), &json!({ "city": "Ghent" }));
    }
    change_contacts(&world);
    let client = RawClient::new(world.url());
    let path = |note: &Value| {
        let [contact, id] = ["contact_id", "id"].map(|key| note[key].as_str().unwrap());
        format!("/contacts/{contact}/notes/{id}")
    };
    client.send_request("PUT", &path(edited), &json!({ "body": "edited" }));
    client.send_request("DELETE", &path(deleted), &Value::Null);
    world.sync(SYNC);
    let rows = world.mirror_rows("notes");
    assert_eq!(rows[edited["id"].as_str().unwrap()]["body"], "edited");
    assert!(!rows.contains_key(deleted["id"].as_str().unwrap()));
    assert_eq!(changes(&world.sync("--full"), "notes"), [0, 0, 0]);
}
