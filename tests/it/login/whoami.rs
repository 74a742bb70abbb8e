//! `whoami`: what is known about the token that a command would use.

use ghl_bulk::sandbox::{LOCATION, TOKEN};
use serde_json::{Value, json};

use super::browser::{chosen, pasted, with_app};
use super::{fed, world};
use crate::world::World;

#[test]
fn a_private_token_is_shown_with_its_location_and_its_source() {
    let world = World::new();
    let done = world.run_command("whoami").exits(0);
    for part in
        [LOCATION, "Private Integration Token", "environment variable `GHL_TOKEN`", "doctor"]
    {
        assert!(done.stdout.contains(part), "no {part} in {}", done.stdout);
    }
    assert_eq!(done.stderr, "");
    assert!(!done.stdout.contains(TOKEN), "{}", done.stdout);
    assert_eq!(world.get_control("log")["requests"], 1);
    let summary = world.run_command("whoami --json").exits(0).summary();
    assert_eq!(
        summary["timezone"],
        world.get_control("state")["location"]["timezone"]
            .as_str()
            .map_or(summary["timezone"].clone(), |it| json!(it))
    );
    assert_eq!(
        (&summary["token_kind"], &summary["token_source"]),
        (&json!("private_integration"), &json!("environment"))
    );
    assert_eq!((&summary["profile"], &summary["expires"]), (&Value::Null, &Value::Null));
}

#[test]
fn an_oauth_login_is_shown_with_its_scopes_its_expiry_and_its_agency() {
    let world = with_app(World::new());
    pasted(&world, "--profile app", |address| chosen(&world, address)).exits(0);
    let done = world.run_command("whoami --profile app").exits(0);
    for part in
        ["app", "OAuth, for one location", "contacts.readonly", "renewed before by itself", "0600"]
    {
        assert!(done.stdout.contains(part), "no {part} in {}", done.stdout);
    }
    let summary = world.run_command("whoami --json --profile app").exits(0).summary();
    assert_eq!((&summary["renews"], &summary["profile"]), (&json!(true), &json!("app")));
    assert_eq!(summary["company"], ghl_bulk::sandbox::COMPANY);
    assert!(summary["expires"].is_string() && summary["scopes"].as_array().unwrap().len() > 5);
}

#[test]
fn a_login_without_the_scope_for_notes_is_told_what_that_costs() {
    let world = with_app(World::new());
    let narrow = "--profile app --scope contacts.readonly,locations.readonly";
    pasted(&world, narrow, |address| chosen(&world, address)).exits(0);
    let done = world.run_command("whoami --profile app").exits(0);
    assert!(
        done.stdout.contains("notes.readonly: exports read notes contact by contact"),
        "{}",
        done.stdout
    );
}

#[test]
fn without_the_api_it_shows_what_is_known_and_that_the_api_is_unreachable() {
    let world = world();
    fed(&world, "login", TOKEN).exits(0);
    let world = world.with_env("GHL_API_URL", "http://127.0.0.1:9");
    let done = world.run_command("whoami").exits(2).says("cannot be reached");
    assert!(done.stdout.contains(LOCATION) && done.stdout.contains("0600"), "{}", done.stdout);
    let summary = world.run_command("whoami --json").exits(2).summary();
    assert_eq!((&summary["exit_code"], &summary["location"]), (&json!(2), &json!(LOCATION)));
    assert!(summary["error"].as_str().unwrap().contains("cannot be reached"), "{summary}");
}

#[test]
fn a_refused_token_is_shown_all_the_same() {
    let world = World::new().with_env("GHL_TOKEN", "pit-wrong");
    let done = world.run_command("whoami").exits(8).says("rejected the token");
    assert!(done.stdout.contains("environment variable `GHL_TOKEN`"), "{}", done.stdout);
}

#[test]
fn without_a_token_it_says_how_to_log_in() {
    world().run_command("whoami").exits(8).says("no token was given").says("ghl-bulk login");
}

