//! Export and import: an unedited export changes nothing, an edited one changes exactly what was edited.

mod edits;
mod files;

use serde_json::{Value, json};

use crate::import_world::{empty_world, tag_names};
use crate::world::{CommandOutput, World};
use files::{Form, Table};

const NOTHING: [String; 0] = [];

/// A world with people as awkward as the sandbox makes them, and an export of them.
fn exported(mode: &str) -> World {
    let world = World::with_settings(|settings| settings.contacts = 130);
    world.run_command(&format!("export --format csv --out out --quiet --csv-safe {mode}")).exits(0);
    world.control_request("DELETE", "log", &Value::Null);
    world
}

/// Imports a file of the export and shows that nothing comes of it.
#[track_caller]
fn changes_nothing(world: &World, file: &str, options: &str) -> CommandOutput {
    let rows = Table::read(world, file).rows.len();
    let done = world.run_command(&format!("import {file} --yes --out res {options}")).exits(0);
    assert_eq!(world.count_results(), [0, rows, 0, 0, 0], "{file}: {}", done.stderr);
    assert_eq!(world.list_writes(), NOTHING);
    done
}

#[test]
fn an_untouched_export_changes_nothing_however_its_cells_are_guarded() {
    for mode in ["formulas", "excel", "off"] {
        let world = exported(mode);
        let before = world.read_contacts();
        for table in ["contacts", "tasks", "notes"] {
            changes_nothing(&world, &format!("out/{table}.csv"), "");
        }
        changes_nothing(&world, "out/contacts.csv", "--tags replace");
        changes_nothing(&world, "out/contacts.csv", "--blank clear --allow-clear");
        assert_eq!(world.read_contacts(), before);
    }
}

#[test]
fn an_untouched_workbook_changes_nothing() {
    let world = exported("formulas");
    // The location's zone is not UTC: an instant that lost its zone would move.
    let done = world.run_command("export --format xlsx --out book --json").exits(0);
    let codes: Vec<Value> = done.events().iter().map(|event| event["code"].clone()).collect();
    assert!(codes.contains(&json!("cells_cut")), "{codes:?}");
    world.control_request("DELETE", "log", &Value::Null);
    let before = world.read_contacts();
    for table in ["contacts", "tasks", "notes"] {
        // One note is longer than a cell may be; it also has control characters, and is rejected.
        let cut = usize::from(table == "notes");
        let rows = Table::read(&world, &format!("out/{table}.csv")).rows.len() - cut;
        let done = world.run_command(&format!("import book/{table}.xlsx --yes --out res"));
        assert_eq!(world.count_results(), [0, rows, cut, 0, 0], "{table}: {}", done.stderr);
        assert_eq!(world.list_writes(), NOTHING, "{table}");
    }
    assert_eq!(world.read_contacts(), before);
}

#[test]
fn an_export_rewritten_by_another_program_changes_nothing() {
    let world = exported("formulas");
    let forms = [
        Form { delimiter: b';', mark: true, crlf: true, ..Form::default() },
        Form { delimiter: b'\t', quoted: true, turned: true, ..Form::default() },
        Form {
            without: &["extra", "tags", "last_name", "dnd_settings", "custom_score"],
            ..Form::default()
        },
    ];
    for (n, form) in forms.iter().enumerate() {
        for table in ["contacts", "tasks", "notes"] {
            let file = format!("{table}-{n}.csv");
            Table::read(&world, &format!("out/{table}.csv")).write(&world, &file, form);
            changes_nothing(&world, &file, &format!("--preset ghl-bulk-{table}"));
        }
    }
}

#[test]
fn booleans_in_a_spreadsheet_s_spelling_are_no_change() {
    let world = exported("excel");
    let mut table = Table::read(&world, "out/contacts.csv");
    table.each("dnd", str::to_uppercase);
    table.write(&world, "in.csv", &Form::default());
    changes_nothing(&world, "in.csv", "");
}

#[test]
fn an_edited_export_changes_exactly_the_edited_cells() {
    let world = exported("formulas");
    let before = world.read_contacts();
    let mut table = Table::read(&world, "out/contacts.csv");
    let edits = edits::make(&world, &mut table);
    table.write(&world, "in.csv", &Form::default());
    let rows = edits::rows(&edits);
    assert!(edits.len() >= 25, "{}", edits.len());

    let log = world.run_import("--tags replace --allow-resubscribe");
    let unedited = before.len() - rows.len();
    assert_eq!(world.count_results(), [rows.len(), unedited, 0, 0, 0], "{}", log.stderr);
    let writes = world.list_writes();
    assert_eq!(writes.len(), rows.len(), "{writes:#?}");
    assert!(writes.iter().all(|write| write.starts_with("PUT /contacts/")), "{writes:#?}");
    edits::expect(&before, &world.read_contacts(), &edits);

    world.control_request("DELETE", "log", &Value::Null);
    world.run_import("--tags replace --allow-resubscribe").exits(0);
    assert_eq!(world.list_writes(), NOTHING);
}

