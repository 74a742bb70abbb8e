//! Notes and tasks: in files of their own, in addition to contacts, and never twice.

use serde_json::{Value, json};

use crate::import_world::empty_world;
use crate::world::World;

/// A world with one contact; gives its id.
fn with_avery() -> (World, String) {
    let world = empty_world();
    let ids = world.add_contacts(&[json!({
        "email": "avery@example.com", "phone": "+12025550143", "firstName": "Avery",
        "__notes": [{ "id": "TESTnote000000000001", "body": "as it was", "title": "kept" }],
        "__tasks": [
            { "id": "TESTtask000000000001", "title": "Call", "body": "about it", "completed": false,
              "dueDate": "2026-12-01T09:00:00.000Z" },
        ],
    })]);
    (world, ids[0].clone())
}

/// The texts of a contact's notes, in alphabetical order.
fn notes(world: &World, email: &str) -> Vec<String> {
    texts(&world.contact_by_email(email)["notes"], "body")
}

fn tasks(world: &World, email: &str) -> Vec<String> {
    texts(&world.contact_by_email(email)["tasks"], "title")
}

fn texts(list: &Value, key: &str) -> Vec<String> {
    let all = list.as_array().unwrap().iter();
    let mut texts: Vec<_> = all.map(|it| it[key].as_str().unwrap().to_owned()).collect();
    texts.sort();
    texts
}

fn forget(world: &World) {
    world.control_request("DELETE", "log", &Value::Null);
}

#[test]
fn a_file_of_notes_knows_its_contacts_by_id_address_or_number() {
    let (world, id) = with_avery();
    world.write_sheet(
        "in.csv",
        &format!(
            "Contact Id,Email,Phone,Note\n{id},,,by id\n,AVERY@example.com,,by address\n\
             ,,(202) 555-0143,by number\n,nobody@example.com,,by nobody\nnobody,,,by no id\n"
        ),
    );
    world.run_import("").exits(3);
    assert_eq!(
        notes(&world, "avery@example.com"),
        ["as it was", "by address", "by id", "by number"]
    );
    let rejected = world.read_csv("res/rejected.csv");
    let codes: Vec<_> = rejected.iter().map(|row| row["_reject_code"].as_str()).collect();
    assert_eq!(codes, ["R_NOT_FOUND", "R_NOT_FOUND"]);
    assert_eq!(world.read_contacts().len(), 1);
}

#[test]
fn notes_and_tasks_that_a_row_names_are_changed_or_left() {
    let (world, id) = with_avery();
    world.write_sheet(
        "in.csv",
        &format!("note_id,contact_id,Note\nTESTnote000000000001,{id},as it is\nTESTnoteNobody,{id},gone\n"),
    );
    world.run_import("--map note_id=note.id --map contact_id=contactId").exits(3);
    let note = &world.contact_by_email("avery@example.com")["notes"][0];
    assert_eq!((note["body"].as_str(), note["title"].as_str()), (Some("as it is"), Some("kept")));
    assert_eq!(world.read_csv("res/rejected.csv")[0]["_reject_code"], "R_NOT_FOUND");

    let maps = "--map task_id=task.id --map contact_id=contactId --map status=task.completed \
                --map title=task.title --map due=task.dueDate";
    let sheet = |title: &str, status: &str, due: &str| {
        world.write_sheet(
            "in.csv",
            &format!("task_id,contact_id,title,status,due\nTESTtask000000000001,{id},{title},{status},{due}\n"),
        );
        forget(&world);
        world.run_import(maps).exits(0);
        world.list_writes()
    };
    let path = format!("PUT /contacts/{id}/tasks/TESTtask000000000001");
    assert_eq!(sheet("Call", "open", "2026-12-01T10:00:00+01:00"), [] as [String; 0]);
    assert_eq!(sheet("", "", ""), [] as [String; 0]);
    assert_eq!(sheet("", "done", ""), [format!("{path}/completed")]);
    assert_eq!(sheet("Call", "Completed", ""), [] as [String; 0]);
    assert_eq!(sheet("Call again", "not started", "2026-12-02 09:00"), [path]);
    let task = &world.contact_by_email("avery@example.com")["tasks"][0];
    assert_eq!(
        (task["title"].as_str(), task["completed"].as_bool()),
        (Some("Call again"), Some(false))
    );
    assert_eq!(task["body"], "about it");
}

