//! `history`: what the mirror has seen of one contact.

use serde_json::{Value, json};

use super::{ADA, add_ada, has_lines, keys};
use crate::world::{CommandOutput, World};

/// A mirror that has seen a contact.
fn synced_world() -> World {
    let world = World::new();
    add_ada(&world);
    world.sync("");
    world
}

fn history(world: &World, contact: &str) -> CommandOutput {
    world.run_command(&format!("history '{contact}'"))
}

fn changes(world: &World, contact: &str) -> Vec<Value> {
    world.run_command(&format!("history '{contact}' --json")).exits(0).events()
}

/// The changes without their first version: sync, table, change, id.
fn later_changes(world: &World) -> Vec<(i64, String, String, String)> {
    let text = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
    changes(world, ADA)
        .iter()
        .filter(|change| change["seq"] != 1)
        .map(|it| {
            (it["seq"].as_i64().unwrap(), text(it, "kind"), text(it, "change"), text(it, "id"))
        })
        .collect()
}

fn change(seq: i64, kind: &str, what: &str, id: &str) -> (i64, String, String, String) {
    (seq, kind.to_owned(), what.to_owned(), id.to_owned())
}

#[test]
fn every_version_of_a_contact_and_its_notes_and_tasks_is_listed() {
    let world = synced_world();
    let first = changes(&world, ADA);
    assert_eq!(first.len(), 3);
    assert!(
        first.iter().all(|change| change["change"] == "insert" && change["between"][0].is_null())
    );
    assert_eq!(first[0]["fields"]["city"], json!({ "before": null, "after": "London" }));
    world.edit_by_id(
        ADA,
        &json!({
            "city": "Paris",
            "tags": ["maths", "lead"],
            "__notes": [
                { "id": "note1", "body": "edited", "dateAdded": "2026-11-02T12:00:00.000Z" },
                { "id": "note2", "body": "new" },
            ],
            "__tasks": [],
        }),
    );
    world.sync("");
    world.delete_by_id(ADA);
    world.sync("");
    let expected = [
        change(2, "contacts", "update", ADA),
        change(2, "notes", "update", "note1"),
        change(2, "notes", "insert", "note2"),
        change(2, "tasks", "delete", "task1"),
        change(3, "contacts", "delete", ADA),
        change(3, "notes", "delete", "note1"),
        change(3, "notes", "delete", "note2"),
    ];
    assert_eq!(later_changes(&world), expected);
    let all = changes(&world, ADA);
    assert_eq!(keys(&all[3]["fields"]), ["city", "date_updated", "tags"]);
    assert_eq!(all[3]["fields"]["city"], json!({ "before": "London", "after": "Paris" }));
    assert_eq!(
        all[4]["fields"],
        json!({ "body": { "before": "first\nsecond", "after": "edited" } })
    );
    assert!(all.iter().all(|change| change["contact_id"] == ADA));
    let page = history(&world, ADA).exits(0);
    has_lines(
        &page,
        &[
            "Ada Lovelace  Ada@example.com  adaLovelace000000001",
            "contact edited",
            "city: London → Paris",
            "tags: + lead, − vip",
            "note note1 edited",
            "body: first ⏎ second → edited",
            "task task1 deleted",
            "contact deleted",
        ],
    );
    assert!(page.stdout.contains("audit"), "{}", page.stdout);
}

#[test]
fn a_change_happened_between_the_syncs_that_could_have_seen_it() {
    let world = synced_world();
    let started = |summary: &Value| summary["at"].as_str().unwrap().to_owned();
    world.sync("");
    world.edit_by_id(ADA, &json!({ "city": "Paris" }));
    world.sync("");
    world.edit_by_id(ADA, &json!({
        "__silent": true,
        "__notes": [{ "id": "note1", "body": "silent", "dateAdded": "2026-11-02T12:00:00.000Z" }],
    }));
    let quick = world.sync("");
    world.sync("--full");
    let all = changes(&world, ADA);
    let window = |at: usize| {
        let between = &all[at]["between"];
        [&between[0], &between[1]]
            .map(|time| time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap())
    };
    let (city, note) = (window(3), window(4));
    assert_eq!(all[4]["fields"]["body"]["after"], "silent");
    assert!(city[0] < city[1]);
    // Only the sync that read everything could see it, so it may be older than the quick sync before.
    let quick_end: jiff::Timestamp = started(&quick).parse().unwrap();
    assert!(note[0] < city[0] && note[1] > quick_end, "{city:?} {note:?}");
}

#[test]
fn a_row_that_is_written_in_another_way_is_no_change() {
    let world = synced_world();
    world.edit_by_id(ADA, &json!({ "tags": ["maths", "vip"], "website": null, "__silent": true }));
    world.sync("--full");
    assert_eq!(later_changes(&world), []);
}

#[test]
fn a_contact_is_found_by_what_it_was_and_after_it_was_deleted() {
    let world = synced_world();
    world.edit_by_id(ADA, &json!({ "email": "countess@example.com", "phone": "+12025550144" }));
    world.sync("");
    world.delete_by_id(ADA);
    world.sync("");
    for named in ["ADA@example.com", "countess@example.com", "(202) 555-0143", "+12025550144", ADA]
    {
        assert_eq!(changes(&world, named).last().unwrap()["change"], "delete", "{named}");
    }
    world.add_contact(&json!({ "id": "another0000000000001", "email": "ada@example.com" }));
    world.sync("");
    let listed = history(&world, "ada@example.com").exits(2).says("2 contacts have");
    listed.says("another0000000000001").says("countess@example.com  +12025550144  (deleted)");
}

#[test]
fn it_sends_no_request_and_needs_no_token() {
    let world = synced_world().without_env("GHL_TOKEN");
    let requests = world.requests_of(|| {
        history(&world, ADA).exits(0);
        history(&world, "nobody@example.com").exits(10).says("never seen");
        history(&world, "x/y").exits(2);
    });
    assert_eq!(requests, 0);
    // Of the only location there is, also without its id.
    let world = world.without_env("GHL_LOCATION_ID");
    history(&world, ADA).exits(0);
}

#[test]
fn without_a_mirror_it_says_how_to_get_one() {
    let world = World::new();
    history(&world, ADA).exits(10).says("no local copy").says("ghl-bulk sync");
    assert!(!world.path("home").exists(), "looking creates nothing");
}

#[test]
fn what_a_sync_has_merged_in_part_does_not_count_yet() {
    let world = synced_world();
    world.edit_by_id(ADA, &json!({ "city": "Paris" }));
    let killed = world.command("sync").env("GHL_BULK_FAILPOINT", "during_merge").output().unwrap();
    assert_eq!(killed.status.code(), None);
    assert_eq!(later_changes(&world), []);
    world.sync("");
    assert_eq!(later_changes(&world), [change(2, "contacts", "update", ADA)]);
}

#[test]
fn a_damaged_mirror_is_refused_with_what_to_do() {
    for named in [ADA, "ada@example.com"] {
        let world = synced_world();
        let dir = world.path("home/mirrors");
        let mirror = std::fs::read_dir(dir).unwrap().next().unwrap().unwrap().path();
        let path = mirror.join("mirror.db");
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 8;
        bytes[middle..].fill(0x55);
        std::fs::write(&path, bytes).unwrap();
        let refused = history(&world, named).exits(12).says("remove");
        assert_eq!(refused.stdout, "");
    }
}
