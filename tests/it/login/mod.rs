//! Logging in and out, and what the program knows about a token.

mod browser;
pub(crate) use browser::{chosen, pasted, with_app};
mod credential_stores;
#[cfg(target_os = "linux")]
mod terminal;
mod token_sources;
mod whoami;

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use ghl_bulk::sandbox::{LOCATION, TOKEN};
use serde_json::{Value, json};

use crate::world::{CommandOutput, World};

/// A world without a login and without a token.
pub(crate) fn world() -> World {
    settled(World::new())
}

/// The same over a world that was set up otherwise.
pub(crate) fn settled(world: World) -> World {
    let config = world.path("config").display().to_string();
    world.without_env("GHL_TOKEN").with_env("GHL_BULK_CONFIG", &config)
}

/// Runs a command whose standard input is this.
pub(crate) fn fed(world: &World, line: &str, input: &str) -> CommandOutput {
    let mut command = world.command(line);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    CommandOutput {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// There is no login.
#[track_caller]
pub(crate) fn assert_nothing_kept(world: &World) {
    let dir = world.path("config/credentials");
    let records = fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path());
    let records: Vec<_> =
        records.filter(|path| path.extension().is_some_and(|it| it == "json")).collect();
    assert!(records.is_empty(), "{records:?}");
}

const EXPORT: &str = "export --format jsonl --with none --out out";

#[test]
fn a_token_that_was_logged_in_with_needs_no_environment() {
    let world = world();
    let done = fed(&world, "login", &format!("{TOKEN}\n")).exits(0);
    done.says("logged in").says(LOCATION);
    let world = world.without_env("GHL_LOCATION_ID");
    world.run_command(EXPORT).exits(0);
    assert_eq!(world.read_json("out/manifest.json")["location"], LOCATION);
}

#[test]
fn login_asks_the_api_once_and_shows_the_locations_name() {
    let world = world();
    let done = fed(&world, "login --json", TOKEN).exits(0);
    assert_eq!(world.get_control("log")["requests"], 1);
    let summary = done.summary();
    assert_eq!(
        (&summary["outcome"], &summary["profile"]),
        (&json!("logged_in"), &json!("default"))
    );
    assert_eq!(
        (&summary["token_kind"], &summary["location"]),
        (&json!("private_integration"), &json!(LOCATION))
    );
    assert!(summary["location_name"].is_string(), "{summary}");
    let told = fed(&world, "login", TOKEN).exits(0);
    told.says(summary["location_name"].as_str().unwrap());
}

#[test]
fn login_never_repeats_the_token() {
    let world = world();
    let secret = "pit-sandbox-without:kept-to-itself";
    for line in [
        "login -vv",
        "login --json -vv",
        "login --location elsewhere -vv",
        "whoami -vv",
        "logout -vv",
    ] {
        let done = fed(&world, line, secret);
        assert!(!done.stdout.contains("kept-to-itself"), "{line}: {}", done.stdout);
        assert!(!done.stderr.contains("kept-to-itself"), "{line}: {}", done.stderr);
    }
}

#[test]
fn a_token_that_the_api_refuses_is_not_stored() {
    let world = world();
    fed(&world, "login", "pit-wrong")
        .exits(8)
        .says("rejected the token")
        .says("nothing was stored");
    assert_nothing_kept(&world);
}

#[test]
fn a_token_of_another_location_is_not_stored() {
    let world = world();
    let done = fed(&world, "login", "pit-sandbox-location:elsewhere").exits(8);
    done.says("has no access to this location").says("--location");
    assert_nothing_kept(&world);
}

#[test]
fn without_the_api_only_no_check_stores_a_token() {
    let world = world().with_env("GHL_API_URL", "http://127.0.0.1:9");
    fed(&world, "login", TOKEN).exits(2).says("cannot be reached").says("--no-check");
    assert_nothing_kept(&world);
    fed(&world, "login --no-check", TOKEN).exits(0);
    assert_eq!(world.list_files("config/credentials").len(), 2);
}

#[test]
fn a_token_without_the_scope_for_the_location_is_stored_all_the_same() {
    let world = world();
    fed(&world, "login", "pit-sandbox-without:locations.readonly").exits(0);
}

#[test]
fn a_malformed_token_is_refused_without_being_repeated() {
    let world = world();
    for (text, what) in [
        ("", "it is empty"),
        ("eyJhbGciOiJI.eyJleHAiOjE2.c2lnbmF0", "OAuth token"),
        ("https://app.example/secret-part", "an address"),
        ("ann@secret-part.example", "e-mail"),
        ("8a7b-secret-part", "begin with `pit-`"),
        ("two secret-part", "the token is invalid"),
    ] {
        let done = fed(&world, "login", text).exits(8).says(what);
        assert!(!done.stderr.contains("secret-part"), "{}", done.stderr);
    }
    assert_eq!(world.get_control("log")["requests"], 0);
    assert_nothing_kept(&world);
}

#[test]
fn login_without_a_location_says_where_to_find_it() {
    let world = world().without_env("GHL_LOCATION_ID");
    fed(&world, "login", TOKEN).exits(2).says("no location was given").says("--location");
    fed(&world, &format!("login --location {LOCATION},second"), TOKEN).exits(2).says("--profile");
}

#[test]
fn profiles_have_separate_logins() {
    let world = settled(World::with_settings(|settings| {
        settings.locations = [LOCATION, "second"].map(str::to_owned).into();
    }))
    .without_env("GHL_LOCATION_ID");
    let login = |line: &str, token: &str| fed(&world, line, token).exits(0);
    login(
        &format!("login --profile one --location {LOCATION}"),
        "pit-sandbox-location:sandboxLocation00001",
    );
    login("login --profile two --location second", "pit-sandbox-location:second");
    for (profile, location) in [("one", LOCATION), ("two", "second")] {
        world.run_command(&format!("{EXPORT} --profile {profile} --replace")).exits(0);
        assert_eq!(world.read_json("out/manifest.json")["location"], location);
    }
    world.run_command(EXPORT).exits(8).says("no token was given").says("ghl-bulk login");
    world.run_command("logout --profile one").exits(0);
    world
        .run_command(&format!("{EXPORT} --profile one"))
        .exits(2)
        .says("there is no profile `one`");
    world.run_command(&format!("{EXPORT} --profile two")).exits(0);
}

#[test]
fn a_run_is_resumed_with_the_login_it_was_begun_with() {
    let world = settled(World::with_faults(&["GET /contacts/*/notes token-expired after=3"]));
    fed(&world, "login --profile night", TOKEN).exits(0);
    world
        .run_command("export --out out --profile night")
        .exits(8)
        .says("resume: ghl-bulk resume")
        .says("log in");
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command("resume").exits(0);
    assert!(world.path("out/manifest.json").exists());
}

#[test]
fn logging_out_removes_the_login_and_says_that_the_token_stays_valid() {
    let world = world();
    fed(&world, "login", TOKEN).exits(0);
    world.run_command("logout").exits(0).says("removed").says("stays valid");
    assert_nothing_kept(&world);
    world.run_command(EXPORT).exits(8).says("ghl-bulk login");
    let done = world.run_command("logout").exits(0);
    done.says("nothing is stored for profile `default`");
    assert_eq!(world.run_command("logout --json").exits(0).summary()["outcome"], "nothing");
}

#[test]
fn the_embedded_sandbox_needs_no_login() {
    fed(&world(), "login --sandbox", TOKEN).exits(2).says("does not need a login");
}
