//! Creates with a missing or unexpected response, applied or not.

use serde_json::{Value, json};

use super::{ONE, sent, world};
use crate::running_command::RunningCommand;
use crate::world::World;

/// A create that meets this fault once ends as one contact with one note, after so many requests.
#[track_caller]
fn created_once(fault: &str, options: &str, requests: usize) {
    let world = world(&[&format!("POST /contacts/ {fault} times=1")]);
    // A refusal by the limit costs its interval.
    world.control_request("POST", "settings", &json!({ "limit": "2000/1s" }));
    world.write_sheet("in.csv", ONE);
    world.run_import(options).exits(0);
    assert_eq!(world.count_results(), [1, 0, 0, 0, 0], "{fault}");
    let avery = world.contact_by_email("avery@example.com");
    assert_eq!(world.read_contacts().len(), 1, "{fault}");
    assert_eq!(avery["notes"].as_array().unwrap().len(), 1, "{fault}");
    assert_eq!(world.read_csv("res/succeeded.csv")[0]["_contact_id"], avery["contact"]["id"]);
    assert_eq!(sent(&world, "POST /contacts/"), requests, "{fault}");
}

#[test]
fn a_create_that_never_arrived_is_sent_again() {
    created_once("drop=before", "", 2);
}

#[test]
fn a_create_whose_answer_was_lost_is_found_and_not_sent_again() {
    created_once("drop=after", "", 1);
}

#[test]
fn a_create_answered_500_or_408_is_found_where_it_was_applied_and_sent_again_where_not() {
    created_once("applied=500", "", 1);
    created_once("status=502 html", "", 2);
    created_once("applied=408", "", 1);
    created_once("status=408", "", 2);
}

#[test]
fn a_success_whose_body_is_cut_blank_or_a_page_is_a_success() {
    for fault in ["truncate", "blank", "not-json"] {
        created_once(fault, "", 1);
    }
}

#[test]
fn a_create_that_the_limit_refuses_is_sent_when_the_window_is_over() {
    created_once("status=429", "", 2);
}

#[test]
fn a_create_applied_after_the_program_gave_up_waiting_is_found() {
    let world =
        world(&["POST /contacts/ latency=600 times=1"]).with_env("GHL_BULK_SETTLE_S", "1.5");
    world.write_sheet("in.csv", ONE);
    world.run_import("--timeout 0.3").exits(0);
    assert_eq!(world.read_contacts().len(), 1);
    assert_eq!(sent(&world, "POST /contacts/"), 1);
}

#[test]
fn a_create_that_stalls_and_dies_is_sent_again() {
    let world = world(&["POST /contacts/ stall=500 times=1"]);
    world.write_sheet("in.csv", ONE);
    world.run_import("--timeout 0.3").exits(0);
    assert_eq!(world.read_contacts().len(), 1);
    assert_eq!(sent(&world, "POST /contacts/"), 2);
}

#[test]
fn a_create_that_no_search_shows_is_recognised_when_the_server_refuses_it_as_a_duplicate() {
    let world = world(&[
        "POST /contacts/ applied=500 times=1",
        r#"GET /contacts/search/duplicate status=200 body={"contact":null}"#,
        r#"POST /contacts/search status=200 body={"contacts":[],"total":0}"#,
    ]);
    world.write_sheet("in.csv", ONE);
    world.run_import("").exits(0);
    assert_eq!(world.read_contacts().len(), 1);
    assert_eq!(sent(&world, "POST /contacts/"), 2);
    let avery = world.contact_by_email("avery@example.com");
    assert_eq!(world.read_csv("res/succeeded.csv")[0]["_contact_id"], avery["contact"]["id"]);
}

#[test]
fn a_marked_contact_is_found_when_the_lagging_search_shows_it() {
    let world = World::with_settings(|settings| {
        settings.contacts = 0;
        settings.allow_duplicates = true;
        settings.lag = std::time::Duration::from_millis(500);
        settings.faults = vec!["POST /contacts/ drop=after times=1".parse().unwrap()];
    });
    let world = world.with_env("GHL_BULK_SETTLE_S", "1");
    world.write_sheet("in.csv", "Name,City\nNobody Known,Rome\n");
    world.run_import("--allow-name-only --marker-field Nickname").exits(0);
    assert_eq!(world.read_contacts().len(), 1);
    assert_eq!(sent(&world, "POST /contacts/"), 1);
}

