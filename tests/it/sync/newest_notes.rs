//! Between walks, the newest notes are searched for, where the search of notes is proven.

use serde_json::{Value, json};

use super::sync_world::{add_note_by_api, changes};
use crate::raw_http::RawClient;
use crate::world::World;

const NOW: &str = "--notes-every 0s";

/// A world with so many contacts that notes are searched for.
fn world(behavior: &str) -> World {
    World::with_settings(|settings| {
        settings.contacts = 300;
        settings.notes_search = behavior.parse().unwrap();
    })
    .with_env("GHL_BULK_SETTLE_S", "0")
}

fn set_search(world: &World, behavior: &str) {
    world.control_request("POST", "settings", &json!({ "notes_search": behavior }));
}

#[test]
fn a_new_note_of_a_contact_that_did_not_change_takes_one_more_request() {
    let world = world("");
    assert_eq!(world.sync("")["note_coverage"]["read_by"], "search");
    let id = add_note_by_api(&world, &world.contact_id(7), "a new note");
    let requests = world.requests_of(|| {
        let summary = world.sync(NOW);
        assert_eq!(changes(&summary, "notes"), [1, 0, 0]);
        assert_eq!(changes(&summary, "contacts"), [0, 0, 0]);
    });
    assert_eq!(requests, 2);
    let notes = world.mirror_rows("notes");
    assert_eq!(notes[&id]["contact_id"], world.contact_id(7));
    assert_eq!(notes[&id]["body"], "a new note");
    // What comes twice, because the search lags, changes nothing.
    assert_eq!(changes(&world.sync(NOW), "notes"), [0, 0, 0]);
    assert_eq!(changes(&world.sync("--full"), "notes"), [0, 0, 0]);
}

#[test]
fn a_sync_right_after_another_one_takes_one_request_and_never_more_than_two() {
    let world = world("");
    world.sync("");
    assert_eq!(world.requests_of(|| drop(world.sync(""))), 1);
    assert_eq!(world.requests_of(|| drop(world.sync(NOW))), 2);
    assert_eq!(world.requests_of(|| drop(world.sync(""))), 1);
}

#[test]
fn all_new_notes_are_found_if_they_are_more_than_a_page() {
    let world = world("limit=100");
    world.sync("");
    let contact = world.contact_id(7);
    for number in 0..250 {
        add_note_by_api(&world, &contact, &format!("note {number}"));
    }
    assert_eq!(changes(&world.sync(NOW), "notes"), [250, 0, 0]);
    assert_eq!(changes(&world.sync("--full"), "notes"), [0, 0, 0]);
}

#[test]
fn more_new_notes_than_can_be_read_newest_first_are_read_with_everything_else() {
    let world = world("limit=10");
    world.sync("");
    let contact = world.contact_id(7);
    for number in 0..250 {
        add_note_by_api(&world, &contact, &format!("note {number}"));
    }
    let first = world.sync(NOW);
    assert!(first["changes"]["notes"]["added"].as_u64().unwrap() < 250);
    let second = world.sync("");
    assert_eq!(second["read"], "walk");
    assert_eq!(world.sync("")["read"], "newest");
    assert_eq!(changes(&world.sync("--full"), "notes"), [0, 0, 0]);
}

#[test]
fn a_search_that_is_not_in_order_is_not_believed_and_not_asked_again() {
    let world = world("");
    world.sync("");
    set_search(&world, "order=unsorted");
    add_note_by_api(&world, &world.contact_id(7), "a new note");
    world.run_command("sync --notes-every 0s").exits(0).says("does not show the newest ones first");
    assert_eq!(world.requests_of(|| drop(world.sync(NOW))), 1);
    let newest = world.sync("")["note_coverage"]["newest"].clone();
    let walked = world.sync("--full");
    assert_ne!(walked["note_coverage"]["newest"], newest);
    let body = |row: &Value| row["body"] == "a new note";
    assert!(world.mirror_rows("notes").values().any(body));
}

#[test]
fn a_search_that_fails_leaves_new_notes_to_the_next_one() {
    let world = world("");
    world.sync("");
    add_note_by_api(&world, &world.contact_id(7), "a new note");
    world.control_request("POST", "faults", &json!(["POST /notes/search status=404"]));
    world.run_command("sync --notes-every 0s").exits(0).says("the newest notes cannot be searched");
    world.control_request("DELETE", "faults", &Value::Null);
    assert_eq!(changes(&world.sync(NOW), "notes"), [1, 0, 0]);
}

#[test]
fn notes_of_other_records_and_of_unknown_contacts_are_not_taken() {
    let world = world("");
    let before = world.sync("");
    let opportunity = json!([{"objectKey": "opportunity", "recordId": "opp1"}]);
    world.control_request("POST", "notes", &json!([{"body": "o", "relations": opportunity}]));
    let unknown = json!([{"objectKey": "contact", "recordId": "nobody"}]);
    world.control_request(
        "POST",
        "notes",
        &json!([{"body": "n", "contactId": "nobody", "relations": unknown}]),
    );
    assert_eq!(world.sync(NOW)["rows"], before["rows"]);
}

#[test]
fn a_search_that_lags_brings_back_no_deleted_note_and_no_former_text() {
    let world = world("");
    world.sync("");
    let contact = world.contact_id(7);
    let note = add_note_by_api(&world, &contact, "first");
    assert_eq!(changes(&world.sync(NOW), "notes"), [1, 0, 0]);
    set_search(&world, "lag=held");
    let client = RawClient::new(world.url());
    let path = format!("/contacts/{contact}/notes/{note}");
    let edited = client.send_request("PUT", &path, &json!({"body": "edited"}));
    assert_eq!(edited.status, 200, "{:?}", edited.body);
    world.edit_by_id(&contact, &json!({"city": "Ghent"}));
    assert_eq!(changes(&world.sync(NOW), "notes"), [0, 1, 0]);
    assert_eq!(changes(&world.sync(NOW), "notes"), [0, 0, 0]);
    assert_eq!(client.send_request("DELETE", &path, &Value::Null).status, 200);
    world.edit_by_id(&contact, &json!({"city": "Bruges"}));
    assert_eq!(world.sync(NOW)["changes"]["notes"]["deleted"], 1);
    assert_eq!(changes(&world.sync(NOW), "notes"), [0, 0, 0]);
    world.control_request("POST", "notes/index", &Value::Null);
    assert_eq!(world.sync("--full")["note_coverage"]["within_bound"], 1.0);
    assert!(!world.mirror_rows("notes").contains_key(&note));
}

#[test]
fn the_newest_notes_of_a_contact_that_is_new_are_taken_once() {
    let world = world("");
    world.sync("");
    let contact = world.add_contact(&json!({"firstName": "New"}));
    add_note_by_api(&world, &contact, "first");
    let summary = world.sync(NOW);
    assert_eq!((changes(&summary, "contacts"), changes(&summary, "notes")), ([1, 0, 0], [1, 0, 0]));
}
