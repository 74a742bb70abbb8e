//! Commands whose access token expires while they run.

use ghl_bulk::sandbox::LOCATION;
use serde_json::{Value, json};

use super::login_fixture::{
    DUE, ENDED, FRESH, assert_counts, count, file, keep, keep_agency, keep_location, kept, world,
};
use crate::running_command::RunningCommand;
use crate::world::World;

const EXPORT: &str = "export --format jsonl --out out";

#[test]
fn ten_processes_that_start_with_an_expired_token_refresh_it_once() {
    let world = world(|_| {});
    keep_location(&world, ENDED);
    let ten: Vec<_> = (0..10)
        .map(|n| RunningCommand::start(&world, &format!("{EXPORT}{n} --with none")))
        .collect();
    for process in ten {
        process.wait_for_exit().exits(0);
    }
    assert_counts(&world, 1, 0, 0);
}

#[test]
fn a_process_killed_at_any_moment_of_a_refresh_leaves_a_usable_login() {
    // At each point: refresh tokens honoured in all, refused, and new authorisations.
    for (point, counts) in
        [("before_refresh", [1, 0, 0]), ("after_refresh", [1, 1, 1]), ("after_renewal", [1, 0, 0])]
    {
        let world = world(|_| {});
        keep_location(&world, ENDED);
        let mut command = world.command(EXPORT);
        let killed = command.env("GHL_BULK_FAILPOINT", point).output().unwrap();
        assert_eq!(killed.status.code(), None, "{point}: {killed:?}");
        assert_eq!(kept(&world).begun.is_some(), point != "after_renewal", "{point}");
        world.run_command("export --format jsonl --out again").exits(0);
        let [honoured, refused, reconnects] = counts;
        assert_counts(&world, honoured, refused, reconnects);
        assert_eq!(kept(&world).begun, None);
        assert_eq!(world.list_files("config/credentials"), ["default.json", "default.lock"]);
    }
}

#[test]
fn an_answer_that_was_lost_on_the_way_does_not_stop_an_export() {
    let world = world(|settings| {
        settings.faults = vec!["POST /oauth/token drop=after times=1".parse().unwrap()];
    });
    keep_location(&world, ENDED);
    world.run_command(EXPORT).exits(0);
    assert_counts(&world, 1, 1, 1);
}

/// Starts a command, and ends all tokens while this request of it is held.
fn tokens_end_during(world: &World, line: &str, request: &str) -> RunningCommand {
    world.control_request("POST", "faults", &json!([format!("{request} hold times=1 after=2")]));
    let process = RunningCommand::start(world, line);
    world.get_control("held?at_least=1");
    world.control_request("POST", "oauth/expire", &Value::Null);
    process
}

#[test]
fn a_token_that_expires_during_an_export_does_not_stop_it() {
    let world = world(|_| {});
    keep_location(&world, FRESH);
    let process = tokens_end_during(&world, EXPORT, "GET /contacts/*/notes");
    world.control_request("POST", "release", &Value::Null);
    process.wait_for_exit().exits(0);
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), 6);
    assert_eq!(world.read_json("out/manifest.json")["complete"], true);
    assert_counts(&world, 1, 0, 0);
}

#[test]
fn a_token_that_expires_during_an_import_does_not_stop_it() {
    let world = world(|_| {});
    keep_location(&world, FRESH);
    let people: Vec<_> = (0..20).map(|n| format!("Ada{n},ada{n}@example.com")).collect();
    let sheet = format!("First Name,Email\n{}\n", people.join("\n"));
    std::fs::write(world.path("people.csv"), sheet).unwrap();
    let line = "import people.csv --yes";
    let process = tokens_end_during(&world, line, "POST /contacts/");
    world.control_request("POST", "release", &Value::Null);
    process.wait_for_exit().exits(0);
    assert_counts(&world, 1, 0, 0);
    let contacts = world.get_control("state")["contacts"].as_array().unwrap().len();
    assert_eq!(contacts, 26, "each was created once");
}

#[test]
fn a_missing_scope_triggers_no_refresh() {
    let world = world(|_| {});
    keep(&world, &json!({"scope": "locations.readonly users.readonly"}), FRESH);
    world.run_command(EXPORT).exits(8).says("`contacts.readonly`");
    assert_counts(&world, 0, 0, 0);
}

#[test]
fn an_expired_login_leaves_a_run_that_resumes_after_the_next_login() {
    let world = world(|_| {});
    keep_location(&world, FRESH);
    let process = tokens_end_during(&world, EXPORT, "GET /contacts/*/notes");
    world.control_request("POST", "oauth/revoke", &Value::Null);
    world.control_request("POST", "settings", &json!({"not_installed": [LOCATION]}));
    world.control_request("POST", "release", &Value::Null);
    process.wait_for_exit().exits(8).says("log in again with `ghl-bulk login --profile default`");
    assert!(!world.path("out").exists());
    world.run_command("resume").exits(8);
    world.control_request("POST", "settings", &json!({"not_installed": []}));
    keep_location(&world, FRESH);
    world.run_command("resume").exits(0);
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), 6);
}

#[test]
fn a_failing_token_endpoint_stops_nothing_while_the_token_is_valid() {
    let world = world(|settings| {
        settings.faults = vec!["POST /oauth/token status=503".parse().unwrap()];
    });
    keep_location(&world, DUE);
    world.run_command(EXPORT).exits(0);
}

#[cfg(unix)]
#[test]
fn a_record_that_others_can_read_is_refused_with_the_command_that_closes_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = world(|_| {});
    keep_location(&world, FRESH);
    let path = file(&world);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    world.run_command(EXPORT).exits(8).says(&format!("`chmod 600 {}`", path.display()));
}

#[test]
fn an_agencys_locations_are_exported_with_a_token_each() {
    let world = world(|settings| {
        settings.locations = vec!["first".to_owned(), "second".to_owned()];
    })
    .without_env("GHL_LOCATION_ID");
    keep_agency(&world, ENDED);
    world.run_command(&format!("{EXPORT} --all-locations")).exits(0);
    assert_counts(&world, 1, 0, 0);
    assert_eq!(count(&world, "location_tokens"), 2);
    world.run_command("export --format jsonl --out again --all-locations").exits(0);
    assert_eq!(count(&world, "location_tokens"), 2, "they were kept");
}
