//! What an export writes: which files, what they cost, and that the manifest is correct.

mod column_types;
mod custom_fields;
mod lossless_rows;
mod output_directory;
mod sort_order;

use std::collections::BTreeMap;

use calamine::{Data, Reader as _, Xlsx, open_workbook};
use ghl_bulk::sandbox::LOCATION;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::export_files::hex;
use crate::table_file::{ParquetFile, read_table};
use crate::world::World;

/// An account of just these rows.
fn account_of(rows: &Value) -> World {
    let world = World::with_settings(|settings| settings.contacts = 0);
    world.control_request("POST", "contacts", rows);
    world
}

/// What the server was asked, as method and path template, with how often.
fn asked(world: &World) -> BTreeMap<String, u64> {
    let log = world.get_control("log");
    let mut asked = BTreeMap::new();
    for entry in log["entries"].as_array().unwrap() {
        let path = entry["path"].as_str().unwrap().split('?').next().unwrap();
        let mut segments: Vec<&str> = path.split('/').skip(1).collect();
        match segments.as_mut_slice() {
            ["contacts", id, "notes" | "tasks" | "appointments"] | ["locations", id, ..] => {
                *id = "{id}";
            }
            _ => {}
        }
        let route = format!("{} /{}", entry["method"].as_str().unwrap(), segments.join("/"));
        *asked.entry(route).or_default() += 1;
    }
    asked
}

#[test]
fn the_first_command_of_the_readme_needs_no_account_and_no_settings() {
    let world = World::new();
    let home = world.path("somewhere").display().to_string();
    let world =
        ["GHL_API_URL", "GHL_TOKEN", "GHL_LOCATION_ID", "GHL_BULK_HOME", "GHL_BULK_SETTLE_S"]
            .into_iter()
            .fold(world, World::without_env)
            .with_env("HOME", &home);
    let done = world.run_command("export --sandbox --out demo").exits(0);
    assert_eq!(done.stdout, "");
    let files = [
        "contacts.parquet",
        "custom_fields.parquet",
        "manifest.json",
        "notes.parquet",
        "tags.parquet",
        "tasks.parquet",
        "users.parquet",
    ];
    assert_eq!(world.list_files("demo"), files);
    let manifest = world.read_json("demo/manifest.json");
    assert_eq!(manifest["tables"]["contacts"]["rows"], 1000);
    assert_eq!(manifest["complete"], true);
    assert_eq!(
        world.get_control("log")["requests"],
        0,
        "the world's own sandbox has nothing to do with it"
    );
}

#[test]
fn the_manifest_holds_rows_size_and_hash_of_every_file() {
    let world = World::new();
    world.run_command("export --format parquet,csv,jsonl --out out").exits(0);
    let manifest = world.read_json("out/manifest.json");
    let mut named = vec!["manifest.json".to_owned()];
    for (table, about) in manifest["tables"].as_object().unwrap() {
        let rows = read_table(&world, "out", table, "jsonl").len() as u64;
        assert_eq!(about["rows"], rows, "{table}");
        let columns = about["columns"].as_array().unwrap().len();
        let file = ParquetFile::open(&world, &format!("out/{table}.parquet"));
        assert_eq!(columns, file.columns().len(), "{table}");
        for file in about["files"].as_array().unwrap() {
            let name = file["file"].as_str().unwrap();
            assert_eq!(name, format!("{table}.{}", file["format"].as_str().unwrap()));
            let bytes = std::fs::read(world.path("out").join(name)).unwrap();
            assert_eq!(file["bytes"], bytes.len() as u64, "{name}");
            assert_eq!(file["sha256"], hex(&Sha256::digest(&bytes)), "{name}");
            named.push(name.to_owned());
        }
    }
    named.sort();
    assert_eq!(world.list_files("out"), named);
}

