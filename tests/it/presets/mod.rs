//! Presets: each known kind of file imports as its system means it.
//!
//! The samples and the expected results are in `tests/formats`: a sheet, and a JSON file with the values,
//! rejections and warnings of each row.

mod dub;
mod known_formats;
mod preset_errors;
mod several_notes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::import_world::ResultRow;
use crate::world::World;

/// The custom fields that the samples have values for and that are not of text.
const TYPED: [(&str, &str); 5] = [
    ("dub_sale_amount", "MONETORY"),
    ("shopify_total_spent", "MONETORY"),
    ("stripe_total_spend", "MONETORY"),
    ("linkedin_connected_on", "DATE"),
    ("extension", "TEXT"),
];

const BUSINESS: &str = "000000000000000000000b01";

fn formats() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/formats")
}

/// What is expected of every sample.
fn expectations() -> Vec<Value> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(formats())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".expected.json"))
        .collect();
    files.sort();
    let read = |path: PathBuf| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    files.into_iter().map(read).collect()
}

/// A location that has all that the samples name: fields, a business, contacts with a task each.
fn world(expected: &[Value]) -> World {
    let world = crate::import_world::empty_world();
    let mut names = BTreeSet::new();
    let mut contacts = BTreeSet::new();
    for record in expected.iter().flat_map(records) {
        let values = values(record);
        let custom = values["customFields"].as_object().into_iter().flatten();
        names.extend(custom.map(|(name, _)| name.clone()));
        contacts.extend(values["contactId"].as_str().map(str::to_owned));
    }
    let field = |(number, name): (usize, &String)| {
        let kind = TYPED.iter().find(|(typed, _)| typed == name).map_or("TEXT", |(_, kind)| kind);
        let key = name.to_lowercase().replace(' ', "_");
        json!({
            "id": format!("field{number:015}"), "name": name, "fieldKey": format!("contact.{key}"),
            "dataType": kind, "model": "contact", "position": number,
        })
    };
    let fields: Vec<Value> = names.iter().enumerate().map(field).collect();
    world.control_request("PUT", "customFields", &json!(fields));
    world.control_request("PUT", "businesses", &json!([{ "id": BUSINESS, "name": "Muster GmbH" }]));
    let task = json!({
        "id": "TESTtask000000000001", "title": "old", "dueDate": "2026-01-01T00:00:00.000Z",
        "completed": false,
    });
    let person = |id: &String| {
        let tasks = if id == "TESTcontact000000001" { vec![task.clone()] } else { Vec::new() };
        json!({ "id": id, "__tasks": tasks })
    };
    world.add_contacts(&contacts.iter().map(person).collect::<Vec<_>>());
    world
}

fn records(expected: &Value) -> impl Iterator<Item = &Value> {
    expected["records"].as_array().unwrap().iter()
}

/// What a record brings, of whatever kind it is.
fn values(record: &Value) -> &Value {
    const KINDS: [&str; 6] =
        ["contact", "task", "note", "activity", "tagging", "accepted_with_allow_name_only"];
    KINDS.iter().map(|kind| &record[*kind]).find(|it| it.is_object()).unwrap_or(&Value::Null)
}

/// The lines of a plan that a record's values make: field and new value.
fn lines(record: &Value) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    let kind = if record["task"].is_object() { "task" } else { "note" };
    let of_child = record["task"].is_object() || record["note"].is_object();
    for (name, value) in values(record).as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            // What tells whom a row is about changes nothing; nor can a note's date be set, nor is a
            // name a user, nor does the API take further addresses.
            (
                "contactId" | "taskId" | "createdAt" | "assignedToName" | "additionalEmails"
                | "additionalPhones",
                _,
            ) => {}
            ("customFields", fields) => {
                for (name, value) in fields.as_object().unwrap() {
                    let name = name.to_lowercase().replace(' ', "_");
                    lines.insert(format!("customFields.{name}"), shown(value));
                }
            }
            ("dndSettings", channels) => {
                for channel in channels.as_object().unwrap().keys() {
                    lines.insert(format!("dndSettings.{channel}"), "active".to_owned());
                }
            }
            ("task", task) => {
                lines.insert("task.title".to_owned(), shown(&task["title"]));
            }
            ("note", note) => {
                lines.insert("note".to_owned(), shown(&note["body"]));
            }
            ("notes", notes) => {
                lines.insert("note".to_owned(), shown(&notes[0]));
            }
            ("businessId", id) => {
                lines.insert("business".to_owned(), shown(id));
            }
            ("body", body) if kind == "note" => {
                lines.insert("note".to_owned(), shown(body));
            }
            (name, value) if of_child => {
                lines.insert(format!("{kind}.{name}"), shown(value));
            }
            (name, value) => {
                lines.insert(name.to_owned(), shown(value));
            }
        }
    }
    lines
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => moment(text),
        Value::Number(number) => number.as_f64().unwrap().to_string(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}

