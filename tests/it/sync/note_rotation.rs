//! Where the search of notes is not proven, notes are read in rotation: no reading is older than a bound.

use serde_json::{Value, json};

use super::interrupted::kill_at;
use super::sync_world::{add_note_by_api, changes};
use crate::raw_http::RawClient;
use crate::world::World;

const CONTACTS: usize = 150;
const DAY_S: i64 = 24 * 3600;

/// A world whose token may not search for notes.
fn world() -> World {
    World::with_settings(|settings| settings.contacts = CONTACTS)
        .with_env("GHL_BULK_SETTLE_S", "0")
        .with_env("GHL_TOKEN", "pit-sandbox-without:notes.readonly")
}

/// Lets time pass on the server.
fn pass_days(world: &World, days: i64) {
    world.control_request("POST", "settings", &json!({"clock_ahead": days * DAY_S}));
}

/// Runs a sync that ends with a code, and gives its summary.
#[track_caller]
fn sync_exits(world: &World, flags: &str, code: i32) -> Value {
    world.run_command(&format!("sync --json {flags}")).exits(code).summary()
}

/// How many lists of notes a command requests.
fn lists_of(world: &World, work: impl FnOnce()) -> usize {
    world.control_request("DELETE", "log", &Value::Null);
    work();
    let log = world.get_control("log");
    let entries = log["entries"].as_array().unwrap().iter();
    let is_list = |entry: &&Value| entry.to_string().contains("/notes\"");
    entries.filter(is_list).count()
}

fn account_notes(world: &World) -> u64 {
    let contacts = world.account_contacts();
    contacts.iter().map(|row| row["notes"].as_array().unwrap().len() as u64).sum()
}

#[test]
fn the_first_sync_reads_all_notes_and_the_next_one_takes_one_request() {
    let world = world();
    let first = world.sync("");
    assert_eq!(first["note_coverage"]["read_by"], "rotation");
    assert_eq!(first["note_coverage"]["unread"], 0);
    assert_eq!(first["rows"]["notes"], account_notes(&world));
    assert_eq!(changes(&first, "notes")[0], account_notes(&world));
    assert_eq!(world.requests_of(|| drop(world.sync(""))), 1);
    world.run_command("sync").exits(0).says("read at least every 7 days");
}

#[test]
fn contacts_and_tasks_are_whole_before_the_first_note_is_read() {
    let world = world();
    let done = world.run_command("sync --max-requests 60").exits(3);
    done.says(
        "were never read, because the requests of the day are used up; the next sync goes on",
    );
    let used = world.get_control("log?last=0")["requests"].as_u64().unwrap();
    assert_eq!(used, 60);
    let summary = sync_exits(&world, "--max-requests 100", 3);
    assert_eq!(summary["rows"]["contacts"], CONTACTS);
    let unread = summary["note_coverage"]["unread"].as_u64().unwrap();
    assert!(unread > 0 && unread < CONTACTS as u64, "{unread}");
    let within = summary["note_coverage"]["within_bound"].as_f64().unwrap();
    assert!(within > 0.3 && within < 0.9, "{within}");
    let summary = world.sync("");
    assert_eq!(summary["note_coverage"]["unread"], 0);
    assert_eq!(summary["rows"]["notes"], account_notes(&world));
}

#[test]
fn each_day_a_share_is_read_again_and_no_reading_is_older_than_the_bound() {
    let world = world();
    world.sync("");
    for day in 1..=9 {
        pass_days(&world, day);
        let mut summary = Value::Null;
        let lists = lists_of(&world, || summary = world.sync("--walk-every 300d"));
        assert!((19..=26).contains(&lists), "day {day}: {lists}");
        assert_eq!(summary["note_coverage"]["overdue"], 0, "day {day}");
        assert_eq!(lists_of(&world, || drop(world.sync("--walk-every 300d"))), 0);
    }
}

#[test]
fn a_silent_change_is_found_within_the_bound_and_counted() {
    let world = world();
    world.sync("");
    let contact = world.contact_id(40);
    let id = add_note_by_api(&world, &contact, "silent");
    let found = (1..=7).any(|day| {
        pass_days(&world, day);
        changes(&world.sync("--walk-every 300d"), "notes") == [1, 0, 0]
    });
    assert!(found);
    let notes = world.mirror_rows("notes");
    assert_eq!(notes[&id]["body"], "silent");
    let coverage = world.sync("")["note_coverage"].clone();
    assert_eq!((&coverage["silent"], &coverage["announced"]), (&json!(1), &json!(0)));
}

