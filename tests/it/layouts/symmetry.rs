//! Symmetry: an untouched file changes nothing, an edited one what was edited, an empty id makes anew.

use serde_json::{Value, json};

use super::{SYSTEMS, Sheet, preset, sheets};
use crate::world::World;

const NOTHING: [String; 0] = [];

fn exported(system: &str) -> World {
    let world = World::with(|settings| settings.contacts = 130);
    world.run(&format!("export --layout {system} --out out --quiet")).exits(0);
    world.control("DELETE", "log", &Value::Null);
    world
}

#[test]
fn untouched_files_of_the_five_systems_change_nothing() {
    for system in SYSTEMS {
        let world = exported(system);
        let before = world.account();
        for file in sheets(&world, "out") {
            let name = preset(&file);
            let rows = Sheet::read(&world, &format!("out/{file}")).rows.len();
            assert!(rows > 20, "{file}: {rows}");
            let done = world.run(&format!("import out/{file} --yes --out res --preset {name}"));
            let rejected = world.table("res/rejected.csv");
            assert_eq!(world.tally(), [0, rows - rejected.len(), rejected.len(), 0, 0], "{file}");
            // A list of names alone says of nobody who it is; and where no id says it, a name that no
            // account should hold is refused before it can be compared.
            let codes = rejected.iter().map(|row| row["_reject_code"].as_str());
            let allowed: &[&str] = match name {
                "dext-customers" => &["R_NO_MATCH_KEY", "R_CONTROL_CHARACTER"],
                "docsend-visits" => &["R_CONTROL_CHARACTER"],
                _ => &[],
            };
            assert_eq!(
                codes.filter(|code| !allowed.contains(code)).collect::<Vec<_>>(),
                [""; 0],
                "{file}: {}",
                done.stderr
            );
            assert_eq!(world.writes(), NOTHING, "{file}");
        }
        assert_eq!(world.account(), before, "{system}");
    }
}

#[test]
fn an_untouched_file_changes_nothing_however_its_cells_are_guarded() {
    for mode in ["excel", "off"] {
        let world = World::with(|settings| settings.contacts = 130);
        world.run(&format!("export --layout dialpad --csv-safe {mode} --out out --quiet")).exits(0);
        world.control("DELETE", "log", &Value::Null);
        for file in sheets(&world, "out") {
            let name = preset(&file);
            world.run(&format!("import out/{file} --yes --out res --preset {name}")).exits(0);
            assert_eq!(world.writes(), NOTHING, "{mode} {file}");
        }
    }
}

/// Edits one cell of a row and imports the file.
#[track_caller]
fn edited(file: &str, known: (&str, &str), cell: (&str, &str), expected: &[&str]) -> World {
    let world = world_with_avery();
    let system = file.split('-').next().unwrap();
    world.run(&format!("export --layout {system} --out out --quiet")).exits(0);
    world.control("DELETE", "log", &Value::Null);
    let mut sheet = Sheet::read(&world, &format!("out/{file}"));
    let (key, column) = (sheet.column(known.0), sheet.column(cell.0));
    let row = sheet.rows.iter_mut().find(|row| row[key] == known.1).unwrap();
    cell.1.clone_into(&mut row[column]);
    let rows = sheet.rows.len();
    sheet.write(&world, "in.csv");
    let done = world.import(&format!("--preset {}", preset(file))).exits(0);
    assert_eq!(world.tally(), [1, rows - 1, 0, 0, 0], "{file}: {}", done.stderr);
    assert_eq!(world.writes(), expected, "{file}");
    world
}

const AVERY: &str = "AAAAAAAAAAAAAAAAAAA1";

/// People, with a task and a note of Avery's.
fn world_with_avery() -> World {
    let world = crate::people::empty();
    world.control(
        "PUT",
        "businesses",
        &json!([{ "id": "000000000000000000000b01", "name": "ABC" }]),
    );
    world.add(&[
        json!({
            "id": AVERY, "firstName": "Avery", "lastName": "Sample", "email": "avery@example.com",
            "phone": "+12025550143", "companyName": "ABC Corp", "tags": ["supplier", "vat, yes"],
            "__tasks": [{
                "id": "TTTTTTTTTTTTTTTTTTT1", "title": "Send contract", "completed": false,
                "dueDate": "2026-03-01T09:00:00.000Z", "body": "Two copies\nPriority: high\nby post",
            }],
            "__notes": [{ "id": "NNNNNNNNNNNNNNNNNNN1", "body": "Met at the fair\nwants a quote" }],
        }),
        json!({ "id": "AAAAAAAAAAAAAAAAAAA2", "firstName": "Blake", "email": "blake@example.org" }),
    ]);
    world
}

