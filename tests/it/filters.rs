//! Which contacts: filters apply on the server, tasks and notes follow the contacts, and
//! `--estimate` only reports what it would cost.

use std::collections::BTreeSet;

use ghl_bulk::sandbox::{LOCATION, LocationRateLimit};
use serde_json::{Value, json};

use crate::raw_http;
use crate::world::{CommandOutput, World};

fn account() -> World {
    World::with_settings(|settings| settings.contacts = 200)
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

fn has_tag(row: &Value, tag: &str) -> bool {
    row["tags"].as_array().unwrap().iter().any(|one| one == tag)
}

fn column<'a>(rows: &'a [Value], name: &str) -> BTreeSet<&'a str> {
    rows.iter().map(|row| text(row, name)).collect()
}

/// Exports with a filter and compares with the contacts that pass a test of the raw rows.
#[track_caller]
fn check(filter: &str, passes: impl Fn(&Value) -> bool) {
    let world = account();
    let state = world.get_control("state");
    let all = state["contacts"].as_array().unwrap();
    let wanted: Vec<&Value> = all.iter().filter(|one| passes(&one["contact"])).collect();
    assert!((1..150).contains(&wanted.len()), "a filter that proves nothing: {}", wanted.len());
    world.run_command(&format!("export --format jsonl --out out {filter}")).exits(0);

    let ids: BTreeSet<&str> = wanted.iter().map(|one| text(&one["contact"], "id")).collect();
    assert_eq!(column(&world.read_rows("out/contacts.jsonl"), "id"), ids);
    for child in ["tasks", "notes"] {
        let there = wanted.iter().flat_map(|one| one[child].as_array().unwrap());
        let there: BTreeSet<&str> = there.map(|row| text(row, "id")).collect();
        let rows = world.read_rows(&format!("out/{child}.jsonl"));
        assert_eq!(column(&rows, "id"), there, "{child}");
    }
    let log = world.get_control("log");
    let entries = log["entries"].as_array().unwrap().iter();
    let notes = entries.filter(|entry| text(entry, "path").ends_with("/notes")).count();
    assert_eq!(notes, ids.len(), "the server is asked for the notes of these contacts alone");
}

/// A command that is refused before anything is exported.
#[track_caller]
fn assert_refused(filter: &str) -> CommandOutput {
    let world = account();
    let done = world.run_command(&format!("export --out out {filter}")).exits(2);
    assert!(!world.path("out").exists());
    assert!(!world.path("home/runs").exists(), "there is a run that nobody can resume");
    done
}

#[test]
fn a_tag_selects_the_contacts_that_have_it() {
    check("--tag vip", |row| has_tag(row, "vip"));
}

#[test]
fn of_several_tags_a_contact_must_have_all() {
    check("--tag vip --tag newsletter", |row| has_tag(row, "vip") && has_tag(row, "newsletter"));
}

#[test]
fn updated_since_is_about_the_last_change() {
    check("--updated-since 2024-01-01", |row| text(row, "dateUpdated") >= "2024-01-01");
}

#[test]
fn added_since_is_about_the_creation() {
    let since = "2024-06-01T12:00:00Z";
    check(&format!("--added-since {since}"), |row| text(row, "dateAdded") >= &since[..19]);
}

#[test]
fn a_business_is_named_in_any_case() {
    check("--business initech", |row| row["businessName"] == "Initech");
}

#[test]
fn a_business_is_given_by_its_id() {
    let businesses = raw_http::list_rows(
        &account(),
        &format!("/businesses/?locationId={LOCATION}"),
        "businesses",
    );
    let id = text(&businesses[0], "id").to_owned();
    check(&format!("--business {id}"), |row| row["businessId"] == id);
}

#[test]
fn words_are_looked_for_in_names_and_addresses() {
    check("--query lovelace", |row| text(row, "contactName").contains("lovelace"));
}

#[test]
fn a_filter_of_the_api_is_passed_on() {
    let filter = r#"{"field":"country","operator":"eq","value":"GB"}"#;
    check(&format!("--filter '{filter}'"), |row| row["country"] == "GB");
}

#[test]
fn a_list_of_filters_must_all_hold() {
    let filter = r#"[{"field":"country","operator":"eq","value":"US"},{"field":"type","operator":"eq","value":"customer"}]"#;
    check(&format!("--filter '{filter}'"), |row| {
        row["country"] == "US" && row["type"] == "customer"
    });
}

#[test]
fn a_group_of_filters_may_hold_one_or_the_other() {
    let filter = r#"{"group":"OR","filters":[{"field":"country","operator":"eq","value":"GB"},{"field":"country","operator":"eq","value":"CA"}]}"#;
    check(&format!("--filter '{filter}'"), |row| row["country"] == "GB" || row["country"] == "CA");
}

#[test]
fn filters_of_every_kind_hold_together() {
    check("--tag vip --added-since 2021-01-01 --query example", |row| {
        has_tag(row, "vip")
            && text(row, "dateAdded") >= "2021"
            && text(row, "email").contains("example")
    });
}

#[test]
fn appointments_follow_the_contacts_too() {
    let world = account();
    world
        .run_command("export --with appointments --added-since 2023 --format jsonl --out out")
        .exits(2);
    world
        .run_command("export --with appointments --added-since 2023-01-01 --format jsonl --out out")
        .exits(0);
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap().iter();
    let contacts = contacts.filter(|one| text(&one["contact"], "dateAdded") >= "2023");
    let there: usize = contacts.map(|one| one["appointments"].as_array().unwrap().len()).sum();
    assert!(there > 5);
    let rows = world.read_rows("out/appointments.jsonl");
    assert_eq!(rows.len(), there);
    // The API sends their times without a zone.
    assert!(rows.iter().all(|row| text(row, "start_time").ends_with('Z')), "{rows:?}");
}

