//! The table of businesses: every format, every page, and what is missing without it.

use std::collections::BTreeMap;
use std::time::Duration;

use calamine::{Data, Reader as _, Xlsx, open_workbook};
use serde_json::{Value, json};

use crate::export_files::{ExportFiles, read_errors_csv};
use crate::running_command::RunningCommand;
use crate::table_file::read_table;
use crate::world::World;

const EXPORT: &str = "export --with businesses --format jsonl --out out";
const RETRY: &str = "resume --retry-errors";

fn business(number: usize) -> Value {
    json!({
        "id": format!("{number:024x}"), "name": format!("Büro {number}; =ABC"), "phone": "+12025550143",
        "email": format!("office{number}@example.com"), "website": "https://abc.example.com",
        "address": "Domplatz 1\nHof", "city": "Köln", "state": null, "postalCode": "02134", "country": "DE",
        "description": "", "createdBy": { "source": "WEB_USER" }, "createdAt": "2019-01-01T00:00:00.000Z",
        "updatedAt": "2024-02-29T12:00:00.000Z", "employees": 7,
    })
}

/// A world with that many businesses.
fn world_of(count: usize) -> World {
    let world = World::new();
    let businesses: Vec<Value> = (1..=count).map(business).collect();
    world.control_request("PUT", "businesses", &json!(businesses));
    world
}

fn set_faults(world: &World, faults: &[&str]) {
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "faults", &json!(faults));
}

/// The places in the list from which pages were requested.
fn requested_places(world: &World) -> Vec<String> {
    let log = world.get_control("log");
    let paths = log["entries"].as_array().unwrap().iter();
    let paths = paths.map(|entry| entry["path"].as_str().unwrap());
    let places = paths.filter(|path| path.starts_with("/businesses"));
    places.map(|path| path.rsplit_once("skip=").unwrap().1.to_owned()).collect()
}

