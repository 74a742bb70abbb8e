//! Custom templates whose rows of tasks and notes contain columns of their contacts.

use serde_json::{Value, json};

use super::{Sheet, own_preset, with_presets};
use crate::import_world::empty_world;
use crate::world::World;

const TASKS: &str = r#"
title = "Tasks of our desk"
entity = "tasks"
format = 1

[[column]]
from = "Mail"
to = "email"

[[column]]
from = "Task"
to = "task.title"

[[column]]
from = "Id"
to = "task.id"

[template]
system = "desk"
columns = ["Mail", "Person", "Groups", "Task", "Id"]

[[template.column]]
name = "Person"
fill = ["name", "companyName"]

[[template.column]]
name = "Groups"
fill = "tags"
"#;

fn world() -> World {
    let world = with_presets(empty_world());
    own_preset(&world, "desk-tasks", TASKS);
    let task = |title: &str| json!({ "title": title, "dueDate": "2026-03-01T09:00:00.000Z", "completed": false });
    world.add_contacts(&[
        json!({
            "email": "avery@example.com", "firstName": "Avery", "lastName": "Sample", "tags": ["vip", "b; c"],
            "__tasks": [task("Call"), task("=Write")],
        }),
        json!({ "email": "shop@example.com", "companyName": "ABC Corp", "__tasks": [task("Visit")] }),
        json!({ "email": "nobody@example.com" }),
    ]);
    world
}

#[test]
fn a_task_says_the_address_the_name_and_the_tags_of_its_contact() {
    let world = world();
    world.run_command("export --template desk --out out").exits(0);
    assert_eq!(world.list_files("out"), ["desk-tasks.csv", "manifest.json"]);
    let sheet = Sheet::read(&world, "out/desk-tasks.csv");
    assert_eq!(sheet.rows.len(), 3);
    let call = sheet.find("Task", "Call");
    assert_eq!((call["Mail"], call["Person"]), ("avery@example.com", "Avery Sample"));
    assert_eq!(call["Groups"], r#"["vip","b; c"]"#);
    assert_eq!(sheet.find("Task", "'=Write")["Mail"], "avery@example.com");
    assert_eq!(sheet.find("Task", "Visit")["Person"], "ABC Corp");
}

#[test]
fn a_task_file_is_imported_by_the_contact_s_address() {
    let world = world();
    world.run_command("export --template desk-tasks --out out --quiet").exits(0);
    world.control_request("DELETE", "log", &Value::Null);
    let untouched = "import out/desk-tasks.csv --yes --out res --preset desk-tasks --ignore-column Person --ignore-column Groups";
    world.run_command(untouched).exits(0);
    assert_eq!(world.list_writes(), [] as [&str; 0]);
    let mut sheet = Sheet::read(&world, "out/desk-tasks.csv");
    let (task, id) = (sheet.column("Task"), sheet.column("Id"));
    let row = sheet.rows.iter_mut().find(|row| row[task] == "Visit").unwrap();
    "Visit them".clone_into(&mut row[task]);
    let id = row[id].clone();
    sheet.write(&world, "in.csv");
    world.run_import("--preset desk-tasks --ignore-column Person --ignore-column Groups").exits(0);
    let owner =
        world.contact_by_email("shop@example.com")["contact"]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.list_writes(), [format!("PUT /contacts/{owner}/tasks/{id}")]);
}

#[test]
fn a_preset_of_one_s_own_with_an_error_names_file_and_line() {
    let world = world();
    own_preset(&world, "broken", &TASKS.replace("system = \"desk\"", "sistem = \"desk\""));
    world
        .run_command("export --template broken --out out")
        .exits(4)
        .says("broken.toml")
        .says("line 19: `[template]` has no key `sistem` (did you mean `system`?)");
    // It does not affect other presets.
    world.run_command("export --template dext-seed-tags --out out").exits(0);
}
