//! Syncs that are killed, that meet another one, or whose mirror is damaged.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::running_command::RunningCommand;
use crate::world::World;

/// The points at which a sync or its publication can be killed.
const POINTS: [&str; 5] =
    ["during_creation", "after_spool", "during_merge", "after_merge", "during_publish"];

const EXPORT: &str = "export --incremental --format jsonl --out mirrored";

pub(super) fn kill_at(world: &World, line: &str, point: &str) {
    let output = world.command(line).env("GHL_BULK_FAILPOINT", point).output().unwrap();
    assert_eq!(output.status.code(), None, "{point}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Changes of every kind.
fn change_account(world: &World) {
    world.delete_by_id(&world.contact_id(30));
    world.edit_by_id(&world.contact_id(3), &json!({"city": "Ghent", "__notes": [{"body": "n"}]}));
    world.add_contact(&json!({"id": "added", "firstName": "New", "__tasks": [{"title": "t"}]}));
}

fn published(world: &World) -> Vec<(String, Vec<Value>)> {
    ["contacts", "tasks", "notes", "custom_fields", "users", "tags"]
        .map(|table| (table.to_owned(), world.read_rows(&format!("mirrored/{table}.jsonl"))))
        .into()
}

#[test]
fn a_sync_that_was_killed_at_any_point_ends_as_one_that_was_not() {
    for flags in ["", "--full"] {
        let world = World::new();
        world.run_command(EXPORT).exits(0);
        change_account(&world);
        if !flags.is_empty() {
            world.sync(flags);
        }
        world.run_command(EXPORT).exits(0);
        let undisturbed = published(&world);
        assert_eq!(undisturbed[0].1.len(), 60);
        for point in POINTS {
            let world = World::new();
            world.run_command(EXPORT).exits(0);
            world.add_contact(&json!({"id": "early", "firstName": "Early"}));
            world.delete_by_id("early");
            change_account(&world);
            let line = if point == "during_publish" || flags.is_empty() {
                EXPORT.to_owned()
            } else {
                format!("sync {flags}")
            };
            kill_at(&world, &line, point);
            world.run_command(EXPORT).exits(0);
            assert_same_content(&undisturbed, &published(&world), point);
            assert_eq!(world.list_files("home/runs"), Vec::<String>::new(), "{point}");
        }
    }
}

/// Ids and times that the sandbox gives differ between two worlds.
#[track_caller]
fn assert_same_content(
    expected: &[(String, Vec<Value>)],
    found: &[(String, Vec<Value>)],
    point: &str,
) {
    let plain = |rows: &[Value]| {
        let mut rows: Vec<String> = rows
            .iter()
            .map(|row| {
                let mut row = row.as_object().unwrap().clone();
                for key in ["id", "date_added", "date_updated", "extra"] {
                    row.remove(key);
                }
                row.retain(|column, _| !column.starts_with('_'));
                Value::Object(row).to_string()
            })
            .collect();
        rows.sort();
        rows
    };
    for ((table, expected), (_, found)) in expected.iter().zip(found) {
        assert_eq!(plain(expected), plain(found), "{table} after {point}");
    }
}

#[test]
fn resume_finishes_a_sync_that_was_killed() {
    let world = World::new();
    kill_at(&world, "sync", "after_spool");
    let sent = world.requests_of(|| {
        let done = world.run_command("resume --json").exits(0);
        assert_eq!(done.summary()["rows"]["contacts"], 60);
    });
    assert_eq!(sent, 0, "everything was read before");
    world.run_command("resume").exits(10);
    assert_eq!(world.requests_of(|| drop(world.sync(""))), 1);
}

#[test]
fn a_sync_that_the_mirror_no_longer_waits_for_is_not_resumed() {
    let world = World::new();
    kill_at(&world, "sync", "after_spool");
    let run = world.only_run_id();
    fs::remove_dir_all(world.path("home/mirrors")).unwrap();
    world.sync("");
    world.run_command(&format!("resume {run}")).exits(2).says("is out of date");
}

#[test]
fn a_sync_that_stops_on_an_error_goes_on_with_what_it_has_read() {
    let world = World::new();
    world.control_request(
        "POST",
        "faults",
        &json!(["GET /contacts/*/notes forbidden", "POST /notes/search status=404"]),
    );
    world.control_request(
        "POST",
        "faults",
        &json!(["POST /contacts/search token-expired after=1"]),
    );
    let first = world.run_command("sync");
    assert_ne!(first.code, 1, "{}", first.stderr);
    world.control_request("DELETE", "faults", &Value::Null);
    let summary = world.sync("");
    assert_eq!(summary["rows"]["contacts"], 60);
}

#[test]
fn two_syncs_at_once_do_not_meet_in_the_mirror() {
    let world = World::with_faults(&["POST /contacts/search hold times=1"]);
    let first = RunningCommand::start(&world, "sync");
    world.get_control("held?at_least=1");
    let second = world.run_command("sync").exits(11);
    assert!(second.stderr.contains("the mirror of location `"), "{}", second.stderr);
    assert!(second.stderr.contains("only one sync of a location runs at a time"));
    world.control_request("POST", "release", &Value::Null);
    first.wait_for_exit().exits(0);
    world.sync("");
}

pub(super) fn mirror_path(world: &World) -> std::path::PathBuf {
    let mirrors = world.list_files("home/mirrors");
    assert_eq!(mirrors.len(), 1);
    world.path(&format!("home/mirrors/{}/mirror.db", mirrors[0]))
}

#[test]
fn a_damaged_mirror_is_refused_with_the_remedy() {
    let world = World::new();
    world.sync("");
    let path = mirror_path(&world);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 20_000].fill(0xaa);
    fs::write(&path, bytes).unwrap();
    for line in ["sync", EXPORT] {
        world
            .run_command(line)
            .exits(12)
            .says("is damaged")
            .says("and the next sync reads everything again");
    }
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    assert_eq!(world.sync("")["rows"]["contacts"], 60);
}

#[test]
fn a_damaged_record_is_found_when_it_is_written() {
    let world = World::new();
    world.sync("");
    let connection = rusqlite::Connection::open(mirror_path(&world)).unwrap();
    let changed = connection
        .execute("UPDATE record SET body = zeroblob(20) WHERE id = ?", [world.contact_id(9)]);
    assert_eq!(changed, Ok(1));
    world.run_command(EXPORT).exits(12).says("is damaged");
    assert!(!world.path("mirrored/manifest.json").exists());
}

#[test]
fn a_mirror_of_a_newer_version_is_refused() {
    let world = World::new();
    world.sync("");
    let path = mirror_path(&world);
    // `user_version` is at byte 60 of an SQLite database.
    let mut bytes = fs::read(&path).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&path, bytes).unwrap();
    world.run_command("sync").exits(12).says("has format 99").says("use the version that wrote it");
}

#[test]
fn only_its_owner_can_read_a_mirror() {
    let world = World::new();
    world.sync("");
    let dir = mirror_path(&world).parent().unwrap().to_owned();
    assert_eq!(fs::metadata(dir).unwrap().permissions().mode() & 0o777, 0o700);
}
