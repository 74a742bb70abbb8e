//! Round trips: an untouched file changes nothing, an edited one what was edited, an empty id creates a record.

use serde_json::{Value, json};

use super::{SYSTEMS, Sheet, imported_sheets, preset, sheets};
use crate::world::World;

const NOTHING: [String; 0] = [];

/// A world with people as awkward as the sandbox makes them, and the files of some systems.
fn exported(systems: &str, options: &str) -> World {
    let world = World::with_settings(|settings| settings.contacts = 130);
    world.run_command(&format!("export --template {systems} --out out --quiet {options}")).exits(0);
    world.control_request("DELETE", "log", &Value::Null);
    world
}

/// Why rows of a file may be refused: where no id identifies the contact, a name that no account should hold is
/// refused before it can be compared.
fn excused(preset: &str) -> &'static [&'static str] {
    match preset {
        "docsend-visits" => &["R_CONTROL_CHARACTER"],
        _ => &[],
    }
}

#[test]
fn untouched_files_of_the_five_systems_change_nothing() {
    let world = exported(&SYSTEMS.join(","), "");
    let before = world.read_contacts();
    let files = imported_sheets(&world, "out");
    assert_eq!(files.len(), 22, "{files:?}");
    for file in files {
        let name = preset(&file);
        let rows = Sheet::read(&world, &format!("out/{file}")).rows.len();
        assert!(rows > 20, "{file}: {rows}");
        let done = world.run_command(&format!("import out/{file} --yes --out res --preset {name}"));
        let rejected = world.read_csv("res/rejected.csv");
        let tally = [0, rows - rejected.len(), rejected.len(), 0, 0];
        assert_eq!(world.count_results(), tally, "{file}: {}", done.stderr);
        let codes = rejected.iter().flat_map(|row| row["_reject_code"].split(' '));
        let wrong: Vec<&str> = codes.filter(|code| !excused(name).contains(code)).collect();
        assert!(wrong.is_empty(), "{file}: {wrong:?}");
        assert_eq!(world.list_writes(), NOTHING, "{file}");
    }
    assert_eq!(world.read_contacts(), before);
}

#[test]
fn an_untouched_file_changes_nothing_however_its_cells_are_guarded() {
    for mode in ["excel", "off"] {
        let world = exported("dialpad", &format!("--csv-safe {mode}"));
        for file in sheets(&world, "out") {
            let name = preset(&file);
            world
                .run_command(&format!("import out/{file} --yes --out res --preset {name}"))
                .exits(0);
            assert_eq!(world.list_writes(), NOTHING, "{mode} {file}");
        }
    }
}

const AVERY: &str = "AAAAAAAAAAAAAAAAAAA1";

/// Avery, with a task and a note.
fn avery() -> Value {
    json!({
        "id": AVERY, "firstName": "Avery", "lastName": "Sample", "email": "avery@example.com",
        "phone": "+12025550143", "companyName": "ABC Corp", "tags": ["supplier", "vat, yes"],
        "country": null, "businessId": null,
        "__tasks": [{
            "id": "TTTTTTTTTTTTTTTTTTT1", "title": "Send contract", "completed": false,
            "dueDate": "2026-03-01T09:00:00.000Z", "body": "Two copies\nPriority: high\nby post",
        }],
        "__notes": [{ "id": "NNNNNNNNNNNNNNNNNNN1", "body": "Met at the fair\nwants a quote" }],
    })
}

/// An account with Avery and another contact, and its files for all systems.
struct Case {
    world: World,
}

impl Case {
    fn new() -> Self {
        let world = crate::import_world::empty_world();
        let business = json!([{ "id": "000000000000000000000b01", "name": "ABC" }]);
        world.control_request("PUT", "businesses", &business);
        let blake =
            json!({ "id": "AAAAAAAAAAAAAAAAAAA2", "firstName": "Blake", "email": "b@example.org" });
        world.add_contacts(&[avery(), blake]);
        world
            .run_command(&format!("export --template {} --out out --quiet", SYSTEMS.join(",")))
            .exits(0);
        Self { world }
    }

    /// Imports an edited file of the account as it was exported; gives what is written, and Avery.
    fn imported(&self, file: &str, edit: impl FnOnce(&mut Sheet)) -> (Vec<String>, Value) {
        let world = &self.world;
        world.control_request("PUT", &format!("contacts/{AVERY}"), &avery());
        world.control_request("DELETE", "log", &Value::Null);
        let mut sheet = Sheet::read(world, &format!("out/{file}"));
        edit(&mut sheet);
        sheet.write(world, "in.csv");
        world.run_import(&format!("--preset {}", preset(file))).exits(0);
        (world.list_writes(), world.contact_by_id(AVERY))
    }

