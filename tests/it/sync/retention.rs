//! What a mirror no longer keeps: what deleted records said and former versions, once they are old and every reader has
//! them. The rest stays right.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::interrupted::kill_at;
use crate::world::World;

const EXPORT: &str = "export --incremental --changes --deleted keep --format jsonl --out lake";
/// Nothing is kept longer than it has to be.
const NOTHING: &str = "--deleted-keep 0s --history-keep 0s";

fn mirror_file(world: &World) -> PathBuf {
    let dirs = world.list_files("home/mirrors");
    assert_eq!(dirs.len(), 1);
    world.path(&format!("home/mirrors/{}/mirror.db", dirs[0]))
}

fn query(world: &World, sql: &str) -> i64 {
    Connection::open(mirror_file(world)).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Makes everything that syncs have seen so far older, as if it had been seen then.
fn age_by_days(world: &World, days: i64) {
    let mirror = Connection::open(mirror_file(world)).unwrap();
    let mut syncs = mirror.prepare("SELECT seq, state, place, facts FROM sync").unwrap();
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let syncs: Vec<(i64, i64, i64, String)> =
        syncs.query_map([], read).unwrap().collect::<Result<_, _>>().unwrap();
    for (seq, state, place, facts) in syncs {
        let mut facts: Value = serde_json::from_str(&facts).unwrap();
        let changes_ms = facts["changes_ms"].as_i64().unwrap() - days * 24 * 3_600_000;
        facts["changes_ms"] = changes_ms.into();
        let facts = facts.to_string();
        let numbers = [seq, state, place].map(i64::to_le_bytes);
        let sum =
            ghl_bulk::run::checksum(&[&numbers[0], &numbers[1], &numbers[2], facts.as_bytes()]);
        let row = rusqlite::params![facts, sum, seq];
        mirror.execute("UPDATE sync SET facts = ?, sum = ? WHERE seq = ?", row).unwrap();
    }
    mirror.execute("DELETE FROM meta WHERE key = 'retention'", []).unwrap();
}

fn retention(world: &World) -> Value {
    let status = world.run_command("mirror status --json").exits(0).stdout;
    serde_json::from_str::<Value>(&status).unwrap()[0].clone()
}

fn contacts(world: &World) -> Value {
    retention(world)["records"]["contacts"].clone()
}

/// The changes of contacts that are in files: operation and id.
fn written_changes(world: &World) -> Vec<(String, String)> {
    let mut files = world.list_files("lake/changes/contacts");
    files.sort();
    let rows =
        files.iter().flat_map(|file| world.read_rows(&format!("lake/changes/contacts/{file}")));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows.map(|row| (text(&row["_op"]), text(&row["id"]))).collect()
}

#[test]
fn what_a_deleted_contact_said_goes_and_that_there_was_one_stays() {
    let world = World::new();
    let id =
        world.add_contact(&json!({"firstName": "Zerubbabel", "__notes": [{"body": "secret"}]}));
    world.sync("");
    let (file, find) = (mirror_file(&world), format!("SELECT body FROM record WHERE id = '{id}'"));
    let body: Vec<u8> =
        Connection::open(&file).unwrap().query_row(&find, [], |row| row.get(0)).unwrap();
    let is_on_disk = || {
        let files = [file.clone(), PathBuf::from(format!("{}-wal", file.display()))];
        let bytes: Vec<u8> =
            files.iter().filter_map(|file| fs::read(file).ok()).flatten().collect();
        bytes.windows(body.len()).any(|bytes| bytes == body)
    };
    world.edit_by_id(&id, &json!({"city": "Ghent"}));
    world.sync("");
    world.delete_by_id(&id);
    let kept = world.sync("");
    assert_eq!(kept["removed"], json!({"deleted_contents": 0, "former_versions": 0}));
    assert!(is_on_disk());
    let removed = world.sync("--deleted-keep 0s");
    // The contact and its note; that the contact was deleted stays with both.
    assert_eq!(removed["removed"]["deleted_contents"], 2);
    assert!(!is_on_disk(), "what was removed is still in the file");
    let contacts = contacts(&world);
    assert_eq!([&contacts["deleted"], &contacts["without_content"]], [1, 1]);
    assert_eq!(query(&world, &format!("SELECT count(*) FROM version WHERE id = '{id}'")), 0);
    world.run_command(EXPORT).exits(0);
    let rows = world.read_rows("lake/contacts.jsonl");
    let row = rows.iter().find(|row| row["id"] == id.as_str()).unwrap();
    assert_eq!((&row["first_name"], row["_deleted_at"].is_string()), (&Value::Null, true));
    let notes = world.read_rows("lake/notes.jsonl");
    let note = notes.iter().find(|note| note["_deleted_at"].is_string()).unwrap();
    assert_eq!((&note["contact_id"], &note["body"]), (&json!(id), &Value::Null));
    world.run_command("history Zerubbabel@example.com").exits(10);
    assert!(world.run_command(&format!("history {id}")).exits(0).stdout.contains("deleted"));
}

#[test]
fn a_record_that_returns_after_its_content_was_removed_is_whole_again() {
    let world = World::new();
    let row = json!({"id": "comesback", "firstName": "Lazarus"});
    world.add_contact(&row);
    world.run_command(EXPORT).exits(0);
    world.delete_by_id("comesback");
    world.run_command(EXPORT).exits(0);
    world.sync(NOTHING);
    world.add_contact(&row);
    world.run_command(&format!("{EXPORT} {NOTHING}")).exits(0);
    world.sync(NOTHING);
    let of_it = written_changes(&world).into_iter().filter(|(_, id)| id == "comesback");
    let operations: Vec<String> = of_it.map(|(operation, _)| operation).collect();
    assert_eq!(operations, ["insert", "delete", "return"]);
    let rows = world.read_rows("lake/contacts.jsonl");
    let row = rows.iter().find(|row| row["id"] == "comesback").unwrap();
    assert_eq!((&row["first_name"], &row["_deleted_at"]), (&json!("Lazarus"), &Value::Null));
}

#[test]
fn former_versions_go_when_they_were_replaced_long_ago() {
    let world = World::new();
    world.sync("");
    let id = world.contact_id(3);
    for city in ["Ghent", "Mons"] {
        world.edit_by_id(&id, &json!({ "city": city }));
        world.sync("");
    }
    age_by_days(&world, 400);
    world.edit_by_id(&id, &json!({"city": "Liège"}));
    let removed = world.sync("");
    assert_eq!(removed["removed"]["former_versions"], 2, "replaced 400 days ago");
    // What it said until today is kept for another year.
    assert_eq!(contacts(&world)["former_versions"], 1);
    let history = world.run_command(&format!("history {id} --json")).exits(0).stdout;
    assert!(history.contains("Mons") && !history.contains("Ghent"), "{history}");
    world.run_command("sync").exits(0);
    assert_eq!(contacts(&world)["former_versions"], 1);
}

#[test]
fn nothing_goes_that_an_output_directory_has_not_got() {
    let world = World::new();
    let id = world.add_contact(&json!({"firstName": "Ann"}));
    world.run_command(EXPORT).exits(0);
    world.edit_by_id(&world.contact_id(3), &json!({"city": "Ghent"}));
    world.edit_by_id(&id, &json!({"city": "Mons"}));
    world.sync("");
    world.delete_by_id(&id);
    world.edit_by_id(&world.contact_id(3), &json!({"city": "Mons"}));
    let kept = world.sync(NOTHING);
    // What was there when the directory was written is the state before a change that it lacks.
    assert_eq!(kept["removed"], json!({"deleted_contents": 0, "former_versions": 0}));
    world.run_command(EXPORT).exits(0);
    let changes = written_changes(&world);
    assert_eq!(changes.iter().filter(|(operation, _)| operation == "delete").count(), 1);
    let deleted = world.list_files("lake/changes/contacts").pop().unwrap();
    let rows = world.read_rows(&format!("lake/changes/contacts/{deleted}"));
    let row = rows.iter().find(|row| row["_op"] == "delete").unwrap();
    assert_eq!(row["first_name"], "Ann", "a deletion shows what was deleted");
    let removed = world.sync("");
    assert_eq!(removed["removed"]["deleted_contents"], 1, "the rules are those of the mirror");
    assert!(removed["removed"]["former_versions"].as_u64().unwrap() >= 2);
    // A directory that is gone is written as a whole, and holds nothing back.
    world.edit_by_id(&world.contact_id(3), &json!({"city": "Liège"}));
    fs::remove_dir_all(world.path("lake")).unwrap();
    assert_eq!(world.sync("")["removed"]["former_versions"], 1);
}

#[test]
fn nothing_goes_that_a_sink_has_not_got() {
    let world = World::new();
    let watch = format!("watch --once --jsonl events.jsonl {NOTHING}");
    world.run_command(&watch).exits(0);
    let id = world.contact_id(3);
    world.edit_by_id(&id, &json!({"city": "Ghent"}));
    assert_eq!(world.sync(NOTHING)["removed"]["former_versions"], 0);
    world.delete_by_id(&id);
    assert_eq!(world.sync(NOTHING)["removed"]["deleted_contents"], 0);
    world.run_command(&watch).exits(0);
    let events = world.read_rows("events.jsonl");
    assert_eq!(events[0]["changed"][0], "city", "what it said before was still there");
    assert_eq!(events[0]["data"]["city"], "Ghent");
    assert_eq!(events[1]["type"], "contact.deleted");
    assert_eq!(events[1]["data"]["city"], "Ghent");
    // The contact, and what belonged to it.
    let removed = world.sync(NOTHING)["removed"]["deleted_contents"].as_u64().unwrap();
    assert!(removed >= 1, "{removed}");
}

#[test]
fn a_removal_that_was_killed_is_completed() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    for at in [2, 4, 6] {
        world.edit_by_id(&world.contact_id(at), &json!({"city": "Ghent"}));
    }
    world.delete_by_id(&world.contact_id(9));
    world.run_command(EXPORT).exits(0);
    for times in 1..=2 {
        kill_at(&world, &format!("sync {NOTHING}"), &format!("during_removal:{times}"));
    }
    world.sync("");
    let contacts = contacts(&world);
    assert_eq!([&contacts["former_versions"], &contacts["without_content"]], [0, 1]);
    let before = world.read_rows("lake/contacts.jsonl").len();
    world.run_command(&format!("{EXPORT} --replace")).exits(0);
    assert_eq!(world.read_rows("lake/contacts.jsonl").len(), before);
    assert_eq!(world.list_files("home/runs"), Vec::<String>::new());
}

