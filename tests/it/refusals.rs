//! A refusal with 403: about one record it costs that record, about the location it ends the run.

use serde_json::{Value, json};

use crate::export_files::{ExportFiles, read_errors_csv};
use crate::import_world::empty_world;
use crate::raw_http::search_contacts;
use crate::world::World;

const EXPORT: &str = "export --format jsonl --out out";
const FORBIDDEN: &str = r#"{"statusCode":403,"message":"Forbidden resource","error":"Forbidden"}"#;
const NO_LOCATION: &str =
    r#"{"statusCode":403,"message":"The token does not have access to this location."}"#;

fn refuse(world: &World, route: &str, body: &str) {
    let fault = format!("{route} status=403 body={body}");
    world.control_request("POST", "faults", &json!([fault]));
}

fn count_requests(world: &World, path: &str) -> usize {
    let log = world.get_control("log");
    log["entries"].as_array().unwrap().iter().filter(|entry| entry["path"] == path).count()
}

#[test]
fn contacts_that_the_token_may_not_see_cost_a_line_each() {
    for body in [FORBIDDEN, NO_LOCATION, "Forbidden"] {
        let world = World::new();
        let contacts = search_contacts(&world, &json!([]));
        let hidden = [7, 8, 40].map(|at| contacts[at]["id"].as_str().unwrap().to_owned());
        for id in &hidden {
            refuse(&world, &format!("GET /contacts/{id}/notes"), body);
        }
        world.control_request("DELETE", "log", &Value::Null);
        world.run_command(EXPORT).exits(3);
        let errors = read_errors_csv(&world, "out");
        let mut subjects: Vec<_> = errors.iter().map(|line| line["subject"].clone()).collect();
        subjects.sort();
        let mut expected = hidden.to_vec();
        expected.sort();
        assert_eq!(subjects, expected, "{body}");
        assert!(errors.iter().all(|line| line["code"] == "refused" && line["status"] == "403"));
        // The location is asked once for all of them.
        let location = format!("/locations/{}", ghl_bulk::sandbox::LOCATION);
        assert_eq!(count_requests(&world, &location), 2, "{body}");
        world.control_request("DELETE", "faults", &Value::Null);
        world.run_command("resume --retry-errors").exits(0);
        let files = ExportFiles::read_from(&world, "out");
        ExportFiles::of_undisturbed_export(60).assert_same(&files);
    }
}

#[test]
fn a_location_out_of_reach_ends_the_run_whatever_the_words() {
    for body in [FORBIDDEN, NO_LOCATION, "Forbidden"] {
        let world = World::new();
        refuse(&world, "* /**", body);
        world.run_command(EXPORT).exits(8).says("has no access to this location");
        let requests = world.get_control("log")["requests"].as_u64().unwrap();
        assert!(requests <= 2, "{requests} requests");
    }
}

#[test]
fn a_location_whose_settings_are_hidden_is_exported() {
    let world = World::new();
    refuse(&world, &format!("GET /locations/{}", ghl_bulk::sandbox::LOCATION), FORBIDDEN);
    world.run_command(EXPORT).exits(0).says("the location cannot be read");
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), 60);
}

