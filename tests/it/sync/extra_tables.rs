//! Appointments and businesses in the mirror: only when they are asked for, read once a day, and deleted only on proof.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::interrupted::kill_at;
use super::sync_world::changes;
use crate::world::World;

const EXPORT: &str =
    "export --incremental --changes --with appointments,businesses --format jsonl --out lake";
const SYNC: &str = "--with appointments,businesses";

fn mirror_file(world: &World) -> PathBuf {
    world.path(&format!("home/mirrors/{}/mirror.db", world.list_files("home/mirrors")[0]))
}

/// Makes every sync so far a day older, so that these tables are due again.
fn let_a_day_pass(world: &World) {
    let mirror = Connection::open(mirror_file(world)).unwrap();
    let mut syncs = mirror.prepare("SELECT seq, state, place, facts FROM sync").unwrap();
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let syncs: Vec<(i64, i64, i64, String)> =
        syncs.query_map([], read).unwrap().collect::<Result<_, _>>().unwrap();
    for (seq, state, place, facts) in syncs {
        let mut facts: Value = serde_json::from_str(&facts).unwrap();
        let started: jiff::Timestamp = facts["started"].as_str().unwrap().parse().unwrap();
        let started = started - std::time::Duration::from_hours(25);
        facts["started"] = started.to_string().into();
        let facts = facts.to_string();
        let numbers = [seq, state, place].map(i64::to_le_bytes);
        let parts = [&numbers[0][..], &numbers[1], &numbers[2], facts.as_bytes()];
        let row = rusqlite::params![facts, ghl_bulk::run::checksum(&parts), seq];
        mirror.execute("UPDATE sync SET facts = ?, sum = ? WHERE seq = ?", row).unwrap();
    }
}

/// A sync that reads only what is due: contacts by what was updated, and these tables once a day.
fn sync_after_a_day(world: &World) -> Value {
    let_a_day_pass(world);
    let summary = world.sync(&format!("{SYNC} --walk-every 30d"));
    assert_eq!(summary["read"], "newest");
    summary
}

fn requests_to(summary: &Value, endpoint: &str) -> u64 {
    summary["requests"][endpoint].as_u64().unwrap_or(0)
}

/// The rows of a table in a directory by id, without the columns of syncs.
fn rows(world: &World, dir: &str, table: &str) -> BTreeMap<String, Value> {
    let rows = world.read_rows(&format!("{dir}/{table}.jsonl"));
    let plain = |mut row: Value| {
        row.as_object_mut().unwrap().retain(|column, _| !column.starts_with('_'));
        (row["id"].as_str().unwrap().to_owned(), row)
    };
    rows.into_iter().map(plain).collect()
}

fn calendar_of(world: &World) -> String {
    let events = rows(world, "lake", "appointments");
    events.values().next().unwrap()["calendar_id"].as_str().unwrap().to_owned()
}

/// Adds an appointment of a contact to a calendar.
fn book(world: &World, contact: &str, calendar: &str, id: &str) {
    let booking = json!([{"id": id, "title": "Consultation", "calendarId": calendar}]);
    world.edit_by_id(contact, &json!({"__silent": true, "__appointments": booking}));
}

fn cancel(world: &World, contact: &str, id: &str) {
    world.edit_by_id(contact, &json!({"__silent": true, "__remove_appointments": [id]}));
}

fn set_businesses(world: &World, names: &[&str]) {
    let rows: Vec<Value> = names.iter().map(|name| json!({"id": name, "name": name})).collect();
    world.control_request("PUT", "businesses", &json!(rows));
}

