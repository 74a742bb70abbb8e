//! One contact, as the account has it and as the mirror has seen it; and the mirrors themselves.

mod history;
mod mirror_command;
mod show;

use serde_json::{Value, json};

use crate::world::{CommandOutput, World};

/// The id of the contact that the tests look at.
const ADA: &str = "adaLovelace000000001";

/// Adds a contact with a note and a task, whose owner is a user of the location.
fn add_ada(world: &World) {
    let users = json!([{ "id": "userGrace00000000001", "name": "Grace Hopper" }]);
    world.control_request("PUT", "users", &users);
    world.add_contact(&json!({
        "id": ADA,
        "firstName": "Ada",
        "lastName": "Lovelace",
        "email": "Ada@example.com",
        "phone": "+12025550143",
        "city": "London",
        "tags": ["vip", "maths"],
        "assignedTo": "userGrace00000000001",
        "dateAdded": "2026-11-01T12:00:00.000Z",
        "__notes": [{ "id": "note1", "body": "first\nsecond", "dateAdded": "2026-11-02T12:00:00.000Z" }],
        "__tasks": [{ "id": "task1", "title": "Call", "dueDate": "2026-12-24T15:00:00.000Z" }],
    }));
}

/// Asserts that a text for people fits a page and has this line.
#[track_caller]
fn has_lines(output: &CommandOutput, lines: &[&str]) {
    for line in output.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for line in lines {
        let is_there = output.stdout.lines().any(|it| it.trim() == *line);
        assert!(is_there, "no line `{line}` in:\n{}", output.stdout);
    }
}

/// The names of an object's members.
fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}