#[test]
fn a_login_with_an_unknown_location_is_shown_without_one() {
    let world = world().without_env("GHL_LOCATION_ID");
    fed(&world, "login --no-check", TOKEN).exits(0);
    let done = world.run_command("whoami").exits(0);
    assert!(done.stdout.contains("Private Integration Token"), "{}", done.stdout);
    assert_eq!(world.get_control("log")["requests"], 0);
    world.run_command("export --out out").exits(2).says("no location was given");
}

/// Changes a date in the stored login of a profile to so many days ago.
#[track_caller]
fn set_days_ago(world: &World, profile: &str, key: &str, days: i64) {
    fn find<'v>(value: &'v mut Value, key: &str) -> Option<&'v mut Value> {
        let map = value.as_object_mut()?;
        if map.contains_key(key) {
            return map.get_mut(key);
        }
        map.values_mut().find_map(|inner| find(inner, key))
    }
    let path = format!("config/credentials/{profile}.json");
    let mut record: Value =
        serde_json::from_slice(&std::fs::read(world.path(&path)).unwrap()).unwrap();
    let then = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
    *find(&mut record, key).unwrap_or_else(|| panic!("no {key}")) = json!(then);
    std::fs::write(world.path(&path), record.to_string()).unwrap();
}

#[test]
fn the_age_of_a_private_token_is_told_and_after_90_days_it_is_a_warning() {
    let world = world();
    let log_in = |token: &str| {
        let line = format!("login --profile mine --store file --location {LOCATION}");
        fed(&world, &line, token).exits(0);
    };
    log_in(TOKEN);
    world.run_command("whoami --profile mine").exits(0);
    let shown = |days: i64| {
        set_days_ago(&world, "mine", "stored", days);
        let doctor = world.run_command("doctor --profile mine --json").exits(0).summary();
        let checks = doctor["checks"].as_array().unwrap();
        let expiry = checks.iter().find(|check| check["id"] == "expiry").unwrap();
        let whoami = world.run_command("whoami --profile mine").exits(0).stdout;
        (whoami, expiry["status"].clone(), expiry["what"].as_str().unwrap().to_owned())
    };
    let (whoami, status, what) = shown(3);
    assert!(whoami.contains("; it was stored 3 days ago"), "{whoami}");
    assert_eq!((status, what.contains("3 days")), (json!("ok"), true), "{what}");
    let (whoami, status, what) = shown(91);
    let told = "it was stored 91 days ago, and HighLevel recommends a new one every 90 days";
    assert!(whoami.contains(&format!("warning: {told}")), "{whoami}");
    assert_eq!((status, what.contains(told)), (json!("warning"), true), "{what}");
    // To store the same token again makes it no younger.
    log_in(TOKEN);
    let whoami = world.run_command("whoami --profile mine").exits(0).stdout;
    assert!(whoami.contains(told), "{whoami}");
}

#[test]
fn a_refresh_token_near_its_end_and_scopes_that_nothing_needs_are_told() {
    let world = with_app(World::new());
    let scopes = "--profile app --store file --scope \
                  contacts.readonly,notes.readonly,locations.readonly,opportunities.readonly";
    pasted(&world, scopes, |address| chosen(&world, address)).exits(0);
    let done = world.run_command("whoami --profile app").exits(0);
    let line = done.stdout.lines().find(|line| line.contains("not needed")).unwrap();
    assert!(line.contains("opportunities.readonly: nothing here uses it"), "{line}");
    assert!(!line.contains("contacts.readonly"), "{line}");
    assert!(done.stdout.contains("renewed before by itself"), "{}", done.stdout);

    set_days_ago(&world, "app", "obtained", 355);
    let done = world.run_command("whoami --profile app").exits(0);
    assert!(done.stdout.contains("warning: its refresh token ends in "), "{}", done.stdout);
    set_days_ago(&world, "app", "obtained", 355);
    let doctor = world.run_command("doctor --profile app --json").summary();
    let checks = doctor["checks"].as_array().unwrap();
    let of = |id: &str| checks.iter().find(|check| check["id"] == id).cloned().unwrap_or_default();
    assert_eq!(of("unneeded_scopes")["status"], "warning", "{doctor}");
    assert_eq!(of("refresh_token")["status"], "warning", "{doctor}");
}
