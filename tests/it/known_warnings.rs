//! A warning that the run before had, too, is named once, at the end.

use ghl_bulk::sandbox::LOCATION;
use serde_json::{Value, json};

use crate::world::{CommandOutput, World, short_id};

const EXPORT: &str = "export --with none --format jsonl --out out";
const TAGS: &str = "GET /locations/*/tags status=404";
const USERS: &str = "GET /users/ status=404";

/// A world of two locations whose tags cannot be read; nothing else is wrong.
fn world_without_tags() -> World {
    World::with_settings(|settings| {
        settings.awkward = false;
        settings.locations = [LOCATION, "second"].map(str::to_owned).into();
        settings.faults = vec![TAGS.parse().unwrap()];
    })
}

/// Such a world, and the run of an export there.
fn world_and_run() -> (World, String) {
    let world = world_without_tags();
    let first = world.run_command(EXPORT).exits(3);
    assert_eq!(warnings(&first), ["warning: `tags` will be empty"]);
    first.does_not_say("known from");
    let run = world.only_run_id();
    (world, run)
}

/// The beginnings of the warnings that were shown while the command ran.
fn warnings(done: &CommandOutput) -> Vec<&str> {
    let shown = done.stderr.lines().filter(|line| line.starts_with("warning: "));
    shown.map(|line| line.match_indices(": ").nth(1).map_or(line, |(at, _)| &line[..at])).collect()
}

/// The lines below the heading of the known warnings.
fn known_block(done: &CommandOutput) -> Vec<&str> {
    let lines = done.stderr.lines().skip_while(|line| !line.starts_with("known from the run"));
    let block = lines.enumerate().take_while(|(at, line)| *at == 0 || line.starts_with("  "));
    block.map(|(_, line)| line).collect()
}

#[test]
fn a_known_warning_is_named_at_the_end_and_not_before() {
    let (world, run) = world_and_run();
    let second = world.run_command(EXPORT).exits(3);
    assert_eq!(warnings(&second), [""; 0]);
    let block = known_block(&second);
    assert_eq!(block[0], format!("known from the run before ({}):", short_id(&run)));
    assert!(block[1].starts_with("  `tags` will be empty: "), "{block:?}");
    assert_eq!(block.len(), 2);
    let exported = second.stderr.find("exported to").unwrap();
    assert!(second.stderr.find("known from").unwrap() < exported, "{}", second.stderr);
}

#[test]
fn a_new_warning_stands_out_from_known_ones_of_the_same_code() {
    let (world, _) = world_and_run();
    world.control_request("POST", "faults", &json!([USERS]));
    let second = world.run_command(EXPORT).exits(3);
    assert_eq!(warnings(&second), ["warning: `users` will be empty"]);
    assert_eq!(known_block(&second).len(), 2);
    let third = world.run_command(EXPORT).exits(3);
    assert_eq!(warnings(&third), [""; 0]);
    assert_eq!(known_block(&third).len(), 3);
}

#[test]
fn a_warning_that_has_ended_is_new_when_it_comes_back() {
    let (world, _) = world_and_run();
    world.control_request("DELETE", "faults", &Value::Null);
    let second = world.run_command(EXPORT).exits(0);
    second.does_not_say("tags` will be empty").does_not_say("known from");
    world.control_request("POST", "faults", &json!([TAGS]));
    assert_eq!(warnings(&world.run_command(EXPORT).exits(3)), ["warning: `tags` will be empty"]);
}

#[test]
fn json_events_have_every_warning_and_where_it_is_known_from() {
    let (world, run) = world_and_run();
    world.control_request("POST", "faults", &json!([USERS]));
    let done = world.run_command(&format!("{EXPORT} --json")).exits(3);
    let events = done.events();
    let warning = |subject: &str| {
        let about = |event: &&Value| event["subjects"] == json!([subject]);
        let found = events.iter().filter(|event| event["event"] == "warning").find(about);
        found.unwrap()["known_from"].clone()
    };
    assert_eq!(warning("tags"), run);
    assert_eq!(warning("users"), Value::Null);
}

#[test]
fn a_quiet_command_shows_new_warnings_only() {
    let (world, _) = world_and_run();
    let quiet = format!("{EXPORT} --quiet");
    let second = world.run_command(&quiet).exits(3);
    assert_eq!(second.stderr, "");
    world.control_request("POST", "faults", &json!([USERS]));
    let third = world.run_command(&quiet).exits(3);
    assert_eq!(warnings(&third), ["warning: `users` will be empty"]);
}

#[test]
fn the_run_before_is_that_of_the_same_export_to_whatever_directory() {
    let (world, _) = world_and_run();
    let other = world.run_command("export --with none --format csv --out csv").exits(3);
    assert_eq!(warnings(&other), ["warning: `tags` will be empty"]);
    let tonight = world.run_command("export --with none --format jsonl --out tonight").exits(3);
    assert_eq!(warnings(&tonight), [""; 0]);
}

#[test]
fn an_export_that_fails_names_its_known_warnings_and_the_next_one_still_knows_them() {
    let (world, _) = world_and_run();
    let faults = ["POST /contacts/search status=401"];
    world.control_request("POST", "faults", &json!(faults));
    let failed = world.run_command(EXPORT);
    assert_ne!(failed.code, 3, "{}", failed.stderr);
    assert_eq!(known_block(&failed).len(), 2);
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "faults", &json!([TAGS]));
    assert_eq!(warnings(&world.run_command(EXPORT).exits(3)), [""; 0]);
}

#[test]
fn a_resumed_export_has_the_warnings_of_all_of_its_processes() {
    let (world, first) = world_and_run();
    let faults = [USERS, "POST /contacts/search status=401"];
    world.control_request("POST", "faults", &json!(faults));
    let failed = world.run_command(EXPORT);
    assert_eq!(warnings(&failed), ["warning: `users` will be empty"]);
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "faults", &json!([TAGS, USERS]));
    let resumed = world.run_command("resume").exits(3);
    assert_eq!(warnings(&resumed), [""; 0]);
    let runs = world.list_files("home/runs");
    let second = runs.iter().find(|run| **run != first).unwrap();
    let shown = world.run_command(&format!("runs show {second}")).exits(0);
    for list in ["users", "tags"] {
        assert!(shown.stdout.contains(&format!("  `{list}` will be empty")), "{}", shown.stdout);
    }
    let third = world.run_command(EXPORT).exits(3);
    assert_eq!(warnings(&third), [""; 0]);
    assert_eq!(known_block(&third).len(), 3);
}

#[test]
fn each_of_several_locations_has_a_run_before() {
    let world = world_without_tags();
    let export = format!("{EXPORT} --location second");
    world.run_command(&export).exits(3);
    let run = world.only_run_id();
    // With several locations, each has a directory and a line of its own.
    let both = world.run_command(&format!("{export},{LOCATION}")).exits(3);
    assert_eq!(warnings(&both), [format!("warning: {LOCATION}")]);
    let block = known_block(&both);
    assert_eq!(block[0], "known from the runs before:");
    assert!(block[1].starts_with(&format!("  second ({}): `tags` ", short_id(&run))), "{block:?}");
}