#[test]
fn a_change_that_shows_in_the_contact_is_found_at_once_and_counted() {
    let world = world();
    world.sync("");
    let id = world.contact_id(40);
    world.edit_by_id(&id, &json!({"city": "Ghent", "__notes": [{"body": "n"}, {"body": "m"}]}));
    let summary = world.sync("");
    assert_eq!(changes(&summary, "notes")[0], 2);
    assert_eq!(summary["note_coverage"]["announced"], 1);
    assert_eq!(summary["note_coverage"]["silent"], 0);
}

#[test]
fn a_walk_reads_contacts_and_tasks_but_not_all_notes() {
    let world = world();
    world.sync("");
    let lists = lists_of(&world, || assert_eq!(world.sync("--walk-every 0s")["read"], "walk"));
    assert_eq!(lists, 0);
    let lists = lists_of(&world, || drop(world.sync("--full")));
    assert_eq!(lists, CONTACTS, "everything is everything");
}

#[test]
fn the_notes_of_a_contact_that_moved_are_read_by_a_walk_too() {
    let world = world();
    world.sync("");
    let id = world.contact_id(40);
    world.edit_by_id(&id, &json!({"city": "Ghent", "__notes": [{"body": "n"}]}));
    let mut summary = Value::Null;
    let lists = lists_of(&world, || summary = world.sync("--walk-every 0s"));
    assert_eq!((lists, changes(&summary, "notes")[0]), (1, 1));
    assert_eq!(summary["note_coverage"]["outdated"], 0);
}

#[test]
fn a_note_that_was_deleted_in_silence_is_deleted_when_its_contact_is_read() {
    let world = world();
    world.sync("");
    let contacts = world.account_contacts();
    let row = contacts.iter().find(|row| !row["notes"].as_array().unwrap().is_empty()).unwrap();
    let (contact, note) = (&row["contact"]["id"], &row["notes"][0]["id"]);
    let path = format!("/contacts/{}/notes/{}", contact.as_str().unwrap(), note.as_str().unwrap());
    let client = RawClient::new(world.url());
    assert_eq!(client.send_request("DELETE", &path, &Value::Null).status, 200);
    assert_eq!(changes(&world.sync("--full"), "notes"), [0, 0, 1]);
}

#[test]
fn a_list_that_cannot_be_read_deletes_nothing_and_is_read_again() {
    let world = world();
    let before = world.sync("");
    let contact = world.contact_id(40);
    let fault = format!("GET /contacts/{contact}/notes status=500");
    world.control_request("POST", "faults", &json!([fault]));
    let summary = sync_exits(&world, "--full", 3);
    assert_eq!(summary["rows"], before["rows"]);
    assert_eq!(summary["unreadable"], 1);
    world.control_request("DELETE", "faults", &Value::Null);
    assert_eq!(lists_of(&world, || drop(world.sync(""))), 1);
}

#[test]
fn an_endpoint_of_notes_that_fails_leaves_contacts_and_tasks_whole() {
    let world = world();
    world.control_request("POST", "faults", &json!(["GET /contacts/*/notes status=403"]));
    let summary = sync_exits(&world, "", 3);
    assert_eq!(summary["rows"]["contacts"], CONTACTS);
    world.add_contact(&json!({"firstName": "New"}));
    let summary = sync_exits(&world, "", 3);
    assert_eq!(summary["rows"]["contacts"], CONTACTS + 1);
    world.control_request("DELETE", "faults", &Value::Null);
    let summary = world.sync("");
    assert_eq!(summary["note_coverage"]["unread"], 0);
    assert_eq!(summary["rows"]["notes"], account_notes(&world));
}

#[test]
fn a_sync_that_was_killed_while_it_read_notes_goes_on() {
    for point in ["after_spool", "during_merge", "after_merge"] {
        for times in 1..=2 {
            let world = world();
            kill_at(&world, "sync", &format!("{point}:{times}"));
            let summary = world.sync("");
            assert_eq!(summary["rows"]["contacts"], CONTACTS, "{point}");
            assert_eq!(summary["rows"]["notes"], account_notes(&world), "{point}");
            assert_eq!(summary["note_coverage"]["unread"], 0, "{point}");
            assert_eq!(world.list_files("home/runs"), Vec::<String>::new(), "{point}");
        }
    }
}

