//! Lines of a file are written many at a time: they are on disk before any of their events is taken for delivered.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::watch_world::ONCE;
use crate::world::World;

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["id"].as_str().unwrap()).collect()
}

fn add_contacts(world: &World, count: usize) {
    let rows: Vec<Value> = (0..count).map(|at| json!({"firstName": format!("N{at}")})).collect();
    world.control_request("POST", "contacts", &json!(rows));
}

#[test]
fn a_kill_after_a_batch_is_written_delivers_the_batch_again() {
    let world = World::new();
    world.run_command(ONCE).exits(0);
    add_contacts(&world, 30);
    let killed = world.command(ONCE).env("GHL_BULK_FAILPOINT", "before_mark").output().unwrap();
    assert_eq!(killed.status.code(), None);
    assert_eq!(world.read_events().len(), 30, "all lines come before the first mark");
    let again = world.watch_once("");
    assert_eq!(ids(&again), ids(&world.read_events()[..30]), "the same events in the same order");
    assert_eq!(world.watch_once("").len(), 0);
}

#[test]
fn more_events_than_a_batch_arrive_once_and_in_order() {
    let world = World::new();
    world.run_command(ONCE).exits(0);
    add_contacts(&world, 450);
    let events = world.watch_once("");
    assert_eq!(ids(&events).into_iter().collect::<BTreeSet<_>>().len(), 450);
    assert_eq!(events.len(), 450);
}

#[test]
fn a_file_that_takes_nothing_keeps_the_events() {
    let world = World::new();
    // A full disk: nothing that is written arrives.
    let line = "watch --once --jsonl /dev/full";
    world.run_command(line).exits(0);
    add_contacts(&world, 5);
    let done = world.run_command(line).exits(3);
    done.says("does not take an event, which is kept").says("5 events kept");
    fs::write(world.path("events.jsonl"), "").unwrap();
    assert_eq!(world.watch_once("--replay").len(), 5 + replayed_before(&world));
}

/// The events that a replay has of the time before the contacts were added.
fn replayed_before(world: &World) -> usize {
    world.read_events().iter().filter(|event| event["seq"] == 1).count()
}
