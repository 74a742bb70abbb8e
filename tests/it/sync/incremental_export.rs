//! `export --incremental`: the files of the mirror, replaced only when something has changed.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use serde_json::{Value, json};

use crate::world::World;

const EXPORT: &str = "export --incremental --format jsonl --out lake";

/// The rows of a table, without what the two endpoints of notes and tasks write in different ways.
fn rows(world: &World, dir: &str, table: &str) -> Vec<Value> {
    let mut rows = world.read_rows(&format!("{dir}/{table}.jsonl"));
    for row in &mut rows {
        let row = row.as_object_mut().unwrap();
        row.retain(|column, _| !column.starts_with('_'));
        // Another order of the tags is no change.
        if let Some(tags) = row.get_mut("tags").and_then(Value::as_array_mut) {
            tags.sort_by_key(ToString::to_string);
        }
        if matches!(table, "notes" | "tasks") {
            for column in ["extra", "relations", "date_updated"] {
                row.remove(column);
            }
        }
    }
    rows
}

/// Asserts that the files of the mirror have what a plain export has.
#[track_caller]
pub(super) fn assert_equals_plain_export(world: &World) {
    world.run_command("export --format jsonl --out plain --replace").exits(0);
    world.run_command(EXPORT).exits(0);
    for table in ["contacts", "tasks", "notes", "custom_fields", "users", "tags"] {
        assert_eq!(rows(world, "lake", table), rows(world, "plain", table), "{table}");
    }
}

#[test]
fn the_files_are_those_of_a_plain_export() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    assert_equals_plain_export(&world);
    let manifest = world.read_json("lake/manifest.json");
    assert_eq!(manifest["mirror"]["seq"], 1);
    assert_eq!(manifest["complete"], true);
    assert_eq!(manifest["location_name"], world.read_json("plain/manifest.json")["location_name"]);
}

#[test]
fn files_are_replaced_only_when_something_has_changed() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    let inode = || fs::metadata(world.path("lake/contacts.jsonl")).unwrap().ino();
    let before = inode();
    let sent = world.requests_of(|| {
        world.run_command(EXPORT).exits(0).says("nothing has changed");
    });
    assert_eq!((sent, inode()), (1, before));
    world.edit_by_id(&world.contact_id(3), &json!({"city": "Ghent"}));
    world.run_command(EXPORT).exits(0).says("exported to");
    assert_ne!(inode(), before);
    assert_eq!(world.read_json("lake/manifest.json")["mirror"]["seq"], 3);
    // Another format of the same state is written.
    let both = "export --incremental --format jsonl,csv --out lake";
    world.run_command(both).exits(0).says("exported to");
    assert!(world.path("lake/contacts.csv").exists());
}

#[test]
fn a_directory_of_a_mirror_that_was_lost_is_written_as_a_whole() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    let mirrors = world.path("home/mirrors");
    fs::remove_dir_all(&mirrors).unwrap();
    let before = world.read_json("lake/manifest.json")["mirror"]["id"].clone();
    world.run_command(EXPORT).exits(0).says("exported to");
    assert_ne!(world.read_json("lake/manifest.json")["mirror"]["id"], before);
    world.run_command(EXPORT).exits(0).says("nothing has changed");
}

#[test]
fn a_directory_with_something_else_is_refused_before_anything_is_read() {
    let world = World::new();
    world.run_command("export --tag vip --with none --format jsonl --out lake").exits(0);
    world.control_request("DELETE", "log", &serde_json::Value::Null);
    world.run_command(EXPORT).exits(4).says("--replace");
    assert_eq!(world.get_control("log")["entries"], json!([]));
}

#[test]
fn what_a_mirror_does_not_have_is_not_exported_from_it() {
    let world = World::new();
    world.run_command("export --incremental --tag vip --out lake").exits(2);
    world.run_command("export --incremental --out -").exits(2).says("--out -");
    assert!(!world.path("home/mirrors").exists());
}
