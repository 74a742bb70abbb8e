//! What has changed since the last sync is found.

use serde_json::json;

use super::sync_world::changes;
use crate::world::World;

#[test]
fn edits_and_new_contacts_are_found_with_one_search() {
    let world = World::new();
    world.sync("");
    let edited = world.contact_id(7);
    world.edit_by_id(&edited, &json!({"city": "Ghent", "tags": ["moved"]}));
    let added = world.add_contact(&json!({"firstName": "New", "email": "new@example.net"}));
    let summary = world.sync("");
    assert_eq!(changes(&summary, "contacts"), [1, 1, 0]);
    assert_eq!(summary["deletions"], "counted");
    let rows = world.mirror_rows("contacts");
    assert_eq!(rows[&edited]["city"], "Ghent");
    assert_eq!(rows[&added]["email"], "new@example.net");
    assert_eq!(rows.len(), 61);
}

#[test]
fn a_deleted_contact_is_found_by_the_count_and_confirmed() {
    let world = World::with_settings(|settings| settings.contacts = 3_000);
    world.sync("");
    let gone = world.contact_id(1_234);
    world.delete_by_id(&gone);
    let requests = world.requests_of(|| {
        let summary = world.sync("");
        assert_eq!(changes(&summary, "contacts"), [0, 0, 1]);
        assert_eq!(summary["deletions"], "counted");
    });
    assert!(requests <= 8, "{requests}");
    assert_eq!(world.sync("")["rows"]["contacts"], 2_999);
}

#[test]
fn notes_and_tasks_of_a_contact_that_moved_are_read() {
    let world = World::new();
    world.sync("");
    let id = world.contact_id(3);
    let children = json!({
        "city": "Ghent",
        "__notes": [{"body": "a new note"}],
        "__tasks": [{"title": "a new task", "dueDate": "2027-01-01T00:00:00.000Z"}],
    });
    let before = world.account_contacts()[3].clone();
    world.edit_by_id(&id, &children);
    let summary = world.sync("");
    let count = |what: &str| before[what].as_array().unwrap().len() as u64;
    assert_eq!(changes(&summary, "notes"), [1, 0, count("notes")]);
    assert_eq!(changes(&summary, "tasks"), [1, 0, count("tasks")]);
}

#[test]
fn notes_and_tasks_of_a_deleted_contact_are_deleted_with_it() {
    let world = World::new();
    world.sync("");
    let contacts = world.account_contacts();
    let has_both = |row: &&serde_json::Value| {
        ["notes", "tasks"].iter().all(|what| !row[what].as_array().unwrap().is_empty())
    };
    let row = contacts.iter().find(has_both).unwrap();
    world.delete_by_id(row["contact"]["id"].as_str().unwrap());
    let summary = world.sync("");
    let count = |what: &str| row[what].as_array().unwrap().len() as u64;
    assert_eq!(changes(&summary, "contacts"), [0, 0, 1]);
    assert_eq!(changes(&summary, "notes"), [0, 0, count("notes")]);
    assert_eq!(changes(&summary, "tasks"), [0, 0, count("tasks")]);
}

#[test]
fn a_deleted_contact_that_comes_back_is_there_again() {
    let world = World::new();
    world.sync("");
    let row = world.account_contacts()[7]["contact"].clone();
    let id = row["id"].as_str().unwrap();
    world.delete_by_id(id);
    assert_eq!(changes(&world.sync(""), "contacts"), [0, 0, 1]);
    let mut back = row.clone();
    back["dateUpdated"] = json!(jiff::Timestamp::now().to_string());
    world.add_contact(&back);
    let summary = world.sync("");
    assert_eq!(changes(&summary, "contacts"), [1, 0, 0]);
    assert_eq!(summary["rows"]["contacts"], 60);
}

#[test]
fn a_change_that_moves_no_date_is_found_when_everything_is_read() {
    // More than the first page of the search, which shows 500.
    let world = World::with_settings(|settings| settings.contacts = 600);
    world.sync("");
    let contacts = world.account_contacts();
    let rows = contacts.iter().map(|row| &row["contact"]);
    let oldest = rows.min_by_key(|row| row["dateUpdated"].as_str().unwrap().to_owned()).unwrap();
    let id = oldest["id"].as_str().unwrap();
    world.edit_by_id(id, &json!({"__silent": true, "source": "silent", "__notes": []}));
    assert_eq!(changes(&world.sync(""), "contacts"), [0, 0, 0]);
    let walked = world.sync("--walk-every 0s");
    assert_eq!(walked["read"], "walk");
    assert_eq!((changes(&walked, "contacts"), &walked["silent_changes"]), ([0, 1, 0], &json!(1)));
    world.run_command("sync").exits(0).says("found when everything is read again");
}

#[test]
fn a_change_with_a_new_date_is_not_silent() {
    let world = World::new();
    world.sync("");
    world.edit_by_id(&world.contact_id(3), &json!({"city": "Ghent"}));
    let walked = world.sync("--full");
    assert_eq!((changes(&walked, "contacts"), &walked["silent_changes"]), ([0, 1, 0], &json!(0)));
}

#[test]
fn custom_fields_and_tags_follow_when_everything_is_read() {
    let world = World::new();
    world.sync("");
    world.control_request(
        "PUT",
        "customFields",
        &json!([
            {"id": "f1", "name": "Only field", "fieldKey": "contact.only", "dataType": "TEXT", "model": "contact"},
        ]),
    );
    let summary = world.sync("--full");
    assert_eq!(summary["rows"]["custom_fields"], 1);
}

#[test]
fn an_edit_of_nearly_all_contacts_is_read_by_a_walk() {
    let world = World::with_settings(|settings| settings.contacts = 2_100);
    world.sync("");
    let fault = "POST /contacts/search set=dateUpdated:\"2099-01-01T00:00:00.000Z\"";
    world.control_request("POST", "faults", &json!([fault]));
    let requests = world.requests_of(|| {
        let summary = world.sync("");
        assert_eq!(summary["read"], "walk");
        assert_eq!(changes(&summary, "contacts"), [0, 2_100, 0]);
    });
    assert!(requests < 500, "{requests}");
}
