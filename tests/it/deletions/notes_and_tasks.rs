//! Deleting notes and tasks: never the contact that they belong to.

use super::three;
use crate::import_world::empty_world;
use crate::world::World;
use serde_json::{Value, json};

fn titles(world: &World) -> Vec<String> {
    let person = world.contact_by_email("ann@example.com");
    let tasks = person["tasks"].as_array().unwrap().iter();
    let mut titles: Vec<_> = tasks.map(|it| it["title"].as_str().unwrap().to_owned()).collect();
    titles.sort();
    titles
}

#[test]
fn a_file_of_tasks_deletes_tasks_and_finds_their_contacts() {
    let (world, ids) = three();
    world.write_sheet(
        "in.csv",
        &format!(
            "taskId,contactId,title,status,dueDate,priority\n\
             taskNumber1,{},Call,done,2026-02-03T09:00:00Z,\ntaskNumber2,,Visit,,,\n\
             taskNumber2,,Visit,,,\ntaskNobody,,,,,\n,{},New,,,\n",
            ids[0], ids[0]
        ),
    );
    let done = world.run_deletion("--preset dashclicks-seed-tasks --dry-run").exits(3);
    done.says("this deletes 2 tasks, and no contact");
    assert!(world.plan_lines("1").contains(&"task.id: taskNumber1 -> deleted".to_owned()));
    let run = world.last_run("import");
    world.run_command(&format!("apply {run} --confirm-delete 1")).exits(2).says("2 tasks");
    world.run_command(&format!("apply {run} --confirm-delete 2")).exits(3);
    assert_eq!(titles(&world), [] as [&str; 0]);
    assert_eq!(world.read_contacts().len(), 3);
    assert_eq!(world.count_results(), [3, 1, 1, 0, 0]);
    assert_eq!(world.read_csv("res/rejected.csv")[0]["_reject_code"], "R_NO_RECORD_ID");
    let mut writes = world.list_writes();
    writes.sort();
    let one = |n| format!("DELETE /contacts/{}/tasks/taskNumber{n}", ids[0]);
    assert_eq!(writes, [one(1), one(2)]);
}

#[test]
fn a_file_of_notes_deletes_notes() {
    let (world, ids) = three();
    let maps = "--map note_id=note.id --map contact_id=contactId";
    world.write_sheet(
        "in.csv",
        &format!(
            "note_id,contact_id,Email\nnoteNumber1,,ann@example.com\nnoteNumber9,{},\n",
            ids[0]
        ),
    );
    world
        .run_deletion(&format!("{maps} --confirm-delete 1"))
        .exits(0)
        .says("1 note, and no contact");
    assert_eq!(world.contact_by_email("ann@example.com")["notes"], json!([]));
    assert_eq!(world.count_results(), [1, 1, 0, 0, 0]);
    world.write_sheet("in.csv", "note_id\nnoteNumber1\n");
    world.run_deletion("--map note_id=note.id --yes").exits(3);
    assert_eq!(world.read_csv("res/rejected.csv")[0]["_reject_code"], "R_NO_CONTACT_ID");
}

#[test]
fn a_file_of_tasks_without_their_ids_deletes_no_contact() {
    let (world, ids) = three();
    world.write_sheet("in.csv", &format!("contactId,title,dueDate\n{},Call,2026-02-03\n", ids[0]));
    let maps = "--map title=task.title --map dueDate=task.dueDate";
    world
        .run_deletion(&format!("{maps} --confirm-delete 1"))
        .exits(2)
        .says("no column with their ids");
    assert_eq!(world.read_contacts().len(), 3);
    assert_eq!(world.list_writes(), [] as [String; 0]);
}

#[test]
fn notes_and_tasks_that_were_deleted_come_back_once() {
    let (world, ids) = three();
    let before = world.contact_by_email("ann@example.com");
    world.write_sheet("in.csv", "taskId\ntaskNumber1\ntaskNumber2\n");
    world.run_deletion("--map taskId=task.id --confirm-delete 2").exits(0);
    let tasks = world.last_run("import");
    world.write_sheet("notes.csv", &format!("id,contact\nnoteNumber1,{}\n", ids[0]));
    world
        .run_command("import notes.csv --mode delete --out res --map id=note.id --map contact=contactId --confirm-delete 1")
        .exits(0);
    let notes = world.last_run("import");
    for run in [&tasks, &notes, &tasks, &notes] {
        world.run_command(&format!("undo {run} --yes --out undone")).exits(0);
    }
    let now = world.contact_by_email("ann@example.com");
    let bare = |list: &Value| {
        let mut all = list.as_array().unwrap().clone();
        for it in &mut all {
            it.as_object_mut().unwrap().retain(|key, value| key != "id" && value != "");
        }
        all.sort_by_key(|it| it["title"].to_string());
        all
    };
    assert_eq!(bare(&now["tasks"]), bare(&before["tasks"]));
    assert_eq!(now["notes"][0]["body"], "[2026-01-02] met at the fair");
    assert_eq!(now["notes"].as_array().unwrap().len(), 1);
    let back = world.read_csv("undone/unchanged.csv");
    assert_eq!(back[0]["_reason"], "it has already been recreated");
}

#[test]
fn a_record_whose_contact_is_gone_stays_gone() {
    let world = empty_world();
    let ids = world.add_contacts(&[
        json!({"email": "ann@example.com", "__notes": [{"id": "n1", "body": "Hi"}]}),
    ]);
    world.write_sheet("in.csv", &format!("id,contact\nn1,{}\n", ids[0]));
    world.run_deletion("--map id=note.id --map contact=contactId --confirm-delete 1").exits(0);
    world.control_request("DELETE", &format!("contacts/{}", ids[0]), &Value::Null);
    world.run_command(&format!("undo {} --yes --out undone", world.last_run("import"))).exits(0);
    assert_eq!(
        world.read_csv("undone/unchanged.csv")[0]["_reason"],
        "the contact no longer exists"
    );
}
