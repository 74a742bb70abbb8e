//! `watch --due`: reminders of tasks that fall due.

use serde_json::{Value, json};

use super::watch_world::sorted_types;
use crate::world::World;

fn in_hours(hours: i64) -> String {
    let time = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
    time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

fn task(id: &str, due: &str, completed: bool) -> Value {
    json!({"id": id, "title": id, "dueDate": due, "completed": completed})
}

/// Which tasks a watch reminds of.
fn reminded(world: &World) -> Vec<String> {
    let events = world.watch_once("--events task.due --due 2h");
    assert!(events.iter().all(|event| event["type"] == "task.due"), "{events:?}");
    events.iter().map(|event| event["data"]["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_task_is_reminded_of_once_before_it_is_due() {
    let world = World::new();
    let soon = in_hours(1);
    let id = world.add_contact(&json!({"firstName": "Ann", "__tasks": [
        task("soon", &soon, false),
        task("later", &in_hours(5), false),
        task("done", &in_hours(1), true),
        task("past", &in_hours(-5), false),
    ]}));
    assert_eq!(reminded(&world), ["soon"]);
    assert!(reminded(&world).is_empty());
    // Moved to a time that is within the two hours.
    world.edit_by_id(
        &id,
        &json!({"__tasks": [
            task("soon", &soon, false), task("later", &in_hours(1), false),
        ]}),
    );
    assert_eq!(reminded(&world), ["later"]);
    assert!(reminded(&world).is_empty());
}

#[test]
fn a_task_that_gets_another_date_is_reminded_of_again() {
    let world = World::new();
    let first = in_hours(1);
    let id = world.add_contact(&json!({"firstName": "Ann", "__tasks": [task("t", &first, false)]}));
    assert_eq!(reminded(&world), ["t"]);
    let later = (first.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_mins(5))
        .to_string();
    world.edit_by_id(&id, &json!({"__tasks": [task("t", &later, false)]}));
    assert_eq!(reminded(&world), ["t"]);
}

#[test]
fn a_reminder_comes_after_the_events_about_its_task() {
    let world = World::new();
    let id = world.add_contact(&json!({"firstName": "Ann"}));
    world.watch_once("--due 2h");
    world.edit_by_id(&id, &json!({"__tasks": [task("t", &in_hours(1), false)]}));
    let events = world.watch_once("--due 2h");
    assert_eq!(sorted_types(&events), ["contact.updated", "task.created", "task.due"]);
    assert_eq!(events[2]["type"], "task.due");
    world.delete_by_id(&id);
    let events = world.watch_once("--due 2h");
    assert_eq!(sorted_types(&events), ["contact.deleted", "task.deleted"]);
}
