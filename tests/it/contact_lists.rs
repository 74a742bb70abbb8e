//! `export --contacts`: exactly the contacts that a file names, for few requests, and a message about those
//! that are not there.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::export_files::{ExportFiles, read_errors_csv};
use crate::running_command::RunningCommand;
use crate::world::World;

const EXPORT: &str = "export --contacts list.csv --format jsonl --out out";

fn account(contacts: usize) -> World {
    World::with_settings(|settings| settings.contacts = contacts)
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

/// The contacts that are named by a value of this kind, every nth of them.
fn some(world: &World, kind: &str, nth: usize) -> Vec<Value> {
    let all =
        world.read_contacts().into_iter().filter(|one| !text(&one["contact"], kind).is_empty());
    all.step_by(nth).collect()
}

/// Writes a list of these contacts, with a header or without one.
fn list(world: &World, header: &str, kind: &str, contacts: &[Value]) {
    let lines = contacts.iter().map(|one| text(&one["contact"], kind).to_owned());
    let header = (!header.is_empty()).then(|| header.to_owned());
    let lines: Vec<String> = header.into_iter().chain(lines).collect();
    world.write_sheet("list.csv", &(lines.join("\n") + "\n"));
}

fn ids(world: &World, table: &str) -> BTreeSet<String> {
    let rows = world.read_rows(&format!("out/{table}.jsonl"));
    let ids: BTreeSet<String> = rows.iter().map(|row| text(row, "id").to_owned()).collect();
    assert_eq!(ids.len(), rows.len(), "{table}: twice the same");
    ids
}

/// Asserts that the export holds these contacts with their tasks and notes, and nothing else.
#[track_caller]
fn assert_exported(world: &World, contacts: &[Value]) {
    let wanted = contacts.iter().map(|one| text(&one["contact"], "id").to_owned());
    assert_eq!(ids(world, "contacts"), wanted.collect());
    for child in ["tasks", "notes"] {
        let there = contacts.iter().flat_map(|one| one[child].as_array().unwrap());
        let there: BTreeSet<String> = there.map(|row| text(row, "id").to_owned()).collect();
        assert_eq!(ids(world, child), there, "{child}");
    }
}

/// How many requests were sent to a path that ends so.
fn count_requests(world: &World, method: &str, end: &str) -> usize {
    let log = world.get_control("log");
    let entries = log["entries"].as_array().unwrap().iter();
    entries.filter(|it| it["method"] == method && text(it, "path").ends_with(end)).count()
}

/// Requests for single contacts.
fn count_single_reads(world: &World) -> usize {
    let log = world.get_control("log");
    let entries = log["entries"].as_array().unwrap().iter();
    let one = |path: &str| {
        path.starts_with("/contacts/search/duplicate")
            || path.matches('/').count() == 2 && path.starts_with("/contacts/")
    };
    entries.filter(|it| it["method"] == "GET" && one(text(it, "path"))).count()
}

#[test]
fn ids_addresses_or_numbers_name_the_contacts_and_a_hundred_cost_one_search() {
    let world = account(150);
    for (header, kind) in [
        ("", "id"),
        ("contactId", "id"),
        ("E-Mail", "email"),
        ("", "email"),
        ("Mobile", "phone"),
        ("", "phone"),
    ] {
        let chosen = some(&world, kind, 4);
        assert!((20..100).contains(&chosen.len()), "{kind}: {}", chosen.len());
        list(&world, header, kind, &chosen);
        world.control_request("DELETE", "log", &Value::Null);
        world.run_command(EXPORT).exits(0);
        assert_exported(&world, &chosen);
        assert_eq!(
            (count_requests(&world, "POST", "/contacts/search"), count_single_reads(&world)),
            (1, 0),
            "{kind}"
        );
        assert_eq!(count_requests(&world, "GET", "/notes"), chosen.len());
    }
    let manifest = world.read_json("out/manifest.json");
    assert!(text(&manifest["filter"]["contacts"], "file").ends_with("list.csv"), "{manifest}");
}

#[test]
fn a_few_ids_are_asked_for_by_themselves_and_a_long_list_is_picked_out_of_a_walk() {
    let world = account(700);
    let chosen = some(&world, "id", 400);
    list(&world, "", "id", &chosen);
    world.run_command(EXPORT).exits(0);
    assert_exported(&world, &chosen);
    assert_eq!(
        (count_requests(&world, "POST", "/contacts/search"), count_single_reads(&world)),
        (0, 2)
    );

    // Seven searches, or two pages.
    let chosen = some(&world, "id", 1);
    list(&world, "id", "id", &chosen);
    world.control_request("DELETE", "log", &Value::Null);
    world.run_command(&format!("{EXPORT} --with none --replace")).exits(0);
    assert_eq!(ids(&world, "contacts").len(), 700);
    assert_eq!(
        (count_requests(&world, "POST", "/contacts/search"), count_single_reads(&world)),
        (3, 0)
    );
}

#[test]
fn rows_may_name_contacts_in_different_ways_and_one_contact_twice() {
    let world = account(1100);
    let (by_id, by_email) = (some(&world, "id", 90), some(&world, "email", 75));
    let mut sheet = "Name,Contact Id,Email\n".to_owned();
    for one in &by_id {
        writeln!(sheet, "x,{},", text(&one["contact"], "id")).unwrap();
    }
    for one in &by_email {
        writeln!(sheet, "x,,{}", text(&one["contact"], "email").to_uppercase()).unwrap();
    }
    world.write_sheet("list.csv", &sheet);
    world.run_command(&format!("{EXPORT} --with none")).exits(0);
    let wanted = by_id.iter().chain(&by_email).map(|one| text(&one["contact"], "id").to_owned());
    assert_eq!(ids(&world, "contacts"), wanted.collect());
    // The count that says what a walk would cost, and a search for each kind.
    assert_eq!(
        (count_requests(&world, "POST", "/contacts/search"), count_single_reads(&world)),
        (3, 0)
    );
}

#[test]
fn contacts_missing_from_the_account_are_listed_and_asked_for_again_on_demand() {
    let world = account(60);
    let chosen = some(&world, "email", 10);
    let mut lines: Vec<&str> = chosen.iter().map(|one| text(&one["contact"], "email")).collect();
    lines.extend(["new@example.com", "gone@example.com", "nobody at all"]);
    world.write_sheet("list.csv", &lines.join("\n"));
    let done = world.run_command(EXPORT).exits(3);
    done.says("2 of ").says("`gone@example.com`, `new@example.com`").says("--retry-errors");
    assert_exported(&world, &chosen);
    let told = read_errors_csv(&world, "out");
    let told: Vec<_> = told
        .iter()
        .map(|it| (it["table"].as_str(), it["subject"].as_str(), it["code"].as_str()))
        .collect();
    let place = format!("line {}", lines.len());
    assert_eq!(
        told,
        [
            ("contacts", "gone@example.com", "lacking"),
            ("contacts", place.as_str(), "unclear"),
            ("contacts", "new@example.com", "lacking"),
        ]
    );
    assert_eq!(world.read_json("out/manifest.json")["complete"], false);

    let made = world.add_contacts(&[json!({
        "email": "new@example.com", "__tasks": [{ "title": "Call", "dueDate": "2026-01-01T00:00:00.000Z", "completed": false }],
    })]);
    world.run_command("resume --retry-errors").exits(3).says("`gone@example.com`");
    let mut chosen = chosen;
    chosen.push(world.contact_by_id(&made[0]));
    assert_exported(&world, &chosen);
    assert_eq!(read_errors_csv(&world, "out").len(), 2);
}

#[test]
fn of_a_long_list_of_unknown_ids_only_the_first_thousand_are_asked_for_alone() {
    let world = account(40);
    let chosen = some(&world, "email", 1);
    let mut lines: Vec<String> =
        chosen.iter().map(|one| text(&one["contact"], "email").to_owned()).collect();
    lines.extend((0..2_500).map(|n| format!("stranger{n}@example.org")));
    world.write_sheet("list.csv", &lines.join("\n"));
    world.run_command(&format!("{EXPORT} --with none")).exits(3);
    assert_eq!(read_errors_csv(&world, "out").len(), 2_500);
    let log = world.get_control("log");
    // The count, a page and the empty one behind it, a lookup that is refused; the log keeps the latest requests.
    assert_eq!(log["requests"], 4 + 3 + 1 + 1_000, "{}", log["entries"][0]);
}

#[test]
fn a_contact_that_the_search_hides_is_exported_all_the_same() {
    let world = account(60);
    let chosen = some(&world, "id", 8);
    list(&world, "id", "id", &chosen);
    let fault =
        format!("POST /contacts/search hide={} hide-total", text(&chosen[3]["contact"], "id"));
    world.control_request("POST", "faults", &json!([fault]));
    world.run_command(EXPORT).exits(0);
    assert_exported(&world, &chosen);
    assert_eq!(count_single_reads(&world), 1);
}

#[test]
fn where_the_server_refuses_or_ignores_the_filter_the_contacts_are_found_another_way() {
    let refused = r#"POST /contacts/search status=400 times=1 body={"message":"Invalid group"}"#;
    for (nth, fault, ones) in [(3, refused, 0), (3, "POST /contacts/search ignore=filters", 0)] {
        let world = account(120);
        let chosen = some(&world, "email", nth);
        list(&world, "email", "email", &chosen);
        world.control_request("POST", "faults", &json!([fault]));
        world.run_command(EXPORT).exits(0);
        assert_exported(&world, &chosen);
        assert_eq!(count_single_reads(&world), ones, "{fault}");
    }
    // Three contacts of a large account: a request each is less than a walk.
    let world = account(2_100);
    let chosen = some(&world, "id", 800);
    list(&world, "id", "id", &chosen);
    world.control_request("POST", "faults", &json!([refused]));
    world.run_command(EXPORT).exits(0);
    assert_exported(&world, &chosen);
    assert_eq!((chosen.len(), count_single_reads(&world)), (3, 3));
}

#[test]
fn a_contact_of_another_location_is_reported_missing_and_stops_nothing() {
    let world = account(60);
    let chosen = some(&world, "id", 30);
    list(&world, "id", "id", &chosen);
    let fault = r#"GET /contacts/* status=403 times=1 body={"message":"The token does not have access to this location"}"#;
    world.control_request("POST", "faults", &json!([fault]));
    world.run_command(&format!("{EXPORT} --concurrency 1")).exits(3);
    assert_eq!(ids(&world, "contacts").len(), 1);
    assert_eq!(read_errors_csv(&world, "out")[0]["code"], "lacking");
}

#[test]
fn an_interrupted_export_resumes_without_the_contact_list() {
    for fault in [
        "GET /contacts/*/notes hold after=5 times=1",
        "POST /contacts/search hold=after after=1 times=1",
        "GET /contacts/search/duplicate hold times=1",
    ] {
        let world = account(1_100);
        let mut lines: Vec<String> = Vec::new();
        for (kind, nth) in [("id", 90), ("email", 75)] {
            let chosen = some(&world, kind, nth);
            lines.extend(chosen.iter().map(|one| text(&one["contact"], kind).to_owned()));
        }
        lines.push("gone@example.com".to_owned());
        world.write_sheet("list.csv", &lines.join("\n"));
        world.run_command(&EXPORT.replace("--out out", "--out whole")).exits(3);
        world.control_request("POST", "faults", &json!([fault]));
        let export = RunningCommand::start(&world, EXPORT);
        world.get_control("held?at_least=1");
        export.kill();
        world.control_request("DELETE", "faults", &Value::Null);
        std::fs::remove_file(world.path("list.csv")).unwrap();
        // Which process warned of it depends on when the first was killed; the file names it in any case.
        world.run_command("resume").exits(3);
        let errors = std::fs::read_to_string(world.path("out/errors.csv")).unwrap();
        assert!(errors.contains("gone@example.com"), "{errors}");
        ExportFiles::read_from(&world, "whole").assert_same(&ExportFiles::read_from(&world, "out"));
    }
}

#[test]
fn appointments_follow_the_listed_contacts() {
    let world = account(200);
    let all = world.read_contacts();
    let has = |one: &Value| one["appointments"].as_array().is_some_and(|it| !it.is_empty());
    let chosen: Vec<Value> = all.into_iter().filter(has).step_by(2).collect();
    list(&world, "id", "id", &chosen);
    world.run_command(&format!("{EXPORT} --with appointments")).exits(0);
    let there: usize = chosen.iter().map(|one| one["appointments"].as_array().unwrap().len()).sum();
    assert!(there > 5);
    assert_eq!(world.read_rows("out/appointments.jsonl").len(), there);
}

#[test]
fn an_estimate_shows_how_the_contacts_are_found_and_is_right_about_the_requests() {
    let world = account(700);
    let some = |nth| some(&world, "id", nth);
    for (nth, how) in [
        (400, "contacts, one by one"),
        (70, "in searches for 100"),
        (2, "by reading the whole account"),
    ] {
        list(&world, "id", "id", &some(nth));
        let estimate = "export --contacts list.csv --estimate --with none";
        let told = world.run_command(estimate).exits(0).stdout;
        assert!(told.contains(how), "{told}");
        let told = world.run_command(&format!("{estimate} --json")).exits(0).summary();
        let (_, one) = told["locations"].as_object().unwrap().iter().next().unwrap();
        world.control_request("DELETE", "log", &Value::Null);
        world.run_command(&format!("{EXPORT} --with none")).exits(0);
        let took = world.get_control("log")["requests"].as_u64().unwrap();
        assert!(one["total"].as_u64().unwrap().abs_diff(took) <= 1, "{one}: {took}");
    }
}

/// A command that is refused before anything is sent.
#[track_caller]
fn assert_refused(world: &World, line: &str, code: i32, why: &str) {
    world.run_command(line).exits(code).says(why);
    assert!(!world.path("out").exists() && !world.path("home/runs").exists());
    assert_eq!(world.get_control("log")["requests"], 0);
}

#[test]
fn a_file_that_names_no_contacts_is_refused_and_nothing_is_sent() {
    let world = account(5);
    assert_refused(&world, EXPORT, 2, "no such file");
    world.write_sheet("list.csv", "Name,City\nAnn,Bonn\n");
    assert_refused(&world, EXPORT, 4, "does not show which column identifies the contacts");
    world.write_sheet("list.csv", "email\n\n");
    assert_refused(&world, EXPORT, 4, "lists no contact");
    world.write_sheet("list.csv", "Kontakte\nAnn\n");
    assert_refused(
        &world,
        EXPORT,
        4,
        "line 2: `Ann` is not an id, an e-mail address or a phone number",
    );
    world.write_sheet("list.csv", "");
    assert_refused(&world, EXPORT, 4, "empty");
    world.write_sheet("list.csv", "ann@example.com\n");
    assert_refused(&world, &format!("{EXPORT} --tag vip"), 2, "cannot be used with");
    assert_refused(&world, &format!("{EXPORT} --location one --location two"), 2, "one location");
}