fn operations(world: &World, table: &str, id: &str) -> Vec<String> {
    let dir = format!("lake/changes/{table}");
    let mut files = world.list_files(&dir);
    files.sort();
    let rows = files.iter().flat_map(|file| world.read_rows(&format!("{dir}/{file}")));
    let of_it = rows.filter(|row| row["id"] == id);
    of_it.map(|row| row["_op"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn they_are_those_of_a_plain_export() {
    let world = World::new();
    set_businesses(&world, &["acme", "globex"]);
    world.run_command(EXPORT).exits(0);
    world.run_command("export --with appointments,businesses --format jsonl --out plain").exits(0);
    for table in ["appointments", "businesses"] {
        assert_eq!(rows(&world, "lake", table), rows(&world, "plain", table), "{table}");
        assert!(!rows(&world, "lake", table).is_empty(), "{table}");
    }
    let manifest = world.read_json("lake/manifest.json");
    assert!(manifest["coverage"]["appointments"].is_string(), "{manifest}");
    world.run_command(EXPORT).exits(0).says("nothing has changed");
}

#[test]
fn they_are_read_only_when_asked_for_and_once_a_day() {
    let world = World::new();
    let events = "GET /calendars/events";
    let plain = world.sync("");
    assert_eq!((requests_to(&plain, events), plain["changes"].get("appointments")), (0, None));
    let first = world.sync(SYNC);
    assert_eq!(first["read"], "newest", "they are read without everything else");
    assert_eq!(requests_to(&first, events), 3, "a request for each calendar");
    assert!(changes(&first, "appointments")[0] > 0);
    let again = world.sync(SYNC);
    assert_eq!(again["requests"].as_object().unwrap().len(), 1, "{}", again["requests"]);
    let later = sync_after_a_day(&world);
    assert_eq!(requests_to(&later, events), 3);
    assert_eq!(changes(&later, "appointments"), [0, 0, 0]);
    // A sync that does not ask for them reads none, and takes none for deleted.
    let walk = world.sync("--full");
    assert_eq!(requests_to(&walk, events), 0);
    assert_eq!(walk["rows"]["appointments"], first["rows"]["appointments"]);
    assert_eq!(requests_to(&world.sync(&format!("{SYNC} --full")), events), 3);
}

#[test]
fn a_booking_and_its_cancellation_are_found() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    let (calendar, contact) = (calendar_of(&world), world.contact_id(5));
    book(&world, &contact, &calendar, "booking");
    let booked = sync_after_a_day(&world);
    assert_eq!(changes(&booked, "appointments"), [1, 0, 0]);
    world.run_command(EXPORT).exits(0);
    assert_eq!(rows(&world, "lake", "appointments")["booking"]["contact_id"], contact.as_str());
    cancel(&world, &contact, "booking");
    let cancelled = sync_after_a_day(&world);
    assert_eq!(changes(&cancelled, "appointments"), [0, 0, 1]);
    assert_eq!(requests_to(&cancelled, "GET /contacts/{id}/appointments"), 1, "it is confirmed");
    world.run_command(EXPORT).exits(0);
    assert!(!rows(&world, "lake", "appointments").contains_key("booking"));
    assert_eq!(operations(&world, "appointments", "booking"), ["insert", "delete"]);
}

#[test]
fn an_appointment_that_only_its_contact_still_lists_is_not_deleted() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    let before = world.sync(SYNC)["rows"]["appointments"].clone();
    // The calendars are gone, and their events cannot be read; the contacts have them all the same.
    world.control_request("PUT", "calendars", &json!([{"id": "other", "name": "Other"}]));
    let after = sync_after_a_day(&world);
    assert_eq!(changes(&after, "appointments"), [0, 0, 0]);
    assert_eq!(after["rows"]["appointments"], before);
}

#[test]
fn calendars_that_cannot_be_read_delete_nothing() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    let before = world.sync(SYNC)["rows"]["appointments"].clone();
    for fault in [
        "GET /calendars/events status=500 times=50",
        "GET /calendars/events forbidden",
        "GET /calendars/ status=500 times=50",
    ] {
        let world = &world;
        world.control_request("POST", "faults", &json!([fault]));
        let_a_day_pass(world);
        let line = format!("sync {SYNC} --walk-every 30d --json --retry-for 1s");
        let summary = world.run_command(&line).exits(3).summary();
        assert_eq!(summary["rows"]["appointments"], before, "{fault}");
        assert_eq!(changes(&summary, "appointments"), [0, 0, 0], "{fault}");
        world.control_request("DELETE", "faults", &Value::Null);
    }
    let whole = sync_after_a_day(&world);
    assert_eq!((&whole["rows"]["appointments"], &whole["unreadable"]), (&before, &json!(0)));
}