/// A moment however it is written; any other text as it is.
fn moment(text: &str) -> String {
    text.parse::<jiff::Timestamp>().map_or_else(|_| text.to_owned(), |it| it.to_string())
}

/// The lines of a plan for a row.
fn planned(plan: &[ResultRow], row: u64) -> BTreeMap<String, String> {
    let own = plan.iter().filter(|line| line["row"] == row.to_string());
    let changes = own.filter(|line| !line["field"].starts_with("R_") && !line["field"].is_empty());
    changes.map(|line| (line["field"].clone(), moment(unguarded(&line["new"])))).collect()
}

/// A cell without the sign that keeps a spreadsheet from running it.
fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(bare) if bare.starts_with(['=', '+', '-', '@']) => bare,
        _ => cell,
    }
}

/// What a sample's dry run brought that was not expected, a line each.
fn differences(world: &World, expected: &Value, name_only: bool) -> Vec<String> {
    let (file, preset) = (expected["file"].as_str().unwrap(), expected["preset"].as_str().unwrap());
    let country = expected["default_country"].as_str().unwrap();
    let out = if name_only { format!("res-{preset}-names") } else { format!("res-{preset}") };
    let path = formats().join(file);
    let known = ghl_bulk_detects(preset);
    let chosen = if known { String::new() } else { format!("--preset {preset}") };
    let names = if name_only { "--allow-name-only --no-identity at-most-once" } else { "" };
    let done = world.run_command(&format!(
        "import {} --dry-run --out {out} --default-country {country} --timezone UTC {chosen} {names}",
        path.display()
    ));
    if ![0, 3].contains(&done.code) {
        return vec![format!("{preset}: exit {}: {}", done.code, done.stderr)];
    }
    let plan = world.read_csv(&format!("{out}/plan.csv"));
    let rejected = world.read_csv(&format!("{out}/rejected.csv"));
    let warnings = world.read_csv(&format!("{out}/warnings.csv"));
    let mut found = Vec::new();
    for record in records(expected) {
        let row = record["row"].as_u64().unwrap();
        let own: Vec<_> = plan.iter().filter(|line| line["row"] == row.to_string()).collect();
        let reason =
            own.iter().find(|line| line["action"] == "rejected").map(|line| line["field"].clone());
        let allowed = name_only && record["accepted_with_allow_name_only"].is_object();
        let wanted = record["reason"].as_str().filter(|_| !allowed).map(str::to_owned);
        if reason != wanted {
            found.push(format!("{preset} row {row}: rejected {reason:?}, not {wanted:?}: {own:?}"));
        } else if wanted.is_none() {
            let (got, want) = (planned(&plan, row), lines(record));
            if got != want {
                found.push(format!("{preset} row {row}:\n   got {got:?}\n  want {want:?}"));
            }
        }
        for code in record["warnings"].as_array().into_iter().flatten() {
            let code = code.as_str().unwrap().split(' ').next().unwrap();
            let told = warnings.iter().any(|it| it["row"] == row.to_string() && it["code"] == code);
            if !told {
                found.push(format!("{preset} row {row}: no {code}"));
            }
        }
    }
    // A report's footer is no record of the file's.
    let footer =
        |row: &&ResultRow| ["R_FOOTER_ROW", "R_TOTALS_ROW"].contains(&row["_reject_code"].as_str());
    let others = rejected.len() - rejected.iter().filter(footer).count();
    let wanted = records(expected).filter(|it| it["action"] == "reject").count();
    if !name_only && others != wanted {
        found.push(format!("{preset}: {others} rows rejected, not {wanted}: {rejected:?}"));
    }
    found
}

/// Whether a preset's files are known by their header.
fn ghl_bulk_detects(preset: &str) -> bool {
    let path = format!("{}/src/mapping/presets/{preset}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap_or_default().contains("[detect]")
}

#[test]
fn every_known_kind_of_file_imports_to_what_its_makers_meant() {
    let expected = expectations();
    assert_eq!(expected.len(), 37);
    let world = world(&expected);
    let found: Vec<String> =
        expected.iter().flat_map(|it| differences(&world, it, false)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn rows_with_only_a_name_are_accepted_with_an_option() {
    let mut expected = expectations();
    expected.retain(|it| records(it).any(|it| it["accepted_with_allow_name_only"].is_object()));
    assert!(expected.len() > 3);
    let world = world(&expected);
    let found: Vec<String> = expected.iter().flat_map(|it| differences(&world, it, true)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
