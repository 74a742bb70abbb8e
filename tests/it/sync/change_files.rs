//! `export --incremental --changes`: files that are only added, and from which the tables can be made again.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use super::histories::change_at_random;
use crate::world::World;

const EXPORT: &str = "export --incremental --changes --format jsonl --out lake";
const TABLES: [&str; 6] = ["contacts", "tasks", "notes", "custom_fields", "users", "tags"];

type Rows = BTreeMap<String, Value>;

/// The files of changes of a table, in order, with their bytes.
fn change_files(world: &World, table: &str) -> BTreeMap<String, Vec<u8>> {
    let dir = world.path(&format!("lake/changes/{table}"));
    let Ok(entries) = fs::read_dir(dir) else { return BTreeMap::new() };
    let read = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    entries.map(|entry| read(entry.unwrap())).collect()
}

fn all_change_files(world: &World) -> BTreeMap<String, Vec<u8>> {
    let files = TABLES.map(|table| {
        let named = |(name, bytes)| (format!("{table}/{name}"), bytes);
        change_files(world, table).into_iter().map(named).collect::<Vec<_>>()
    });
    files.into_iter().flatten().collect()
}

fn rows_of(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What happened to a record in the last file of a table.
fn last_ops(world: &World, table: &str) -> BTreeMap<String, String> {
    let files = change_files(world, table);
    let rows = rows_of(files.values().next_back().unwrap());
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    rows.iter().map(|row| (text(row, "id"), text(row, "_op"))).collect()
}

/// Applies the files of a table as a loader does.
fn replay(world: &World, table: &str) -> Rows {
    let mut rows = Rows::new();
    let mut files: Vec<_> = change_files(world, table).into_values().collect();
    // By the time of the changes, since another mirror counts from one again.
    files
        .sort_by_key(|bytes| rows_of(bytes).iter().map(|row| row["_changed_at"].to_string()).max());
    for file in files.iter().map(|bytes| rows_of(bytes)) {
        if file[0]["_op"] == "reload" {
            rows.clear();
        }
        for row in file {
            let id = row["id"].as_str().unwrap().to_owned();
            if row["_op"] == "delete" {
                assert!(rows.remove(&id).is_some(), "{table} {id} was deleted and never there");
            } else {
                rows.insert(id, plain(row));
            }
        }
    }
    rows
}

/// A row without what says how fresh it is.
fn plain(mut row: Value) -> Value {
    for key in ["_op", "_synced_at", "_checked_at", "_changed_at"] {
        row.as_object_mut().unwrap().remove(key);
    }
    row
}

fn table(world: &World, table: &str) -> Rows {
    let rows = world.read_rows(&format!("lake/{table}.jsonl")).into_iter();
    let rows = rows.filter(|row| row["_deleted_at"].is_null());
    rows.map(|row| (row["id"].as_str().unwrap().to_owned(), plain(row))).collect()
}

#[track_caller]
fn assert_replay_is_the_tables(world: &World, context: &str) {
    for name in TABLES {
        assert_eq!(replay(world, name), table(world, name), "{name}: {context}");
    }
}

/// Asserts that the files that were there are there as they were.
#[track_caller]
fn assert_unchanged(before: &BTreeMap<String, Vec<u8>>, world: &World, context: &str) {
    let now = all_change_files(world);
    for (name, bytes) in before {
        assert!(now.get(name) == Some(bytes), "{name} has changed: {context}");
    }
}

#[test]
fn the_first_export_inserts_everybody_and_later_ones_what_has_changed() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    assert!(last_ops(&world, "contacts").values().all(|op| op == "insert"));
    assert_replay_is_the_tables(&world, "first");
    let (edited, gone) = (world.contact_id(3), world.contact_id(30));
    world.edit_by_id(&edited, &json!({"city": "Ghent"}));
    let row = world.account_contacts()[30]["contact"].clone();
    world.delete_by_id(&gone);
    world.run_command(EXPORT).exits(0);
    let expected = [(edited, "update"), (gone.clone(), "delete")];
    let expected: BTreeMap<_, _> = expected.map(|(id, op)| (id, op.to_owned())).into();
    assert_eq!(last_ops(&world, "contacts"), expected);
    let files: Vec<String> = change_files(&world, "contacts").into_keys().collect();
    assert!(files[1].starts_with("0000000002-0000000002-"), "{files:?}");
    assert_eq!(change_files(&world, "users").len(), 1, "a table without a change has no file");
    world.add_contact(&json!({"id": gone, "firstName": row["firstName"], "email": row["email"]}));
    world.run_command(EXPORT).exits(0);
    assert_eq!(last_ops(&world, "contacts")[&gone], "return");
    assert_replay_is_the_tables(&world, "return");
}