/// A world whose location allows duplicates, so that contacts are created by upserts.
fn liberal(faults: &[&str]) -> World {
    let world = World::with_settings(|settings| {
        settings.contacts = 0;
        settings.allow_duplicates = true;
        settings.faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    });
    world.with_env("GHL_BULK_SETTLE_S", "0.3")
}

#[test]
fn an_upsert_that_was_not_answered_is_sent_again_and_duplicates_no_contact() {
    for fault in ["drop=before", "drop=after", "truncate", "applied=500", "applied=422"] {
        let world = liberal(&[&format!("POST /contacts/upsert {fault} times=1")]);
        world.write_sheet("in.csv", ONE);
        world.run_import("").exits(0);
        assert_eq!(world.read_contacts().len(), 1, "{fault}");
        let avery = world.contact_by_email("avery@example.com");
        assert_eq!(avery["notes"].as_array().unwrap().len(), 1, "{fault}");
    }
}

#[test]
fn an_upsert_into_a_contact_with_an_equal_note_adds_its_own() {
    let note = "POST /contacts/*/notes drop=before times=1";
    let world = liberal(&["POST /contacts/upsert hold times=1", note]);
    world.write_sheet("in.csv", ONE);
    let import = RunningCommand::start(&world, "import in.csv --yes --out res");
    world.get_control("held?at_least=1");
    world
        .add_contacts(&[json!({ "email": "avery@example.com", "__notes": [{ "body": "hello" }] })]);
    world.control_request("POST", "release", &Value::Null);
    import.wait_for_exit().exits(0);
    let avery = world.contact_by_email("avery@example.com");
    assert_eq!(avery["notes"].as_array().unwrap().len(), 2, "{avery:#}");
}

#[test]
fn people_who_share_a_phone_each_get_a_contact_where_duplicates_are_allowed() {
    for fault in ["drop=before", "drop=after", "applied=422", "status=502"] {
        let world = liberal(&[&format!("POST /contacts/upsert {fault} times=2")]);
        let sheet = "Name,Email,Phone,Notes\nOne Person,one@example.com,+12025550143,mine\n\
                     Two Person,two@example.com,+12025550143,yours\n";
        world.write_sheet("in.csv", sheet);
        world.run_import("").exits(0);
        assert_eq!(world.read_contacts().len(), 2, "{fault}");
        for email in ["one@example.com", "two@example.com"] {
            let person = world.contact_by_email(email);
            assert_eq!(person["contact"]["phone"], "+12025550143", "{fault}");
            assert_eq!(person["notes"].as_array().unwrap().len(), 1, "{fault}");
        }
    }
}

#[test]
fn a_contact_that_shares_the_phone_of_a_repeated_create_is_not_a_duplicate() {
    let world = liberal(&["POST /contacts/upsert drop=after times=1"]);
    let sheet = "Name,Email,Phone\nOne Person,,+12025550143\n\
                 Two Person,two@example.com,+12025550143\n";
    world.write_sheet("in.csv", sheet);
    world.run_import("").exits(0);
    assert_eq!(world.read_contacts().len(), 2);
    assert!(!world.path("res/duplicates.csv").exists());
}

#[test]
fn a_contact_that_cannot_be_found_is_never_sent_twice_and_is_named() {
    let world = world(&["POST /contacts/ drop=before times=1"]);
    world.write_sheet(
        "in.csv",
        "Name,City,Notes\nNobody Known,Rome,hello\nSomebody Else,Oslo,hello\n",
    );
    world.run_import("--allow-name-only --no-identity at-most-once --concurrency 1").exits(6);
    assert_eq!(sent(&world, "POST /contacts/"), 2);
    assert_eq!(world.count_results(), [1, 0, 0, 1, 0]);
    let doubt = &world.read_csv("res/in_doubt.csv")[0];
    assert_eq!((doubt["Name"].as_str(), doubt["_doubt_decision"].as_str()), ("Nobody Known", ""));
    assert_eq!(world.read_contacts().len(), 1);
}

#[test]
fn a_create_is_known_although_the_clock_of_the_answers_is_ahead_of_that_of_the_records() {
    for ahead in [90, -90, 3_600] {
        for fault in ["drop=after", "truncate", "applied=500"] {
            let world = world(&[&format!("POST /contacts/ {fault} times=1")]);
            world.control_request("POST", "settings", &json!({ "clock_ahead": ahead }));
            world.write_sheet("in.csv", ONE);
            world.run_import("").exits(0);
            assert_eq!(world.count_results(), [1, 0, 0, 0, 0], "{ahead} {fault}");
            assert_eq!(world.read_contacts().len(), 1, "{ahead} {fault}");
        }
    }
}