/// Asserts that the table has each of so many businesses once.
#[track_caller]
fn assert_all(world: &World, count: usize) {
    let rows = world.read_rows("out/businesses.jsonl");
    let ids: Vec<String> = (1..=count).map(|number| format!("{number:024x}")).collect();
    assert_eq!(rows.iter().map(|row| row["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
}

#[test]
fn businesses_are_a_table_in_every_format() {
    let world = world_of(3);
    let line = "export --with businesses --format parquet,csv,jsonl,xlsx --out out";
    world.run_command(line).exits(0).says("businesses.parquet");
    assert!(!world.path("out/tasks.csv").exists() && !world.path("out/notes.csv").exists());
    let expected: Vec<BTreeMap<&str, String>> = (1..=3)
        .map(|number| {
            BTreeMap::from([
                ("id", format!("{number:024x}")),
                ("name", format!("Büro {number}; =ABC")),
                ("email", format!("office{number}@example.com")),
                ("address", "Domplatz 1\nHof".to_owned()),
                ("state", String::new()),
                ("postal_code", "02134".to_owned()),
                ("created_by", r#"{"source":"WEB_USER"}"#.to_owned()),
                ("created_at", "2019-01-01T00:00:00.000Z".to_owned()),
                ("extra", r#"{"employees":7}"#.to_owned()),
            ])
        })
        .collect();
    for format in ["parquet", "csv", "jsonl"] {
        let rows = read_table(&world, "out", "businesses", format);
        assert_eq!(rows.len(), expected.len(), "{format}");
        for (row, expected) in rows.iter().zip(&expected) {
            for (column, text) in expected {
                assert_eq!(&row[*column], text, "{format}: {column}");
            }
        }
    }
    let mut book: Xlsx<_> = open_workbook(world.path("out/businesses.xlsx")).unwrap();
    let range = book.worksheet_range("businesses").unwrap();
    let cells: Vec<&[Data]> = range.rows().collect();
    let column = |name: &str| cells[0].iter().position(|cell| cell == name).unwrap();
    assert_eq!(cells.len(), 4);
    for (row, expected) in cells[1..].iter().zip(&expected) {
        for name in ["id", "name", "email", "postal_code"] {
            assert_eq!(row[column(name)], Data::String(expected[name].clone()), "{name}");
        }
    }
    let manifest = world.read_json("out/manifest.json");
    assert_eq!(manifest["tables"]["businesses"]["rows"], 3);
    assert_eq!(manifest["tables"]["businesses"]["files"].as_array().unwrap().len(), 4);
}

#[test]
fn businesses_are_read_only_when_they_are_asked_for() {
    let world = world_of(3);
    world.run_command("export --format jsonl --out out").exits(0);
    assert!(requested_places(&world).is_empty() && !world.path("out/businesses.jsonl").exists());
}

#[test]
fn neither_a_full_nor_a_short_page_ends_the_list() {
    let world = world_of(200);
    world.run_command(EXPORT).exits(0);
    assert_all(&world, 200);
    assert_eq!(requested_places(&world), ["0", "100", "200"]);
    let world = world_of(50);
    set_faults(&world, &["GET /businesses page-size=20"]);
    world.run_command(EXPORT).exits(0);
    assert_all(&world, 50);
    assert_eq!(requested_places(&world), ["0", "20", "40", "50"]);
}

#[test]
fn a_server_that_repeats_the_first_page_is_reported_and_asked_again() {
    let world = world_of(150);
    set_faults(&world, &["GET /businesses ignore=skip"]);
    let done = world.run_command(EXPORT).exits(3);
    done.says("the server keeps returning rows that it has returned before");
    assert_eq!(world.read_rows("out/businesses.jsonl").len(), 100);
    assert_eq!(read_errors_csv(&world, "out")[0]["table"], "businesses");
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), 60);
    set_faults(&world, &[]);
    world.run_command(RETRY).exits(0);
    assert_all(&world, 150);
}

#[test]
fn a_token_without_the_scope_gets_everything_else() {
    let world = world_of(3);
    set_faults(&world, &["GET /businesses no-scope"]);
    world
        .run_command(EXPORT)
        .exits(3)
        .says("the token lacks the scope `businesses.readonly`")
        .says("without it contacts still have the ids of their businesses");
    let manifest = world.read_json("out/manifest.json");
    assert_eq!(manifest["missing"][0]["list"], "businesses");
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), 60);
    assert!(world.read_rows("out/businesses.jsonl").is_empty());
    set_faults(&world, &[]);
    world.run_command(RETRY).exits(0);
    assert_all(&world, 3);
    assert!(!world.path("out/errors.csv").exists());
}

#[test]
fn a_list_that_goes_down_on_the_way_is_read_at_the_end() {
    let world = world_of(250);
    set_faults(&world, &["GET /businesses status=503 after=1 times=8"]);
    world.run_command(EXPORT).exits(0).says("requested once more at the end");
    assert_all(&world, 250);
}

/// Waits until the run that is not this one has stored a page of businesses.
fn wait_for_stored_page(world: &World, other: &str) {
    let runs = world.list_files("home/runs");
    let run = runs.iter().find(|run| *run != other).unwrap();
    let db = rusqlite::Connection::open(world.path(&format!("home/runs/{run}/run.db"))).unwrap();
    let query = "SELECT count(*) FROM entry WHERE stream = 'businesses'";
    for _ in 0..1_000 {
        if db.query_row(query, [], |row| row.get::<_, i64>(0)).is_ok_and(|stored| stored > 0) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("no page was stored");
}

#[test]
fn a_killed_export_goes_on_behind_the_page_it_has() {
    let world = world_of(250);
    world.run_command(&EXPORT.replace("--out out", "--out whole")).exits(0);
    let whole = world.only_run_id();
    set_faults(&world, &["GET /businesses hold after=1"]);
    world.control_request("DELETE", "log", &Value::Null);
    let export = RunningCommand::start(&world, EXPORT);
    world.get_control("held?at_least=1");
    // The next page is requested while the page before is still being stored.
    wait_for_stored_page(&world, &whole);
    export.kill();
    set_faults(&world, &[]);
    world.control_request("POST", "release", &Value::Null);
    world.run_command("resume").exits(0);
    ExportFiles::read_from(&world, "whole").assert_same(&ExportFiles::read_from(&world, "out"));
    let first_page = requested_places(&world).into_iter().filter(|place| place == "0");
    assert_eq!(first_page.count(), 1);
}

#[test]
fn broken_bytes_in_a_business_are_reported_and_read_again() {
    let world = world_of(3);
    set_faults(&world, &["GET /businesses bytes=latin1:name times=1"]);
    world.run_command(EXPORT).exits(3);
    let errors = read_errors_csv(&world, "out");
    assert_eq!((errors[0]["table"].as_str(), errors.len()), ("businesses", 1));
    assert_all(&world, 3);
    world.run_command(RETRY).exits(0);
    assert_eq!(world.read_rows("out/businesses.jsonl")[0]["name"], "Büro 1; =ABC");
}

#[test]
fn an_export_of_some_contacts_has_all_businesses() {
    let world = world_of(5);
    let ids: Vec<String> = world.get_control("state")["contacts"]
        .as_array()
        .unwrap()
        .iter()
        .take(2)
        .map(|one| one["contact"]["id"].as_str().unwrap().to_owned())
        .collect();
    std::fs::write(world.path("list.txt"), ids.join("\n")).unwrap();
    world.run_command(&format!("{EXPORT} --contacts list.txt")).exits(0);
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), 2);
    assert_all(&world, 5);
    world.run_command(&format!("{EXPORT} --replace --tag nothing-has-it")).exits(0);
    assert_all(&world, 5);
}

#[test]
fn the_table_goes_to_stdout_and_its_cost_is_estimated() {
    let world = world_of(120);
    let done = world.run_command("export --out - --table businesses --format jsonl").exits(0);
    assert_eq!(done.stdout.lines().count(), 120);
    let told = world.run_command("export --with businesses --estimate").exits(0).stdout;
    assert!(told.contains("3 requests  businesses"), "{told}");
    assert!(told.contains("at most 200 businesses"), "{told}");
}
