//! Deleting in bulk: planned, confirmed by the number, backed up completely first, and never repeated.

mod notes_and_tasks;
mod reconcile_deletions;
mod safeguards;
mod undo_deletion;

use serde_json::{Value, json};

use crate::import_world::empty_world;
use crate::world::{CommandOutput, World};

/// A contact with every kind of data.
fn ann() -> Value {
    json!({
        "email": "ann@example.com", "phone": "+12025550143", "firstName": "Ann", "lastName": "Test",
        "city": "Oslo", "tags": ["vip", "old"], "dnd": false,
        "__notes": [{ "id": "noteNumber1", "body": "met at the fair", "title": "Fair",
                      "dateAdded": "2026-01-02T10:00:00.000Z" }],
        "__tasks": [
            { "id": "taskNumber1", "title": "Call", "body": "soon", "completed": true,
              "dueDate": "2026-02-03T09:00:00.000Z" },
            { "id": "taskNumber2", "title": "Visit", "body": "", "completed": false,
              "dueDate": "2026-03-03T09:00:00.000Z" },
        ],
    })
}

fn named(name: &str) -> Value {
    json!({ "email": format!("{name}@example.com"), "firstName": name })
}

/// A world with Ann, Bob and Eve; gives their ids.
fn three() -> (World, Vec<String>) {
    let world = empty_world();
    let ids = world.add_contacts(&[ann(), named("bob"), named("eve")]);
    (world, ids)
}

impl World {
    /// Runs a deletion of `in.csv` into `res`.
    fn run_deletion(&self, options: &str) -> CommandOutput {
        self.run_command(&format!("import in.csv --mode delete --out res {options}"))
    }

    fn read_emails(&self) -> Vec<String> {
        let all = self.read_contacts();
        let emails = all.iter().map(|it| it["contact"]["email"].as_str().unwrap_or_default());
        let mut emails: Vec<String> = emails.map(str::to_owned).collect();
        emails.sort();
        emails
    }

    fn clear_log(&self) {
        self.control_request("DELETE", "log", &Value::Null);
    }

    /// What `plan.csv` in `res` says of a row, as `field: old -> new`.
    fn plan_lines(&self, row: &str) -> Vec<String> {
        let plan = self.read_csv("res/plan.csv");
        let lines = plan.iter().filter(|line| line["row"] == row);
        lines.map(|it| format!("{}: {} -> {}", it["field"], it["old"], it["new"])).collect()
    }
}

#[test]
fn contacts_are_deleted_by_id_address_or_number() {
    let (world, ids) = three();
    world.write_sheet(
        "in.csv",
        &format!(
            "Contact Id,Email,Phone,City\n{},,,Rome\n,BOB@example.com,,\n,,(202) 555-0143,x\n",
            ids[2]
        ),
    );
    world.run_deletion("--confirm-delete 3").exits(0).says("3 contacts with 1 note and 2 tasks");
    assert!(world.read_contacts().is_empty());
    assert_eq!(world.count_results(), [3, 0, 0, 0, 0]);
    let mut writes = world.list_writes();
    writes.sort();
    let mut expected: Vec<_> = ids.iter().map(|id| format!("DELETE /contacts/{id}")).collect();
    expected.sort();
    assert_eq!(writes, expected);
    let warnings = world.read_csv("res/warnings.csv");
    let told = warnings.iter().find(|it| it["code"] == "W_IGNORED_COLUMNS").unwrap();
    assert!(told["message"].contains("`City`"), "{told:?}");
}

#[test]
fn the_plan_shows_who_goes_and_what_goes_with_them() {
    let (world, ids) = three();
    world.write_sheet("in.csv", "Email\nann@example.com\n");
    let done = world.run_deletion("--dry-run").exits(0);
    done.says("delete contacts").says("1 contact with 1 note and 2 tasks").says("opportunities");
    assert_eq!(
        world.plan_lines("1"),
        [
            format!("contact: {} -> deleted", ids[0]),
            "name: Ann Test -> ".to_owned(),
            "email: ann@example.com -> ".to_owned(),
            "phone: +12025550143 -> ".to_owned(),
            "notes: 1 -> 0".to_owned(),
            "tasks: 2 -> 0".to_owned(),
        ]
    );
    assert_eq!(world.list_writes(), [] as [String; 0]);
}

#[test]
fn the_same_contact_twice_is_one_deletion_and_a_missing_contact_is_no_deletion() {
    let (world, ids) = three();
    world.write_sheet(
        "in.csv",
        &format!(
            "Id,Email\n{},\n,ann@example.com\n,nobody@example.com\nTESTnobodyAtAll00001,\n",
            ids[0]
        ),
    );
    world.run_deletion("--map Id=contactId --confirm-delete 1").exits(0).says("2 already gone");
    assert_eq!(world.read_emails(), ["bob@example.com", "eve@example.com"]);
    assert_eq!(world.count_results(), [2, 2, 0, 0, 0]);
    assert!(world.plan_lines("2")[0].contains("record 1 (line 2) deletes the same contact"));
    world.clear_log();
    world.run_deletion("--map Id=contactId").exits(0);
    assert_eq!(world.count_results(), [0, 4, 0, 0, 0]);
    assert_eq!(world.list_writes(), [] as [String; 0]);
}

#[test]
fn a_row_that_could_mean_two_contacts_deletes_neither() {
    let world = World::with_settings(|settings| {
        settings.contacts = 0;
        settings.allow_duplicates = true;
    });
    let ids = world.add_contacts(&[
        json!({"email": "ann@example.com"}),
        json!({"email": "ann@example.com", "phone": "+12025550143"}),
        json!({"email": "bob@example.com", "additionalEmails": ["second@example.com"]}),
    ]);
    world.write_sheet(
        "in.csv",
        &format!(
            "Id,Email,Phone\n,ann@example.com,\n{},bob@example.com,\n,second@example.com,\n,bob@example.com,+12025550143\n",
            ids[0]
        ),
    );
    world.run_deletion("--map Id=contactId --yes").exits(3);
    let rejected = world.read_csv("res/rejected.csv");
    let codes: Vec<_> = rejected.iter().map(|row| row["_reject_code"].as_str()).collect();
    assert_eq!(
        codes,
        ["R_AMBIGUOUS_MATCH", "R_TWO_CONTACTS", "R_SECONDARY_EMAIL", "R_TWO_CONTACTS"]
    );
    assert_eq!(world.list_writes(), [] as [String; 0]);
}

#[test]
fn a_single_address_that_two_contacts_have_deletes_neither() {
    // So few rows are looked up one by one, and the server names only one.
    let world = World::with_settings(|settings| {
        settings.contacts = 0;
        settings.allow_duplicates = true;
    });
    world.add_contacts(&[json!({"email": "ann@example.com"}), json!({"email": "ann@example.com"})]);
    world.write_sheet("in.csv", "Email\nann@example.com\n");
    world.run_deletion("--confirm-delete 1").exits(3);
    assert_eq!(world.read_contacts().len(), 2);
}

#[test]
fn a_whole_export_can_be_deleted_from_its_own_file() {
    let world = World::new();
    world.run_command("export --format csv --out out").exits(0);
    let sheet = std::fs::read_to_string(world.path("out/contacts.csv")).unwrap();
    world.write_sheet("in.csv", &sheet);
    world.run_deletion("--confirm-delete 60").exits(0);
    assert!(world.read_contacts().is_empty());
    assert_eq!(world.count_results(), [60, 0, 0, 0, 0]);
}
