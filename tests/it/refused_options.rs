//! An option of a search that the server refuses is left out or made smaller, for this and all further requests.

use serde_json::{Value, json};

use crate::world::World;

const EXPORT: &str = "export --format jsonl --out out --with tasks";
const CONTACTS: usize = 1_200;
const CONTACT_SEARCH: &str = "POST /contacts/search";
const TASK_SEARCH: &str = "POST /locations/{id}/tasks/search";

fn world(faults: &[&str]) -> World {
    World::with_settings(|settings| {
        settings.contacts = CONTACTS;
        settings.faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    })
    .with_env("GHL_BULK_SETTLE_S", "0")
}

fn count_requests(world: &World, route: &str) -> u64 {
    world.read_json("out/manifest.json")["requests"][route].as_u64().unwrap()
}

fn ids(world: &World, file: &str) -> Vec<String> {
    let rows = world.read_rows(file);
    let mut ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// Exports with a fault and without; expects the same contacts and tasks, and so many requests of a route.
#[track_caller]
fn assert_negotiated(fault: &str, route: &str, requests: u64) -> World {
    let (refusing, plain) = (world(&[fault]), world(&[]));
    for one in [&refusing, &plain] {
        one.run_command(EXPORT).exits(0);
    }
    for file in ["out/contacts.jsonl", "out/tasks.jsonl"] {
        assert_eq!(ids(&refusing, file), ids(&plain, file), "{fault}: {file}");
    }
    assert_eq!(count_requests(&refusing, route), requests, "{fault}");
    refusing
}

#[test]
fn a_page_that_is_too_large_is_made_smaller() {
    assert_negotiated("POST /contacts/search refuse=pageLimit>100", CONTACT_SEARCH, 1 + 13);
    assert_negotiated("POST /contacts/search refuse=pageLimit>250", CONTACT_SEARCH, 1 + 5);
    // The refusal does not say what it is about.
    assert_negotiated("POST /contacts/search refuse=pageLimit>100:400", CONTACT_SEARCH, 1 + 13);
    assert_negotiated("POST /contacts/search refuse=pageLimit>20:400", CONTACT_SEARCH, 2 + 61);
}

#[test]
fn a_page_of_tasks_that_is_too_large_is_made_smaller() {
    // 611 tasks and an empty page.
    for fault in ["refuse=limit>100", "refuse=limit>100:400"] {
        let fault = format!("POST /locations/*/tasks/search {fault}");
        assert_negotiated(&fault, TASK_SEARCH, 1 + 7 + 1);
    }
}

#[test]
fn a_cursor_of_tasks_that_is_refused_becomes_a_number_of_rows() {
    // For the next export it is known, if the refusal has said what it is about.
    for (fault, known) in [("refuse=searchAfter", 1), ("refuse=searchAfter:400", 0)] {
        let fault = format!("POST /locations/*/tasks/search {fault}");
        let world = assert_negotiated(&fault, TASK_SEARCH, 2 + 1 + 1);
        world.run_command(EXPORT).exits(0);
        assert_eq!(count_requests(&world, TASK_SEARCH), 2 + 1 + 1 - known);
    }
}

#[test]
fn a_date_in_milliseconds_that_is_refused_becomes_text() {
    let plain = world(&[]);
    let state = plain.get_control("state");
    let mut dates: Vec<&str> = state["contacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["contact"]["dateAdded"].as_str().unwrap())
        .collect();
    dates.sort_unstable();
    let export = format!("{EXPORT} --added-since {}", dates[700]);
    plain.run_command(&export).exits(0);
    let expected = ids(&plain, "out/contacts.jsonl");
    let usual = count_requests(&plain, CONTACT_SEARCH);
    assert!((400..=500).contains(&expected.len()), "{}", expected.len());
    for fault in ["refuse=range-ms", "refuse=range-ms:400"] {
        let refusing = world(&[&format!("POST /contacts/search {fault}")]);
        refusing.run_command(&export).exits(0);
        assert_eq!(ids(&refusing, "out/contacts.jsonl"), expected, "{fault}");
        assert_eq!(count_requests(&refusing, CONTACT_SEARCH), usual + 1, "{fault}");
    }
}

#[test]
fn a_total_that_is_capped_ends_nothing_where_pages_are_smaller() {
    let world = world(&[
        "POST /contacts/search refuse=pageLimit>100",
        "POST /contacts/search total-cap=500",
    ]);
    world.run_command(EXPORT).exits(0);
    assert_eq!(ids(&world, "out/contacts.jsonl").len(), CONTACTS);
}

#[test]
fn what_was_learnt_is_known_for_the_next_run_of_the_location() {
    let world = world(&["POST /contacts/search refuse=pageLimit>100"]);
    world.run_command(EXPORT).exits(0);
    let first = count_requests(&world, CONTACT_SEARCH);
    world.run_command(EXPORT).exits(0);
    assert_eq!(count_requests(&world, CONTACT_SEARCH), first - 1);
}

#[test]
fn a_refusal_for_another_reason_stays_one() {
    // Where it does not say so, two smaller pages prove that it is not about the size.
    for (message, searches) in [("Invalid field x", 1), ("Bad Request", 3)] {
        let body = json!({"statusCode": 422, "message": [message]});
        let world = world(&[&format!("POST /contacts/search status=422 body={body}")]);
        world.run_command(EXPORT).exits(2).says(&format!("422: {message}"));
        let log = world.get_control("log");
        let entries = log["entries"].as_array().unwrap().iter();
        let sent = entries.filter(|entry| entry["path"] == "/contacts/search").count();
        assert_eq!(sent, searches, "{message}");
        world.control_request("DELETE", "faults", &Value::Null);
        world.run_command("resume").exits(0);
        assert_eq!(count_requests(&world, CONTACT_SEARCH), searches as u64 + 3, "{message}");
    }
}

#[test]
fn listed_contacts_are_found_by_searches_with_smaller_pages() {
    let world = world(&["POST /contacts/search refuse=pageLimit>20"]);
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap().iter().step_by(9);
    let list: Vec<&str> = contacts.map(|one| one["contact"]["id"].as_str().unwrap()).collect();
    std::fs::write(world.path("list.txt"), list.join("\n")).unwrap();
    world.run_command(&format!("{EXPORT} --contacts list.txt")).exits(0);
    assert_eq!(ids(&world, "out/contacts.jsonl").len(), list.len());
    let requests = &world.read_json("out/manifest.json")["requests"];
    assert_eq!(requests["GET /contacts/{id}"], Value::Null, "one by one");
}

#[test]
fn an_import_sees_every_contact_with_smaller_pages() {
    let world = world(&["POST /contacts/search refuse=pageLimit>100"]);
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap();
    let rows: Vec<String> = contacts
        .iter()
        .map(|one| format!("{},Rome\n", one["contact"]["id"].as_str().unwrap()))
        .collect();
    std::fs::write(world.path("in.csv"), format!("Contact Id,City\n{}", rows.concat())).unwrap();
    world.run_command("import in.csv --dry-run --out res").exits(0);
    let changed = contacts.iter().filter(|one| one["contact"]["city"] != "Rome").count();
    let plan = world.read_csv("res/plan.csv");
    assert_eq!(plan.iter().filter(|row| row["field"] == "city").count(), changed);
}

#[test]
fn a_contact_in_doubt_is_found_where_pages_are_smaller_and_dates_are_text() {
    let world = World::with_settings(|settings| {
        settings.contacts = 0;
        settings.allow_duplicates = true;
    });
    let world = world.with_env("GHL_BULK_SETTLE_S", "1");
    let others: Vec<Value> = (0..45).map(|n| json!({"firstName": format!("other {n}")})).collect();
    world.add_contacts(&others);
    world.write_sheet("in.csv", "Name,City\nNobody Known,Rome\n");
    world.control_request(
        "POST",
        "faults",
        &json!([
            "POST /contacts/ drop=after times=1",
            "POST /contacts/search refuse=pageLimit>20",
            "POST /contacts/search refuse=range-ms",
        ]),
    );
    world.run_import("--allow-name-only --no-identity at-most-once").exits(0);
    assert_eq!(world.count_results(), [1, 0, 0, 0, 0]);
    assert_eq!(world.read_contacts().len(), 46);
}
