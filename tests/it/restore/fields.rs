//! `--fields` and `--undo A..B`: values of contacts that are there.

use serde_json::{Value, json};

use crate::import_world::tag_names;
use crate::world::World;

/// A bulk edit by somebody else, with a snapshot before and after it.
fn world_with_bulk_edit() -> (World, Vec<String>) {
    let world = World::backed_up();
    let ids: Vec<String> = (10..15).map(|at| world.contact_id(at)).collect();
    for id in &ids {
        let mut tags = tag_names(&world.contact_by_id(id));
        tags.retain(|tag| tag != "vip");
        tags.push("mass-mail".to_owned());
        world.edit_by_id(id, &json!({"city": "Nowhere", "tags": tags}));
    }
    world.run_command("backup --to repo").exits(0);
    (world, ids)
}

fn city(world: &World, id: &str) -> Value {
    world.contact_by_id(id)["contact"]["city"].clone()
}

#[test]
fn fields_get_the_values_of_the_snapshot_back_also_where_it_has_none() {
    let world = World::backed_up();
    let (id, other) = (world.contact_id(10), world.contact_id(11));
    let before = world.contact_by_id(&id)["contact"].clone();
    world.edit_by_id(
        &id,
        &json!({"city": "Nowhere", "website": "https://x.example", "firstName": "X"}),
    );
    world.edit_by_id(&other, &json!({"city": "Nowhere"}));
    world.write_sheet("people.txt", &id);
    world.run_restore("--fields city,website --contacts people.txt").exits(0);
    let after = world.contact_by_id(&id)["contact"].clone();
    assert_eq!(after["city"], before["city"]);
    assert_eq!(
        after["website"].as_str().unwrap_or_default(),
        before["website"].as_str().unwrap_or_default()
    );
    assert_eq!(after["firstName"], "X", "a field that was not named is left");
    assert_eq!(city(&world, &other), "Nowhere", "a contact that was not named is left");
}

#[test]
fn a_bulk_edit_is_taken_back_and_what_changed_again_is_left() {
    let (world, ids) = world_with_bulk_edit();
    world.edit_by_id(&ids[0], &json!({"city": "Ghent"}));
    world.edit_by_id(&ids[1], &json!({"firstName": "Renamed"}));
    let ended = world.run_restore("--undo latest~1..latest").exits(0);
    ended.says("5 restore");
    assert_eq!(city(&world, &ids[0]), "Ghent", "it has another value by now");
    let warnings = world.read_csv("res/warnings.csv");
    assert!(warnings.iter().any(|it| it["code"] == "W_EDITED_SINCE" && it["field"] == "city"));
    for id in &ids[1..] {
        assert_ne!(city(&world, id), "Nowhere");
    }
    assert_eq!(world.contact_by_id(&ids[1])["contact"]["firstName"], "Renamed");
    for id in &ids {
        assert!(!tag_names(&world.contact_by_id(id)).contains(&"mass-mail".to_owned()));
    }
}

#[test]
fn only_the_named_fields_are_taken_back() {
    let (world, ids) = world_with_bulk_edit();
    world.edit_by_id(&ids[0], &json!({"tags": ["mass-mail", "later"]}));
    world.run_restore("--undo latest~1..latest --fields tags").exits(0);
    for id in &ids {
        assert_eq!(city(&world, id), "Nowhere");
        assert!(!tag_names(&world.contact_by_id(id)).contains(&"mass-mail".to_owned()));
    }
    assert!(tag_names(&world.contact_by_id(&ids[0])).contains(&"later".to_owned()));
}

#[test]
fn a_contact_whose_every_change_was_changed_again_is_listed() {
    let (world, ids) = world_with_bulk_edit();
    world.edit_by_id(&ids[0], &json!({"city": "Ghent"}));
    let ended = world.run_restore("--undo latest~1..latest --fields city").exits(3);
    ended.says("changed again");
    let rejected = world.read_csv("res/rejected.csv");
    assert_eq!((rejected[0]["former_id"].as_str(), rejected.len()), (ids[0].as_str(), 1));
    assert_eq!(rejected[0]["_reject_code"], "R_CONFLICT");
}

#[test]
fn an_undo_of_the_undo_gives_the_edit_back() {
    let (world, ids) = world_with_bulk_edit();
    world.run_restore("--undo latest~1..latest").exits(0);
    let run = world.only_run_of_kind("restore");
    world.run_command(&format!("undo {run} --yes")).exits(0);
    for id in &ids {
        assert_eq!(city(&world, id), "Nowhere");
        assert!(tag_names(&world.contact_by_id(id)).contains(&"mass-mail".to_owned()));
    }
}

#[test]
fn a_block_is_never_lifted() {
    let world = World::backed_up();
    let id = world.contact_id(10);
    world.edit_by_id(&id, &json!({"dnd": true}));
    world.write_sheet("people.txt", &id);
    world.run_restore("--fields dnd --contacts people.txt").exits(0);
    assert_eq!(world.contact_by_id(&id)["contact"]["dnd"], true);
    world.run_command("backup --to repo").exits(0);
    world.edit_by_id(&id, &json!({"dnd": false}));
    world.run_restore("--fields dnd --contacts people.txt").exits(0);
    assert_eq!(world.contact_by_id(&id)["contact"]["dnd"], true, "a block is restored");
}

#[test]
fn who_was_deleted_between_two_snapshots_comes_back_and_who_was_added_stays() {
    let world = World::backed_up();
    let gone = world.contact_id(10);
    world.delete_by_id(&gone);
    let added = world.add_contact(&json!({"firstName": "New", "email": "new@example.com"}));
    world.run_command("backup --to repo").exits(0);
    let ended = world.run_restore("--undo latest~1..latest").exits(0);
    ended.says("1 contact that only the later snapshot has");
    let _ = world.restored_id(&gone);
    let _ = world.contact_by_id(&added);
    assert_eq!(world.count_contacts(), 61);
}
