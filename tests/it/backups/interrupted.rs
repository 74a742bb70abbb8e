//! Backups that are killed, and two at once.

use super::backup_world::TABLES;
use crate::world::World;

#[track_caller]
fn check_kill(failpoint: &str) {
    let world = World::with_repository();
    world.back_up("");
    let before = TABLES.map(|table| world.account_rows(table));
    world.change_account();
    let world = world.with_env("GHL_BULK_FAILPOINT", failpoint);
    let killed = world.run_command("backup --to repo");
    assert_eq!(killed.code, -1, "{failpoint}: {}", killed.stderr);
    let world = world.without_env("GHL_BULK_FAILPOINT");
    // What is visible is whole.
    assert_eq!(world.snapshots().len(), 1, "{failpoint}");
    for (table, rows) in TABLES.iter().zip(&before) {
        assert_eq!(&world.snapshot_rows("", table), rows, "{failpoint}: {table}");
    }
    // The next one has everything.
    let report = world.back_up("");
    assert_eq!(report["snapshot_kind"], "changes", "{failpoint}");
    for table in TABLES {
        let rows = world.snapshot_rows("", table);
        assert_eq!(rows, world.account_rows(table), "{failpoint}: {table}");
    }
}

#[test]
fn a_backup_that_is_killed_leaves_the_snapshots_as_they_were() {
    for failpoint in
        ["mid_snapshot", "mid_snapshot:2", "before_manifest", "after_spool", "during_merge"]
    {
        check_kill(failpoint);
    }
}

#[test]
fn a_second_writer_is_told_to_wait() {
    let world = World::with_repository();
    world.back_up("");
    let dir = world.path(&format!("repo/{}", super::backup_world::LOCATION));
    let held = std::fs::File::open(&dir).unwrap();
    held.try_lock().unwrap();
    world
        .run_command("backup --to repo")
        .exits(11)
        .says("another process writes to the backups of location")
        .says("--lock-wait");
    assert_eq!(world.snapshots().len(), 1, "the list takes no lock");
    drop(held);
    world.back_up("");
    assert_eq!(world.snapshots().len(), 2);
}

#[test]
fn two_machines_that_write_to_one_repository_each_have_whole_chains() {
    let world = World::with_repository();
    world.back_up("");
    let first_home = world.path("home").display().to_string();
    let world = world.with_env("GHL_BULK_HOME", &format!("{first_home}2"));
    let other = world.back_up("");
    assert_eq!(other["snapshot_kind"], "full", "another mirror knows nothing of the first one's");
    world.change_account();
    assert_eq!(world.back_up("")["snapshot_kind"], "changes");
    let world = world.with_env("GHL_BULK_HOME", &first_home);
    let report = world.back_up("");
    assert_eq!(report["snapshot_kind"], "changes");
    let all = world.snapshots();
    assert_eq!(all[3]["chain"], serde_json::json!([all[0]["snapshot"], all[3]["snapshot"]]));
    for table in TABLES {
        let rows = world.account_rows(table);
        assert_eq!(world.snapshot_rows("--snapshot latest", table), rows, "{table}");
        assert_eq!(world.snapshot_rows("--snapshot latest~1", table), rows, "{table}");
    }
}
