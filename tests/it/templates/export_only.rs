//! Files that are only exported: appointments for each system, and the names of businesses for Dext.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Sheet, own_preset, sheets, with_presets};
use crate::export_files::read_errors_csv;
use crate::import_world::empty_world;
use crate::world::World;

const PRESETS: [&str; 5] = [
    "dub-seed-appointments",
    "docsend-seed-appointments",
    "dialpad-seed-appointments",
    "dashclicks-seed-appointments",
    "dext-seed-appointments",
];
const HEADER: [&str; 6] = ["contactId", "calendar", "title", "start", "end", "status"];

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap()
}

fn appointments(world: &World) -> Vec<Value> {
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap().iter();
    contacts.flat_map(|one| one["appointments"].as_array().unwrap().clone()).collect()
}

/// An account with appointments in several calendars, of which the last one has no name.
fn account() -> (World, BTreeMap<String, String>) {
    let world = World::with_settings(|settings| settings.contacts = 200);
    let ids: BTreeSet<String> = appointments(&world)
        .iter()
        .map(|appointment| text(appointment, "calendarId").to_owned())
        .collect();
    assert!(ids.len() > 1);
    let name = |(number, id): (usize, &String)| {
        let name = if number + 1 == ids.len() { id.clone() } else { format!("Demo, {number}") };
        (id.clone(), name)
    };
    let names: BTreeMap<String, String> = ids.iter().enumerate().map(name).collect();
    let calendar = |(id, name): (&String, &String)| {
        let name = if id == name { Value::Null } else { json!(name) };
        json!({ "id": id, "name": name })
    };
    let calendars: Vec<Value> = names.iter().map(calendar).collect();
    world.control_request("PUT", "calendars", &json!(calendars));
    world.control_request("DELETE", "log", &Value::Null);
    (world, names)
}

/// The rows that a file of appointments should have, sorted.
fn expected_rows(world: &World, names: &BTreeMap<String, String>) -> Vec<Vec<String>> {
    let instant =
        |row: &Value, key: &str| text(row, key).parse::<jiff::Timestamp>().unwrap().to_string();
    let row = |it: &Value| {
        let calendar = names.get(text(it, "calendarId"));
        vec![
            text(it, "contactId").to_owned(),
            calendar.map_or_else(|| text(it, "calendarId").to_owned(), Clone::clone),
            text(it, "title").to_owned(),
            instant(it, "startTime"),
            instant(it, "endTime"),
            text(it, "appointmentStatus").to_owned(),
        ]
    };
    let mut rows: Vec<Vec<String>> = appointments(world).iter().map(row).collect();
    rows.sort();
    assert!(rows.len() > 10);
    rows
}

#[track_caller]
fn assert_rows(world: &World, file: &str, expected: &[Vec<String>]) {
    let mut sheet = Sheet::read(world, file);
    assert_eq!(sheet.header, HEADER, "{file}");
    for cell in sheet.rows.iter_mut().flatten() {
        *cell = ghl_bulk::table::strip_guard(cell).to_owned();
    }
    sheet.rows.sort();
    assert_eq!(sheet.rows, expected, "{file}");
}

fn count_requests(world: &World, part: &str) -> usize {
    let log = world.get_control("log");
    let entries = log["entries"].as_array().unwrap().iter();
    entries.filter(|entry| text(entry, "path").contains(part)).count()
}

#[test]
fn appointments_are_written_for_each_system_with_the_names_of_calendars() {
    let (world, names) = account();
    let expected = expected_rows(&world, &names);
    world.run_command(&format!("export --template {} --out out", PRESETS.join(","))).exits(0);
    assert_eq!(sheets(&world, "out").len(), PRESETS.len());
    for preset in PRESETS {
        assert_rows(&world, &format!("out/{preset}.csv"), &expected);
    }
    let sheet = Sheet::read(&world, "out/dub-seed-appointments.csv");
    let start = &sheet.rows[0][sheet.column("start")];
    assert_eq!(start.len(), "2026-03-01T09:00:00Z".len(), "{start}");
}

