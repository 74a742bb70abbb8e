//! Notes and tasks that do not belong to one contact: those that the seed adds, and those of tests.

use serde_json::{Value, json};

use crate::raw_http::search_tasks;
use crate::world::World;

fn odd() -> World {
    World::with_settings(|settings| settings.odd_records = true)
}

fn notes(world: &World) -> Vec<Value> {
    world.get_control("notes")["notes"].as_array().unwrap().clone()
}

#[test]
fn other_seeded_records_stay_the_same() {
    let (plain, odd) = (World::new(), odd());
    let (few, many) = (notes(&plain), notes(&odd));
    assert!(few.len() < many.len());
    assert_eq!(few[..], many[..few.len()]);
    let own = |world: &World| {
        let tasks = search_tasks(world).into_iter();
        tasks.filter(|task| task["title"] != "Odd task").collect::<Vec<_>>()
    };
    assert_eq!(own(&plain), own(&odd));
    let contacts = |world: &World| crate::raw_http::search_contacts(world, &json!([]));
    assert_eq!(contacts(&plain), contacts(&odd));
}

#[test]
fn seeded_notes_relate_to_two_contacts_or_to_an_opportunity() {
    let world = odd();
    let notes = notes(&world);
    let relations = |note: &Value| note["relations"].as_array().unwrap().clone();
    let two = notes.iter().find(|note| relations(note).len() == 2).unwrap();
    let state = world.get_control("state");
    let lists_it =
        |one: &&Value| one["notes"].as_array().unwrap().iter().any(|note| note["id"] == two["id"]);
    let contacts = state["contacts"].as_array().unwrap().iter().filter(lists_it);
    let listed: Vec<&Value> = contacts.map(|one| &one["contact"]["id"]).collect();
    let related: Vec<Value> =
        relations(two).iter().map(|relation| relation["recordId"].clone()).collect();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|id| related.contains(id)));
    let apart = notes.iter().find(|note| note["contactId"].is_null()).unwrap();
    assert_eq!(relations(apart)[0]["objectKey"], "opportunity");
}

#[test]
fn seeded_tasks_are_deleted_without_contact_or_of_ten_records() {
    let world = odd();
    let tasks = search_tasks(&world);
    let count = |keep: &dyn Fn(&Value) -> bool| tasks.iter().filter(|task| keep(task)).count();
    assert!(count(&|task| task["deleted"] == true) >= 2);
    assert!(count(&|task| task.get("contactId").is_none()) >= 2);
    let ten =
        tasks.iter().find(|task| task["relations"].as_array().is_some_and(|own| own.len() == 10));
    let ten = ten.unwrap();
    assert!(!ten["dueDate"].as_str().unwrap().ends_with("00.000Z"), "{ten}");
    let list = format!("/contacts/{}/tasks", ten["contactId"].as_str().unwrap());
    let own = crate::raw_http::list_rows(&world, &list, "tasks");
    assert!(own.iter().any(|task| task["id"] == ten["_id"]));
    let gone = tasks.iter().find(|task| task["deleted"] == true).unwrap();
    let list = format!("/contacts/{}/tasks", gone["contactId"].as_str().unwrap());
    let own = crate::raw_http::list_rows(&world, &list, "tasks");
    assert!(own.iter().all(|task| task["id"] != gone["_id"]));
}

#[test]
fn a_test_can_add_any_row_to_the_search_of_tasks() {
    let world = World::with_settings(|settings| settings.contacts = 0);
    let row = json!({"title": "raw", "dueDate": 1_757_512_800_123_i64, "deleted": true});
    let made = world.control_request("POST", "tasks", &json!([row]));
    let found = search_tasks(&world);
    assert_eq!((found.len(), &found[0]["_id"]), (1, &made["ids"][0]));
    assert_eq!(found[0]["dueDate"], row["dueDate"]);
}