#[test]
fn nothing_is_written_when_nothing_has_changed_but_how_fresh_it_is() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    let (files, before) = (all_change_files(&world), world.read_json("lake/manifest.json"));
    world.run_command(EXPORT).exits(0).says("nothing has changed");
    let now = world.read_json("lake/manifest.json");
    assert_eq!(all_change_files(&world), files);
    assert_ne!(now["started"], before["started"]);
    assert_eq!((&now["tables"], &now["changes"]), (&before["tables"], &before["changes"]));
}

#[test]
fn what_came_and_went_between_two_exports_is_not_there() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    let id = world.add_contact(&json!({"firstName": "Brief"}));
    let edited = world.contact_id(3);
    for city in ["Ghent", "Bruges"] {
        world.edit_by_id(&edited, &json!({"city": city}));
        world.sync("");
    }
    world.delete_by_id(&id);
    world.run_command(EXPORT).exits(0);
    let ops = last_ops(&world, "contacts");
    assert_eq!(ops.into_iter().collect::<Vec<_>>(), [(edited, "update".to_owned())]);
    assert_replay_is_the_tables(&world, "two syncs between");
}

#[test]
fn changes_of_random_histories_give_the_tables_whatever_was_killed() {
    const POINTS: [&str; 5] = [
        "during_publish",
        "between_change_files",
        "between_change_files:2",
        "between_change_files:4",
        "after_publish",
    ];
    for seed in 0..4 {
        let (world, mut random) = World::small_with_seed(30, seed);
        // Whatever a mirror no longer keeps, the files are right.
        let keep = ["", "--deleted-keep 0s --history-keep 0s"][usize::from(seed % 2 == 1)];
        let export = format!("{EXPORT} {keep}");
        for round in 0..5 {
            for step in 0..random.usize(1..6) {
                change_at_random(&world, &mut random, round * 10 + step);
            }
            let point = POINTS[random.usize(..POINTS.len())];
            let context = format!("seed {seed}, round {round}, {point}");
            let before = all_change_files(&world);
            // A point may lie behind the last file of a small change: then nothing is killed.
            let _ = world.command(&export).env("GHL_BULK_FAILPOINT", point).output().unwrap();
            assert_unchanged(&before, &world, &context);
            let seen = all_change_files(&world);
            if random.bool() {
                // The mirror moves on before the export is completed.
                change_at_random(&world, &mut random, round * 10 + 9);
                world.sync(&format!("{keep} {}", if random.bool() { "--full" } else { "" }));
            }
            world.run_command(&export).exits(0);
            assert_unchanged(&seen, &world, &context);
            assert_replay_is_the_tables(&world, &context);
        }
    }
}

