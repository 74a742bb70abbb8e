//! Syncs and incremental exports of several locations: a mirror and a directory each, and a failure affects no other
//! location.

use std::fs;

use ghl_bulk::sandbox::LOCATION;
use serde_json::{Value, json};

use super::interrupted::kill_at;
use crate::running_command::RunningCommand;
use crate::world::World;

/// A world that serves three locations: the first with contacts, the second with two, the third with none.
fn three() -> World {
    let world = World::with_settings(|settings| {
        settings.locations = [LOCATION, "second", "third"].map(str::to_owned).into();
    });
    let two = json!([{"id": "one"}, {"id": "two"}]);
    world.control_request("POST", "contacts?locationId=second", &two);
    world
}

const EXPORT: &str = "export --incremental --format jsonl --out lake";

fn contacts(world: &World, location: &str) -> usize {
    world.read_rows(&format!("lake/{location}/contacts.jsonl")).len()
}

fn edit_in_second(world: &World) {
    let edit = json!({"city": "Ghent"});
    world.control_request("PUT", "contacts/one?locationId=second", &edit);
}

#[test]
fn every_location_has_a_mirror_of_its_own() {
    let world = three();
    let line = format!("sync --json --location {LOCATION},second,third");
    let first = world.run_command(&line).exits(0).summary();
    assert_eq!((&first["outcome"], &first["kind"]), (&json!("complete"), &json!("sync")));
    let rows = |summary: &Value, location: &str| {
        summary["locations"][location]["rows"]["contacts"].as_u64().unwrap()
    };
    assert_eq!([LOCATION, "second", "third"].map(|location| rows(&first, location)), [60, 2, 0]);
    assert_eq!(world.list_files("home/mirrors").len(), 3);
    let again = world.run_command(&line).exits(0).summary();
    assert_eq!(again["locations"]["second"]["read"], "newest");
    let requests = again["locations"][LOCATION]["requests"].as_object().unwrap();
    assert_eq!(requests.values().map(|sent| sent.as_u64().unwrap()).sum::<u64>(), 1);
}

#[test]
fn a_change_in_one_location_is_said_with_its_name() {
    let world = three();
    let line = format!("sync --location {LOCATION},second");
    world.run_command(&line).exits(0).says("second: read everything; 2 contacts");
    edit_in_second(&world);
    world
        .run_command(&line)
        .exits(0)
        .says("second: changed: 1 contact; 2 contacts")
        .says(&format!("{LOCATION}: nothing has changed; 60 contacts"))
        .says("2 locations synced");
}

#[test]
fn a_sync_that_fails_does_not_stop_the_others() {
    let world = three();
    let line = format!("sync --location {LOCATION},unserved,second");
    let done = world.run_command(&line).exits(3);
    done.says("error: unserved: the token has no access").says("2 locations synced, 1 failed");
    let summary = world.run_command(&format!("{line} --json")).exits(3).summary();
    assert_eq!(summary["outcome"], "partial");
    assert_eq!(summary["locations"]["unserved"]["exit_code"], 8);
    assert_eq!(summary["locations"][LOCATION]["outcome"], "complete");
    world.run_command("sync --location unserved,nowhere").exits(8);
}

#[test]
fn a_file_names_the_locations_and_their_tokens() {
    let world = three()
        .without_env("GHL_LOCATION_ID")
        .without_env("GHL_TOKEN")
        .with_env("TOKEN_TWO", "pit-sandbox-location:second")
        .with_env("TOKEN_THREE", "pit-sandbox-location:third");
    fs::write(world.path("clients.csv"), "second,TOKEN_TWO\nthird,TOKEN_THREE\n").unwrap();
    world.run_command("sync --locations clients.csv").exits(0).says("2 locations synced");
    world.run_command(&format!("{EXPORT} --locations clients.csv")).exits(0);
    assert_eq!(world.list_files("lake"), ["second", "third"]);
}