    /// Edits one cell of a row; exactly that is written.
    #[track_caller]
    fn edited(&self, file: &str, known: (&str, &str), cell: (&str, &str), expected: &str) -> Value {
        let mut rows = 0;
        let (writes, avery) = self.imported(file, |sheet| {
            rows = sheet.rows.len();
            let (key, column) = (sheet.column(known.0), sheet.column(cell.0));
            let row = sheet.rows.iter_mut().find(|row| row[key] == known.1).unwrap();
            cell.1.clone_into(&mut row[column]);
        });
        assert_eq!(self.world.count_results(), [1, rows - 1, 0, 0, 0], "{file}");
        assert_eq!(writes, [expected], "{file}");
        avery
    }

    /// Empties the cells of an id; its row is then about something new, called after the file: what an
    /// earlier import has made is not made again.
    #[track_caller]
    fn emptied(&self, file: &str, id: &str, title: &str, expected: &str) {
        let (writes, _) = self.imported(file, |sheet| {
            let (column, title) = (sheet.column(id), sheet.column(title));
            sheet.rows.retain(|row| !row[column].is_empty());
            for row in &mut sheet.rows {
                row[column].clear();
                file.clone_into(&mut row[title]);
            }
        });
        assert_eq!(writes, [expected], "{file}");
    }
}

const CONTACT: &str = "PUT /contacts/AAAAAAAAAAAAAAAAAAA1";
const TASK: &str = "PUT /contacts/AAAAAAAAAAAAAAAAAAA1/tasks/TTTTTTTTTTTTTTTTTTT1";
const NOTE: &str = "PUT /contacts/AAAAAAAAAAAAAAAAAAA1/notes/NNNNNNNNNNNNNNNNNNN1";

#[test]
fn one_edited_cell_of_a_contact_is_one_change() {
    let case = Case::new();
    let id = ("contactId", AVERY);
    let address = ("Email", "avery@example.com");
    for (file, known, cell) in [
        ("dub-seed-contacts.csv", id, ("lastName", "New")),
        ("dub-partners-create.csv", ("tenantId", AVERY), ("country", "GB")),
        ("dub-customers-create.csv", ("externalId", AVERY), ("country", "GB")),
        ("docsend-seed-contacts.csv", id, ("email", "new@example.com")),
        ("docsend-visits.csv", address, ("Company", "New")),
        ("dialpad-seed-contacts.csv", id, ("company", "New")),
        ("dialpad-shared-contacts.csv", ("Uid", AVERY), ("Last_Name", "New")),
        ("dashclicks-seed-contacts.csv", id, ("phone", "+12025550144")),
        ("dext-seed-contacts.csv", id, ("email", "new@example.com")),
        ("dext-suppliers.csv", ("Supplier Code", AVERY), ("Supplier Name", "New Ltd")),
    ] {
        case.edited(file, known, cell, CONTACT);
    }
    let business = ("businessId", "000000000000000000000b01");
    case.edited("dext-seed-tags.csv", id, business, "POST /contacts/bulk/business");
    let tags = ("tags", "supplier; new");
    case.edited("dext-seed-tags.csv", id, tags, "POST /contacts/bulk/tags/update/add");
}

#[test]
fn one_edited_cell_of_a_task_or_note_is_one_change() {
    let case = Case::new();
    let id = ("contactId", AVERY);
    let done = format!("{TASK}/completed");
    case.edited("dub-seed-tasks.csv", id, ("status", "completed"), &done);
    case.edited("docsend-seed-tasks.csv", id, ("taskName", "Send two"), TASK);
    case.edited("dialpad-seed-tasks.csv", id, ("dueDate", "2026-03-02T09:00:00Z"), TASK);
    case.edited("dashclicks-seed-tasks.csv", id, ("title", "Send two"), TASK);
    let task = ("taskId", "TTTTTTTTTTTTTTTTTTT1");
    case.edited("dext-seed-activity.csv", task, ("content", "Send two"), TASK);
    case.edited("dub-seed-notes.csv", id, ("content", "said anew"), NOTE);
    case.edited("dialpad-seed-notes.csv", id, ("content", "said anew"), NOTE);
    case.edited("dashclicks-seed-notes.csv", id, ("note", "said anew"), NOTE);
    let note = ("noteId", "NNNNNNNNNNNNNNNNNNN1");
    case.edited("dext-seed-activity.csv", note, ("content", "said anew"), NOTE);
}

