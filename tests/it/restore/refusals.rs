//! Restores that are refused before anything is sent.

use crate::world::World;

#[test]
fn a_damaged_snapshot_restores_nobody() {
    let world = World::backed_up();
    world.delete_by_id(&world.contact_id(3));
    let dir = world.path("repo/sandboxLocation00001");
    let snapshot = std::fs::read_dir(dir).unwrap().map(|it| it.unwrap().path());
    let file = snapshot.map(|dir| dir.join("notes.jsonl.zst")).find(|file| file.exists()).unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    world.run_restore("").exits(12);
    assert_eq!(world.count_contacts(), 59);
}

#[test]
fn an_encrypted_repository_needs_its_key() {
    let world = World::new();
    world.run_command("backup init --to repo --new-key key.txt").exits(0);
    world.run_command("backup --to repo").exits(0);
    world.delete_by_id(&world.contact_id(3));
    world.run_restore("--from repo").exits(8).says("--identity");
    world.run_restore("--from repo --identity key.txt").exits(0);
    assert_eq!(world.count_contacts(), 60);
}

#[test]
fn what_does_not_fit_together_is_refused_with_what_would() {
    let world = World::backed_up();
    for (options, said) in [
        ("--all", "--to"),
        ("--missing --to otherLocation00000002", "`--to` goes with `--all` or `--contacts FILE`"),
        ("--all --to sandboxLocation00001", "is the location of the backup"),
        ("--children --tag x", "this makes none"),
        ("--fields shoe_size", "`shoe_size` is not a field that can be restored"),
        ("--fields custom.nothing", "custom field `nothing`"),
        ("--undo latest", "expected two snapshots"),
        ("--contacts none.txt", "none.txt"),
        ("--anonymise", "--to"),
    ] {
        world.run_restore(options).exits(2).says(said);
    }
    world.write_sheet("empty.txt", "");
    world.run_restore("--contacts empty.txt").exits(2).says("it names no contact");
    world.run_restore("--snapshot latest~7").exits(10).says("there is 1 snapshot");
    world.run_restore("--from nowhere").exits(10);
    assert_eq!(world.try_only_run_of_kind("restore"), None);
}

#[test]
fn a_declined_plan_restores_nobody_and_is_closed() {
    let world = World::backed_up();
    world.delete_by_id(&world.contact_id(3));
    let refused = world.run_command("restore").exits(2);
    refused.says("confirmation is required, and there is no terminal to ask on");
    assert_eq!(world.count_contacts(), 59);
}
