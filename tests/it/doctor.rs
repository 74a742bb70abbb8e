//! The doctor: every problem has a line of its own, a hint and an exit code.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::world::{CommandOutput, World};

/// The checks of `doctor --json`, by id.
#[track_caller]
fn checks(done: &CommandOutput) -> BTreeMap<String, Value> {
    assert_eq!(done.stdout.lines().count(), 1, "{}", done.stdout);
    let summary = done.summary();
    assert_eq!(summary["exit_code"], done.code, "{summary}");
    let all = summary["checks"].as_array().unwrap();
    all.iter().map(|check| (check["id"].as_str().unwrap().to_owned(), check.clone())).collect()
}

/// Asserts how the checks came out that are not `ok`, and gives them.
#[track_caller]
fn assert_problems(
    done: &CommandOutput,
    code: i32,
    expected: &[(&str, &str)],
) -> BTreeMap<String, Value> {
    assert_eq!(done.code, code, "{}\n{}", done.stdout, done.stderr);
    let checks = checks(done);
    let found: BTreeMap<_, _> = checks
        .iter()
        // Whether there is a keyring is the machine's business.
        .filter(|(id, _)| *id != "keyring")
        .filter(|(_, check)| ["warning", "failure"].contains(&check["status"].as_str().unwrap()))
        .map(|(id, check)| (id.as_str(), check["status"].as_str().unwrap()))
        .collect();
    assert_eq!(found, expected.iter().copied().collect(), "{}", done.stdout);
    for (id, _) in expected {
        assert!(!checks[*id]["hint"].is_null(), "`{id}` says nothing of what to do");
    }
    checks
}

#[track_caller]
fn assert_message(check: &Value, part: &str) {
    let what = check["what"].as_str().unwrap();
    assert!(what.contains(part), "no `{part}` in `{what}`");
}

fn without_scope(scope: &str) -> World {
    World::new().with_env("GHL_TOKEN", &format!("pit-sandbox-without:{scope}"))
}

const SCOPES: [&str; 11] = [
    "locations.readonly",
    "contacts.readonly",
    "contacts.write",
    "locations/tasks.readonly",
    "notes.readonly",
    "locations/customFields.readonly",
    "locations/tags.readonly",
    "users.readonly",
    "businesses.readonly",
    "calendars.readonly",
    "calendars/events.readonly",
];

#[test]
fn a_healthy_account_is_reported_line_by_line_for_about_a_dozen_requests() {
    let world = World::new();
    let before = world.get_control("state");
    let done = world.run_command("doctor").exits(0);
    assert_eq!(done.stderr, "");
    assert!(done.stdout.lines().all(|line| line.starts_with("ok  ") || line == "all is well"));
    for scope in SCOPES {
        assert!(done.stdout.contains(&format!("`{scope}` is granted")), "{}", done.stdout);
    }
    assert!(!done.stdout.contains('\u{1b}'), "colors without a terminal");
    let requests = world.get_control("log")["requests"].as_u64().unwrap();
    assert!(requests <= 12, "{requests} requests");
    assert_eq!(world.get_control("state"), before, "it changed the account");
    assert!(!world.path("home").exists(), "it made the home");
}

#[test]
fn json_is_one_object_of_a_known_shape() {
    let world = World::new();
    let done = world.run_command("doctor --json").exits(0);
    let checks = checks(&done);
    let summary = done.summary();
    assert_eq!((&summary["v"], &summary["event"]), (&json!(2), &json!("summary")));
    assert_eq!(summary["outcome"], "healthy");
    assert_eq!(summary["counts"]["ok"], summary["checks"].as_array().unwrap().len());
    for check in checks.values() {
        let keys: Vec<_> = check.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["hint", "id", "location", "status", "what"]);
    }
    let expected = [
        "clock",
        "configuration",
        "country",
        "day",
        "disk",
        "duplicates",
        "environment",
        "expiry",
        "home",
        "http",
        "identifiers",
        "keyring",
        "location",
        "proxy",
        "rate",
        "reachable",
        "time_zone",
        "tls",
        "token",
        "token_kind",
        "token_source",
        "version",
    ];
    let scopes = SCOPES.map(|scope| format!("scope:{scope}"));
    for id in expected.into_iter().chain(scopes.iter().map(String::as_str)) {
        assert!(checks.contains_key(id), "no `{id}`");
    }
    let schema: Value = serde_json::from_str(&world.run_command("schema events").stdout).unwrap();
    let known = schema["$defs"]["summary"]["properties"].as_object().unwrap();
    for key in summary.as_object().unwrap().keys() {
        assert!(known.contains_key(key), "`{key}` is not in the schema");
    }
}