#[test]
fn the_bound_is_longer_where_it_would_take_too_large_a_part_of_the_day() {
    let world = world();
    world.sync("");
    let bound = |flags: &str| world.sync(flags)["note_coverage"]["bound_s"].clone();
    assert_eq!(bound(""), 7 * DAY_S);
    assert_eq!(bound("--max-requests 1000"), 7 * DAY_S);
    assert_eq!(bound("--notes-max-age 30d"), 30 * DAY_S);
    assert_eq!(bound("--notes-max-age off"), Value::Null);
    let used = world.get_control("log?last=0")["requests"].as_u64().unwrap();
    // A quarter of them reads the notes of few contacts a day.
    assert!(used < 300, "{used}");
    assert_eq!(bound("--max-requests 400"), 7 * DAY_S);
    world.run_command("sync --notes-max-age 0s").exits(2).says("at least a second");
    world.run_command("sync --notes-max-age often").exits(2);
}

#[test]
fn without_a_bound_only_what_changes_is_read_again() {
    let world = world();
    world.sync("--notes-max-age off");
    pass_days(&world, 30);
    let flags = "--notes-max-age off --walk-every 300d";
    assert_eq!(lists_of(&world, || drop(world.sync(flags))), 0);
    world.run_command(&format!("sync {flags}")).exits(0).says("others are not read again");
}

#[test]
fn the_manifest_and_each_row_say_how_old_notes_are() {
    let world = world();
    world.run_command("export --incremental --format jsonl --out lake").exits(0);
    let coverage = world.read_json("lake/manifest.json")["coverage"].clone();
    assert_eq!(coverage["notes"]["read_by"], "rotation");
    assert_eq!(coverage["notes"]["within_bound"], 1.0);
    let oldest = coverage["notes"]["oldest"].as_str().unwrap().to_owned();
    let rows = world.read_rows("lake/notes.jsonl");
    let time = |value: &str| value.parse::<jiff::Timestamp>().unwrap().as_second();
    for row in &rows {
        assert!(time(row["_checked_at"].as_str().unwrap()) >= time(&oldest), "{row}");
    }
    pass_days(&world, 1);
    let done = world.run_command("sync --json").exits(0);
    let events = done.events();
    let event = events.iter().find(|event| event["table"] == "notes").unwrap();
    assert_eq!((&event["table"], &event["within_bound"]), (&json!("notes"), &json!(1.0)));
    assert!(event["oldest_s"].as_i64().unwrap() >= DAY_S, "{event}");
    // Something has to change for the files to be written again.
    world.edit_by_id(&world.contact_id(3), &json!({"city": "Ghent", "__notes": [{"body": "n"}]}));
    world.run_command("export --incremental --format jsonl --out lake").exits(0);
    let read = world.read_rows("lake/notes.jsonl");
    let later = |row: &&Value| time(row["_checked_at"].as_str().unwrap()) >= time(&oldest) + DAY_S;
    let count = read.iter().filter(later).count();
    assert!(count > 0 && count < read.len(), "{count} of {}", read.len());
}

#[test]
fn an_export_of_a_mirror_that_lacks_notes_says_so_and_ends_with_3() {
    let world = world();
    world.run_command("sync --max-requests 60").exits(3);
    // The next sync reads what is missing; a list that fails stays missing.
    let contact = world.contact_id(0);
    let fault = format!("GET /contacts/{contact}/notes status=404");
    world.control_request("POST", "faults", &json!([fault]));
    let done = world.run_command("export --incremental --format jsonl --out lake").exits(3);
    done.says("the notes of 1 contact were never read, because some could not be read");
    let coverage = world.read_json("lake/manifest.json")["coverage"]["notes"].clone();
    assert_eq!((&coverage["unread"], &coverage["within_bound"]), (&json!(1), &json!(0.9933)));
}

#[test]
fn resume_goes_on_with_notes() {
    let world = world();
    kill_at(&world, "sync", "after_spool:2");
    let summary = world.run_command("resume --json").exits(0).summary();
    assert_eq!(summary["note_coverage"]["unread"], 0);
    assert_eq!(summary["rows"]["notes"], account_notes(&world));
}

#[test]
fn the_notes_that_an_export_has_read_one_by_one_are_not_requested_again() {
    let world = world();
    world.run_command("export --format jsonl --out out").exits(0);
    let mut summary = Value::Null;
    let lists = lists_of(&world, || summary = world.sync(""));
    assert_eq!((lists, &summary["note_coverage"]["read_by"]), (0, &json!("rotation")));
    assert_eq!(summary["note_coverage"]["unread"], 0);
}