#[test]
fn a_system_has_its_appointments_only_with_appointments_and_says_so() {
    let (world, names) = account();
    let done = world.run_command("export --template dub --out out").exits(0);
    let said = "not written, because appointments are not exported: dub-seed-appointments.csv; \
                `export --with tasks,notes,appointments` writes them";
    done.says(said);
    assert!(!world.path("out/dub-seed-appointments.csv").exists());
    assert_eq!(count_requests(&world, "/calendars"), 0);

    let with = "export --template dub --with tasks,notes,appointments --out all";
    world.run_command(with).exits(0).does_not_say("not written");
    assert_rows(&world, "all/dub-seed-appointments.csv", &expected_rows(&world, &names));
    assert_eq!(sheets(&world, "all").len(), sheets(&world, "out").len() + 1);

    let by_name = "export --template dub,dub-seed-appointments --out named";
    world.run_command(by_name).exits(0).does_not_say("not written");
    assert_eq!(sheets(&world, "named"), sheets(&world, "all"));

    // Once appointments are read, each system has its file.
    let both = world.run_command("export --template dext,dub-seed-appointments --out both");
    both.exits(0).does_not_say("not written");
    let files = sheets(&world, "both");
    let files: Vec<&String> = files.iter().filter(|file| file.contains("appointments")).collect();
    assert_eq!(files, ["dext-seed-appointments.csv", "dub-seed-appointments.csv"]);

    world
        .run_command("export --template dext --with tasks --out tasks")
        .exits(0)
        .says("because notes, appointments and businesses are not exported")
        .says("`export --with tasks,notes,appointments,businesses` writes them");
    world
        .run_command("export --template dub-seed-appointments --with none --out none")
        .exits(2)
        .says("needs appointments")
        .says("--with appointments");
}

#[test]
fn a_filtered_export_has_the_names_of_calendars_and_the_times_in_utc() {
    let (world, names) = account();
    let expected = expected_rows(&world, &names);
    let filtered = "export --template dub-seed-appointments --added-since 2001-01-01 --out out";
    world.run_command(filtered).exits(0);
    assert!(count_requests(&world, "/appointments") > 100);
    assert_eq!((count_requests(&world, "/calendars/?"), count_requests(&world, "/events")), (1, 0));
    assert_rows(&world, "out/dub-seed-appointments.csv", &expected);

    // The table has the ids of calendars, so that their names are not read for it.
    world.control_request("DELETE", "log", &Value::Null);
    let table = "export --with appointments --added-since 2001-01-01 --format jsonl --out table";
    world.run_command(table).exits(0);
    assert_eq!(count_requests(&world, "/calendars"), 0);
    let starts = world.read_rows("table/appointments.jsonl");
    assert!(starts.iter().all(|row| row["start_time"].is_string()), "{starts:?}");
}

#[test]
fn without_the_names_of_calendars_a_filtered_export_has_their_ids() {
    let (world, names) = account();
    world.control_request("POST", "faults", &json!(["GET /calendars no-scope"]));
    let filtered = "export --template dub-seed-appointments --added-since 2001-01-01 --out out";
    world
        .run_command(filtered)
        .exits(3)
        .says("the token lacks the scope `calendars.readonly`; without it calendars are known by their ids only");
    assert_rows(&world, "out/dub-seed-appointments.csv", &expected_rows(&world, &BTreeMap::new()));
    assert_eq!(read_errors_csv(&world, "out")[0]["table"], "calendars");
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command("resume --retry-errors").exits(0);
    assert_rows(&world, "out/dub-seed-appointments.csv", &expected_rows(&world, &names));
    assert_eq!(count_requests(&world, "/events"), 0);
}

#[test]
fn a_token_without_the_scope_of_calendars_gets_the_other_files() {
    let (world, _) = account();
    world.control_request("POST", "faults", &json!(["GET /calendars no-scope"]));
    world
        .run_command("export --template dub --with tasks,notes,appointments --out out")
        .exits(3)
        .says("`calendars.readonly`");
    assert_eq!(Sheet::read(&world, "out/dub-seed-contacts.csv").rows.len(), 200);
    assert!(Sheet::read(&world, "out/dub-seed-appointments.csv").rows.is_empty());
}

