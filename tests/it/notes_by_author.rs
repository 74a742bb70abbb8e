//! Notes by search in a location whose notes no offset reaches, even from both ends: they are read user by user, if that
//! takes fewer requests than by contacts.

use serde_json::{Value, json};

use crate::notes_by_search::{
    CONTACTS, EXPORT, assert_notes_are_those_of_the_account, note_requests, world,
};
use crate::running_command::RunningCommand;
use crate::world::World;

/// An offset reaches a sixth of the notes, and a request can name few contacts.
const BEHAVIOR: &str = "window=150,most-relations=20";

/// A world whose search an export has already learnt, by contacts.
fn learnt_world() -> World {
    let world = world(BEHAVIOR);
    world.run_command(EXPORT).exits(0);
    let (searches, _) = note_requests(&world);
    assert!(searches > 60, "by contacts it takes {searches} searches");
    world
}

/// Adds notes of an author, spread over time, the last one among the newest of the account.
fn add_notes_of(world: &World, author: &Value, source: &str, count: usize) {
    let contacts = world.read_contacts();
    let notes = (0..count).map(|n| {
        let year = if n + 1 == count { 2035 } else { 2024 };
        let id = &contacts[n * 7]["contact"]["id"];
        json!({
            "id": format!("extra{n}"), "body": format!("extra {n}"), "userId": author, "source": source,
            "dateAdded": format!("{year}-03-{:02}T10:00:00.000Z", n % 28 + 1), "contactId": id,
            "relations": [{"objectKey": "contact", "recordId": id}],
        })
    });
    world.control_request("POST", "notes", &notes.collect());
}

#[test]
fn notes_that_no_offset_reaches_are_read_by_author() {
    let world = learnt_world();
    world.run_command(EXPORT).exits(0).does_not_say("notes are read");
    assert_notes_are_those_of_the_account(&world, BEHAVIOR);
    let (searches, reads) = note_requests(&world);
    assert!(searches < 45, "{searches} searches");
    assert!(reads < 60, "{reads} contacts were read one by one");
}

#[test]
fn notes_of_a_user_who_was_deleted_are_found_by_those_that_are_seen() {
    let world = learnt_world();
    add_notes_of(&world, &json!("formerUser"), "WEB_USER", 40);
    world.run_command(EXPORT).exits(0).does_not_say("notes are read");
    assert_notes_are_those_of_the_account(&world, BEHAVIOR);
    let (searches, _) = note_requests(&world);
    assert!(searches < 45, "{searches} searches");
}

#[test]
fn notes_that_no_filter_can_ask_for_are_read_by_contacts() {
    let world = learnt_world();
    add_notes_of(&world, &Value::Null, "INTEGRATION", 40);
    world.run_command(EXPORT).exits(0).says("searching for batches of contacts");
    assert_notes_are_those_of_the_account(&world, BEHAVIOR);
}

#[test]
fn a_search_that_ignores_the_author_is_not_asked_for_more() {
    let world = learnt_world();
    let ignored = json!(["POST /notes/search ignore=createdByUserId"]);
    world.control_request("POST", "faults", &ignored);
    let (by_contacts, _) = note_requests(&world);
    world.run_command(EXPORT).exits(0).does_not_say("notes are read");
    assert_notes_are_those_of_the_account(&world, BEHAVIOR);
    // The first answer shows that the author is ignored.
    let (searches, _) = note_requests(&world);
    assert!(searches <= by_contacts + 3, "{searches} searches, {by_contacts} by contacts");
}

#[test]
fn a_search_that_ignores_the_author_later_on_is_not_trusted() {
    let world = learnt_world();
    let ignored = json!(["POST /notes/search ignore=createdByUserId after=14"]);
    world.control_request("POST", "faults", &ignored);
    world.run_command(EXPORT).exits(0).says("notes of other users than the one asked for");
    assert_notes_are_those_of_the_account(&world, BEHAVIOR);
}

#[test]
fn an_export_killed_while_it_reads_by_author_is_resumed() {
    for nth in [5, 14, 22] {
        let world = learnt_world();
        let held = json!([format!("POST /notes/search hold after={nth}")]);
        world.control_request("POST", "faults", &held);
        let export = RunningCommand::start(&world, EXPORT);
        world.get_control("held?at_least=1");
        export.kill();
        world.control_request("DELETE", "faults", &Value::Null);
        world.run_command("resume").exits(0);
        assert_notes_are_those_of_the_account(&world, BEHAVIOR);
    }
}

#[test]
fn a_location_is_not_divided_by_author_if_contacts_take_fewer_requests() {
    let world = world("window=150");
    for _ in 0..2 {
        world.run_command(EXPORT).exits(0);
        assert_notes_are_those_of_the_account(&world, "window=150");
    }
    let (searches, _) = note_requests(&world);
    assert!(searches < CONTACTS as u64 / 20, "{searches} searches");
}
