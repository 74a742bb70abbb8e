//! An agency's login: its locations by name or all of them, a token for each, and failures.

use std::fs;

use ghl_bulk::sandbox::LOCATION;
use serde_json::{Value, json};

use crate::login::{chosen, pasted, with_app};
use crate::world::World;

/// An agency with three locations, which is logged in; the first has contacts.
fn agency() -> World {
    let world = three();
    let done = pasted(&world, "--agency", |address| {
        chosen(&world, &format!("{address}&user_type=Company"))
    });
    done.exits(0).says("OAuth, for an agency");
    world
}

fn three() -> World {
    let world = World::with_settings(|settings| {
        settings.contacts = 12;
        settings.locations = [LOCATION, "second", "third"].map(str::to_owned).into();
    });
    with_app(world).without_env("GHL_LOCATION_ID")
}

/// A sheet of two people.
fn sheet(world: &World) {
    world.write_sheet("in.csv", "Name,Email\nAnn,ann@example.com\nBob,bob@example.com\n");
}

const EXPORT: &str = "export --format jsonl --with none --out out";

#[test]
fn every_location_is_exported_with_a_token_of_its_own() {
    let world = agency();
    world.run_command(&format!("{EXPORT} --all-locations")).exits(0).says("3 locations exported");
    assert_eq!(world.list_files("out"), [LOCATION, "second", "third"]);
    assert_eq!(world.read_rows(&format!("out/{LOCATION}/contacts.jsonl")).len(), 12);
    assert_eq!(world.get_control("oauth")["location_tokens"], 3);
    world.run_command(&format!("{EXPORT} --all-locations")).exits(0);
    assert_eq!(world.get_control("oauth")["location_tokens"], 3, "the tokens were kept");
}

#[test]
fn every_location_is_synced_and_exported_from_its_copy() {
    let world = agency();
    world.run_command("sync --all-locations").exits(0).says("3 locations synced");
    let line = "export --incremental --format jsonl --out lake --location-name '*2'";
    world.run_command(line).exits(0).says("1 location exported");
    assert_eq!(world.list_files("lake"), ["second"]);
    assert_eq!(world.list_files("home/mirrors").len(), 3);
}

#[test]
fn locations_are_found_by_name_whatever_its_case() {
    let world = agency();
    world.run_command(&format!("{EXPORT} --location-name 'sandbox location ?'")).exits(0);
    assert_eq!(world.list_files("out").len(), 3);
    world
        .run_command(
            "export --format jsonl --with none --out two --location-name '*2' --location-name '*3'",
        )
        .exits(0);
    assert_eq!(world.list_files("two"), ["second", "third"]);
}

#[test]
fn a_name_that_matches_no_location_suggests_the_closest() {
    let world = agency();
    let done =
        world.run_command(&format!("{EXPORT} --location-name 'Sandbox Lacation 2'")).exits(2);
    done.says("no location's name matches `Sandbox Lacation 2`").says("`Sandbox Location 2`");
    assert!(!world.path("out").exists());
}

#[test]
fn a_location_of_the_agency_is_named_by_its_id() {
    let world = agency();
    world.run_command(&format!("{EXPORT} --location second")).exits(0);
    assert_eq!(world.read_json("out/manifest.json")["location"], "second");
    world.run_command("export --out none").exits(2).says("--all-locations");
}

#[test]
fn a_file_of_locations_needs_no_variables() {
    let world = agency();
    fs::write(world.path("clients.csv"), "second\nthird\n").unwrap();
    world.run_command(&format!("{EXPORT} --locations clients.csv")).exits(0);
    assert_eq!(world.list_files("out"), ["second", "third"]);
}

#[test]
fn a_location_that_the_agency_does_not_reach_has_its_own_message() {
    let world = agency();
    world.run_command(&format!("{EXPORT} --location elsewhere")).exits(8).says("elsewhere");
    assert!(!world.path("out").exists());
    fs::write(world.path("clients.csv"), "second\nelsewhere\n").unwrap();
    world
        .run_command(&format!("{EXPORT} --locations clients.csv"))
        .exits(3)
        .says("error: elsewhere:");
    assert_eq!(world.list_files("out"), ["second"]);
}

#[test]
fn without_an_agencys_login_the_flags_say_what_they_need() {
    let world = World::new();
    for flag in ["--all-locations", "--location-name x"] {
        let done = world.run_command(&format!("{EXPORT} {flag}")).exits(2);
        done.says("needs the login of an agency").says("login --oauth --agency");
        world.run_command(&format!("{EXPORT} {flag} --sandbox")).exits(2).says("--sandbox");
    }
    assert_eq!(world.get_control("log")["requests"], 0);
}

