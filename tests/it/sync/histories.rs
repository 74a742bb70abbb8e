//! Random histories of an account: what the mirror has after a walk is what the account has, and in between nothing is
//! wrong that the summary does not say.

use serde_json::json;

use super::incremental_export::assert_equals_plain_export;
use super::sync_world::changes;
use crate::kills::soak_seeds;
use crate::world::World;

/// In CI, in four tests; the soak has more.
const SEEDS: u64 = 120;
const BURSTS: usize = 4;

/// Changes something at random; gives how many contacts it added, changed and deleted.
pub(super) fn change_at_random(
    world: &World,
    random: &mut fastrand::Rng,
    step: usize,
) -> &'static str {
    let ids: Vec<String> = world
        .account_contacts()
        .iter()
        .map(|row| row["contact"]["id"].as_str().unwrap().to_owned())
        .collect();
    let id = &ids[random.usize(..ids.len())];
    match random.u8(..6) {
        0 => {
            let email = format!("new{step}-{}@example.net", random.u32(..));
            world.add_contact(&json!({"firstName": "New", "email": email}));
            "added"
        }
        1 if ids.len() > 5 => {
            world.delete_by_id(id);
            "deleted"
        }
        2 => {
            world.edit_by_id(id, &json!({"__notes": [{"body": format!("note {step}")}]}));
            "note"
        }
        3 => {
            world.edit_by_id(id, &json!({"__tasks": [{"title": format!("task {step}")}]}));
            "task"
        }
        // A change that does not move `dateUpdated`: only a walk finds it.
        4 => {
            world.edit_by_id(id, &json!({"__silent": true, "__notes": [], "source": "silent"}));
            "silent"
        }
        _ => {
            world.edit_by_id(id, &json!({"city": format!("City {step}"), "tags": ["b", "a"]}));
            "edited"
        }
    }
}

/// Lets random things happen to an account, with a sync after each burst; gives how many syncs were compared.
fn compare_history(seed: u64) -> usize {
    let (world, mut random) = World::small_with_seed(30, seed);
    world.sync("");
    for burst in 0..BURSTS {
        let count = random.usize(..5);
        let done: Vec<_> =
            (0..count).map(|n| change_at_random(&world, &mut random, burst * 10 + n)).collect();
        let summary = world.sync("");
        let contacts = world.account_contacts().len();
        let context = format!("seed {seed}, burst {burst}: {done:?}: {summary}");
        assert_eq!(summary["rows"]["contacts"], contacts, "{context}");
        assert_eq!(summary["deletions"], "counted", "{context}");
        if done.is_empty() {
            assert_eq!(changes(&summary, "contacts"), [0, 0, 0], "{context}");
        }
    }
    world.sync("--full");
    assert_equals_plain_export(&world);
    BURSTS
}

fn compare_part(part: u64) {
    for seed in (part..SEEDS).step_by(4) {
        compare_history(seed);
    }
}

#[test]
fn after_a_walk_the_mirror_is_the_account_whatever_happened_part_1() {
    compare_part(0);
}

#[test]
fn after_a_walk_the_mirror_is_the_account_whatever_happened_part_2() {
    compare_part(1);
}

#[test]
fn after_a_walk_the_mirror_is_the_account_whatever_happened_part_3() {
    compare_part(2);
}

#[test]
fn after_a_walk_the_mirror_is_the_account_whatever_happened_part_4() {
    compare_part(3);
}

#[test]
#[ignore = "the soak of histories: cargo test --release -- --ignored soak"]
fn soak_of_histories_keeps_the_mirror_equal_to_the_account() {
    let compared: usize = soak_seeds("2000").map(compare_history).sum();
    assert!(compared > 0);
}
