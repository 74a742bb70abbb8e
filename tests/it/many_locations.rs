//! Hundreds of locations in one command: a few at a time, a display that stays readable, and a stop after which only
//! what is missing is exported.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::running_command::RunningCommand;
use crate::terminal::TerminalCommand;
use crate::world::World;

const EXPORT: &str = "export --format jsonl --with none --out out --locations clients.csv";

/// A world of so many locations with two contacts each, which `clients.csv` lists.
fn world_of(locations: u16) -> World {
    let names: Vec<String> = (1..=locations).map(ghl_bulk::sandbox::numbered_location).collect();
    let world = World::with_settings(|settings| {
        (settings.contacts, settings.contacts_elsewhere) = (2, 2);
        settings.locations.clone_from(&names);
    });
    fs::write(world.path("clients.csv"), names.join("\n")).unwrap();
    world.without_env("GHL_LOCATION_ID")
}

/// The locations whose files are there.
fn exported(world: &World) -> BTreeSet<String> {
    let is_done =
        |location: &String| world.path("out").join(location).join("manifest.json").exists();
    world.list_files("out").into_iter().filter(is_done).collect()
}

/// How the command speaks of so many locations in the past.
fn format_locations(count: usize) -> String {
    if count == 1 { "1 location was".to_owned() } else { format!("{count} locations were") }
}

/// Lets the server answer again.
fn release(world: &World) {
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
}

#[test]
fn three_hundred_locations_are_exported_256_at_a_time() {
    let world = world_of(300);
    let done = world.run_command(&format!("{EXPORT} --at-once 256")).exits(0);
    done.says("sandboxLocation00300: 2 contacts in ").says("300 locations exported");
    assert_eq!(exported(&world).len(), 300);
    let ids = |location: &str| -> Vec<String> {
        let rows = world.read_rows(&format!("out/{location}/contacts.jsonl"));
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    let all: BTreeSet<String> = exported(&world).iter().flat_map(|it| ids(it)).collect();
    assert_eq!(all.len(), 600, "every location has contacts of its own");
}

#[test]
fn after_ctrl_c_no_other_location_begins_and_continue_exports_only_what_is_missing() {
    let world = world_of(40);
    let hold = "POST /locations/*/tasks/search hold after=4";
    world.control_request("POST", "faults", &json!([hold]));
    let export = EXPORT.replace("--with none", "--with tasks");
    let mut running = RunningCommand::start(&world, &format!("{export} --at-once 3"));
    world.get_control("held?at_least=3");
    running.send_signal("INT");
    // The signal has arrived when the command says so; the requests in flight are answered after that.
    running.wait_for_stderr("stopping: finishing the requests in flight");
    release(&world);
    let done = running.wait_for_exit().exits(130);
    let before = exported(&world);
    assert!(!before.is_empty());
    let runs = world.list_files("home/runs").len();
    assert!(runs <= before.len() + 3, "a location that was not begun has no run: {runs}");
    let unbegun = 40 - runs;
    let done =
        done.says(&format!("error: {unbegun} locations (")).says(" more): not begun: interrupted");
    assert!(done.stderr.lines().count() < 30, "{}", done.stderr);

    world.control_request("DELETE", "log", &Value::Null);
    let line = format!("{export} --at-once 3 --continue --json");
    let summary = world.run_command(&line).exits(0).summary();
    let locations = summary["locations"].as_object().unwrap();
    let earlier: BTreeSet<String> = locations
        .iter()
        .filter(|(_, it)| it["earlier"] == true)
        .map(|(id, _)| id.clone())
        .collect();
    assert_eq!(earlier, before);
    assert_eq!(exported(&world).len(), 40);
    assert_eq!(world.list_files("home/runs").len(), 40, "interrupted runs go on");
    for entry in world.get_control("log?last=1000")["entries"].as_array().unwrap() {
        let entry = entry.to_string();
        assert!(!before.iter().any(|done| entry.contains(done.as_str())), "{entry}");
    }

    // All of them are finished now: the next night exports them again.
    let done = world.run_command(&format!("{export} --continue")).exits(0);
    done.does_not_say("before the interruption");
    assert_eq!(world.list_files("home/runs").len(), 80);
}

#[test]
fn files_that_were_removed_after_the_interruption_are_exported_again() {
    let world = world_of(6);
    world.control_request("POST", "faults", &json!(["POST /contacts/search hold after=2"]));
    let mut export = RunningCommand::start(&world, &format!("{EXPORT} --at-once 1"));
    world.get_control("held?at_least=1");
    export.send_signal("TERM");
    export.wait_for_stderr("stopping: finishing the requests in flight");
    release(&world);
    export.wait_for_exit().exits(143);
    let before = exported(&world);
    fs::remove_dir_all(world.path("out").join(before.first().unwrap())).unwrap();
    let done = world.run_command(&format!("{EXPORT} --continue")).exits(0);
    assert_eq!(exported(&world).len(), 6);
    // The one in flight may have been finished.
    let left_out = format_locations(before.len() - 1);
    done.says(&format!("{left_out} exported before the interruption")).says("6 locations exported");
}

#[test]
fn an_error_that_many_locations_have_is_printed_once_below_the_others() {
    let world = world_of(12);
    let mut names = fs::read_to_string(world.path("clients.csv")).unwrap();
    names.insert_str(0, "unserved1\nunserved2\nunserved3\nunserved4\nunserved5\n");
    fs::write(world.path("clients.csv"), names).unwrap();
    let done = world.run_command(EXPORT).exits(3);
    assert_eq!(exported(&world).len(), 12);
    let said =
        "error: 5 locations (unserved1, unserved2, unserved3 and 2 more): the token has no access";
    let done = done.says(said).says("12 locations exported, 5 failed (see above)");
    let place = |part: &str| done.stderr.find(part).unwrap();
    assert!(place(said) > place("sandboxLocation00012: 2 contacts"), "{}", done.stderr);
    assert_eq!(done.stderr.matches("error: ").count(), 1, "{}", done.stderr);
    let summary = world.run_command(&format!("{EXPORT} --json")).exits(3).summary();
    assert_eq!(summary["locations"]["unserved4"]["exit_code"], 8);
}

#[test]
fn a_terminal_shows_how_many_locations_are_done_and_only_those_in_progress() {
    let world = world_of(40).with_env("TERM", "xterm-256color");
    world.control_request("POST", "faults", &json!(["POST /contacts/search hold after=4"]));
    let mut export = TerminalCommand::start(&world, &format!("{EXPORT} --at-once 26"), 80);
    let counted = "4 of 40 locations done, 26 in progress";
    let screen = export.wait_for_screen(|screen| {
        screen.contains(counted) && screen.contains("and ") && screen.contains("more lines")
    });
    let lines: Vec<&str> = screen.lines().collect();
    assert!(lines[0].starts_with(counted), "{screen}");
    for line in &lines[1..lines.len() - 1] {
        assert!(line.starts_with("sandboxLocation") && line.contains("reading"), "{screen}");
    }
    for location in exported(&world) {
        assert!(!screen.contains(&location), "{location} is done: {screen}");
    }
    release(&world);
    let (code, screen) = export.wait_for_exit();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.ends_with("40 locations exported"), "{screen}");
    assert!(!screen.contains("in progress"), "{screen}");
}