#[test]
fn every_location_has_a_directory_that_is_replaced_when_it_has_changed() {
    let world = three();
    let line = format!("{EXPORT} --location {LOCATION},second,third");
    world.run_command(&line).exits(0).says("3 locations exported");
    assert_eq!([LOCATION, "second", "third"].map(|it| contacts(&world, it)), [60, 2, 0]);
    let manifest = |location: &str| {
        fs::read_to_string(world.path(&format!("lake/{location}/contacts.jsonl"))).unwrap()
    };
    let before = manifest("second");
    edit_in_second(&world);
    let done = world.run_command(&line).exits(0);
    done.says(&format!("{LOCATION}: nothing has changed: 60 contacts"));
    assert_ne!(manifest("second"), before);
    assert!(manifest("second").contains("Ghent"));
}

#[test]
fn an_incremental_export_that_fails_does_not_stop_the_others() {
    let world = three();
    world.run_command("export --tag vip --with none --location second --out lake/second").exits(0);
    let line = format!("{EXPORT} --json --location {LOCATION},second,unserved");
    let summary = world.run_command(&line).exits(3).summary();
    let code = |location: &str| summary["locations"][location]["exit_code"].clone();
    assert_eq!((code("second"), code("unserved")), (json!(4), json!(8)));
    assert_eq!(summary["locations"][LOCATION]["outcome"], "complete");
    assert_eq!(contacts(&world, LOCATION), 60);
    assert_eq!(world.read_json("lake/second/manifest.json")["mirror"], Value::Null);
}

#[test]
fn syncs_of_several_locations_that_were_killed_are_finished() {
    let world = three();
    let line = format!("sync --location {LOCATION},second,third");
    for point in ["after_spool", "during_merge", "after_merge"] {
        kill_at(&world, &line, point);
    }
    let summary = world.run_command(&format!("{line} --json")).exits(0).summary();
    assert_eq!(summary["locations"][LOCATION]["rows"]["contacts"], 60);
    assert_eq!(summary["locations"]["second"]["rows"]["contacts"], 2);
    assert_eq!(world.list_files("home/runs"), Vec::<String>::new());
}

#[test]
fn locations_are_synced_again_and_again_and_one_that_ends_is_said_at_once() {
    let world = three();
    let line = format!("sync --every 100ms --location {LOCATION},second,unserved");
    let mut sync = RunningCommand::start(&world, &line);
    sync.wait_for_stderr("unserved: the location is no longer synced");
    sync.wait_for_stderr("second: the first sync of this location has read everything");
    edit_in_second(&world);
    sync.wait_for_stderr("second: changed: 1 contact");
    world.add_contact(&json!({"firstName": "Ann"}));
    sync.wait_for_stderr(&format!("{LOCATION}: changed: 1 contact"));
    sync.send_signal("TERM");
    sync.wait_for_exit().exits(3).says("2 locations synced, 1 failed");
}

#[test]
fn a_location_whose_answers_do_not_come_holds_up_no_other() {
    let world = three();
    let two = format!("--location {LOCATION},second");
    world.run_command(&format!("sync {two}")).exits(0);
    // Whichever is first to ask waits; the other one goes on.
    world.control_request("POST", "faults", &json!(["POST /contacts/search hold times=1"]));
    let mut sync = RunningCommand::start(&world, &format!("sync --every 100ms {two}"));
    world.get_control("held?at_least=1");
    for _ in 0..3 {
        edit_in_second(&world);
        world.control_request("DELETE", "log", &Value::Null);
        while world.get_control("log?last=0")["requests"].as_u64().unwrap() < 3 {
            std::thread::yield_now();
        }
    }
    world.control_request("POST", "release", &Value::Null);
    sync.wait_for_stderr("second: changed: 1 contact");
    sync.send_signal("TERM");
    sync.wait_for_exit().exits(0);
}

#[test]
fn what_is_about_one_location_is_refused_for_several() {
    let world = three();
    fs::write(world.path("hints"), "one\n").unwrap();
    for flag in ["--hint hints", "--accept-empty"] {
        let line = format!("sync --location {LOCATION},second {flag}");
        world.run_command(&line).exits(2).says("is about one location, and several are given");
    }
    let watch = format!("watch --once --jsonl events --location {LOCATION},second");
    world.run_command(&watch).exits(2).says("`watch` is about one location");
    assert_eq!(world.get_control("log")["requests"], 0);
}
