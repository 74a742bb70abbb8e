//! Notes and tasks: as columns of contacts, and as files of their own.

use serde_json::{Value, json};

use crate::people::empty;
use crate::world::World;

/// A location with one person.
fn world() -> (World, String) {
    let world = empty();
    let ids = world.add(&[json!({
        "email": "a@example.com", "phone": "+12025550143", "firstName": "Ann",
        "__notes": [{"id": "noteOne0000000000001", "body": "old"}],
        "__tasks": [{"id": "taskOne0000000000001", "title": "Old", "dueDate": "2026-12-01T09:00:00.000Z", "completed": false}],
    })]);
    let id = ids[0].clone();
    (world, id)
}

fn bodies(person: &Value) -> Vec<String> {
    let notes = person["notes"].as_array().unwrap().iter();
    let mut bodies: Vec<_> = notes.map(|note| note["body"].as_str().unwrap().to_owned()).collect();
    bodies.sort();
    bodies
}

#[test]
fn a_file_of_notes_finds_its_people_by_id_email_or_phone() {
    let (world, id) = world();
    world.sheet(
        "in.csv",
        &format!("contactId,email,phone,note\n{id},,,by id\n,a@example.com,,by mail\n,,+12025550143,by phone\n,nobody@example.com,,lost\n"),
    );
    world.import("").exits(3);
    assert_eq!(bodies(&world.person("a@example.com")), ["by id", "by mail", "by phone", "old"]);
    assert_eq!(world.table("res/rejected.csv")[0]["_reject_code"], "R_NOT_FOUND");
    assert_eq!(world.account().len(), 1, "a note has made a contact");
}

#[test]
fn a_note_with_an_id_is_changed_and_one_that_is_the_same_is_left() {
    let (world, id) = world();
    let sheet = format!("contactId,noteId,content\n{id},noteOne0000000000001,new text\n");
    world.sheet("in.csv", &sheet);
    world.import("--preset dub-seed-notes").exits(0);
    assert_eq!(bodies(&world.person("a@example.com")), ["new text"]);
    world.control("DELETE", "log", &Value::Null);
    world.import("--preset dub-seed-notes").exits(0);
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[test]
fn the_same_file_of_notes_twice_writes_them_once() {
    let (world, id) = world();
    world.sheet("in.csv", &format!("contactId,note\n{id},call\n{id},call\n"));
    world.import("").exits(0);
    assert_eq!(bodies(&world.person("a@example.com")), ["call", "call", "old"]);
    world.import("").exits(0);
    assert_eq!(bodies(&world.person("a@example.com")), ["call", "call", "old"]);
}

#[test]
fn a_note_s_date_goes_into_its_text_when_asked() {
    let (world, id) = world();
    world.sheet(
        "in.csv",
        &format!("contactId,content,createdAt,noteId\n{id},met,2026-02-01T10:00:00Z,\n"),
    );
    world.import("--preset dub-seed-notes --note-date prefix").exits(0);
    assert_eq!(bodies(&world.person("a@example.com")), ["[2026-02-01] met", "old"]);
}

#[test]
fn tasks_are_created_changed_and_completed() {
    let (world, id) = world();
    world.sheet(
        "in.csv",
        &format!(
            "contactId,taskId,title,status,dueDate,priority\n\
             {id},,Call,pending,2026-12-24T10:00:00Z,high\n\
             {id},taskOne0000000000001,Old,done,2026-12-01T09:00:00Z,\n"
        ),
    );
    world.import("--preset dashclicks-seed-tasks").exits(0);
    let person = world.person("a@example.com");
    let tasks = person["tasks"].as_array().unwrap();
    let task = |title: &str| tasks.iter().find(|task| task["title"] == title).unwrap();
    assert_eq!(tasks.len(), 2);
    assert_eq!(task("Call")["body"], "Priority: high");
    assert_eq!(task("Old")["completed"], true);
    assert!(
        world.writes().iter().any(|write| write.ends_with("/completed")),
        "a task that is only completed has an endpoint of its own: {:?}",
        world.writes()
    );
}

#[test]
fn a_row_s_notes_and_task_go_to_the_contact_that_it_makes() {
    let world = empty();
    world.sheet(
        "in.csv",
        "Email,City,First note,Second note,To do,Until\nnew@example.com,Rome,one,two,Call,2026-12-24\n",
    );
    let rules = "--map 'First note=note' --map 'Second note=note' --map 'To do=task.title' --map Until=task.dueDate";
    world.import(rules).exits(0);
    let person = world.person("new@example.com");
    assert_eq!(bodies(&person), ["one", "two"]);
    assert_eq!(person["tasks"][0]["title"], "Call");
    assert_eq!(person["tasks"][0]["completed"], false);
}