#[test]
fn due_dates_have_the_zone_of_their_cell_or_of_the_import() {
    for (cell, options, due) in [
        ("2026-12-24T18:00:00+01:00", "", "2026-12-24T17:00:00"),
        ("2026-07-01 09:30", "--timezone Europe/Berlin", "2026-07-01T07:30:00"),
        ("2026-07-01", "--timezone America/New_York", "2026-07-01T04:00:00"),
    ] {
        let (world, _) = with_avery();
        world.write_sheet(
            "in.csv",
            &format!("Email,Task Title,Task Due\navery@example.com,Visit,{cell}\n"),
        );
        world
            .run_import(&format!(
                "--map 'Task Title=task.title' --map 'Task Due=task.dueDate' {options}"
            ))
            .exits(0);
        let person = world.contact_by_email("avery@example.com");
        let all = person["tasks"].as_array().unwrap();
        let visit = all.iter().find(|task| task["title"] == "Visit").unwrap();
        assert!(visit["dueDate"].as_str().unwrap().starts_with(due), "{cell}: {visit}");
    }
}

#[test]
fn a_task_with_a_missing_value_rejects_its_row() {
    let (world, _) = with_avery();
    world.write_sheet(
        "in.csv",
        "Email,task,due,status\n\
         avery@example.com,No date,,\n\
         avery@example.com,,2026-12-01,\n\
         avery@example.com,Odd status,2026-12-01,halfway\n\
         avery@example.com,Odd date,whenever,\n\
         ,Nobody's,2026-12-01,\n",
    );
    let maps = "--map task=task.title --map due=task.dueDate --map status=task.completed";
    world.run_import(maps).exits(3);
    let rejected = world.read_csv("res/rejected.csv");
    let codes: Vec<_> = rejected.iter().map(|row| row["_reject_code"].as_str()).collect();
    assert_eq!(
        codes,
        ["R_TASK_NO_DUE", "R_TASK_NO_TITLE", "R_TASK_STATUS", "R_DATE_INVALID", "R_NO_CONTACT_ID"]
    );
    world.run_import(&format!("{maps} --default-due 7d")).exits(3);
    assert_eq!(tasks(&world, "avery@example.com"), ["Call", "No date"]);
}

#[test]
fn a_priority_is_kept_in_a_new_task_s_text_and_completing_has_an_endpoint_of_its_own() {
    let (world, id) = with_avery();
    world.write_sheet(
        "in.csv",
        &format!(
            "contactId,taskId,title,status,dueDate,priority\n\
             {id},,Visit,pending,2026-12-24T10:00:00Z,high\n\
             {id},TESTtask000000000001,Call,done,2026-12-01T09:00:00Z,\n"
        ),
    );
    world.run_import("--preset dashclicks-seed-tasks").exits(0);
    let person = world.contact_by_email("avery@example.com");
    let all = person["tasks"].as_array().unwrap();
    let visit = all.iter().find(|task| task["title"] == "Visit").unwrap();
    assert_eq!(visit["body"], "Priority: high");
    let mut writes = world.list_writes();
    writes.sort();
    let tasks = format!("/contacts/{id}/tasks");
    assert_eq!(
        writes,
        [format!("POST {tasks}"), format!("PUT {tasks}/TESTtask000000000001/completed")]
    );
}

#[test]
fn a_note_s_own_date_goes_into_its_text_when_asked() {
    let (world, id) = with_avery();
    let sheet = format!(
        "id,contact_id,Note,written\n,{id},new,2020-02-03\nTESTnote000000000001,{id},as it was,2020-02-03\n"
    );
    world.write_sheet("in.csv", &sheet);
    let maps = "--map id=note.id --map contact_id=contactId --map written=note.dateAdded --note-date prefix";
    world.run_import(maps).exits(0);
    world.run_import(maps).exits(0);
    assert_eq!(notes(&world, "avery@example.com"), ["[2020-02-03] new", "as it was"]);
}