#[test]
fn tags_of_an_edited_export_are_added_and_never_removed() {
    let world = exported("formulas");
    let mut table = Table::read(&world, "out/contacts.csv");
    let row = table.find("tags", |cell| cell.contains("; "));
    let id = table.cell(row, "id").to_owned();
    let had = tag_names(&world.contact_by_id(&id));
    table.set(row, "tags", "brand new");
    table.write(&world, "in.csv", &Form::default());
    world.run_import("").exits(0);
    let has = tag_names(&world.contact_by_id(&id));
    assert_eq!(has, [had, vec!["brand new".to_owned()]].concat());
    assert_eq!(world.list_writes(), ["POST /contacts/bulk/tags/update/add"]);
}

#[test]
fn emptied_cells_change_nothing_unless_they_are_to_clear() {
    let world = exported("formulas");
    let before = world.read_contacts();
    let mut table = Table::read(&world, "out/contacts.csv");
    let emptied = edits::empty(&world, &mut table);
    table.write(&world, "in.csv", &Form::default());
    for options in ["", "--blank clear", "--allow-clear", "--blank leave --allow-clear"] {
        world.run_import(options).exits(0);
        assert_eq!(world.list_writes(), NOTHING, "{options}");
    }
    world.run_import("--blank error").exits(3);
    assert_eq!(world.list_writes(), NOTHING);
    world.run_import("--blank clear --allow-clear").exits(0);
    edits::expect(&before, &world.read_contacts(), &emptied);
    assert_eq!(world.list_writes().len(), edits::rows(&emptied).len());
}

#[test]
fn edited_notes_and_tasks_are_updated_in_place() {
    let world = exported("formulas");
    let mut notes = Table::read(&world, "out/notes.csv");
    let (contact, note) = (notes.cell(0, "contact_id").to_owned(), notes.cell(0, "id").to_owned());
    notes.set(0, "body", "said anew");
    notes.write(&world, "in.csv", &Form::default());
    world.run_import("").exits(0);
    assert_eq!(world.list_writes(), [format!("PUT /contacts/{contact}/notes/{note}")]);
    let person = world.contact_by_id(&contact);
    let found = person["notes"].as_array().unwrap().iter().find(|it| it["id"] == note).unwrap();
    assert_eq!(found["body"], "said anew");

    world.control_request("DELETE", "log", &Value::Null);
    let mut tasks = Table::read(&world, "out/tasks.csv");
    let row = tasks.find("completed", |cell| cell == "false");
    let (contact, task) =
        (tasks.cell(row, "contact_id").to_owned(), tasks.cell(row, "id").to_owned());
    tasks.set(row, "completed", "true");
    tasks.write(&world, "in.csv", &Form::default());
    world.run_import("").exits(0);
    assert_eq!(world.list_writes(), [format!("PUT /contacts/{contact}/tasks/{task}/completed")]);
}

#[test]
fn a_file_that_is_not_a_sheet_is_refused_with_a_hint() {
    let world = exported("formulas");
    world.run_command("import out/manifest.json --yes").exits(4).says("JSON");
    world.run_command("import out --yes").exits(2).says("is a directory");
}

#[test]
fn an_export_goes_over_into_another_location_without_its_ids() {
    let source = empty_world();
    source.run_command("export --format csv --with none --out out --quiet").exits(0);
    let nickname = edits::fields(&source).remove("custom_nickname").unwrap();
    source.add_contacts(&[
        json!({ "email": "avery@example.com", "firstName": "Avery", "tags": ["vip"],
            "customFields": [{ "id": nickname, "value": "Ace" }] }),
        json!({ "phone": "+12025550143", "lastName": "Testcase" }),
    ]);
    source.run_command("export --format csv --with none --out out --quiet").exits(0);
    let target = empty_world();
    std::fs::copy(source.path("out/contacts.csv"), target.path("in.csv")).unwrap();

    target.run_import("").exits(3);
    let rejected = target.read_csv("res/rejected.csv");
    assert!(rejected.iter().all(|row| row["_reject_code"] == "R_NOT_FOUND"), "{rejected:?}");
    assert!(rejected[0]["_reject_reason"].contains("--ignore-column"), "{rejected:?}");
    assert_eq!(target.read_contacts(), [] as [Value; 0]);

    target.run_import("--ignore-column id").exits(0);
    assert_eq!(target.read_contacts().len(), 2);
    let avery = target.contact_by_email("avery@example.com");
    assert_eq!(
        (avery["contact"]["firstName"].as_str(), tag_names(&avery)),
        (Some("Avery"), vec!["vip".to_owned()])
    );
    assert_eq!(avery["contact"]["customFields"][0]["value"], "Ace");
    assert!(target.read_contacts().iter().any(|it| it["contact"]["phone"] == "+12025550143"));
}