#[test]
fn the_appointments_of_a_deleted_contact_go_with_the_next_reading() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    let (calendar, contact) = (calendar_of(&world), world.contact_id(5));
    book(&world, &contact, &calendar, "booking");
    sync_after_a_day(&world);
    world.delete_by_id(&contact);
    let gone = sync_after_a_day(&world);
    assert_eq!(changes(&gone, "contacts"), [0, 0, 1]);
    assert!(changes(&gone, "appointments")[2] >= 1);
    assert_eq!(requests_to(&gone, "GET /contacts/{id}/appointments"), 0);
}

#[test]
fn businesses_are_deleted_when_the_whole_list_lacks_them() {
    let world = World::new();
    set_businesses(&world, &["acme", "globex", "initech"]);
    world.run_command(EXPORT).exits(0);
    set_businesses(&world, &["acme", "globex corporation", "initech"]);
    let renamed = sync_after_a_day(&world);
    assert_eq!(changes(&renamed, "businesses"), [1, 0, 1]);
    world.run_command(EXPORT).exits(0);
    assert_eq!(operations(&world, "businesses", "globex"), ["insert", "delete"]);
    // A list that cannot be read says nothing, and an empty one is not believed.
    world.control_request("POST", "faults", &json!(["GET /businesses status=500 times=50"]));
    let_a_day_pass(&world);
    let line = format!("sync {SYNC} --walk-every 30d --json --retry-for 1s");
    let unread = world.run_command(&line).exits(3).summary();
    assert_eq!(changes(&unread, "businesses"), [0, 0, 0]);
    world.control_request("DELETE", "faults", &Value::Null);
    set_businesses(&world, &[]);
    assert_eq!(changes(&sync_after_a_day(&world), "businesses"), [0, 0, 0]);
}

#[test]
fn a_sync_that_was_killed_ends_as_one_that_was_not() {
    for (flags, is_walk) in [("--full", true), ("--walk-every 30d", false)] {
        for point in ["after_spool", "during_merge", "after_merge"] {
            let world = World::new();
            set_businesses(&world, &["acme", "globex"]);
            world.run_command(EXPORT).exits(0);
            let (calendar, contact) = (calendar_of(&world), world.contact_id(5));
            book(&world, &contact, &calendar, "booking");
            set_businesses(&world, &["acme", "initech"]);
            let before = rows(&world, "lake", "appointments").len();
            if !is_walk {
                let_a_day_pass(&world);
            }
            kill_at(&world, &format!("sync {SYNC} {flags}"), point);
            world.run_command(EXPORT).exits(0);
            assert_eq!(rows(&world, "lake", "appointments").len(), before + 1, "{flags} {point}");
            let businesses: Vec<String> = rows(&world, "lake", "businesses").into_keys().collect();
            assert_eq!(businesses, ["acme", "initech"], "{flags} {point}");
            assert_eq!(operations(&world, "appointments", "booking"), ["insert"]);
        }
    }
}

#[test]
fn appointments_in_the_words_of_a_system_are_refused() {
    let world = World::new();
    let line = "export --incremental --with appointments --template dext --out lake";
    world.run_command(line).exits(2).says("names of calendars");
}

#[test]
fn a_directory_that_is_given_a_table_later_gets_all_of_it() {
    let world = World::new();
    set_businesses(&world, &["acme"]);
    let plain = "export --incremental --changes --format jsonl --out lake";
    let wider = &format!("{plain} --with tasks,notes,businesses --replace");
    world.run_command(plain).exits(0);
    // Another directory has the mirror keep businesses, which the first one has not asked for.
    world.run_command(&EXPORT.replace("lake", "other")).exits(0);
    world.run_command(plain).exits(0);
    set_businesses(&world, &["acme", "globex"]);
    sync_after_a_day(&world);
    world.run_command(wider).exits(0);
    assert_eq!(operations(&world, "businesses", "acme"), ["reload"]);
    assert_eq!(operations(&world, "businesses", "globex"), ["reload"]);
    let (id, _) = rows(&world, "lake", "contacts").pop_first().unwrap();
    assert_eq!(operations(&world, "contacts", &id), ["insert", "reload"]);
    // From then on it gets what changes.
    set_businesses(&world, &["acme", "globex corporation"]);
    sync_after_a_day(&world);
    world.run_command(wider).exits(0);
    assert_eq!(operations(&world, "businesses", "acme"), ["reload"]);
}