#[test]
fn a_location_that_is_lost_on_the_way_ends_the_run() {
    let world = World::new();
    refuse(&world, "GET /contacts/*/notes after=5", FORBIDDEN);
    refuse(&world, "GET /locations/* after=1", FORBIDDEN);
    refuse(&world, "POST /contacts/search after=1", FORBIDDEN);
    let done = world.run_command(&format!("{EXPORT} --concurrency 1")).exits(8);
    done.says("has no access to this location").says("resume: ghl-bulk resume ");
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command("resume").exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

/// A world with two contacts, of which the token may not write the first.
fn two_contacts() -> (World, [String; 2]) {
    let world = empty_world();
    let ids = world.add_contacts(&[
        json!({"email": "a@example.com", "city": "Oslo"}),
        json!({"email": "b@example.com", "city": "Oslo"}),
    ]);
    (world, ids.try_into().unwrap())
}

#[test]
fn an_update_that_the_token_may_not_make_rejects_its_row_alone() {
    for body in [FORBIDDEN, NO_LOCATION] {
        let (world, [first, second]) = two_contacts();
        refuse(&world, &format!("PUT /contacts/{first}"), body);
        world.write_sheet("in.csv", "Email,City\na@example.com,Rome\nb@example.com,Rome\n");
        world.run_import("").exits(3);
        assert_eq!(world.count_results(), [1, 0, 1, 0, 0], "{body}");
        let rejected = &world.read_csv("res/rejected.csv")[0];
        assert_eq!(rejected["_reject_code"], "R_REFUSED", "{rejected:?}");
        assert!(rejected["_reject_reason"].starts_with("403: "), "{rejected:?}");
        assert_eq!(world.contact_by_id(&first)["contact"]["city"], "Oslo");
        assert_eq!(world.contact_by_id(&second)["contact"]["city"], "Rome");
    }
}

#[test]
fn a_tag_that_the_token_may_not_add_rejects_its_row_alone() {
    let (world, [first, second]) = two_contacts();
    let world = crate::altered_answers::alter_answers(world, {
        let first = first.clone();
        move |request, answer| {
            let is_first = String::from_utf8_lossy(&request.body).contains(&first);
            let is_own = request.is("POST", &format!("/contacts/{first}/tags"));
            if request.is("POST", "/contacts/bulk/tags/update/add") && is_first || is_own {
                answer.replace(403, FORBIDDEN);
            }
            if request.is("GET", &format!("/contacts/{first}")) {
                answer.replace_bytes(b"\"tags\":[\"seen\"]", b"\"tags\":[]");
            }
        }
    });
    world.write_sheet("in.csv", &format!("Contact Id,Tags\n{first},seen\n{second},seen\n"));
    world.run_import("--mode tag").exits(3);
    assert_eq!(world.count_results(), [1, 0, 1, 0, 0]);
    assert_eq!(world.read_csv("res/rejected.csv")[0]["_reject_code"], "R_REFUSED");
}

#[test]
fn a_contact_that_the_token_may_not_see_rejects_its_row_in_the_plan() {
    let (world, [first, second]) = two_contacts();
    refuse(&world, &format!("GET /contacts/{first}"), FORBIDDEN);
    world.write_sheet("in.csv", &format!("Contact Id,City\n{first},Rome\n{second},Rome\n"));
    world.run_import("--mode update").exits(3);
    assert_eq!(world.count_results(), [1, 0, 1, 0, 0]);
}

#[test]
fn a_location_that_is_lost_during_an_import_ends_it_and_nothing_is_rejected() {
    let (world, _) = two_contacts();
    world.write_sheet("in.csv", "Email,City\na@example.com,Rome\nb@example.com,Rome\n");
    refuse(&world, "PUT /contacts/*", FORBIDDEN);
    refuse(&world, "GET /locations/* after=1", FORBIDDEN);
    refuse(&world, "POST /contacts/search", FORBIDDEN);
    world.run_import("").exits(8).says("has no access to this location");
    assert_eq!(world.count_results(), [0, 0, 0, 0, 2]);
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command("resume").exits(0);
    assert_eq!(world.count_results(), [2, 0, 0, 0, 0]);
}

#[test]
fn tags_of_many_contacts_at_once_that_are_refused_are_changed_one_by_one() {
    for fault in ["status=403", "no-route", "no-scope", "status=405"] {
        let (world, [first, second]) = two_contacts();
        let faults =
            ["add", "remove"].map(|verb| format!("POST /contacts/bulk/tags/update/{verb} {fault}"));
        world.control_request("POST", "faults", &json!(faults));
        let sheet = format!("Contact Id,Tags\n{first},seen\n{second},seen\n");
        world.write_sheet("in.csv", &sheet);
        world.run_import("--mode tag").exits(0).says("they are changed contact by contact");
        for id in [&first, &second] {
            let tags = crate::import_world::tag_names(&world.contact_by_id(id));
            assert!(tags.contains(&"seen".to_owned()), "{fault}");
        }
        let run = world.read_json("res/summary.json")["run"].as_str().unwrap().to_owned();
        world.run_command(&format!("undo {run} --yes --out undone")).exits(0);
        for id in [&first, &second] {
            let tags = crate::import_world::tag_names(&world.contact_by_id(id));
            assert!(!tags.contains(&"seen".to_owned()), "{fault}");
        }
    }
}
