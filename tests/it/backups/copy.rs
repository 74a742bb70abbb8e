//! Copies of repositories: whole, compared, and never less than before.

use serde_json::{Value, json};

use super::backup_world::{LOCATION, snapshot_dir};
use crate::world::World;

/// A world with a full snapshot and two with changes.
fn world_with_chain(init: &str) -> World {
    let world = World::new();
    world.run_command(&format!("backup init --to repo {init}")).exits(0);
    world.back_up("");
    for at in [3, 4] {
        world.edit_by_id(&world.contact_id(at), &json!({"firstName": format!("Edit {at}")}));
        world.back_up("");
    }
    world
}

fn ids(world: &World, repository: &str) -> Vec<String> {
    let listed = world.run_command(&format!("backup list --from {repository} --json")).exits(0);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let id = |it: &Value| it["snapshot"].as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(id).collect()
}

fn copy(world: &World, flags: &str) -> Value {
    let copied = world.run_command(&format!("backup copy --from repo --into copy --json {flags}"));
    copied.exits(0).summary()["locations"][LOCATION].clone()
}

#[test]
fn a_copy_is_read_like_the_repository_and_needs_no_key() {
    let world = world_with_chain("--new-key key.txt");
    world.run_command("backup hold --from repo latest~1").exits(0);
    let copied = copy(&world, "");
    assert_eq!((&copied["snapshots"], &copied["present"]), (&json!(3), &json!(0)));
    assert_eq!(ids(&world, "copy"), ids(&world, "repo"));
    assert_eq!(world.read_json("copy/repository.json"), world.read_json("repo/repository.json"));
    world.run_command("backup verify --from copy --read all --replay --identity key.txt").exits(0);
    assert_eq!(world.list_files(format!("copy/{LOCATION}/holds")).len(), 1);
    world.edit_by_id(&world.contact_id(5), &json!({"firstName": "Later"}));
    world.back_up("");
    let again = copy(&world, "");
    assert_eq!((&again["snapshots"], &again["present"]), (&json!(1), &json!(3)));
    assert_eq!(copy(&world, "")["files"], 0);
    world.run_command("backup forget --from repo --keep-last 1 --yes").exits(0);
    copy(&world, "");
    assert_eq!(ids(&world, "copy").len(), 4, "a copy never has less");
}

#[test]
fn one_snapshot_is_copied_with_its_chain() {
    let world = world_with_chain("");
    world.back_up("--full");
    copy(&world, "--snapshot latest~2");
    assert_eq!(ids(&world, "copy"), ids(&world, "repo")[..2]);
    world.run_command("backup verify --from copy --read all --replay").exits(0);
}

#[test]
fn a_copy_that_was_killed_goes_on() {
    let mut kills = 0;
    let world = world_with_chain("");
    for at in 1.. {
        let killing = format!("mid_copy:{at}");
        let command = "backup copy --from repo --into copy";
        let _ = std::fs::remove_dir_all(world.path("copy"));
        let killed = world.command(command).env("GHL_BULK_FAILPOINT", killing).output().unwrap();
        if killed.status.code() == Some(0) {
            break;
        }
        kills += 1;
        world.run_command("backup verify --from copy --read all").exits(0);
        copy(&world, "");
        assert_eq!(ids(&world, "copy"), ids(&world, "repo"), "kill {at}");
        world.run_command("backup verify --from copy --read all --replay").exits(0);
    }
    assert!(kills > 5, "{kills}");
}

#[test]
fn damaged_snapshots_are_named_and_not_copied() {
    let world = world_with_chain("");
    let all = ids(&world, "repo");
    let file = world.path(&format!("{}/contacts.jsonl.zst", snapshot_dir(&json!(all[1]))));
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let copied = world.run_command("backup copy --from repo --into copy").exits(12);
    copied.says(&format!("not copied: {}", all[1])).says(&format!("not copied: {}", all[2]));
    assert_eq!(ids(&world, "copy"), all[..1]);
    world.run_command("backup verify --from copy --read all --replay").exits(0);
}

#[test]
fn a_damaged_file_in_the_copy_is_told() {
    let world = world_with_chain("");
    copy(&world, "");
    let all = ids(&world, "repo");
    let file = world.path(&format!("copy/{LOCATION}/{}/contacts.jsonl.zst", all[0]));
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    world.run_command("backup copy --from repo --into copy").exits(12).says("copy/");
    assert_eq!(std::fs::read(&file).unwrap(), bytes, "nothing is replaced");
}

#[test]
fn another_repository_or_other_files_are_refused() {
    let world = world_with_chain("");
    world.run_command("backup init --to other").exits(0);
    let copy = |into: &str| world.run_command(&format!("backup copy --from repo --into {into}"));
    copy("other").exits(2).says("it is another repository than");
    std::fs::create_dir(world.path("files")).unwrap();
    world.write_sheet("files/something.txt", "x");
    copy("files").exits(2).says("is not a backup repository");
    copy("repo").exits(2).says("one of the two repositories is in the other");
    copy("repo/below").exits(2).says("one of the two repositories is in the other");
    copy("fresh --snapshot latest~9").exits(10);
    assert!(!world.path("fresh").exists(), "a mistake creates nothing");
    world.run_command("backup copy --from none --into copy").exits(10);
    world.run_command("backup copy --from repo").exits(2).says("--into");
}

#[test]
fn a_copy_from_before_an_erasure_is_named_and_can_be_erased_too() {
    let world = World::with_repository();
    let id = world.add_contact(&json!({"firstName": "Zeb", "email": "zeb@quix.example"}));
    world.back_up("");
    copy(&world, "");
    world.delete_by_id(&id);
    world.run_command(&format!("backup erase --from repo --contact {id} --yes")).exits(0);
    let copied = copy(&world, "");
    assert_eq!(copied["not_erased"].as_array().unwrap().len(), 1);
    let erasures = world.list_files("copy").into_iter().filter(|it| it.starts_with("erasure-"));
    assert_eq!(erasures.count(), 2, "the record, and that it is finished");
    world.run_command(&format!("backup erase --from copy --contact {id} --yes")).exits(0);
    assert_eq!(ids(&world, "copy"), ids(&world, "repo"));
    world.run_command("backup verify --from copy --read all --replay").exits(0);
}
