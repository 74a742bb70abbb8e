//! `--tasks-every`: all tasks are read when they are due, whether or not everything else is.

use serde_json::json;

use super::sync_world::changes;
use crate::raw_http::RawClient;
use crate::world::World;

fn add_silent_task(world: &World, contact: &str) {
    let task = json!({"title": "silent", "dueDate": "2027-01-01T00:00:00Z", "completed": false});
    let answer = RawClient::new(world.url()).send_request(
        "POST",
        &format!("/contacts/{contact}/tasks"),
        &task,
    );
    assert_eq!(answer.status, 201, "{:?}", answer.body);
}

#[test]
fn all_tasks_are_read_when_they_are_due_between_walks() {
    let world = World::new();
    world.sync("");
    add_silent_task(&world, &world.contact_id(7));
    assert_eq!(changes(&world.sync("--tasks-every 1h"), "tasks"), [0, 0, 0]);
    let sent = world.requests_of(|| {
        let summary = world.sync("--tasks-every 0s");
        assert_eq!((&summary["read"], changes(&summary, "tasks")), (&json!("newest"), [1, 0, 0]));
    });
    // The search for tasks has no total: an empty page ends it.
    assert_eq!(sent, 3);
    assert_eq!(world.requests_of(|| drop(world.sync("--tasks-every 1h"))), 1);
}

#[test]
fn a_walk_reads_only_tasks_of_changed_contacts_until_all_are_due() {
    let world = World::new();
    world.sync("");
    let contact = world.contact_id(7);
    add_silent_task(&world, &world.contact_id(8));
    world.edit_by_id(&contact, &json!({"city": "Ghent", "__tasks": [{"title": "new"}]}));
    let summary = world.sync("--walk-every 0s --tasks-every 1h");
    assert_eq!(
        (&summary["read"], &summary["changes"]["tasks"]["added"]),
        (&json!("walk"), &json!(1))
    );
    let before = summary["tasks_read"].clone();
    let summary = world.sync("--walk-every 0s");
    assert_eq!(summary["changes"]["tasks"]["added"], 1);
    assert_ne!(summary["tasks_read"], before);
}

#[test]
fn tasks_that_were_deleted_are_found_when_all_are_read_and_none_by_an_empty_list() {
    let world = World::new();
    let before = world.sync("");
    world.control_request("POST", "faults", &json!(["POST /locations/*/tasks/search rows=0"]));
    assert_eq!(world.sync("--tasks-every 0s")["rows"], before["rows"]);
    world.control_request("DELETE", "faults", &serde_json::Value::Null);
    let contacts = world.account_contacts();
    let row = contacts.iter().find(|row| !row["tasks"].as_array().unwrap().is_empty()).unwrap();
    let (contact, task) = (&row["contact"]["id"], &row["tasks"][0]["id"]);
    let path = format!("/contacts/{}/tasks/{}", contact.as_str().unwrap(), task.as_str().unwrap());
    let answer =
        RawClient::new(world.url()).send_request("DELETE", &path, &serde_json::Value::Null);
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(changes(&world.sync("--tasks-every 0s"), "tasks"), [0, 0, 1]);
}

#[test]
fn a_token_that_may_not_search_for_tasks_leaves_them_to_the_walk() {
    let world = World::new();
    let before = world.sync("");
    let world = world.with_env("GHL_TOKEN", "pit-sandbox-without:locations/tasks.readonly");
    world
        .edit_by_id(&world.contact_id(7), &json!({"city": "Ghent", "__tasks": [{"title": "new"}]}));
    let summary = world.sync("--tasks-every 0s");
    assert_eq!(summary["changes"]["tasks"]["added"], 1);
    assert_eq!(summary["tasks_read"], before["tasks_read"]);
}
