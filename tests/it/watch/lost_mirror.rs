//! A watch whose local copy is lost: its sinks start again, and it says so.

use std::fs;

use serde_json::json;

use super::watch_world::ONCE;
use crate::running_command::RunningCommand;
use crate::world::World;

const WARNING: &str = "the local copy that was watched is gone; 1 sink start";

/// A world in which something changes after the copy that was watched is lost.
fn world_without_mirror() -> World {
    let world = World::new();
    world.run_command(ONCE).exits(0);
    fs::remove_dir_all(world.path("home/mirrors")).unwrap();
    world.add_contact(&json!({"firstName": "Ann"}));
    world
}

#[test]
fn sinks_that_start_again_are_named() {
    let world = world_without_mirror();
    let done = world.run_command(ONCE).exits(0);
    done.says(WARNING)
        .says("what changed in between is not sent")
        .says("it started again, because the local copy was lost");
    assert_eq!(world.read_events().len(), 0);
    // Once is enough, and a sink that is new is not one that starts again.
    let done = world.run_command(&format!("{ONCE} --jsonl others.jsonl")).exits(0);
    assert!(!done.stderr.contains("is gone"), "{}", done.stderr);
    world.add_contact(&json!({"firstName": "Bob"}));
    assert_eq!(world.watch_once("").len(), 1);
}

#[test]
fn programs_learn_it_from_the_warning_and_the_summary() {
    let world = world_without_mirror();
    let events = world.run_command(&format!("{ONCE} --json")).exits(0).events();
    let warning = events.iter().find(|event| event["code"] == "sinks_restarted").unwrap();
    assert!(warning["subjects"][0].as_str().unwrap().starts_with("jsonl:"), "{warning}");
    let summary = events.last().unwrap();
    assert_eq!(summary["sinks"][0]["restarted"], true);
    let again = world.run_command(&format!("{ONCE} --json")).exits(0).summary();
    assert_eq!(again["sinks"][0]["restarted"], false);
}

#[test]
fn a_sink_that_is_sent_everything_from_the_beginning_has_lost_nothing() {
    let world = world_without_mirror();
    let done = world.run_command(&format!("{ONCE} --replay")).exits(0);
    done.says("everything is sent from the beginning");
    let created = world.read_events();
    assert!(created.iter().any(|event| event["data"]["first_name"] == "Ann"));
}

#[test]
fn a_kill_before_it_is_said_does_not_hide_it() {
    let world = world_without_mirror();
    for point in ["after_spool", "during_merge", "after_merge"] {
        let killed = world.command(ONCE).env("GHL_BULK_FAILPOINT", point).output().unwrap();
        assert_eq!(killed.status.code(), None, "{point}");
    }
    world.run_command(ONCE).exits(0).says(WARNING);
}

#[test]
fn a_copy_that_is_removed_while_it_is_watched_ends_the_watch() {
    let world = World::new();
    world.run_command(ONCE).exits(0);
    let watch = RunningCommand::start(&world, "watch --every 100ms --jsonl events.jsonl");
    world.control_request("DELETE", "log", &json!(null));
    while world.get_control("log?last=0")["requests"].as_u64().unwrap() < 2 {
        std::thread::yield_now();
    }
    fs::remove_dir_all(world.path("home/mirrors")).unwrap();
    // As the next sync finds it, or as the watch does after it.
    watch.wait_for_exit().exits(12);
    world.run_command(ONCE).exits(0).says(WARNING);
}
