//! Notes, tasks, tags and updates with a missing or unexpected response.

use serde_json::json;

use super::{sent, world};
use crate::import_world::tag_names;
use crate::running_command::RunningCommand;

/// What becomes of a write and of its answer.
const FAULTS: [&str; 7] =
    ["drop=before", "drop=after", "applied=500", "status=502", "truncate", "blank", "not-json"];

#[test]
fn a_note_and_a_task_are_written_once_whatever_is_answered() {
    for fault in FAULTS {
        let world = world(&[
            &format!("POST /contacts/*/notes {fault} times=1"),
            &format!("POST /contacts/*/tasks {fault} times=1"),
        ]);
        let ids = world.add_contacts(&[json!({
            "email": "avery@example.com", "__notes": [{ "body": "hello" }],
        })]);
        let sheet = format!("Contact Id,Notes,Task,Due\n{},hello,Call,2027-01-02\n", ids[0]);
        world.write_sheet("in.csv", &sheet);
        world.run_import("--map Task=task.title --map Due=task.dueDate").exits(0);
        let avery = world.contact_by_email("avery@example.com");
        // One was there before, and is not ours.
        assert_eq!(avery["notes"].as_array().unwrap().len(), 2, "{fault}");
        assert_eq!(avery["tasks"].as_array().unwrap().len(), 1, "{fault}");
    }
}

#[test]
fn two_rows_that_want_equal_notes_get_two() {
    for fault in FAULTS {
        let world = world(&[&format!("POST /contacts/*/notes {fault} times=1")]);
        let id = &world.add_contacts(&[json!({ "email": "avery@example.com" })])[0];
        world.write_sheet("in.csv", &format!("Contact Id,Notes\n{id},hello\n{id},hello\n"));
        world.run_import("").exits(0);
        let avery = world.contact_by_email("avery@example.com");
        assert_eq!(avery["notes"].as_array().unwrap().len(), 2, "{fault}");
    }
}

#[test]
fn no_verdict_about_a_note_comes_from_the_notes_search() {
    for fault in ["drop=before", "drop=after"] {
        let world = world(&[&format!("POST /contacts/*/notes {fault} times=1")]);
        // The index of the search shows nothing new.
        world.control_request("POST", "settings", &json!({ "notes_search": "lag=held" }));
        let ids = world.add_contacts(&[json!({
            "email": "avery@example.com", "__notes": [{ "body": "hello" }],
        })]);
        world.write_sheet("in.csv", "Email,Notes\navery@example.com,hello\n");
        world.run_import("").exits(0);
        assert_eq!(world.contact_by_id(&ids[0])["notes"].as_array().unwrap().len(), 2, "{fault}");
        world.write_sheet("in.csv", &format!("Contact Id\n{}\n", ids[0]));
        world.run_import("--mode delete --confirm-delete 1").exits(0);
        let run = world.read_json("res/summary.json")["run"].as_str().unwrap().to_owned();
        world.run_command(&format!("undo {run} --yes --out undone")).exits(0);
        let avery = world.contact_by_email("avery@example.com");
        assert_eq!(avery["notes"].as_array().unwrap().len(), 2, "{fault}");
        assert_eq!(sent(&world, "POST /notes/search"), 0, "{fault}");
    }
}

#[test]
fn tags_and_updates_that_are_not_answered_are_sent_again() {
    for fault in FAULTS {
        let world = world(&[
            &format!("PUT /contacts/* {fault} times=1"),
            &format!("POST /contacts/bulk/tags/update/add {fault} times=1"),
        ]);
        world.add_contacts(&[
            json!({ "email": "avery@example.com", "city": "Boston", "tags": ["old"] }),
            json!({ "email": "blake@example.com", "tags": ["old"] }),
        ]);
        let sheet = "Email,City,Tags\navery@example.com,Rome,new\nblake@example.com,,new\n";
        world.write_sheet("in.csv", sheet);
        world.run_import("").exits(0);
        let avery = world.contact_by_email("avery@example.com");
        assert_eq!(avery["contact"]["city"], "Rome", "{fault}");
        assert_eq!(tag_names(&avery), ["old", "new"], "{fault}");
        assert_eq!(
            tag_names(&world.contact_by_email("blake@example.com")),
            ["old", "new"],
            "{fault}"
        );
    }
}

