//! `verify --live`: contacts of a snapshot, compared with the account.

use serde_json::{Value, json};

use super::backup_world::LOCATION;
use crate::world::World;

#[track_caller]
fn compare(world: &World, flags: &str, code: i32) -> Value {
    let compared = world.run_command(&format!("backup verify --from repo --json {flags}"));
    compared.exits(code).summary()["locations"][LOCATION]["live"].clone()
}

#[test]
fn what_has_not_changed_is_equal_and_costs_two_requests_a_contact() {
    let world = World::with_repository();
    world.back_up("");
    let mut live = Value::Null;
    let requests = world.requests_of(|| live = compare(&world, "--live 20", 0));
    assert_eq!((&live["contacts"], &live["equal"]), (&json!(20), &json!(20)), "{live}");
    assert!(requests <= 41, "{requests}");
    let all = compare(&world, "--live 1000", 0);
    assert_eq!((&all["contacts"], &all["equal"]), (&json!(60), &json!(60)), "{all}");
}

#[test]
fn changes_since_are_told_apart_from_differences_without_a_reason() {
    let world = World::with_repository();
    world.back_up("");
    let (edited, deleted) = (world.contact_id(1), world.contact_id(2));
    let (noted, silent) = (world.contact_id(3), world.contact_id(4));
    world.edit_by_id(&edited, &json!({"firstName": "Edited"}));
    world.delete_by_id(&deleted);
    world.edit_by_id(&noted, &json!({"__notes": [{"body": "new"}], "__silent": true}));
    let live = compare(&world, "--live 60", 0);
    let counts = ["equal", "changed", "gone", "hidden"].map(|what| live[what].as_u64().unwrap());
    assert_eq!(counts, [57, 2, 1, 0], "{live}");
    world.edit_by_id(&silent, &json!({"lastName": "Quixworth", "__silent": true}));
    let said = world
        .run_command("backup verify --from repo --live 60")
        .exits(12)
        .says(&format!("differs: {silent}: "))
        .says("nothing says that the account has changed");
    said.says("last_name").does_not_say("Quixworth");
    let live = compare(&world, "--live 60", 12);
    assert_eq!(live["differing"][0]["contact"], silent);
}

#[test]
fn the_same_seed_chooses_the_same_contacts() {
    let world = World::with_repository();
    world.back_up("");
    for at in 0..60 {
        world.edit_by_id(&world.contact_id(at), &json!({"city": "Elsewhere", "__silent": true}));
    }
    let chosen = |flags: &str| {
        let live = compare(&world, flags, 12);
        (live["seed"].clone(), live["differing"].clone())
    };
    let (seed, first) = chosen("--live 5");
    assert_eq!(first.as_array().unwrap().len(), 5);
    assert_eq!(chosen(&format!("--live 5 --seed {seed}")), (seed, first.clone()));
    let others = (0..5).map(|seed| chosen(&format!("--live 5 --seed {seed}")).1);
    assert!(others.into_iter().any(|other| other != first));
}

#[test]
fn a_missing_token_or_key_or_a_wrong_number_is_refused() {
    let world = World::new();
    world.run_command("backup init --to repo --new-key key.txt").exits(0);
    world.back_up("");
    world
        .run_command("backup verify --from repo --live 3")
        .exits(8)
        .says("is encrypted, and no identity is given");
    compare(&world, "--live 3 --identity key.txt", 0);
    for number in ["0", "-1", "x", "100001"] {
        world.run_command(&format!("backup verify --from repo --live={number}")).exits(2);
    }
    world.run_command("backup verify --from repo --seed 3").exits(2).says("--live");
    let world = world.without_env("GHL_TOKEN");
    let refused = world.run_command("backup verify --from repo --live 3 --identity key.txt");
    assert!([2, 8].contains(&refused.code), "{}", refused.stderr);
    refused.says("token");
    world.run_command("backup verify --from repo").exits(0);
}