#[test]
fn a_filter_that_nothing_passes_gives_empty_tables() {
    let world = account();
    world.run_command("export --tag nobody-has-this --format jsonl --out out").exits(0);
    let manifest = world.read_json("out/manifest.json");
    for table in ["contacts", "tasks", "notes"] {
        assert_eq!(manifest["tables"][table]["rows"], 0, "{table}");
    }
}

#[test]
fn the_manifest_keeps_the_filter() {
    let world = account();
    world.run_command("export --tag vip --query ada --with none --out out").exits(0);
    let tag = json!({"field": "tags", "operator": "contains", "value": "vip"});
    let filter = &world.read_json("out/manifest.json")["filter"];
    assert_eq!(filter["filters"], json!([tag]));
    assert_eq!(filter["query"], "ada");
}

#[test]
fn a_business_that_does_not_exist_is_refused() {
    let done = assert_refused("--business 'Nobody & Sons'");
    insta::assert_snapshot!(done.stderr, @"error: no business is named `Nobody & Sons` or has that id");
}

#[test]
fn a_name_of_two_businesses_is_refused() {
    let done = assert_refused("--business 'Acme Corp'");
    insta::assert_snapshot!(done.stderr, @"error: two businesses have the name `Acme Corp`; give the id of one of them");
}

#[test]
fn where_the_search_knows_no_businesses_their_contacts_are_read_one_by_one() {
    let world = account();
    world.run_command("export --out direct --business Initech --format jsonl").exits(0);
    let fault =
        r#"POST /contacts/search status=400 times=1 body={"message":"Invalid field businessId"}"#;
    world.control_request("POST", "faults", &json!([fault]));
    world.run_command("export --out single --business Initech --format jsonl").exits(0);
    let ids = |file: &str| -> Vec<Value> {
        world.read_rows(file).iter().map(|row| row["id"].clone()).collect()
    };
    for table in ["contacts", "notes", "tasks"] {
        let direct = ids(&format!("direct/{table}.jsonl"));
        assert!(!direct.is_empty(), "{table}");
        assert_eq!(ids(&format!("single/{table}.jsonl")), direct, "{table}");
    }
}

#[test]
fn a_filter_that_the_server_ignores_is_told_and_no_contact_is_dropped() {
    let ignored = World::with_faults(&["POST /contacts/search ignore=filters"]);
    for filter in ["--tag vip", "--updated-since 2024-01-01", "--added-since 2024-01-01"] {
        let done = ignored
            .run_command(&format!("export --with none --format jsonl --out out {filter} --replace"))
            .exits(3);
        done.says("of 60 contacts do not match the filter").says("errors.csv says why");
        assert_eq!(ignored.read_rows("out/contacts.jsonl").len(), 60);
        let manifest = ignored.read_json("out/manifest.json");
        assert_eq!((&manifest["complete"], &manifest["unreadable"]), (&json!(false), &json!(0)));
    }
}

#[test]
fn a_filter_that_is_no_json_is_refused() {
    assert_refused("--filter '{\"field\"'").says("--filter <JSON>");
    assert_refused("--filter 42").says("a filter is an object with `field` and `operator`");
    assert_refused("--filter '[{\"tag\":\"vip\"}]'")
        .says("a filter is an object with `field` and `operator`");
}

#[test]
fn a_query_longer_than_the_api_takes_is_refused() {
    assert_refused(&format!("--query {}", "x".repeat(76))).says("more than 75 characters");
}

#[test]
fn a_filter_that_the_server_refuses_ends_the_export_with_its_words() {
    let world = account();
    let filter = r#"{"field":"shoeSize","operator":"eq","value":44}"#;
    let done = world.run_command(&format!("export --out out --filter '{filter}'")).exits(2);
    done.says("Invalid field shoeSize").says("the API refused");
    assert!(!world.path("out").exists());
}

#[test]
fn an_estimate_shows_the_cost_and_exports_nothing() {
    let world = World::with_settings(|settings| settings.limit = LocationRateLimit::default());
    let done = world.run_command("export --estimate --out out").exits(0);
    insta::assert_snapshot!(done.stdout);
    assert!(!world.path("out").exists());
    assert!(!world.path("home").exists());
    assert_eq!(world.get_control("log")["requests"], 1);
}

#[test]
fn an_estimate_is_right_about_the_requests() {
    let world = account();
    let told = world.run_command("export --estimate --json").exits(0).summary();
    world.control_request("DELETE", "log", &Value::Null);
    world.run_command("export --out out").exits(0);
    let told = told["locations"][LOCATION]["total"].as_u64().unwrap();
    let took = world.get_control("log")["requests"].as_u64().unwrap();
    assert!(told.abs_diff(took) <= 2, "{told} told, {took} took");
}

#[test]
fn an_estimate_is_one_event_in_json() {
    let world = World::with_settings(|settings| settings.limit = LocationRateLimit::default());
    let done = world.run_command("export --estimate --json --with none --tag vip").exits(0);
    let summary = done.summary();
    assert_eq!(done.events().len(), 1);
    assert_eq!((&summary["event"], &summary["exit_code"]), (&json!("summary"), &json!(0)));
    let one = &summary["locations"][LOCATION];
    assert_eq!((&one["total"], &one["daily_limit"]), (&json!(5), &json!(200_000)));
}