#[test]
fn a_mirror_remembers_what_was_said_and_shows_it() {
    let world = World::new();
    world.sync("");
    let kept = retention(&world)["retention"].clone();
    assert_eq!([&kept["deleted_keep_s"], &kept["history_keep_s"]], [90 * 86_400, 365 * 86_400]);
    world.run_command(&format!("{EXPORT} --deleted-keep forever --history-keep 30d")).exits(0);
    world.sync("");
    let kept = retention(&world)["retention"].clone();
    let times = (&kept["deleted_keep_s"], &kept["history_keep_s"]);
    assert_eq!(times, (&Value::Null, &json!(30 * 86_400)));
    let said = world.run_command("mirror status").exits(0).stdout;
    assert!(said.contains("deleted records forever, former versions 30 days"), "{said}");
    world.run_command("sync --deleted-keep soon").exits(2).says("neither a duration");
    world.run_command("export --deleted-keep 3d --out x").exits(2);
}

#[test]
fn the_entries_of_syncs_that_changed_nothing_do_not_stay_for_ever() {
    let world = World::new();
    world.sync("");
    for _ in 0..5 {
        world.sync("");
    }
    let id = world.contact_id(3);
    world.edit_by_id(&id, &json!({"city": "Ghent"}));
    world.sync("");
    age_by_days(&world, 400);
    world.sync("--history-keep 365d");
    // The walk, the sync before the change, the one that saw it, and the last one.
    assert_eq!(query(&world, "SELECT count(*) FROM sync"), 4);
    let history = world.run_command(&format!("history {id} --json")).exits(0).events();
    let last = history.iter().rfind(|change| change["change"] == "update").unwrap();
    assert!(last["between"][0].is_string(), "it is known since when: {last}");
    assert_eq!(last["before_unknown"], true);
}