#[test]
fn whoami_shows_the_agency_and_on_demand_its_locations() {
    let world = agency();
    let done = world.run_command("whoami").exits(0);
    assert!(done.stdout.contains(ghl_bulk::sandbox::COMPANY), "{}", done.stdout);
    let summary = world.run_command("whoami --all-locations --json").exits(0).summary();
    let locations: Vec<_> = summary["locations"].as_object().unwrap().keys().collect();
    assert_eq!(locations, [LOCATION, "second", "third"]);
    assert_eq!(summary["locations"]["second"]["location_name"], "Sandbox Location 2");
}

#[test]
fn a_sheet_goes_into_several_locations_each_a_run_of_its_own() {
    let world = agency();
    sheet(&world);
    let line = "import in.csv --yes --out res --location-name '*2' --location-name '*3'";
    let done = world.run_command(line).exits(0);
    done.says("location Sandbox Location 2 (second):").says("2 locations done");
    assert_eq!(world.list_files("res"), ["second", "third"]);
    for location in ["second", "third"] {
        assert_eq!(world.read_csv(&format!("res/{location}/succeeded.csv")).len(), 2);
        let state = world.get_control(&format!("state?locationId={location}"));
        assert_eq!(state["contacts"].as_array().unwrap().len(), 2, "{location}");
    }
    assert_eq!(world.list_files("home/runs").len(), 2);
}

#[test]
fn an_import_into_several_locations_reports_each_and_exits_with_the_worst_code() {
    let world = agency();
    sheet(&world);
    fs::write(world.path("clients.csv"), "elsewhere\nsecond\n").unwrap();
    let done = world.run_command("import in.csv --yes --out res --locations clients.csv").exits(8);
    done.says("error: elsewhere:").says("1 location done, 1 failed");
    assert_eq!(world.read_csv("res/second/succeeded.csv").len(), 2);
    let done =
        world.run_command("import in.csv --yes --out res --locations clients.csv --json").exits(8);
    let summary = done.summary();
    assert_eq!(summary["locations"]["elsewhere"]["exit_code"], 8);
    assert_eq!(summary["locations"]["second"]["exit_code"], 0);
    let own = |event: &&Value| event["event"] == "summary" && event["location"] == "second";
    assert_eq!(done.events().iter().filter(own).count(), 1);
}

#[test]
fn a_dry_run_over_several_is_applied_location_by_location() {
    let world = agency();
    sheet(&world);
    world.run_command("import in.csv --dry-run --out res --all-locations").exits(0);
    assert!(
        world.list_writes().iter().all(|line| line.contains("/oauth/")),
        "{:?}",
        world.list_writes()
    );
    for run in world.list_files("home/runs") {
        world.run_command(&format!("apply {run} --yes")).exits(0);
    }
    assert_eq!(world.read_csv("res/third/succeeded.csv").len(), 2);
}

#[test]
fn a_run_of_one_location_is_resumed_and_undone_with_the_agencys_login() {
    let world = agency();
    sheet(&world);
    world.run_command("import in.csv --yes --out res --location second").exits(0);
    let run = world.only_run_id();
    world
        .run_command(&format!("undo {run} --created delete --confirm-delete 2 --out back"))
        .exits(0);
    assert_eq!(world.get_control("state?locationId=second")["contacts"], json!([]));
}

#[test]
fn a_login_that_ends_in_the_middle_ends_the_run_which_a_new_login_resumes() {
    let world = agency();
    let faults = [
        "GET /contacts/*/notes token-expired after=3",
        "POST /oauth/locationToken status=401 after=1",
        "POST /oauth/token status=400",
        "POST /oauth/reconnect status=400",
    ];
    world.control_request("POST", "faults", &json!(faults));
    let line = format!("export --format jsonl --with notes --out out --location {LOCATION}");
    let done = world.run_command(&line).exits(8);
    done.says("log in again").says("ghl-bulk login").says("resume: ghl-bulk resume");
    world.control_request("DELETE", "faults", &Value::Null);
    let again = pasted(&world, "--agency", |address| {
        chosen(&world, &format!("{address}&user_type=Company"))
    });
    again.exits(0);
    world.run_command("resume").exits(0);
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), 12);
}
