//! Undo: what happens to contacts that the import created.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::imported;
use crate::import_world::tag_names;

const NEW: &str = "First Name,Last Name,Email,Tags,Notes\n\
    Avery,Sample,avery@example.com,lead,Met at the fair\n\
    Blake,Testcase,blake@example.com,,\n";

#[test]
fn created_contacts_get_a_tag_and_stay() {
    let (world, _) = imported(&[], NEW, "");
    let before = world.read_contents();
    world.run_undo("").exits(0).says("2 tag created").says("import-undone (2)");
    let avery = world.contact_by_email("avery@example.com");
    assert_eq!(tag_names(&avery), ["lead", "import-undone"]);
    assert_eq!(avery["notes"], before[0]["notes"]);
    assert_eq!(world.planned_undo("1").1, ["tags: lead -> lead; import-undone"]);
    assert_eq!(world.read_csv("undone/succeeded.csv")[1]["_action"], "tag_created");
}

#[test]
fn the_tag_can_be_another_one() {
    let (world, _) = imported(&[], NEW, "");
    world.run_undo("--tag 'To Delete'").exits(0);
    assert_eq!(tag_names(&world.contact_by_email("blake@example.com")), ["to delete"]);
}

#[test]
fn created_contacts_are_kept_when_asked() {
    let (world, _) = imported(&[], NEW, "");
    let before = world.read_contacts();
    world.run_undo("--created keep").exits(0);
    assert_eq!(world.read_contacts(), before);
    assert_eq!(world.read_csv("undone/unchanged.csv")[0]["_reason"], "created contacts are kept");
}

#[test]
fn created_contacts_are_deleted_when_asked_and_the_plan_stores_their_contents() {
    let (world, _) = imported(&[], NEW, "");
    world.run_deleting_undo().exits(0).says("2 delete created");
    assert_eq!(world.read_contacts(), Vec::<Value>::new());
    let (action, changes) = world.planned_undo("1");
    assert_eq!(action, "delete_created");
    assert_eq!(changes[0], "contact: avery@example.com -> deleted");
    for held in ["firstName: Avery -> ", "email: avery@example.com -> ", "tags: lead -> "] {
        assert!(changes.contains(&held.to_owned()), "no `{held}` in {changes:?}");
    }
}

#[test]
fn a_created_contact_that_has_grown_is_tagged_instead_of_deleted_and_named() {
    let edits = [
        ("firstName", json!({"firstName": "Somebody"})),
        ("city", json!({"city": "Bern"})),
        ("tags", json!({"tags": ["lead", "customer"]})),
        ("notes", json!({"__notes": [{"body": "hello"}]})),
        (
            "tasks",
            json!({"__tasks": [{"title": "Call", "dueDate": "2026-01-02T10:00:00.000Z", "completed": false}]}),
        ),
        ("appointments", json!({"__appointments": ["Meeting"]})),
        ("opportunities", json!({"opportunities": [{"id": "o", "status": "open"}]})),
        ("assignedTo", json!({"assignedTo": "user"})),
        ("dnd", json!({"dnd": true})),
        ("additionalEmails", json!({"additionalEmails": ["second@example.com"]})),
    ];
    let mut sheet = "First Name,Email,Tags\n".to_owned();
    for n in 0..=edits.len() {
        writeln!(sheet, "Person,p{n}@example.com,lead").unwrap();
    }
    let (world, _) = imported(&[], &sheet, "");
    for (n, (_, edit)) in edits.iter().enumerate() {
        world.edit_contact(&format!("p{n}@example.com"), edit);
    }
    world.run_deleting_undo().exits(0);
    assert_eq!(world.read_contacts().len(), edits.len(), "the untouched one is deleted, no other");
    let warnings = world.read_csv("undone/warnings.csv");
    for (n, (field, _)) in edits.iter().enumerate() {
        let person = world.contact_by_email(&format!("p{n}@example.com"));
        assert!(tag_names(&person).contains(&"import-undone".to_owned()), "{field}");
        let warned = warnings.iter().find(|it| it["row"] == (n + 1).to_string()).unwrap();
        assert_eq!((&*warned["code"], &*warned["field"]), ("W_EDITED_SINCE", *field));
        assert!(warned["message"].contains("not deleted"), "{warned:?}");
    }
}

#[test]
fn an_edited_note_of_the_import_prevents_the_deletion_of_its_contact() {
    let (world, _) = imported(&[], NEW, "");
    let mut notes = world.contact_by_email("avery@example.com")["notes"].clone();
    notes[0]["body"] = "their own words".into();
    world.edit_contact("avery@example.com", &json!({"__notes": notes}));
    world.run_deleting_undo().exits(0);
    assert_eq!(world.read_contacts().len(), 1);
    assert_eq!(world.contact_by_email("avery@example.com")["notes"][0]["body"], "their own words");
}

#[test]
fn contacts_that_an_undo_has_tagged_can_still_be_deleted_by_another() {
    let (world, _) = imported(&[], NEW, "");
    world.run_undo("").exits(0);
    world.run_deleting_undo().exits(0);
    assert_eq!(world.read_contacts(), Vec::<Value>::new());
}

#[test]
fn importing_the_file_again_recreates_deleted_contacts_with_their_notes() {
    let (world, _) = imported(&[], NEW, "");
    world.run_deleting_undo().exits(0);
    world.run_import("").exits(0);
    assert_eq!(world.read_contacts().len(), 2);
    assert_eq!(world.contact_by_email("avery@example.com")["notes"][0]["body"], "Met at the fair");
}