#[test]
fn the_same_checks_are_listed_when_nothing_answers() {
    let names = |done: &CommandOutput| checks(done).into_keys().collect::<Vec<_>>();
    let world = World::new();
    let healthy = names(&world.run_command("doctor --json").exits(0));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let world = world.with_env("GHL_API_URL", &format!("http://127.0.0.1:{port}"));
    let done = world.run_command("doctor --json");
    let checks = assert_problems(&done, 2, &[("reachable", "failure")]);
    assert_eq!(names(&done), healthy);
    assert_message(&checks["reachable"], "refused");
    for id in ["tls", "http", "clock", "token", "location", "scope:contacts.write", "day"] {
        assert_eq!(checks[id]["status"], "skipped", "{id}");
    }
}

#[test]
fn each_missing_scope_is_found_and_named_with_what_needs_it() {
    for scope in SCOPES {
        let world = without_scope(scope);
        let id = format!("scope:{scope}");
        let done = world.run_command("doctor --json");
        let checks = assert_problems(&done, 8, &[(&id, "failure")]);
        assert_message(&checks[&id], scope);
        assert!(checks[&id]["what"].as_str().unwrap().contains("for `"), "{}", checks[&id]);
        assert_eq!(checks["token"]["status"], "ok");
        assert_eq!(checks["location"]["status"], "ok", "{scope}");
    }
}

#[test]
fn the_right_to_write_is_asked_for_without_changing_or_creating_anything() {
    let world = World::new();
    world.run_command("doctor").exits(0);
    let log = world.get_control("log");
    let writes: Vec<_> = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["method"] != "GET")
        .map(|entry| {
            format!("{} {}", entry["method"].as_str().unwrap(), entry["path"].as_str().unwrap())
        })
        .collect();
    let [search, write, tasks, notes] = writes.as_slice() else { panic!("{writes:?}") };
    assert_eq!(search, "POST /contacts/search");
    assert!(write.starts_with("PUT /contacts/ghl-bulk-doctor"), "{write}");
    assert!(tasks.ends_with("/tasks/search"), "{tasks}");
    assert_eq!(notes, "POST /notes/search");
}

#[test]
fn a_purpose_leaves_out_the_scopes_that_others_need() {
    let world = without_scope("contacts.write,calendars.readonly,businesses.readonly");
    let checks = assert_problems(&world.run_command("doctor --for export --json"), 0, &[]);
    assert_eq!(checks["scope:contacts.write"]["status"], "skipped");
    assert_eq!(checks["scope:locations/tags.readonly"]["status"], "ok");
    assert_problems(
        &world.run_command("doctor --for import,appointments --json"),
        8,
        &[("scope:contacts.write", "failure"), ("scope:calendars.readonly", "failure")],
    );
}

#[test]
fn a_wrong_token_fails_once_and_leaves_the_scopes_unknown() {
    let world = World::new().with_env("GHL_TOKEN", "pit-wrong");
    let checks = assert_problems(&world.run_command("doctor --json"), 8, &[("token", "failure")]);
    assert_message(&checks["token"], "not accepted");
    assert_eq!(checks["scope:contacts.readonly"]["status"], "skipped");
    assert_message(&checks["scope:contacts.readonly"], "the token is not accepted");
    assert_eq!(world.get_control("log")["requests"], 2, "a refused token was sent on");
}

#[test]
fn a_location_that_the_token_does_not_reach_is_named() {
    let world = World::new().with_env("GHL_LOCATION_ID", "elsewhere");
    let checks =
        assert_problems(&world.run_command("doctor --json"), 8, &[("location", "failure")]);
    assert_message(&checks["location"], "`elsewhere`");
    assert_eq!(checks["token"]["status"], "ok");
    assert_eq!(checks["scope:users.readonly"]["status"], "skipped");
    let world = world.with_env("GHL_TOKEN", "pit-sandbox-without:locations.readonly");
    let done = world.run_command("doctor --json");
    assert_problems(&done, 8, &[("location", "failure"), ("scope:locations.readonly", "failure")]);
}

