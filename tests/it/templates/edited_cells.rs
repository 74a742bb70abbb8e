//! Every column of every file for the five systems: one edited cell is one change, and is in the next export.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Sheet, imported_sheets, preset};
use crate::world::World;

/// Contacts in the account: more than a file has columns.
const PEOPLE: usize = 12;
/// Columns that say which record a row is about.
const IDS: [&str; 7] =
    ["contactId", "taskId", "noteId", "id", "externalId", "tenantId", "Customer Name"];
/// Ids of the contact where the system has none of its own for it.
const OWN_IDS: [&str; 2] = ["Uid", "Supplier Code"];
/// What only HighLevel sets.
const DATES: [&str; 2] = ["createdAt", "dateCreated"];
/// What the account has no value for.
const UNUSED: [&str; 3] = ["avatar", "username", "image"];

fn contact_id(n: usize) -> String {
    format!("AAAAAAAAAAAAAAAAAA{n:02}")
}

fn person(n: usize) -> Value {
    let custom = ["job_title", "extension", "dext_currency", "dext_category", "stripe_customer_id"];
    let custom = custom
        .iter()
        .enumerate()
        .map(|(at, key)| json!({ "id": format!("field{at:015}"), "value": format!("{key} {n}") }));
    json!({
        "id": contact_id(n), "firstName": format!("Avery{n}"), "lastName": "Sample",
        "email": format!("avery{n}@example.com"), "phone": format!("+49301234{n:04}"),
        "companyName": format!("ABC {n}"), "tags": ["supplier", "vat, yes"], "country": "DE",
        "website": format!("https://a{n}.example.com"), "businessId": "000000000000000000000b01",
        "customFields": custom.collect::<Vec<_>>(),
        "__tasks": [{
            "id": format!("TTTTTTTTTTTTTTTTTT{n:02}"), "title": format!("Call {n}"), "completed": false,
            "dueDate": "2026-03-01T09:00:00.250Z", "body": "Two copies\nPriority: high",
        }],
        "__notes": [{ "id": format!("NNNNNNNNNNNNNNNNNN{n:02}"), "body": format!("Note {n}\nmore") }],
    })
}

fn account() -> World {
    let world = crate::import_world::empty_world();
    let business =
        |n: usize| json!({ "id": format!("00000000000000000000{n:04}"), "name": format!("B{n}") });
    let mut businesses = vec![json!({ "id": "000000000000000000000b01", "name": "ABC" })];
    businesses.push(business(2));
    world.control_request("PUT", "businesses", &json!(businesses));
    let field = |(number, key): (usize, &&str)| {
        json!({
            "id": format!("field{number:015}"), "name": key, "fieldKey": format!("contact.{key}"),
            "dataType": "TEXT", "model": "contact", "position": number,
        })
    };
    let keys = [
        "job_title",
        "extension",
        "dext_currency",
        "dext_category",
        "stripe_customer_id",
        "dub_group",
    ];
    let fields: Vec<_> = keys.iter().enumerate().map(field).collect();
    world.control_request("PUT", "customFields", &json!(fields));
    world.add_contacts(&(0..PEOPLE).map(person).collect::<Vec<_>>());
    world
}

/// The text that a person types over a cell.
fn edited(column: &str, old: &str, n: usize) -> String {
    match column {
        "email" | "Email" => format!("new{n}@example.com"),
        "phone" | "Phones" => format!("+49301235{n:04}"),
        "name" | "Name" | "Supplier Name" => format!("{old} Jones"),
        "country" | "Country" => "FR".to_owned(),
        "tags" | "Tags" => format!("{} ", old.replace(']', ",\"new; one\"]")).trim().to_owned(),
        "businessId" => "000000000000000000000002".to_owned(),
        "dueDate" => "2026-04-02T10:30:00Z".to_owned(),
        "status" => "completed".to_owned(),
        "completed" => "true".to_owned(),
        "priority" => "low".to_owned(),
        "URLs" | "website" => format!("https://new{n}.example.com"),
        "groupId" => "standard".to_owned(),
        _ => format!("{old} edited").trim().to_owned(),
    }
}

/// Edits one cell in each editable column of a file, each in a row of its own. Gives the columns.
fn edit_every_column(file: &str, sheet: &mut Sheet) -> Vec<String> {
    let mut done = Vec::new();
    let fixed: BTreeSet<&str> =
        IDS.iter().chain(&OWN_IDS).chain(&DATES).chain(&UNUSED).copied().collect();
    for column in sheet.header.clone() {
        let at = sheet.column(&column);
        // A visitor is known by the address alone.
        let is_key = file == "docsend-visits.csv" && column == "Email";
        if is_key || fixed.contains(column.as_str()) || column == "description" {
            continue;
        }
        // In a file with rows of two kinds, a row that has the column.
        let row = (done.len()..sheet.rows.len()).find(|row| !sheet.rows[*row][at].is_empty());
        let row = row.unwrap_or(done.len());
        let row = if done.iter().any(|(_, used)| *used == row) { row + PEOPLE / 2 } else { row };
        let cell = &mut sheet.rows[row][at];
        *cell = edited(&column, cell, row);
        done.push((column, row));
    }
    done.into_iter().map(|(column, _)| column).collect()
}

#[track_caller]
fn check_system(system: &str) {
    let listing = account();
    listing.run_command(&format!("export --template {system} --out out --quiet")).exits(0);
    for file in imported_sheets(&listing, "out") {
        let world = account();
        let name = preset(&file);
        let export = |out: &str| {
            let template = file.strip_suffix(".csv").unwrap();
            let template = if template == "dub-partners-create" { name } else { template };
            world
                .run_command(&format!("export --template {template} --out {out} --quiet"))
                .exits(0);
            Sheet::read(&world, &format!("{out}/{file}"))
        };
        let mut sheet = export("out");
        assert!(sheet.rows.len() >= PEOPLE, "{file}");
        let columns = edit_every_column(&file, &mut sheet);
        sheet.write(&world, "in.csv");
        world.control_request("DELETE", "log", &Value::Null);
        let done = world.run_import(&format!("--preset {name}"));
        let (rows, count) = (sheet.rows.len(), columns.len());
        assert_eq!(
            world.count_results(),
            [count, rows - count, 0, 0, 0],
            "{file} {columns:?}: {}\n{:#?}",
            done.stderr,
            world.read_csv("res/plan.csv")
        );
        let writes = world.list_writes();
        assert_eq!(writes.len(), count, "{file} {columns:?}: {writes:#?}");
        assert_eq!(writes.iter().collect::<BTreeSet<_>>().len(), count, "{file}: {writes:#?}");
        assert_eq!(export("again"), sheet, "{file}");
    }
}

#[test]
fn an_edited_cell_of_any_column_for_dub_is_one_change() {
    check_system("dub");
}

#[test]
fn an_edited_cell_of_any_column_for_docsend_is_one_change() {
    check_system("docsend");
}

#[test]
fn an_edited_cell_of_any_column_for_dialpad_is_one_change() {
    check_system("dialpad");
}

#[test]
fn an_edited_cell_of_any_column_for_dashclicks_is_one_change() {
    check_system("dashclicks");
}

#[test]
fn an_edited_cell_of_any_column_for_dext_is_one_change() {
    check_system("dext");
}
