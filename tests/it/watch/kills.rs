//! Kills: a watch and its sinks are killed at random points while the account changes. What has arrived in the end is what
//! an undisturbed watch tells: every change, under the same ids, in the order of each record.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::watch_world::ONCE;
use crate::world::World;

/// Where a watch is killed.
const POINTS: [&str; 6] =
    ["after_spool", "during_merge", "after_merge", "during_fill", "before_mark", "during_creation"];
const ROUNDS: usize = 3;
/// A command that fails now and then, also after it has stored its event.
const COMMAND: &str = "sh -c 'n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) > n; \
    test $((n % 7)) = 3 && exit 1; cat >> exec.jsonl; test $((n % 11)) != 5'";

/// Kills a watch of a changing account at random points.
fn survives(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let world = World::with_settings(|settings| {
        settings.contacts = 20;
        settings.seed = seed;
    });
    let line =
        if seed.is_multiple_of(2) { ONCE.to_owned() } else { format!("{ONCE} --exec {COMMAND}") };
    world.run_command(&line).exits(0);
    for round in 0..ROUNDS {
        let edits = json!({"edits": random.u32(1..8), "seed": random.u64(..1000)});
        world.control_request("POST", "live", &edits);
        let point = POINTS[random.usize(..POINTS.len())];
        let point = format!("{point}:{}", random.u32(1..4));
        let output = world.command(&line).env("GHL_BULK_FAILPOINT", &point).output().unwrap();
        let code = output.status.code();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            matches!(code, None | Some(0 | 3)),
            "seed {seed}, round {round}, {point}: {code:?} {said}"
        );
    }
    let mut runs = 0;
    while world.run_command(&line).code != 0 {
        runs += 1;
        assert!(runs < 1000, "seed {seed}: the events do not come");
    }
    let truth = read_truth(&world);
    check_delivered(&truth, &world.read_events(), seed);
    if line != ONCE {
        check_delivered(&truth, &world.read_rows("exec.jsonl"), seed);
    }
}

/// What an undisturbed sink gets of the changes since the first sync.
fn read_truth(world: &World) -> BTreeMap<String, Value> {
    world.run_command("watch --once --replay --jsonl truth.jsonl").exits(0);
    let events = world.read_rows("truth.jsonl").into_iter().filter(|event| event["seq"] != 1);
    events.map(|event| (event["id"].as_str().unwrap().to_owned(), event)).collect()
}

#[track_caller]
fn check_delivered(truth: &BTreeMap<String, Value>, delivered: &[Value], seed: u64) {
    let mut arrived = BTreeSet::new();
    let mut last = BTreeMap::new();
    for event in delivered {
        let id = event["id"].as_str().unwrap();
        assert_eq!(Some(event), truth.get(id), "seed {seed}: an event that nothing has caused");
        if arrived.insert(id.to_owned()) {
            let seq = event["seq"].as_i64().unwrap();
            let record = event["data"]["id"].to_string();
            let before = last.insert(record.clone(), seq).unwrap_or_default();
            assert!(before < seq, "seed {seed}: {record} out of order: {before}, {seq}");
        }
    }
    let known: BTreeSet<String> = truth.keys().cloned().collect();
    assert_eq!(arrived, known, "seed {seed}: what has arrived is not what has happened");
}

#[test]
fn a_watch_that_is_killed_delivers_every_change_in_order() {
    (0..3).for_each(survives);
}

#[test]
#[ignore = "the soak: cargo test --release -- --ignored soak"]
fn soak_of_watches_that_are_killed_delivers_every_change() {
    (0..100).for_each(survives);
}