#[test]
fn a_missing_token_or_location_is_reported_with_the_state_of_the_network() {
    let world = World::new().without_env("GHL_TOKEN");
    let checks =
        assert_problems(&world.run_command("doctor --json"), 8, &[("token_source", "failure")]);
    assert_eq!(checks["http"]["status"], "ok");
    assert_message(&checks["token"], "there is no token");
    let world = World::new().without_env("GHL_LOCATION_ID");
    let checks =
        assert_problems(&world.run_command("doctor --json"), 2, &[("configuration", "failure")]);
    assert_eq!(checks["reachable"]["status"], "ok");
    let world = World::new().with_env("GHL_API_URL", "http://192.0.2.1");
    assert_problems(&world.run_command("doctor --json"), 2, &[("configuration", "failure")]);
}

/// Something that answers every request with the same bytes.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // A request fits into one read here.
            let _ = stream.read(&mut [0; 8192]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn a_page_instead_of_the_api_is_reported_with_its_title() {
    let url = answering(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n\
         <!doctype html><html><head><title>Guest\n Wi-Fi \u{1b}[31m</title></head></html>",
    );
    let world = World::new().with_env("GHL_API_URL", &url);
    let checks = assert_problems(&world.run_command("doctor --json"), 2, &[("http", "failure")]);
    assert_message(&checks["http"], "(`Guest Wi-Fi");
    assert_message(&checks["token"], "the API does not answer");
    let done = world.run_command("doctor").exits(2);
    assert!(!done.stdout.contains('\u{1b}'), "{}", done.stdout);
}

#[test]
fn a_redirect_and_an_outage_are_distinguished_from_the_api() {
    let url = answering(
        "HTTP/1.1 302 Found\r\nLocation: https://login.example/?next=1\r\nContent-Length: 0\r\n\
         Connection: close\r\n\r\n",
    );
    let world = World::new().with_env("GHL_API_URL", &url);
    let checks = assert_problems(&world.run_command("doctor --json"), 2, &[("http", "failure")]);
    assert_message(&checks["http"], "redirect to `login.example`, which is not followed");
    let world = World::with_faults(&["GET /locations/* status=503"]);
    let checks = assert_problems(&world.run_command("doctor --json"), 2, &[("http", "failure")]);
    assert_message(&checks["http"], "503");
}

#[test]
fn a_version_that_is_refused_is_no_refused_token() {
    let url = answering(
        "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n\
         {\"statusCode\":401,\"message\":\"version header is invalid\"}",
    );
    let world = World::new().with_env("GHL_API_URL", &url);
    let checks = assert_problems(&world.run_command("doctor --json"), 2, &[("version", "failure")]);
    assert_message(&checks["version"], "2021-07-28");
    assert_eq!(checks["token"]["status"], "skipped");
}

#[test]
fn a_clock_that_is_an_hour_off_is_a_warning_that_names_tokens() {
    let url = answering(
        "HTTP/1.1 401 Unauthorized\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
         Content-Type: application/json\r\nConnection: close\r\n\r\n{\"message\":\"Invalid JWT\"}",
    );
    let world = World::new().with_env("GHL_API_URL", &url);
    let done = world.run_command("doctor --json");
    let checks = assert_problems(&done, 8, &[("clock", "warning"), ("token", "failure")]);
    assert_message(&checks["clock"], "ahead of the server's: valid tokens may look expired");
}

#[test]
fn a_clock_that_is_an_hour_behind_the_servers_fails_nothing_else() {
    let world =
        World::with_settings(|settings| settings.clock_ahead = jiff::SignedDuration::from_hours(1));
    let checks = assert_problems(&world.run_command("doctor --json"), 0, &[("clock", "warning")]);
    assert_message(&checks["clock"], " behind the server's: valid tokens may look expired");
}

#[test]
fn little_left_of_the_day_is_a_warning_with_the_time_of_more() {
    let world = World::with_settings(|settings| {
        settings.limit.daily = 1_000;
        settings.daily_used = 950;
    });
    let found = assert_problems(&world.run_command("doctor --json"), 0, &[("day", "warning")]);
    assert_message(&found["day"], "of 1000 requests of the daily quota are left; resets in 2");
    let world = World::with_settings(|settings| {
        settings.limit.daily = 1_000;
        settings.daily_used = 1_000;
    });
    let done = world.run_command("doctor --json --timeout 1");
    assert_eq!(done.code, 2, "{}", done.stdout);
    assert_message(&checks(&done)["token"], "the daily request quota is used up");
}

#[test]
fn duplicates_that_are_allowed_are_a_warning() {
    let world = World::with_settings(|settings| settings.allow_duplicates = true);
    let checks =
        assert_problems(&world.run_command("doctor --json"), 0, &[("duplicates", "warning")]);
    assert_message(&checks["identifiers"], "by email, then by phone");
    assert_message(&checks["time_zone"], "America/New_York");
}

#[test]
fn a_home_that_cannot_be_written_is_a_failure() {
    let world = World::new();
    fs::write(world.path("file"), "mine").unwrap();
    let home = world.path("file").join("home").display().to_string();
    let world = world.with_env("GHL_BULK_HOME", &home);
    let checks = assert_problems(&world.run_command("doctor --json"), 2, &[("home", "failure")]);
    assert_message(&checks["home"], "file");
    assert_eq!(world.list_files("."), ["file"]);
}

#[test]
fn quiet_shows_only_problems() {
    let world = World::new();
    assert_eq!(world.run_command("doctor --quiet").exits(0).stdout, "");
    let done = without_scope("users.readonly").run_command("doctor --quiet").exits(8);
    let lines: Vec<_> = done.stdout.lines().collect();
    let [failure, hint] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(failure.starts_with("failure  scope          the token lacks `users.readonly`"));
    assert!(hint.starts_with("                        hint: "), "{hint}");
}

#[test]
fn several_locations_share_the_network_checks_and_have_checks_of_their_own() {
    let two = vec!["one".to_owned(), "two".to_owned()];
    let world = World::with_settings(|settings| settings.locations = two);
    let world = world.with_env("GHL_TOKEN", "pit-sandbox-location:one");
    let done = world.run_command("doctor --location one,two --json");
    assert_eq!(done.code, 8);
    let summary = done.summary();
    let all = summary["checks"].as_array().unwrap();
    let of = |location: &Value, id: &str| {
        let mut found =
            all.iter().filter(|check| check["location"] == *location && check["id"] == id);
        let status = found.next().map(|check| check["status"].clone());
        assert!(found.next().is_none(), "`{id}` twice");
        status
    };
    assert_eq!(of(&json!("one"), "location"), Some(json!("ok")));
    assert_eq!(of(&json!("two"), "location"), Some(json!("failure")));
    assert_eq!(of(&Value::Null, "clock"), Some(json!("ok")));
    let done = world.run_command("doctor --location one,two").exits(8);
    let heads: Vec<_> = done.stdout.lines().filter(|line| line.starts_with("location ")).collect();
    assert_eq!(heads, ["location one", "location two"]);
}

#[test]
fn the_sandbox_can_be_examined_without_any_setting() {
    let world = ["GHL_API_URL", "GHL_TOKEN", "GHL_LOCATION_ID"]
        .into_iter()
        .fold(World::new(), World::without_env);
    let done = world.run_command("doctor --sandbox").exits(0);
    assert!(done.stdout.ends_with("all is well\n"), "{}", done.stdout);
}

#[test]
fn a_proxys_password_is_not_shown() {
    let world = World::new()
        .with_env("HTTPS_PROXY", "http://me:hidden-word@proxy.example:3128")
        .with_env("NO_PROXY", "10.0.0.0/8");
    for line in ["doctor", "doctor --json", "doctor -vv"] {
        let done = world.run_command(line).exits(0);
        assert!(
            done.stdout.contains("`HTTPS_PROXY` names `proxy.example:3128`"),
            "{}",
            done.stdout
        );
        assert!(!done.stdout.contains("hidden-word"), "{}", done.stdout);
        assert!(!done.stderr.contains("hidden-word"), "{}", done.stderr);
    }
    let world = World::new().with_env("HTTPS_PROXY", "ftp://me:hidden-word@proxy.example");
    let done = world.run_command("doctor --json");
    assert_problems(&done, 0, &[("proxy", "warning")]);
    assert!(!done.stdout.contains("hidden-word"), "{}", done.stdout);
}