#[test]
fn dext_gets_the_names_of_the_businesses_in_its_tags() {
    let world = empty_world();
    let businesses: Vec<Value> = (0..130)
        .map(|number| json!({ "id": format!("{number:024x}"), "name": format!("Shop {number}") }))
        .collect();
    world.control_request("PUT", "businesses", &json!(businesses));
    let contact = |business: &Value| json!({ "firstName": "Avery", "businessId": business["id"] });
    let contacts: Vec<Value> = businesses.iter().step_by(7).map(contact).collect();
    world.add_contacts(&contacts);
    world.run_command("export --template dext --out out").exits(0);
    let sheet = Sheet::read(&world, "out/dext-seed-businesses.csv");
    assert_eq!(sheet.header, ["businessId", "name"]);
    let expected: Vec<Vec<String>> = businesses
        .iter()
        .map(|business| vec![text(business, "id").to_owned(), text(business, "name").to_owned()])
        .collect();
    assert_eq!(sheet.rows, expected);
    let tags = Sheet::read(&world, "out/dext-seed-tags.csv");
    let ids = tags.rows.iter().map(|row| row[tags.column("businessId")].as_str());
    let ids: Vec<&str> = ids.filter(|id| !id.is_empty()).collect();
    assert_eq!(ids.len(), contacts.len());
    for id in ids {
        sheet.find("businessId", id);
    }
    // The other systems have no file with businesses.
    world.control_request("DELETE", "log", &Value::Null);
    world.run_command("export --template dub,docsend,dialpad,dashclicks --out other").exits(0);
    assert_eq!(count_requests(&world, "/businesses"), 0);
}

#[test]
fn files_that_are_only_exported_are_refused_by_imports() {
    let world = World::new();
    let export = "export --template dub-seed-appointments,dext-seed-businesses --out out";
    world.run_command(export).exits(0).does_not_say("take an edited one back");
    world.control_request("DELETE", "log", &Value::Null);
    for (preset, why) in [
        (
            "dub-seed-appointments",
            "`dub-seed-appointments` is written by exports only: appointments are not imported, because booking one \
             notifies the customer",
        ),
        ("dext-seed-businesses", "is written by exports only: businesses are not imported"),
    ] {
        let file = format!("out/{preset}.csv");
        for command in [
            format!("import {file} --preset {preset} --yes --out res"),
            format!("map {file} --preset {preset}"),
        ] {
            let done = world.run_command(&command).exits(2);
            let said = done.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(said.contains(why), "{said}");
        }
        // No preset recognizes them either.
        let proposed = world.run_command(&format!("map {file} --offline")).exits(0);
        proposed.does_not_say("the preset");
    }
    assert!(world.list_writes().is_empty() && !world.path("res").exists());
    let listed = world.run_command("map --list-presets").exits(0).stdout;
    let line = |name: &str| listed.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    for preset in PRESETS.iter().chain(&["dext-seed-businesses"]) {
        let line = line(preset);
        assert!(line.contains("  export  ") && !line.contains("--preset"), "{line}");
    }
}

#[test]
fn a_template_of_appointments_may_say_something_about_the_contact() {
    let world = with_presets(World::new());
    let text = r#"
format = 1
entity = "appointments"
direction = "export"
[template]
system = "desk"
require = "Mail"
[[template.column]]
name = "Mail"
fill = "email"
[[template.column]]
name = "Title"
fill = "appointment.title"
"#;
    own_preset(&world, "desk-appointments", text);
    let id = world.add_contacts(&[json!({ "email": "avery@example.com" })]).remove(0);
    let edit = json!({ "__appointments": ["=Call"] });
    world.control_request("PUT", &format!("contacts/{id}"), &edit);
    // The calendar of what is added in this way is not in the list, so it is read contact by contact.
    world
        .run_command("export --template desk-appointments --query avery@example --out out")
        .exits(0);
    let sheet = Sheet::read(&world, "out/desk-appointments.csv");
    assert_eq!(sheet.rows, [["avery@example.com", "'=Call"]]);
    own_preset(&world, "desk-appointments", &text.replace("\"export\"", "\"both\""));
    world
        .run_command("export --template desk-appointments --out out")
        .exits(4)
        .says("line 4: appointments are not imported");
}
