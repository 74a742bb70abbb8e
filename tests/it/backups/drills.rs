//! `backup verify --drill`: a snapshot is restored for a trial.

use crate::world::World;

#[test]
fn a_drill_proves_that_a_snapshot_can_be_restored_and_asks_nothing_of_the_account() {
    let world = World::with_repository();
    world.back_up("");
    let sent = world.requests_of(|| {
        let checked = world.run_command("backup verify --drill --from repo").exits(0);
        checked.says("was restored for a trial").says("all as they were");
    });
    assert_eq!(sent, 0);
    let listed = world.run_command("backup list --from repo").exits(0);
    assert!(listed.stdout.contains("proven restorable on"), "{}", listed.stdout);
    let summary = world.run_command("backup verify --drill --from repo --json").exits(0).summary();
    let drill = &summary["locations"]["sandboxLocation00001"]["drill"];
    assert_eq!(drill["differences"], 0);
    assert_eq!(drill["contacts"], 60);
    let accounted = drill["restored"].as_u64().unwrap() + drill["rejected"].as_u64().unwrap();
    assert_eq!(accounted, 60);
    assert!(drill["notes"].as_u64().unwrap() > 0 && drill["tasks"].as_u64().unwrap() > 0);
    // It leaves no run and no data of people.
    assert_eq!(world.try_only_run_id(), None);
}

#[test]
fn a_drill_of_an_encrypted_repository_needs_the_key() {
    let world = World::new();
    world.run_command("backup init --to repo --new-key key.txt").exits(0);
    world.run_command("backup --to repo").exits(0);
    world.run_command("backup verify --drill --from repo").exits(8).says("--identity");
    world.run_command("backup verify --drill --from repo --identity key.txt").exits(0);
}

#[test]
fn a_drill_finds_a_fault_of_the_engine() {
    let world = World::with_repository();
    world.back_up("");
    let world = world.with_env("GHL_BULK_FAILPOINT", "restore_fault");
    let checked = world.run_command("backup verify --drill --from repo").exits(12);
    let checked = checked.says("differs: contact").says("please report it");
    checked.does_not_say("@example");
    let world = world.without_env("GHL_BULK_FAILPOINT");
    let listed = world.run_command("backup list --from repo").exits(0);
    assert!(!listed.stdout.contains("proven restorable"), "{}", listed.stdout);
}