#[test]
fn one_edited_cell_is_one_change() {
    let contact = "PUT /contacts/AAAAAAAAAAAAAAAAAAA1";
    let task = "PUT /contacts/AAAAAAAAAAAAAAAAAAA1/tasks/TTTTTTTTTTTTTTTTTTT1";
    let done = "PUT /contacts/AAAAAAAAAAAAAAAAAAA1/tasks/TTTTTTTTTTTTTTTTTTT1/completed";
    let note = "PUT /contacts/AAAAAAAAAAAAAAAAAAA1/notes/NNNNNNNNNNNNNNNNNNN1";
    let id = ("contactId", AVERY);
    edited("dub-seed-contacts.csv", id, ("lastName", "New"), &[contact]);
    edited("dub-seed-tasks.csv", id, ("status", "completed"), &[done]);
    edited("dub-seed-notes.csv", id, ("content", "said anew"), &[note]);
    edited("dub-partners-create.csv", ("tenantId", AVERY), ("country", "GB"), &[contact]);
    edited("dub-customers-create.csv", ("externalId", AVERY), ("country", "GB"), &[contact]);
    edited("docsend-seed-contacts.csv", id, ("email", "new@example.com"), &[contact]);
    edited("docsend-seed-tasks.csv", id, ("taskName", "Send two"), &[task]);
    edited("docsend-visits.csv", ("Email", "avery@example.com"), ("Company", "New"), &[contact]);
    edited("dialpad-seed-contacts.csv", id, ("company", "New"), &[contact]);
    edited("dialpad-seed-tasks.csv", id, ("dueDate", "2026-03-02T09:00:00Z"), &[task]);
    edited("dialpad-seed-notes.csv", id, ("content", "said anew"), &[note]);
    edited("dialpad-shared-contacts.csv", ("Uid", AVERY), ("Last_Name", "New"), &[contact]);
    edited("dashclicks-seed-contacts.csv", id, ("phone", "+12025550144"), &[contact]);
    edited("dashclicks-seed-tasks.csv", id, ("title", "Send two"), &[task]);
    edited("dashclicks-seed-notes.csv", id, ("note", "said anew"), &[note]);
    edited("dext-seed-contacts.csv", id, ("email", "new@example.com"), &[contact]);
    edited(
        "dext-seed-activity.csv",
        ("taskId", "TTTTTTTTTTTTTTTTTTT1"),
        ("content", "Send two"),
        &[task],
    );
    edited(
        "dext-seed-activity.csv",
        ("noteId", "NNNNNNNNNNNNNNNNNNN1"),
        ("content", "anew"),
        &[note],
    );
    edited(
        "dext-suppliers.csv",
        ("Supplier Code", AVERY),
        ("Supplier Name", "New Ltd"),
        &[contact],
    );
    let business = "POST /contacts/bulk/business";
    edited("dext-seed-tags.csv", id, ("businessId", "000000000000000000000b01"), &[business]);
    let tags = "POST /contacts/bulk/tags/update/add";
    edited("dext-seed-tags.csv", id, ("tags", "supplier; new"), &[tags]);
}

#[test]
fn a_priority_leaves_the_text_and_comes_back_into_its_line() {
    let world = edited(
        "dashclicks-seed-tasks.csv",
        ("contactId", AVERY),
        ("priority", "low"),
        &["PUT /contacts/AAAAAAAAAAAAAAAAAAA1/tasks/TTTTTTTTTTTTTTTTTTT1"],
    );
    let body = world.person_of(AVERY)["tasks"][0]["body"].clone();
    assert_eq!(body, "Two copies\nPriority: low\nby post");
    let sheet = Sheet::read(&world, "out/dashclicks-seed-tasks.csv");
    assert_eq!(sheet.rows[0][sheet.column("priority")], "high");
}

/// Empties the cell of an id; the row is then about something new.
#[track_caller]
fn emptied(file: &str, id: &str, expected: &str) {
    let world = world_with_avery();
    let system = file.split('-').next().unwrap();
    world.run(&format!("export --layout {system} --out out --quiet")).exits(0);
    world.control("DELETE", "log", &Value::Null);
    let mut sheet = Sheet::read(&world, &format!("out/{file}"));
    let column = sheet.column(id);
    sheet.rows.retain(|row| !row[column].is_empty());
    sheet.rows.iter_mut().for_each(|row| row[column].clear());
    sheet.write(&world, "in.csv");
    world.import(&format!("--preset {}", preset(file))).exits(0);
    assert_eq!(world.writes(), [expected], "{file}");
}

#[test]
fn an_empty_id_of_a_task_or_note_makes_a_new_one() {
    let task = "POST /contacts/AAAAAAAAAAAAAAAAAAA1/tasks";
    let note = "POST /contacts/AAAAAAAAAAAAAAAAAAA1/notes";
    for file in
        ["dub-seed-tasks", "docsend-seed-tasks", "dialpad-seed-tasks", "dashclicks-seed-tasks"]
    {
        emptied(&format!("{file}.csv"), "taskId", task);
    }
    emptied("dub-seed-notes.csv", "noteId", note);
    emptied("dialpad-seed-notes.csv", "noteId", note);
    emptied("dashclicks-seed-notes.csv", "id", note);
    emptied("dext-seed-activity.csv", "noteId", note);
}