#[test]
fn an_interrupted_file_is_written_again_with_the_same_bytes_after_later_syncs() {
    let whole = |interrupted: bool| {
        let world = World::new();
        let mut command = world.command(EXPORT);
        if interrupted {
            command.env("GHL_BULK_FAILPOINT", "between_change_files");
        }
        let _ = command.output().unwrap();
        let seen = all_change_files(&world);
        assert_eq!(seen.len() == 1, interrupted, "{:?}", seen.keys());
        world.edit_by_id(&world.contact_id(3), &json!({"city": "Ghent", "__notes": []}));
        world.sync("");
        world.run_command(EXPORT).exits(0);
        assert_unchanged(&seen, &world, "completed");
        assert_replay_is_the_tables(&world, "completed");
        let names = all_change_files(&world).into_keys();
        names.map(|name| name.split('-').take(2).collect::<Vec<_>>().join("-")).collect::<Vec<_>>()
    };
    assert_eq!(whole(true), whole(false));
}

#[test]
fn a_lost_mirror_or_directory_is_loaded_again() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    fs::remove_dir_all(world.path("home/mirrors")).unwrap();
    let gone = world.contact_id(30);
    world.delete_by_id(&gone);
    let files = all_change_files(&world);
    world.run_command(EXPORT).exits(0);
    assert_unchanged(&files, &world, "lost mirror");
    assert_eq!(change_files(&world, "contacts").len(), 2);
    assert!(!table(&world, "contacts").contains_key(&gone));
    assert_replay_is_the_tables(&world, "lost mirror");
    world.edit_by_id(&world.contact_id(3), &json!({"city": "Ghent"}));
    world.run_command(EXPORT).exits(0);
    assert_replay_is_the_tables(&world, "after a lost mirror");
    fs::remove_dir_all(world.path("lake")).unwrap();
    world.run_command(EXPORT).exits(0);
    assert!(last_ops(&world, "contacts").values().all(|op| op == "reload"));
    assert_replay_is_the_tables(&world, "lost directory");
}

#[test]
fn a_clock_that_is_set_back_dates_no_change_before_an_earlier_one() {
    let world = World::new();
    let set_ahead = |seconds: u32| {
        world.control_request("POST", "settings", &json!({"clock_ahead": seconds}));
    };
    set_ahead(300);
    world.run_command(EXPORT).exits(0);
    set_ahead(0);
    world.edit_by_id(&world.contact_id(3), &json!({"city": "Ghent"}));
    world.run_command(EXPORT).exits(0);
    let files = change_files(&world, "contacts").into_values();
    let times = files.map(|bytes| rows_of(&bytes)[0]["_changed_at"].to_string());
    let times: Vec<_> = times.collect();
    assert!(times.len() == 2 && times[0] <= times[1], "{times:?}");
    assert_replay_is_the_tables(&world, "a clock set back");
}

#[test]
fn an_export_without_changes_leaves_no_gap() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    let plain = EXPORT.replace("--changes ", "");
    for city in ["Ghent", "Bruges"] {
        world.edit_by_id(&world.contact_id(3), &json!({"city": city}));
        world.run_command(&plain).exits(0);
    }
    world.run_command(&plain).exits(0).says("nothing has changed");
    assert_eq!(change_files(&world, "contacts").len(), 1);
    world.run_command(EXPORT).exits(0);
    assert_eq!(change_files(&world, "contacts").len(), 2);
    assert_replay_is_the_tables(&world, "asked for again");
}

#[test]
fn records_that_no_longer_exist_stay_when_asked_to() {
    let world = World::new();
    let keep = format!("{EXPORT} --deleted keep");
    world.run_command(&keep).exits(0);
    let gone = world.contact_id(30);
    world.delete_by_id(&gone);
    world.run_command(&keep).exits(0);
    let rows = world.read_rows("lake/contacts.jsonl");
    let row = rows.iter().find(|row| row["id"] == gone.as_str()).unwrap();
    assert!(row["_deleted_at"].is_string(), "{row}");
    assert_eq!(rows.iter().filter(|row| !row["_deleted_at"].is_null()).count(), 1);
    world.run_command(EXPORT).exits(0).says("exported to");
    assert_eq!(world.read_rows("lake/contacts.jsonl").len(), 59);
}

