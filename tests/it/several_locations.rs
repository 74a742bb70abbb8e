//! Several locations in one command: a directory each, and a failure affects no other location.

use std::fs;

use ghl_bulk::sandbox::LOCATION;
use serde_json::{Value, json};

use crate::world::World;

/// A world that serves three locations, the first with contacts.
fn three() -> World {
    World::with_settings(|settings| {
        settings.locations = [LOCATION, "second", "third"].map(str::to_owned).into();
    })
}

fn contacts(world: &World, location: &str) -> usize {
    world.read_rows(&format!("out/{location}/contacts.jsonl")).len()
}

/// A world whose file `clients.csv` lists locations; it names no location otherwise.
fn listing(text: &str) -> World {
    let world = three().without_env("GHL_LOCATION_ID");
    fs::write(world.path("clients.csv"), text).unwrap();
    world
}

const EXPORT: &str = "export --format jsonl --with none --out out";

#[test]
fn every_location_has_a_directory_and_a_run_of_its_own() {
    let world = three();
    world.control_request(
        "POST",
        "contacts?locationId=second",
        &json!([{"id": "one"}, {"id": "two"}]),
    );
    world.run_command(&format!("{EXPORT} --location {LOCATION},second,third")).exits(0);
    assert_eq!(world.list_files("out"), [LOCATION, "second", "third"]);
    let counts = [LOCATION, "second", "third"].map(|location| contacts(&world, location));
    assert_eq!(counts, [60, 2, 0]);
    let location =
        |dir: &str| world.read_json(&format!("out/{dir}/manifest.json"))["location"].clone();
    assert_eq!(location("second"), "second");
    assert_eq!(world.list_files("home/runs").len(), 3);
}

#[test]
fn locations_are_repeated_flags_as_well_as_a_list() {
    let world = three();
    world.run_command(&format!("{EXPORT} --location second --location third")).exits(0);
    assert_eq!(world.list_files("out"), ["second", "third"]);
}

#[test]
fn a_location_that_is_named_twice_is_exported_once() {
    let world = three();
    world.run_command(&format!("{EXPORT} --location second,third,second")).exits(0);
    assert_eq!(world.list_files("home/runs").len(), 2);
}

#[test]
fn a_file_names_the_locations() {
    let world = listing("# clients\n\nsecond\n  third  \n");
    world.run_command(&format!("{EXPORT} --locations clients.csv")).exits(0);
    assert_eq!(world.list_files("out"), ["second", "third"]);
}

#[test]
fn a_file_goes_before_the_location_of_the_environment() {
    let world = listing("second\n").with_env("GHL_LOCATION_ID", LOCATION);
    world.run_command(&format!("{EXPORT} --locations clients.csv")).exits(0);
    assert_eq!(world.list_files("out"), ["second"]);
}

#[test]
fn a_file_of_one_location_has_a_directory_for_it_too() {
    let world = listing("second");
    world.run_command(&format!("{EXPORT} --locations clients.csv")).exits(0);
    assert!(world.path("out/second/manifest.json").exists());
}

#[test]
fn every_line_may_name_the_variable_that_holds_its_token() {
    let world = listing("location,token\r\nsecond,TOKEN_TWO\r\nthird, TOKEN_THREE\r\n")
        .without_env("GHL_TOKEN")
        .with_env("TOKEN_TWO", "pit-sandbox-location:second")
        .with_env("TOKEN_THREE", "pit-sandbox-location:third");
    world.run_command(&format!("{EXPORT} --locations clients.csv")).exits(0);
    assert_eq!(world.list_files("out"), ["second", "third"]);
}

#[test]
fn one_that_fails_does_not_stop_the_others() {
    let world = three();
    let done =
        world.run_command(&format!("{EXPORT} --location {LOCATION},unserved,second")).exits(3);
    assert_eq!(contacts(&world, LOCATION), 60);
    assert_eq!(contacts(&world, "second"), 0);
    assert!(!world.path("out/unserved").exists());
    done.says("error: unserved: the token has no access to this location")
        .says("2 locations exported, 1 failed");
}

#[test]
fn one_that_fails_is_named_in_the_summary() {
    let world = three();
    let done = world.run_command(&format!("{EXPORT} --json --location second,unserved")).exits(3);
    let summary = done.summary();
    assert_eq!((&summary["outcome"], &summary["exit_code"]), (&json!("partial"), &json!(3)));
    let (good, bad) = (&summary["locations"]["second"], &summary["locations"]["unserved"]);
    assert_eq!(good["outcome"], "complete");
    assert_eq!((&bad["outcome"], &bad["exit_code"]), (&json!("failed"), &json!(8)));
    let resume = bad["resume"].as_str().unwrap();
    assert_eq!(resume, format!("ghl-bulk resume {}", bad["run"].as_str().unwrap()));
}

#[test]
fn a_token_that_reaches_one_location_exports_that_one() {
    let world = three().with_env("GHL_TOKEN", "pit-sandbox-location:second");
    world.run_command(&format!("{EXPORT} --location second,third")).exits(3);
    assert_eq!(world.list_files("out"), ["second"]);
}

#[test]
fn when_all_fail_alike_the_exit_code_is_theirs() {
    let world = three().with_env("GHL_TOKEN", "pit-wrong");
    let done = world.run_command(&format!("{EXPORT} --location second,third")).exits(8);
    done.says("error: second: ").says("error: third: ").says("0 locations exported, 2 failed");
}