#[test]
fn a_priority_leaves_the_text_and_comes_back_into_its_line() {
    let case = Case::new();
    let sheet = Sheet::read(&case.world, "out/dashclicks-seed-tasks.csv");
    assert_eq!(sheet.rows[0][sheet.column("priority")], "high");
    let (file, known) = ("dashclicks-seed-tasks.csv", ("contactId", AVERY));
    let avery = case.edited(file, known, ("priority", "low"), TASK);
    assert_eq!(avery["tasks"][0]["body"], "Two copies\nPriority: low\nby post");
}

#[test]
fn an_empty_id_of_a_task_or_note_makes_a_new_one() {
    let case = Case::new();
    let task = "POST /contacts/AAAAAAAAAAAAAAAAAAA1/tasks";
    let note = "POST /contacts/AAAAAAAAAAAAAAAAAAA1/notes";
    case.emptied("dub-seed-tasks.csv", "taskId", "title", task);
    case.emptied("docsend-seed-tasks.csv", "taskId", "taskName", task);
    case.emptied("dialpad-seed-tasks.csv", "taskId", "taskName", task);
    case.emptied("dashclicks-seed-tasks.csv", "taskId", "title", task);
    case.emptied("dub-seed-notes.csv", "noteId", "content", note);
    case.emptied("dialpad-seed-notes.csv", "noteId", "content", note);
    case.emptied("dashclicks-seed-notes.csv", "id", "note", note);
    case.emptied("docsend-seed-notes.csv", "noteId", "content", note);
    case.emptied("dext-seed-activity.csv", "noteId", "content", note);
    case.emptied("dext-seed-activity.csv", "taskId", "content", task);
}

#[test]
fn the_files_of_highlevel_itself_come_back_unchanged() {
    let world = exported("highlevel", "");
    let file = "out/highlevel-export.csv";
    // It is known by its header.
    world.run_command(&format!("import {file} --yes --out res")).exits(0).says("unchanged");
    assert_eq!(world.list_writes(), NOTHING);
}

#[test]
fn address_books_come_back_unchanged_and_are_known_by_their_headers() {
    let world = crate::import_world::empty_world();
    world.add_contacts(&[json!({
        "id": AVERY, "firstName": "Zoë", "lastName": "Sample", "email": "zoe@example.com",
        "phone": "+12025550143", "companyName": "ABC Corp", "tags": ["vip", "b"], "city": "Köln",
        "address1": "Domplatz 1", "postalCode": "50667", "country": "DE", "website": "https://abc.example.com",
        "dateOfBirth": 640_828_800_000_i64, "source": "fair",
        "dndSettings": { "Email": { "status": "active", "message": "", "code": "" } },
    })]);
    let systems = ["google-2024", "hubspot", "outlook-web", "outlook-desktop"];
    world
        .run_command(&format!("export --template {} --out out --quiet", systems.join(",")))
        .exits(0);
    let desktop = std::fs::read(world.path("out/outlook-desktop.csv")).unwrap();
    assert!(desktop.windows(5).any(|bytes| bytes == b"\"Zo\xeb\""), "{desktop:?}");
    for system in systems {
        world.control_request("DELETE", "log", &Value::Null);
        world.run_command(&format!("import out/{system}.csv --yes --out res")).exits(0);
        assert_eq!(
            world.count_results(),
            [0, 1, 0, 0, 0],
            "{system}: {:?}",
            world.read_csv("res/plan.csv")
        );
        assert_eq!(world.list_writes(), NOTHING, "{system}");
    }
}

#[test]
fn a_row_of_dexts_activity_is_a_task_if_it_has_a_due_date_or_a_state() {
    let world = crate::import_world::empty_world();
    world.add_contacts(&[avery()]);
    world.write_sheet(
        "in.csv",
        &format!(
            "contactId,taskId,noteId,content,dueDate,completed\n\
             {AVERY},,,Call the bank,2026-05-01T09:00:00Z,\n\
             {AVERY},,,Send the form,2026-05-02T09:00:00Z,true\n\
             {AVERY},,,Prefers e-mail,,\n\
             {AVERY},,,Without a date,,false\n"
        ),
    );
    world.run_import("--preset dext-seed-activity").exits(3).says("a task without a due date");
    assert_eq!(world.count_results(), [3, 0, 1, 0, 0]);
    let avery = world.contact_by_id(AVERY);
    let tasks = avery["tasks"].as_array().unwrap();
    let new: Vec<_> =
        tasks.iter().map(|task| (&task["title"], &task["completed"])).skip(1).collect();
    assert_eq!(
        new,
        [(&json!("Call the bank"), &json!(false)), (&json!("Send the form"), &json!(true))]
    );
    assert_eq!(avery["notes"].as_array().unwrap().len(), 2);
}