#[test]
fn a_row_may_bring_its_contact_several_notes_and_a_task() {
    let world = empty_world();
    world.write_sheet(
        "in.csv",
        "First Name,Email,Notes,Remark,Task,Due\n\
         Ann,ann@example.com,first,second,Call Ann,2026-12-01\nBob,bob@example.com,,only,,\n",
    );
    let maps = "--map Remark=note --map Task=task.title --map Due=task.dueDate";
    world.run_import(maps).exits(0);
    assert_eq!(notes(&world, "ann@example.com"), ["first", "second"]);
    assert_eq!(tasks(&world, "ann@example.com"), ["Call Ann"]);
    assert_eq!(notes(&world, "bob@example.com"), ["only"]);
    assert_eq!(tasks(&world, "bob@example.com"), [] as [&str; 0]);
    forget(&world);
    world.run_import(maps).exits(0);
    assert_eq!(world.list_writes(), [] as [String; 0]);
}

const CALLS: &str = "Email,Note\navery@example.com,no answer\navery@example.com,no answer\navery@example.com,hello\n";

#[test]
fn a_file_that_has_grown_adds_only_what_is_new() {
    let (world, _) = with_avery();
    world.write_sheet("in.csv", CALLS);
    world.run_import("").exits(0);
    let three = ["as it was", "hello", "no answer", "no answer"];
    assert_eq!(notes(&world, "avery@example.com"), three);
    world.run_import("").exits(0);
    assert_eq!(notes(&world, "avery@example.com"), three);

    world.write_sheet(
        "in.csv",
        &format!("{CALLS}avery@example.com,no answer\navery@example.com,bye\n"),
    );
    world.run_import("").exits(0);
    assert_eq!(
        notes(&world, "avery@example.com"),
        ["as it was", "bye", "hello", "no answer", "no answer", "no answer"]
    );
    assert_eq!(world.count_results(), [2, 3, 0, 0, 0]);
    let warnings = world.read_csv("res/warnings.csv");
    assert_eq!(warnings.iter().filter(|it| it["code"] == "W_DONE_EARLIER").count(), 3);
    assert!(world.read_csv("res/unchanged.csv").iter().all(|row| row["_action"] == "done_earlier"));
}

#[test]
fn rows_that_the_source_numbers_are_known_by_their_number() {
    let (world, _) = with_avery();
    let maps = "--map Call=sourceId";
    world.write_sheet("in.csv", "Call,Email,Note\n1,avery@example.com,no answer\n");
    world.run_import(maps).exits(0);
    world.write_sheet(
        "in.csv",
        "Call,Email,Note\n2,avery@example.com,no answer\n1,avery@example.com,no answer\n",
    );
    world.run_import(maps).exits(0);
    assert_eq!(notes(&world, "avery@example.com"), ["as it was", "no answer", "no answer"]);
}

#[test]
fn a_rejected_csv_fed_back_repeats_nothing_that_was_done() {
    // The second note of the row is refused: the contact and the first are there.
    let world = crate::import_world::empty_world_with_faults(&[
        "POST /contacts/*/notes status=422 after=1 times=1",
    ]);
    world
        .write_sheet("in.csv", "First Name,Email,Notes,Remark\nAnn,ann@example.com,first,second\n");
    world.run_import("--map Remark=note").exits(3);
    assert_eq!(notes(&world, "ann@example.com"), ["first"]);
    world.control_request("DELETE", "faults", &Value::Null);
    let rejected = std::fs::read_to_string(world.path("res/rejected.csv")).unwrap();
    world.write_sheet("in.csv", &rejected);
    world.run_import("--map Remark=note").exits(0);
    assert_eq!(notes(&world, "ann@example.com"), ["first", "second"]);
}

#[test]
fn people_without_identity_in_a_file_that_has_grown_are_created_once() {
    let world = empty_world();
    let options = "--allow-name-only --no-identity at-most-once";
    world.write_sheet("in.csv", "Name,City\nNobody Known,Rome\nNobody Known,Rome\n");
    world.run_import(options).exits(0);
    world.write_sheet(
        "in.csv",
        "Name,City\nNobody Known,Rome\nNobody Known,Rome\nSomebody New,Oslo\n",
    );
    world.run_import(options).exits(0);
    assert_eq!(world.read_contacts().len(), 3);
}