#[test]
fn events_of_several_locations_say_which_one_they_are_about() {
    let world = three();
    let done = world.run_command(&format!("{EXPORT} --json --location second,third")).exits(0);
    let mut events = done.events();
    events.pop();
    assert!(events.len() > 10);
    for event in events {
        let location = event["location"].as_str().unwrap_or_default();
        assert!(["second", "third"].contains(&location), "{event}");
    }
}

#[test]
fn a_failed_location_is_resumed_with_its_own_token() {
    let world = listing("second,TOKEN_TWO").with_env("TOKEN_TWO", "pit-sandbox-location:third");
    world.run_command(&format!("{EXPORT} --locations clients.csv")).exits(8);
    let world = world.without_env("GHL_TOKEN").with_env("TOKEN_TWO", "pit-sandbox-location:second");
    let failed = world.run_command("resume").exits(10);
    failed.says("failed before it read anything");
    world.run_command(&format!("resume {}", world.only_run_id())).exits(0);
    assert!(world.path("out/second/manifest.json").exists());
}

#[test]
fn an_id_never_becomes_a_path() {
    let id = "../../up";
    let world = World::with_settings(|settings| {
        settings.locations = vec![LOCATION.to_owned(), id.to_owned()];
    });
    world.run_command(&format!("{EXPORT} --location {LOCATION},{id}")).exits(0);
    assert_eq!(world.list_files("out"), ["%2E%2E%2F%2E%2E%2Fup", LOCATION]);
    assert_eq!(world.list_files("."), ["home", "out"]);
}

#[test]
fn an_estimate_of_several_locations_names_each() {
    let world = three();
    let done = world.run_command("export --estimate --location second,third --json").exits(0);
    let summary = done.summary();
    let locations: Vec<_> = summary["locations"].as_object().unwrap().keys().collect();
    assert_eq!(locations, ["second", "third"]);
}

#[test]
fn an_estimate_that_fails_for_one_location_is_made_for_the_others() {
    let world = three();
    let line = "export --estimate --location unserved,second";
    let done = world.run_command(line).exits(3).says("error: unserved: ");
    assert!(done.stdout.contains("second\n"), "{}", done.stdout);
    let summary = world.run_command(&format!("{line} --json")).exits(3).summary();
    assert_eq!(summary["locations"]["second"]["contacts"], 0);
    assert_eq!(summary["locations"]["unserved"]["exit_code"], 8);
}

/// What is said about a file of locations that is wrong.
#[track_caller]
fn assert_refused(text: &str) -> String {
    let world = listing(text);
    let done = world.run_command(&format!("{EXPORT} --locations clients.csv")).exits(2);
    assert_eq!(world.get_control("log")["requests"], 0, "nothing is sent before the file is read");
    done.stderr
}

#[test]
fn a_location_that_is_twice_in_the_file_is_named_with_its_line() {
    insta::assert_snapshot!(assert_refused("second\nthird\nsecond\n"), @"error: `clients.csv` line 3: location `second` is listed twice");
}

#[test]
fn a_line_that_is_no_location_is_named() {
    insta::assert_snapshot!(assert_refused("second\n..\n"), @"error: `clients.csv` line 2: `..` is not a valid location id: it is a path segment");
}

#[test]
fn a_line_whose_variable_is_not_set_is_named() {
    insta::assert_snapshot!(assert_refused("# ours\nsecond,NOT_SET\n"), @"error: `clients.csv` line 2: the environment variable `NOT_SET`, which should hold the token, is not set");
}

#[test]
fn a_file_without_locations_is_refused() {
    insta::assert_snapshot!(assert_refused("# nobody\n\n"), @"error: `clients.csv` does not name a location");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let done = three()
        .without_env("GHL_LOCATION_ID")
        .run_command(&format!("{EXPORT} --locations no.csv"))
        .exits(2);
    insta::assert_snapshot!(done.stderr, @"error: `no.csv`: No such file or directory (os error 2)");
}

#[test]
fn a_location_of_the_environment_that_is_no_id_is_refused() {
    let done = three().with_env("GHL_LOCATION_ID", "second,..").run_command(EXPORT).exits(2);
    insta::assert_snapshot!(done.stderr, @"error: `GHL_LOCATION_ID`: `..` is not a valid location id: it is a path segment");
}

#[test]
fn a_file_and_a_flag_exclude_each_other() {
    let world = listing("second");
    world.run_command(&format!("{EXPORT} --locations clients.csv --location third")).exits(2);
    assert_eq!(world.control_request("GET", "log", &Value::Null)["requests"], 0);
}

#[test]
fn more_locations_than_the_system_has_threads_for_are_exported_a_few_at_a_time() {
    let names: Vec<String> = (0..600).map(|n| format!("location{n}")).collect();
    let world = World::with_settings(|settings| {
        settings.contacts = 0;
        settings.locations = names.clone();
    });
    let world = world.without_env("GHL_LOCATION_ID");
    fs::write(world.path("clients.csv"), names.join("\n")).unwrap();
    world.run_command(&format!("{EXPORT} --locations clients.csv --at-once 20")).exits(0);
    assert_eq!(world.list_files("out").len(), 600);
}

#[test]
fn the_number_of_locations_at_a_time_is_bounded() {
    for wrong in ["0", "257", "many"] {
        three()
            .run_command(&format!("{EXPORT} --location second --at-once {wrong}"))
            .exits(2)
            .says("expected a number from 1 to 256");
    }
}
