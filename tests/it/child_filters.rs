//! Which notes and tasks: `--tasks` and `--children-since` choose among those of all exported contacts.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::World;

fn account() -> World {
    World::with_settings(|settings| settings.contacts = 120)
}

/// The ids of an exported table.
fn exported_ids(world: &World, table: &str) -> BTreeSet<String> {
    let rows = world.read_rows(&format!("out/{table}.jsonl"));
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// The ids of the account's records of a kind that pass a test.
fn account_ids(world: &World, kind: &str, passes: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap().iter();
    let records = contacts.flat_map(|one| one[kind].as_array().unwrap());
    let wanted = records.filter(|record| passes(record));
    wanted.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

fn moment(record: &Value, key: &str) -> Option<jiff::Timestamp> {
    record[key].as_str()?.parse().ok()
}

fn is_open(task: &Value) -> bool {
    task["completed"] != true
}

#[track_caller]
fn assert_tasks(filter: &str, passes: impl Fn(&Value) -> bool) {
    let world = account();
    world.run_command(&format!("export --format jsonl --out out --tasks {filter}")).exits(0);
    let wanted = account_ids(&world, "tasks", passes);
    let all = account_ids(&world, "tasks", |_| true).len();
    assert!(!wanted.is_empty() && wanted.len() < all, "{filter} proves nothing: {}", wanted.len());
    assert_eq!(exported_ids(&world, "tasks"), wanted, "{filter}");
    // Everything else is complete.
    assert_eq!(exported_ids(&world, "notes"), account_ids(&world, "notes", |_| true));
    assert_eq!(exported_ids(&world, "contacts").len(), 120);
}

#[test]
fn tasks_are_exported_by_state_and_due_date() {
    assert_tasks("open", is_open);
    assert_tasks("completed", |task| !is_open(task));
    let end = "2025-07-01T00:00:00Z".parse().unwrap();
    let is_due = move |task: &Value| moment(task, "dueDate").is_some_and(|due| due < end);
    assert_tasks("due:2025-06-30", is_due);
    assert_tasks("open,due:2025-06-30", move |task| is_open(task) && is_due(task));
}

#[test]
fn notes_and_tasks_are_exported_by_the_date_they_were_added() {
    let world = account();
    world.run_command("export --format jsonl --out all").exits(0);
    world.run_command("export --format jsonl --out out --children-since 2025-01-01").exits(0);
    let since = "2025-01-01T00:00:00Z".parse().unwrap();
    for table in ["tasks", "notes"] {
        let all = world.read_rows(&format!("all/{table}.jsonl"));
        let added = |row: &&Value| moment(row, "date_added").is_none_or(|it| it >= since);
        let wanted: BTreeSet<_> =
            all.iter().filter(added).map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        assert!(!wanted.is_empty() && wanted.len() < all.len(), "{table}: the date proves nothing");
        assert_eq!(exported_ids(&world, table), wanted, "{table}");
    }
    assert_eq!(exported_ids(&world, "contacts").len(), 120);
}

#[test]
fn an_export_of_some_tasks_never_replaces_one_of_all() {
    let world = account();
    world.run_command("export --out out").exits(0);
    world.run_command("export --out out --tasks open").exits(4).says("with other filters");
    world.run_command("export --out out --tasks open --replace").exits(0);
    // The same request goes on replacing, as a nightly job does.
    world.run_command("export --out out --tasks open").exits(0);
    let manifest = world.read_json("out/manifest.json");
    assert_eq!(manifest["request"]["filters"]["tasks"][0], "open");
}

#[test]
fn a_finished_export_is_published_again_with_the_same_tasks() {
    let world = account();
    world.run_command("export --format jsonl --out out --tasks open").exits(0);
    let before = exported_ids(&world, "tasks");
    std::fs::remove_dir_all(world.path("out")).unwrap();
    let run = world.only_run_id();
    world.run_command(&format!("runs publish {run} --format jsonl --out out")).exits(0);
    assert_eq!(exported_ids(&world, "tasks"), before);
}

#[test]
fn a_filter_that_cannot_choose_anything_is_refused() {
    for (options, said) in [
        ("--tasks open,completed", "no task is both open and completed"),
        ("--tasks late", "expected `open`, `completed`, `overdue`, or `due:`"),
        ("--with notes --tasks open", "add `--with tasks`"),
        ("--with none --children-since 7d", "none of which are exported"),
    ] {
        account().run_command(&format!("export --out out {options}")).exits(2).says(said);
    }
}