#[test]
fn every_row_says_when_it_was_seen() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    let edited = world.contact_id(3);
    world.edit_by_id(&edited, &json!({"city": "Ghent"}));
    world.run_command(EXPORT).exits(0);
    let rows = world.read_rows("lake/contacts.jsonl");
    for row in &rows {
        let is_edited = row["id"] == edited.as_str();
        assert_eq!(row["_seq"], if is_edited { 2 } else { 1 });
        assert_eq!(row["_changed_at"], row["_synced_at"]);
        assert!(row["_deleted_at"].is_null() && row.get("_op").is_none());
    }
    assert!(world.read_rows("lake/notes.jsonl").iter().all(|row| row["_checked_at"].is_string()));
    world.run_command("sync --full").exits(0);
    world.edit_by_id(&edited, &json!({"city": "Bruges"}));
    world.run_command(EXPORT).exits(0);
    let rows = world.read_rows("lake/contacts.jsonl");
    let old = rows.iter().find(|row| row["id"] != edited.as_str()).unwrap();
    assert!(old["_synced_at"].as_str() > old["_changed_at"].as_str(), "read again: {old}");
}

#[test]
fn a_directory_of_changes_with_something_else_in_it_is_not_touched() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    fs::remove_file(world.path("lake/manifest.json")).unwrap();
    fs::write(world.path("lake/changes/contacts/mine.txt"), "x").unwrap();
    for table in TABLES {
        fs::remove_file(world.path(&format!("lake/{table}.jsonl"))).unwrap();
    }
    world.run_command(EXPORT).exits(4).says("changes");
    assert!(world.path("lake/changes/contacts/mine.txt").exists());
}

#[test]
fn options_of_an_incremental_export_need_one() {
    let world = World::new();
    for flag in ["--changes", "--deleted keep", "--contract freeze", "--rename-columns"] {
        world.run_command(&format!("export {flag} --out lake")).exits(2).says("--incremental");
    }
}

#[test]
fn a_directory_is_the_same_however_its_path_is_written() {
    let world = World::new();
    let killed = world.command(EXPORT).env("GHL_BULK_FAILPOINT", "between_change_files").output();
    assert_eq!(killed.unwrap().status.code(), None);
    let seen = all_change_files(&world);
    world.edit_by_id(&world.contact_id(3), &json!({"city": "Ghent"}));
    std::os::unix::fs::symlink(world.path("lake"), world.path("link")).unwrap();
    world.run_command(&EXPORT.replace("--out lake", "--out link/../link")).exits(0);
    assert_unchanged(&seen, &world, "by another path");
    assert_eq!(change_files(&world, "contacts").len(), 2, "what was interrupted, and what is new");
    assert_replay_is_the_tables(&world, "by another path");
}

#[test]
fn templates_say_nothing_about_columns_of_syncs() {
    let world = World::new();
    let said = world.run_command("export --incremental --template dub --out dub").exits(0).stderr;
    assert!(said.contains("are not in the template files") && !said.contains("_seq"), "{said}");
    let refused = world.run_command("schema --merge duckdb --export dub").exits(2);
    refused.says("does not describe").says("`--incremental` reads only what has changed");
}

#[test]
fn scripts_for_a_warehouse_have_the_types_that_a_load_of_parquet_gives() {
    let world = World::new();
    world.run_command(&EXPORT.replace("jsonl", "parquet")).exits(0);
    let script = |dialect: &str| {
        world.run_command(&format!("schema --merge {dialect} --export lake")).exits(0).stdout
    };
    // BigQuery assigns no text to a column of JSON.
    let bigquery = script("bigquery");
    assert!(bigquery.contains("ADD COLUMN IF NOT EXISTS extra STRING"), "{bigquery}");
    assert!(!bigquery.contains(" JSON"), "{bigquery}");
    let snowflake = script("snowflake");
    assert!(snowflake.contains("ADD COLUMN IF NOT EXISTS extra VARIANT"), "{snowflake}");
}