#[test]
fn the_manifest_says_what_was_exported_and_when() {
    let world = World::new();
    world.run_command("export --out out").exits(0);
    let manifest = world.read_json("out/manifest.json");
    let time = |key: &str| manifest[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(time("watermark") < time("started") && time("started") <= time("finished"));
    assert_eq!(manifest["run"], world.only_run_id());
    let plain = ["format_version", "location", "location_name", "api_version", "tool_version"];
    let facts: Vec<&Value> = plain.iter().map(|key| &manifest[*key]).collect();
    assert_eq!(
        json!(facts),
        json!([1, LOCATION, "Sandbox Location 1", "2021-07-28", env!("CARGO_PKG_VERSION")])
    );
    let rest = ["filter", "complete", "unreadable"].map(|key| &manifest[key]);
    assert_eq!(json!(rest), json!([null, true, 0]));
}

#[test]
fn the_manifest_counts_the_requests_as_the_server_does() {
    let world = World::new();
    world.run_command("export --with tasks,notes,appointments --out out").exits(0);
    let told: BTreeMap<String, u64> =
        serde_json::from_value(world.read_json("out/manifest.json")["requests"].clone()).unwrap();
    let trimmed = told.into_iter().map(|(route, n)| (route.trim_end_matches('/').to_owned(), n));
    let asked = asked(&world).into_iter();
    let asked = asked.map(|(route, n)| (route.trim_end_matches('/').to_owned(), n));
    assert_eq!(trimmed.collect::<BTreeMap<_, _>>(), asked.collect::<BTreeMap<_, _>>());
}

#[test]
fn a_workbook_holds_the_rows_of_its_table() {
    let world = World::new();
    world.run_command("export --format xlsx,jsonl --out out").exits(0);
    for table in ["contacts", "tasks", "custom_fields", "users", "tags"] {
        let rows = world.read_rows(&format!("out/{table}.jsonl"));
        let path = world.path(&format!("out/{table}.xlsx"));
        let mut book: Xlsx<_> = open_workbook(path).unwrap();
        assert_eq!(book.sheet_names(), [table]);
        let range = book.worksheet_range(table).unwrap();
        assert_eq!(range.height(), rows.len() + 1, "{table}");
        let header: Vec<String> =
            range.rows().next().unwrap().iter().map(Data::to_string).collect();
        for (cells, row) in range.rows().skip(1).zip(&rows) {
            for (name, cell) in header.iter().zip(cells) {
                let value = &row[name];
                match (cell, value) {
                    (Data::Empty, value) => {
                        assert!(value.is_null() || value == "" || *value == json!([]));
                    }
                    (Data::Bool(cell), value) => assert_eq!(json!(cell), *value, "{name}"),
                    (Data::Float(cell), value) => assert_eq!(Some(*cell), value.as_f64(), "{name}"),
                    (Data::DateTime(cell), Value::String(text)) => {
                        let (year, month, day, ..) = cell.to_ymd_hms_milli();
                        let day = format!("{year:04}-{month:02}-{day:02}");
                        assert!(text.starts_with(&day), "{name}: {day} {text}");
                    }
                    (Data::String(cell), Value::String(text)) => {
                        let text = text.replace("\r\n", "\n").replace('\r', "\n");
                        assert_eq!(*cell, text, "{name}");
                    }
                    (Data::String(cell), value) => assert!(
                        value.is_array() || serde_json::from_str::<Value>(cell).unwrap() == *value,
                        "{name}: {cell}"
                    ),
                    (cell, value) => panic!("{name}: {cell:?} for {value}"),
                }
            }
        }
    }
}

#[test]
fn all_formats_hold_the_same_rows() {
    let world = World::with_settings(|settings| settings.contacts = 200);
    let line = "export --format parquet,csv,jsonl --with tasks,notes,appointments --out out";
    world.run_command(line).exits(0);
    for table in ["contacts", "tasks", "notes", "appointments", "custom_fields", "users", "tags"] {
        let rows = read_table(&world, "out", table, "parquet");
        assert!(!rows.is_empty(), "{table}");
        for format in ["csv", "jsonl"] {
            let other = read_table(&world, "out", table, format);
            assert_eq!(rows.len(), other.len(), "{table}.{format}");
            for (row, same) in rows.iter().zip(&other) {
                assert_eq!(row, same, "{table}.{format}");
            }
        }
    }
}

#[test]
fn an_account_without_contacts_gives_every_table_with_every_column_and_no_rows() {
    let line = "export --format parquet,csv,jsonl --with tasks,notes,appointments --out out";
    let full = World::new();
    full.run_command(line).exits(0);
    let empty = World::with_settings(|settings| settings.contacts = 0);
    empty.run_command(line).exits(0);
    assert_eq!(empty.list_files("out"), full.list_files("out"));
    for table in ["contacts", "tasks", "notes", "appointments"] {
        let columns = |world| ParquetFile::open(world, &format!("out/{table}.parquet")).columns();
        assert_eq!(columns(&empty), columns(&full), "{table}");
        let header = |world: &World| {
            let text = std::fs::read_to_string(world.path(&format!("out/{table}.csv"))).unwrap();
            text.lines().next().unwrap().to_owned()
        };
        assert_eq!(header(&empty), header(&full), "{table}");
        for format in ["parquet", "csv", "jsonl"] {
            assert!(read_table(&empty, "out", table, format).is_empty(), "{table}.{format}");
        }
    }
    assert_eq!(empty.read_json("out/manifest.json")["complete"], true);
}

#[test]
fn an_export_with_tasks_and_notes_costs_one_request_per_contact_and_little_more() {
    let world = World::with_settings(|settings| settings.contacts = 1000);
    world.run_command("export --out out").exits(0);
    let log = world.get_control("log");
    let requests = log["requests"].as_u64().unwrap();
    assert!(requests <= 1020, "{requests} requests for 1000 contacts: {:?}", asked(&world));
    assert_eq!(log["by_status"].as_object().unwrap().keys().collect::<Vec<_>>(), ["200", "201"]);
}

#[test]
fn contacts_alone_cost_a_request_per_page_and_no_other_table_is_written() {
    let world = World::with_settings(|settings| settings.contacts = 1000);
    world.run_command("export --with none --out out").exits(0);
    let mut asked = asked(&world);
    let searches = asked.remove("POST /contacts/search").unwrap();
    assert!((2..=3).contains(&searches), "{searches} searches");
    assert_eq!(asked.values().sum::<u64>(), 4, "{asked:?}");
    let files = [
        "contacts.parquet",
        "custom_fields.parquet",
        "manifest.json",
        "tags.parquet",
        "users.parquet",
    ];
    assert_eq!(world.list_files("out"), files);
    assert_eq!(world.read_json("out/manifest.json")["tables"]["contacts"]["rows"], 1000);
}

#[test]
fn appointments_cost_a_request_per_calendar_whatever_the_number_of_contacts() {
    let world = World::with_settings(|settings| settings.contacts = 200);
    world.run_command("export --with appointments --format jsonl --out out").exits(0);
    assert_eq!(world.list_files("out")[0], "appointments.jsonl");
    assert!(!world.path("out/notes.jsonl").exists() && !world.path("out/tasks.jsonl").exists());
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap().iter();
    let there: usize =
        contacts.map(|contact| contact["appointments"].as_array().unwrap().len()).sum();
    assert!(there > 20);
    assert_eq!(world.read_rows("out/appointments.jsonl").len(), there);
    let asked = asked(&world);
    assert_eq!(asked.get("GET /calendars/events"), Some(&3), "{asked:?}");
    assert_eq!(asked.get("GET /contacts/{id}/appointments"), None, "{asked:?}");
}

#[test]
fn the_table_option_none_excludes_all_others() {
    let world = World::new();
    let done = world.run_command("export --with none,notes").exits(2);
    insta::assert_snapshot!(done.stderr, @"error: `--with none` cannot be combined with other tables");
}

#[test]
fn tasks_are_in_the_order_of_their_dates_however_they_come() {
    let world = World::new();
    // More than are sorted in memory.
    let tasks: Vec<_> = (0..3_000)
        .map(|n| {
            let added = format!("2025-01-01T{:02}:{:02}:{:02}.000Z", n / 3600, n / 60 % 60, n % 60);
            json!({"_id": format!("task{n:05}"), "title": "t", "body": "b".repeat(2_000), "dateAdded": added})
        })
        .collect();
    world.control_request("POST", "tasks", &json!(tasks));
    let export = || {
        world.run_command("export --format jsonl --out lake --replace").exits(0);
        let rows = world.read_rows("lake/tasks.jsonl");
        let date = |row: &Value| row["date_added"].as_str().unwrap_or_default().to_owned();
        let dates: Vec<_> = rows.iter().map(date).collect();
        assert!(dates.is_sorted(), "the tasks are in the order of their dates");
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut ids = export();
    assert!(ids.len() > 3_000);
    // The last one of the search has the first date.
    let late =
        r#"POST /locations/*/tasks/search set=dateAdded:"2001-01-01T00:00:00.000Z" row=task02999"#;
    world.control_request("POST", "faults", &json!([late]));
    let mut with_late = export();
    assert_eq!(with_late[0], "task02999");
    ids.sort();
    with_late.sort();
    assert_eq!(with_late, ids);
}
