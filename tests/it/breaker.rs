//! An endpoint that fails every time ends the run instead of costing a request for each contact.

use serde_json::{Value, json};

use crate::altered_answers::alter_answers;
use crate::export_files::{ExportFiles, read_errors_csv};
use crate::import_world::empty_world;
use crate::world::World;

/// So many contacts that a limit is reached before they end, and so few that each contact's notes are requested.
const CONTACTS: usize = 90;
const EXPORT: &str = "export --format jsonl --out out --concurrency 4";

fn world(faults: &[&str]) -> World {
    World::with_settings(|settings| {
        settings.contacts = CONTACTS;
        settings.faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    })
}

fn count_requests(world: &World, end: &str) -> usize {
    let log = world.get_control("log");
    let paths = log["entries"].as_array().unwrap().iter();
    paths.filter(|entry| entry["path"].as_str().unwrap().ends_with(end)).count()
}

/// Without the faults, a resumed run has everything.
#[track_caller]
fn resumes_to_a_whole_export(world: &World) {
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command("resume").exits(0);
    ExportFiles::of_undisturbed_export(CONTACTS).assert_same(&ExportFiles::read_from(world, "out"));
}

#[test]
fn a_scope_that_all_notes_lack_ends_the_run_with_its_name() {
    for message in [
        "The token is not authorized for this scope.",
        "This route is not yet supported by the IAM Service. Please update the IAM config.",
    ] {
        let body = json!({"statusCode": 401, "message": message});
        let world = world(&[&format!("GET /contacts/*/notes status=401 body={body}")]);
        let done = world.run_command(EXPORT).exits(8).says("`contacts.readonly`").says(message);
        done.says("20 requests in a row").says("`--with`").says("resume: ghl-bulk resume ");
        assert!(count_requests(&world, "/notes") < 30);
        resumes_to_a_whole_export(&world);
    }
}

#[test]
fn notes_of_another_shape_end_the_run() {
    for fault in ["GET /contacts/*/notes shape=bare", "GET /contacts/*/notes shape=wrapped"] {
        let world = world(&[fault]);
        let done = world.run_command(EXPORT).exits(2).says("fails every time");
        done.says("GET /contacts/{id}/notes").says("unexpected JSON");
        assert!(count_requests(&world, "/notes") < 3 * 30);
        resumes_to_a_whole_export(&world);
    }
}

#[test]
fn a_route_that_the_server_does_not_know_ends_the_run() {
    let world = world(&["GET /contacts/*/notes no-route"]);
    world.run_command(EXPORT).exits(2).says("fails every time").says("Cannot GET");
    assert!(count_requests(&world, "/notes") < 30);
    resumes_to_a_whole_export(&world);
}

#[test]
fn a_ban_of_cloudflare_for_all_notes_ends_the_run() {
    let world = world(&["GET /contacts/*/notes status=403 body=error code: 1010"]);
    world.run_command(EXPORT).exits(2).says("error 1010").says("another network");
    assert!(count_requests(&world, "/notes") < 30);
}

#[test]
fn an_outage_that_passes_ends_nothing() {
    let world = world(&["GET /contacts/*/notes status=503 times=70"]);
    world.run_command(EXPORT).exits(0);
    ExportFiles::of_undisturbed_export(CONTACTS)
        .assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn an_outage_that_lasts_ends_the_run() {
    let world = world(&["GET /contacts/*/notes status=503"]);
    let done = world.run_command(EXPORT).exits(2).says("fails every time").says("503");
    done.says("resume: ghl-bulk resume ");
    // Three attempts for each until the limit, and eight for the one that was tried patiently.
    assert!(count_requests(&world, "/notes") < 3 * 30 + 8);
    resumes_to_a_whole_export(&world);
}

#[test]
fn contacts_that_are_gone_or_refused_one_by_one_end_nothing() {
    let gone = json!({"statusCode": 400, "message": "Contact not found for id:x"});
    let world = world(&[
        "GET /contacts/*/notes forbidden after=1 every=2",
        &format!("GET /contacts/*/notes status=400 after=3 body={gone}"),
    ]);
    world.run_command(EXPORT).exits(3);
    assert!(read_errors_csv(&world, "out").len() > 80);
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), CONTACTS);
}

#[test]
fn a_daily_quota_that_is_used_up_without_a_word_pauses_the_run() {
    let world = world(&["GET /contacts/*/notes status=429 no-headers after=7"]);
    world.control_request("POST", "settings", &json!({"limit": "100/100ms"}));
    let done = world.run_command(EXPORT).exits(9);
    done.says("refuses every request").says("--wait").says("resume: ghl-bulk resume ");
    assert!(count_requests(&world, "/notes") < 7 + 4 + 10);
    world.control_request("POST", "settings", &json!({"limit": "none"}));
    resumes_to_a_whole_export(&world);
}

#[test]
fn what_was_set_aside_is_tried_briefly_at_the_end() {
    let world = alter_answers(world(&[]), |request, answer| {
        if request.is("GET", "/notes") && request.path.as_bytes()[12] % 4 == 0 {
            answer.replace(200, r#"{"message":"ok"}"#);
        }
    });
    world.run_command(EXPORT).exits(3);
    let failed = read_errors_csv(&world, "out").len();
    assert!(failed > 5, "{failed}");
    // Three attempts at first, and two at the end.
    assert_eq!(count_requests(&world, "/notes"), CONTACTS - failed + 5 * failed);
}

#[test]
fn an_import_whose_every_update_is_forbidden_ends_with_most_rows_pending() {
    let world = empty_world();
    let contacts: Vec<Value> =
        (0..60).map(|n| json!({"email": format!("p{n}@example.com")})).collect();
    world.add_contacts(&contacts);
    let rows: Vec<String> = (0..60).map(|n| format!("p{n}@example.com,Rome")).collect();
    world.write_sheet("in.csv", &format!("Email,City\n{}\n", rows.join("\n")));
    world.control_request("POST", "faults", &json!(["PUT /contacts/* forbidden"]));
    let done = world.run_import("--concurrency 2").exits(2).says("fails every time");
    done.says("Forbidden resource").says("resume");
    let [succeeded, _, rejected, _, pending] = world.count_results();
    assert_eq!((succeeded, rejected + pending), (0, 60));
    assert!((20..30).contains(&rejected), "{rejected}");
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command("resume").exits(3);
    assert_eq!(world.count_results(), [pending, 0, rejected, 0, 0]);
}