#[test]
fn an_update_overtaken_by_another_client_is_not_sent_again() {
    let world = world(&["PUT /contacts/* hold times=1"]);
    let ids = world.add_contacts(&[json!({ "email": "avery@example.com", "city": "Boston" })]);
    world.write_sheet("in.csv", "Email,City\navery@example.com,Rome\n");
    let import = RunningCommand::start(&world, "import in.csv --yes --out res --timeout 0.3");
    world.get_control("held?at_least=1");
    world.control_request("PUT", &format!("contacts/{}", ids[0]), &json!({ "city": "Oslo" }));
    import.wait_for_exit().exits(3);
    assert_eq!(world.read_csv("res/rejected.csv")[0]["_reject_code"], "R_CONFLICT");
    assert_eq!(world.contact_by_email("avery@example.com")["contact"]["city"], "Oslo");
}

#[test]
fn a_value_that_the_server_accepted_and_did_not_store_is_named() {
    let world = world(&["PUT /contacts/* ignore=city", "POST /contacts/ ignore=city"]);
    world.add_contacts(&[json!({ "email": "avery@example.com", "city": "Boston" })]);
    let sheet = "Email,City,State\navery@example.com,Rome,MA\nblake@example.com,Oslo,MA\n";
    world.write_sheet("in.csv", sheet);
    world.run_import("").exits(3);
    assert_eq!(world.count_results(), [2, 0, 0, 0, 0]);
    let warnings = world.read_csv("res/warnings.csv");
    let differs: Vec<_> = warnings.iter().filter(|it| it["code"] == "W_ANSWER_DIFFERS").collect();
    assert_eq!(differs.len(), 2, "{warnings:#?}");
    assert_eq!((differs[0]["row"].as_str(), differs[0]["field"].as_str()), ("1", "city"));
    assert_eq!(differs[0]["message"], "sent `Rome`, and the account has `Boston`");
    assert_eq!(differs[1]["message"], "sent `Oslo`, and the account has nothing");
}

#[test]
fn what_is_refused_and_yet_applied_is_not_called_rejected() {
    for fault in ["applied=422", "applied=400", "applied=404"] {
        let world = world(&[
            &format!("PUT /contacts/* {fault} times=1"),
            &format!("POST /contacts/*/notes {fault} times=1"),
            &format!("POST /contacts/*/tasks {fault} times=1"),
            &format!("POST /contacts/bulk/tags/update/add {fault} times=1"),
        ]);
        world.add_contacts(&[json!({ "email": "avery@example.com", "city": "Boston" })]);
        let sheet =
            "Email,City,Tags,Notes,Task,Due\navery@example.com,Rome,new,hello,Call,2027-01-02\n";
        world.write_sheet("in.csv", sheet);
        world.run_import("--map Task=task.title --map Due=task.dueDate").exits(0);
        assert_eq!(world.count_results(), [1, 0, 0, 0, 0], "{fault}");
        let avery = world.contact_by_email("avery@example.com");
        assert_eq!(avery["contact"]["city"], "Rome", "{fault}");
        assert_eq!(tag_names(&avery), ["new"], "{fault}");
        assert_eq!(avery["notes"].as_array().unwrap().len(), 1, "{fault}");
        assert_eq!(avery["tasks"].as_array().unwrap().len(), 1, "{fault}");
        let warnings = world.read_csv("res/warnings.csv");
        assert!(
            warnings.iter().any(|it| it["message"].contains("yet applied it")),
            "{warnings:#?}"
        );
    }
}

#[test]
fn a_deletion_that_is_refused_and_yet_done_is_done() {
    let world = world(&["DELETE /contacts/* applied=422 times=1"]);
    let ids = world.add_contacts(&[json!({ "email": "avery@example.com" })]);
    world.write_sheet("in.csv", &format!("Contact Id\n{}\n", ids[0]));
    world.run_import("--mode delete --confirm-delete 1").exits(0);
    assert_eq!(world.count_results(), [1, 0, 0, 0, 0]);
    assert!(world.read_contacts().is_empty());
}

#[test]
fn tags_of_many_contacts_without_an_answer_cost_one_pause_a_round() {
    let world = world(&["POST /contacts/bulk/tags/update/add drop=before times=7"]);
    let people: Vec<_> = (0..21).map(|n| json!({ "email": format!("p{n}@example.com") })).collect();
    world.add_contacts(&people);
    let rows: Vec<String> = (0..21).map(|n| format!("p{n}@example.com,new")).collect();
    world.write_sheet("in.csv", &format!("Email,Tags\n{}\n", rows.join("\n")));
    let done = world.run_command("import in.csv --mode tag --yes --out res --json").exits(0);
    for n in 0..21 {
        let person = world.contact_by_email(&format!("p{n}@example.com"));
        assert_eq!(tag_names(&person), ["new"]);
    }
    // One, two and four requests were not answered.
    let events = done.events();
    let pauses = events.iter().filter(|event| event["reason"] == "reconciling").count();
    assert_eq!(pauses, 3, "{events:#?}");
}
