//! Files of tasks that name no contacts: these are found by the task search.

use serde_json::{Value, json};

use crate::import_world::empty_world;
use crate::world::World;

/// A world with contacts that have a task each, which is not completed: `TESTtask000000000000`, and so on.
fn world_with_tasks(count: usize) -> World {
    let world = empty_world();
    let contacts: Vec<Value> = (0..count)
        .map(|n| {
            json!({"email": format!("p{n}@example.net"), "__tasks": [
                { "id": task_id(n), "title": "Call", "body": "about it", "completed": false,
                  "dueDate": "2026-12-01T09:00:00.000Z" },
                { "id": format!("TESTmore{n:012}"), "title": "Other", "completed": false,
                  "dueDate": "2026-12-01T09:00:00.000Z" },
            ]})
        })
        .collect();
    world.add_contacts(&contacts);
    world
}

fn task_id(n: usize) -> String {
    format!("TESTtask{n:012}")
}

/// The ids of the completed tasks, in order.
fn completed(world: &World) -> Vec<String> {
    let mut ids = Vec::new();
    for person in world.read_contacts() {
        for task in person["tasks"].as_array().unwrap() {
            if task["completed"] == true {
                ids.push(task["id"].as_str().unwrap().to_owned());
            }
            assert!(["Call", "Other"].contains(&task["title"].as_str().unwrap()), "{task}");
        }
    }
    ids.sort();
    ids
}

/// How many requests were sent to a path that ends like this.
fn count_requests(world: &World, end: &str) -> usize {
    let log = world.get_control("log");
    let entries = log["entries"].as_array().unwrap().iter();
    entries.filter(|entry| entry["path"].as_str().unwrap_or_default().ends_with(end)).count()
}

#[test]
fn a_file_of_task_ids_and_states_changes_just_these_tasks() {
    for header in [
        "taskId,completed",
        "task_id,completed",
        "Task ID,Task Status",
        "id,completed",
        "completed,id",
    ] {
        let world = world_with_tasks(3);
        let [one, two] = [0, 2].map(task_id);
        let text = if header.starts_with('c') {
            format!("{header}\ntrue,{one}\nfalse,{}\ntrue,{two}\n", task_id(1))
        } else {
            format!("{header}\n{one},true\n{},false\n{two},true\n", task_id(1))
        };
        world.write_sheet("in.csv", &text);
        world.run_import("").exits(0);
        assert_eq!(completed(&world), [one, two], "{header}");
        assert_eq!(world.count_results(), [2, 1, 0, 0, 0], "{header}");
        assert_eq!(world.read_contacts().len(), 3);
        let writes = world.list_writes();
        assert_eq!(writes.len(), 2, "{writes:?}");
    }
}

#[test]
fn a_preset_of_tasks_takes_the_same_file() {
    let world = world_with_tasks(2);
    world.write_sheet("in.csv", &format!("id,completed\n{},true\n", task_id(1)));
    world.run_import("--preset ghl-bulk-tasks").exits(0);
    assert_eq!(completed(&world), [task_id(1)]);
    world.write_sheet("in.csv", &format!("taskId,status\n{},completed\n", task_id(0)));
    world.run_import("--preset dashclicks-seed-tasks").exits(0);
    assert_eq!(completed(&world), [0, 1].map(task_id));
}

#[test]
fn a_task_that_does_not_exist_is_named_and_nothing_is_created() {
    for mode in ["", "--mode create", "--mode update"] {
        let world = world_with_tasks(1);
        let text = format!("taskId,completed\nTESTtaskGone,true\n{},true\n", task_id(0));
        world.write_sheet("in.csv", &text);
        world.run_import(mode).exits(3);
        let rejected = world.read_csv("res/rejected.csv");
        assert_eq!(rejected.len(), 1, "{mode}: {rejected:?}");
        assert_eq!(rejected[0]["_reject_code"], "R_NOT_FOUND");
        assert!(rejected[0]["_reject_reason"].contains("no task `TESTtaskGone`"), "{rejected:?}");
        assert_eq!(world.read_contacts().len(), 1);
    }
}

#[test]
fn a_dry_run_of_tasks_writes_nothing_and_the_tasks_of_many_rows_take_few_searches() {
    let world = world_with_tasks(150);
    let rows: Vec<String> = (0..150).map(|n| format!("{},yes\n", task_id(n))).collect();
    world.write_sheet("in.csv", &format!("taskId,completed\n{}", rows.concat()));
    world.run_import("--dry-run").exits(0);
    assert!(world.list_writes().is_empty());
    assert!(completed(&world).is_empty());
    assert_eq!(count_requests(&world, "/tasks/search"), 1);
    world.run_import("").exits(0);
    assert_eq!(completed(&world).len(), 150);
}

#[test]
fn an_empty_cell_in_the_column_of_states_changes_nothing() {
    let world = world_with_tasks(1);
    world.write_sheet("in.csv", &format!("taskId,completed\n{},\n", task_id(0)));
    world.run_import("").exits(0);
    assert!(world.list_writes().is_empty());
}

#[test]
fn a_token_that_may_not_search_tasks_is_said_so() {
    let world = world_with_tasks(1);
    world.control_request("POST", "faults", &json!(["POST /locations/*/tasks/search no-scope"]));
    world.write_sheet("in.csv", &format!("taskId,completed\n{},true\n", task_id(0)));
    world.run_import("").exits(8).says("locations/tasks.readonly");
    assert!(world.list_writes().is_empty());
}
