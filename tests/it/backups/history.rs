//! `history --from`: a contact as the snapshots of a repository have it.

use serde_json::{Value, json};

use crate::world::World;

fn changes(world: &World, contact: &str) -> Vec<Value> {
    world.run_command(&format!("history '{contact}' --from repo --json")).exits(0).events()
}

#[test]
fn every_version_that_a_snapshot_has_is_listed_also_of_a_deleted_contact_and_without_the_local_copy()
 {
    let world = World::with_repository();
    let id = world.contact_id(3);
    let email = world.contact_by_id(&id)["contact"]["email"].as_str().unwrap().to_owned();
    world.back_up("");
    world.edit_by_id(&id, &json!({"city": "Ghent", "email": "ada.new@example.net"}));
    world.back_up("");
    world.back_up("--full");
    world.delete_by_id(&id);
    world.back_up("");
    std::fs::remove_dir_all(world.path("home")).unwrap();
    world.back_up("");
    let sent = world.requests_of(|| drop(changes(&world, &id)));
    assert_eq!(sent, 0);
    for named in [id.as_str(), email.as_str(), "ada.new@example.net"] {
        let all = changes(&world, named);
        let of_contact: Vec<_> = all.iter().filter(|it| it["id"] == id.as_str()).collect();
        let what: Vec<_> = of_contact.iter().map(|it| it["change"].as_str().unwrap()).collect();
        assert_eq!(what, ["insert", "update", "delete"], "{named}: {all:?}");
        assert_eq!(of_contact[1]["fields"]["city"]["after"], "Ghent");
        assert_eq!(of_contact[1]["between"][0], of_contact[0]["between"][1]);
    }
    let text = world.run_command(&format!("history {id} --from repo")).exits(0).stdout;
    assert!(text.contains("Ghent") && text.contains("between"), "{text}");
}

#[test]
fn who_is_in_no_snapshot_and_a_key_that_is_missing_are_told_apart() {
    let world = World::new();
    world.run_command("backup init --to repo --new-key key.txt").exits(0);
    world.run_command("backup --to repo").exits(0);
    let id = world.contact_id(3);
    world.run_command(&format!("history {id} --from repo")).exits(8).says("--identity");
    world.run_command(&format!("history {id} --from repo --identity key.txt")).exits(0);
    let missing = world.run_command("history gone@example.com --from repo --identity key.txt");
    missing.exits(10).says("no snapshot has a contact");
}
