//! A list that is down for long costs its own rows and exit code 3, not the export.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::export_files::{ExportFiles, read_errors_csv};
use crate::world::World;

const EXPORT: &str = "export --format jsonl --out out";
const RETRY: &str = "resume --retry-errors";
const TASK_SEARCH: &str = "POST /locations/{id}/tasks/search";

fn end_faults(world: &World) {
    world.control_request("DELETE", "faults", &Value::Null);
}

fn missing_lists(world: &World) -> BTreeSet<String> {
    let manifest = world.read_json("out/manifest.json");
    assert_eq!(manifest["complete"], false);
    let missing = manifest["missing"].as_array().unwrap().iter();
    missing.map(|one| one["list"].as_str().unwrap().to_owned()).collect()
}

/// Asserts that each task of the account was exported once.
#[track_caller]
fn assert_all_tasks(world: &World) {
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap().iter();
    let tasks: usize = contacts.map(|one| one["tasks"].as_array().unwrap().len()).sum();
    let rows = world.read_rows("out/tasks.jsonl");
    let ids: BTreeSet<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!((rows.len(), ids.len()), (tasks, tasks));
    assert!(rows.iter().all(|row| row["contact_id"].is_string()));
}

fn count_requests(world: &World, route: &str) -> u64 {
    world.read_json("out/manifest.json")["requests"][route].as_u64().unwrap_or(0)
}

#[test]
fn lists_that_are_down_are_told_and_read_once_they_are_back() {
    let world = World::with_faults(&[
        "GET /locations/* status=503",
        "GET /locations/*/customFields status=500",
        "GET /locations/*/tags blank",
        "GET /users status=502",
    ]);
    let done = world.run_command(EXPORT).exits(3);
    let lists = ["custom_fields", "location", "tags", "users"];
    let done = done.says("the location cannot be read").says("`users` cannot be read");
    done.says("in the column `extra`, by the ids of their fields").says("--retry-errors");
    assert_eq!(missing_lists(&world), lists.map(str::to_owned).into());
    let errors = read_errors_csv(&world, "out");
    let told: BTreeSet<&str> = errors.iter().map(|line| line["table"].as_str()).collect();
    assert_eq!(told, lists.into());
    assert!(errors.iter().all(|line| line["subject"] == "*" && line["code"] == "no_answer"));
    assert!(errors.iter().all(|line| line["message"].contains("; without it ")), "{errors:?}");
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), 60);
    end_faults(&world);
    world.run_command(RETRY).exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn a_list_that_is_back_at_the_end_is_not_missing() {
    let world = World::with_faults(&[
        "GET /users status=503 times=8",
        "GET /locations/*/customFields status=503 times=9",
    ]);
    world.run_command(EXPORT).exits(0).says("requested once more at the end");
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn where_everything_is_down_the_run_ends_and_is_resumed() {
    let world = World::with_faults(&["* /** status=503"]);
    let done = world.run_command(EXPORT).exits(2).says("after 8 attempts");
    done.says("resume: ghl-bulk resume ");
    assert_eq!(world.get_control("log")["requests"], 8 + 2);
    end_faults(&world);
    world.run_command(&format!("resume {}", world.only_run_id())).exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn calendars_that_are_down_cost_the_appointments_until_they_are_back() {
    let world = World::with_faults(&["GET /calendars status=503"]);
    let export = format!("{EXPORT} --with appointments");
    world.run_command(&export).exits(3).says("without it appointments are missing");
    assert_eq!(missing_lists(&world), ["calendars".to_owned()].into());
    assert_eq!(world.read_rows("out/appointments.jsonl").len(), 0);
    end_faults(&world);
    // The calendars are back before their events.
    world.control_request("POST", "faults", &json!(["GET /calendars/events status=503 times=8"]));
    world.run_command(RETRY).exits(3);
    assert_eq!(missing_lists(&world), ["appointments".to_owned()].into());
    end_faults(&world);
    world.run_command(RETRY).exits(0);
    let undisturbed = World::new();
    undisturbed.run_command(&export).exits(0);
    ExportFiles::read_from(&undisturbed, "out").assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn tasks_are_read_contact_by_contact_where_their_search_stays_down() {
    let world = World::with_faults(&["POST /locations/*/tasks/search status=503"]);
    let done = world.run_command(EXPORT).exits(0);
    done.says("`tasks` cannot be read").says("tasks are read contact by contact");
    assert_all_tasks(&world);
    assert_eq!(count_requests(&world, TASK_SEARCH), 8 + 2);
}

#[test]
fn tasks_of_listed_contacts_are_read_one_by_one_where_their_search_goes_down() {
    let world = World::with_faults(&["POST /locations/*/tasks/search status=503 after=1"]);
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap().iter();
    let ids: Vec<&str> = contacts.map(|one| one["contact"]["id"].as_str().unwrap()).collect();
    std::fs::write(world.path("list.txt"), ids.join("\n")).unwrap();
    let export = format!("{EXPORT} --with tasks --contacts list.txt");
    world.run_command(&export).exits(0).says("tasks are read contact by contact");
    assert_all_tasks(&world);
}

#[test]
fn tasks_that_cannot_be_read_at_all_are_missing_until_they_can() {
    let world = World::with_faults(&[
        "POST /locations/*/tasks/search status=503",
        "GET /contacts/*/tasks status=503",
    ]);
    world.run_command(EXPORT).exits(3).says("without it tasks are missing");
    assert_eq!(missing_lists(&world), ["tasks".to_owned()].into());
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), 60);
    end_faults(&world);
    world.run_command(RETRY).exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

/// A world whose tasks take two pages.
fn many_tasks(faults: &[&str]) -> World {
    World::with_settings(|settings| {
        settings.contacts = 1_200;
        settings.faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    })
}

#[test]
fn a_task_search_that_fails_on_the_way_continues_there_at_the_end() {
    let world = many_tasks(&["POST /locations/*/tasks/search status=503 after=1 times=8"]);
    world.run_command(&format!("{EXPORT} --with tasks")).exits(0);
    assert_all_tasks(&world);
    // The first page, the failures, the second page and the empty one.
    assert_eq!(count_requests(&world, TASK_SEARCH), 1 + 8 + 2);
}

#[test]
fn tasks_behind_the_reach_of_the_search_are_searched_by_contact() {
    let world = many_tasks(&["POST /locations/*/tasks/search unset=searchAfter refuse=skip>499"]);
    world.run_command(&format!("{EXPORT} --with tasks")).exits(0);
    assert_all_tasks(&world);
    assert!((3..60).contains(&count_requests(&world, TASK_SEARCH)));
    assert_eq!(count_requests(&world, "GET /contacts/{id}/tasks"), 0);
}
