//! Writes that the server rejects, and changes in the account between the plan and the write.

use serde_json::{Value, json};

use super::{ONE, calm, sent, world};
use crate::import_world::tag_names;
use crate::running_command::RunningCommand;

#[test]
fn a_create_refused_with_422_is_rejected_with_the_reason() {
    let body = r#"{"statusCode":422,"message":["email must be an email"]}"#;
    let world = world(&[&format!("POST /contacts/ status=422 body={body}")]);
    world.write_sheet("in.csv", ONE);
    world.run_import("").exits(3);
    let rejected = &world.read_csv("res/rejected.csv")[0];
    assert_eq!(rejected["_reject_code"], "R_REFUSED");
    assert!(rejected["_reject_reason"].contains("email must be an email"), "{rejected:?}");
    assert!(world.read_contacts().is_empty());
    assert_eq!(sent(&world, "POST /contacts/"), 1);
}

#[test]
fn a_create_answered_422_but_applied_is_a_success_with_a_warning() {
    let world = world(&["POST /contacts/ applied=422 times=1"]);
    world.write_sheet("in.csv", ONE);
    world.run_import("").exits(0);
    assert_eq!(world.count_results(), [1, 0, 0, 0, 0]);
    assert_eq!(world.read_contacts().len(), 1);
    assert_eq!(world.contact_by_email("avery@example.com")["notes"].as_array().unwrap().len(), 1);
    assert_eq!(sent(&world, "POST /contacts/"), 1);
    let warning = &world.read_csv("res/warnings.csv")[0];
    assert_eq!(warning["code"], "W_ANSWER_DIFFERS");
    assert!(warning["message"].contains("refused it, yet created it"), "{warning:?}");
}

#[test]
fn a_contact_created_between_the_plan_and_the_create_is_not_taken_for_ours() {
    // Where the answer is lost, the look-up meets the other one first.
    for lost in ["", "POST /contacts/ drop=before times=1"] {
        let world = world(&["POST /contacts/ hold times=1"]);
        if !lost.is_empty() {
            world.control_request("POST", "faults", &json!([lost]));
        }
        world.write_sheet("in.csv", "Email,City\na@example.com,Rome\nB@Example.com,Rome\n");
        let import = RunningCommand::start(&world, "import in.csv --yes --out res --concurrency 1");
        world.get_control("held?at_least=1");
        let before = "2020-01-01T00:00:00.000Z";
        world.add_contacts(&[
            json!({ "email": "b@example.com", "city": "Oslo", "dateAdded": before }),
        ]);
        world.control_request("POST", "release", &Value::Null);
        import.wait_for_exit().exits(3);
        assert_eq!(world.read_csv("res/rejected.csv")[0]["_reject_code"], "R_EXISTS_NOW", "{lost}");
        assert_eq!(world.contact_by_email("b@example.com")["contact"]["city"], "Oslo", "{lost}");
        assert_eq!(world.count_results(), [1, 0, 1, 0, 0], "{lost}");
    }
}

#[test]
fn a_row_never_gets_the_contact_of_the_row_whose_phone_it_shares() {
    for (second, fault) in [
        ("Two Person,two@example.com", "drop=before"),
        ("Two Person,two@example.com", "status=502"),
        ("Two Person,", "drop=before"),
        ("Two Person,", "status=422"),
    ] {
        let world = world(&[&format!("POST /contacts/ {fault} times=1 after=1")]);
        let sheet = format!(
            "Name,Email,Phone,Notes\nOne Person,one@example.com,+12025550143,mine\n\
             {second},+12025550143,yours\n"
        );
        world.write_sheet("in.csv", &sheet);
        world.run_import("").exits(3);
        let one = world.contact_by_email("one@example.com");
        assert_eq!(one["notes"].as_array().unwrap().len(), 1, "{second} {fault}: {one:#}");
        assert_eq!(world.count_results(), [1, 0, 1, 0, 0], "{second} {fault}");
    }
}

#[test]
fn a_contact_deleted_between_the_plan_and_the_writes_costs_its_row_alone() {
    let world = world(&["POST /contacts/ hold times=1"]);
    let ids = world.add_contacts(&[
        json!({ "email": "gone@example.com", "city": "Boston" }),
        json!({ "email": "here@example.com", "city": "Boston" }),
        json!({ "email": "tags@example.com" }),
        json!({ "email": "more@example.com" }),
    ]);
    let sheet = "Email,City,Tags,Notes\nnew@example.com,Rome,,\ngone@example.com,Rome,lead,hello\n\
                 here@example.com,Rome,lead,hello\ntags@example.com,,lead,\nmore@example.com,,lead,\n";
    world.write_sheet("in.csv", sheet);
    let import = RunningCommand::start(&world, "import in.csv --yes --out res --concurrency 1");
    world.get_control("held?at_least=1");
    world.control_request("DELETE", &format!("contacts/{}", ids[0]), &Value::Null);
    world.control_request("DELETE", &format!("contacts/{}", ids[2]), &Value::Null);
    calm(&world);
    import.wait_for_exit().exits(3);
    assert_eq!(world.count_results(), [3, 0, 2, 0, 0]);
    let rejected = world.read_csv("res/rejected.csv");
    let codes: Vec<_> = rejected.iter().map(|it| it["_reject_code"].as_str()).collect();
    assert_eq!(codes, ["R_CONTACT_GONE", "R_CONTACT_GONE"]);
    assert_eq!(tag_names(&world.contact_by_email("here@example.com")), ["lead"]);
    assert_eq!(tag_names(&world.contact_by_email("more@example.com")), ["lead"]);
}

#[test]
fn bulk_tag_answers_are_checked_contact_by_contact() {
    let world = world(&[]);
    let ids = world
        .add_contacts(&[json!({ "email": "a@example.com" }), json!({ "email": "b@example.com" })]);
    let why = "contact id is not a valid firebase id";
    let body = json!({ "succeded": true, "errorCount": 1, "responses": [
        { "contactId": ids[0], "type": "error", "message": why },
        { "contactId": ids[1], "type": "success" },
    ]});
    let fault = format!("POST /contacts/bulk/tags/update/add applied=201 body={body}");
    world.control_request("POST", "faults", &json!([fault]));
    world.write_sheet("in.csv", "Email,Tags\na@example.com,lead\nb@example.com,lead\n");
    world.run_import("--mode tag").exits(3);
    let rejected = world.read_csv("res/rejected.csv");
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0]["Email"], "a@example.com");
    assert!(rejected[0]["_reject_reason"].contains(why), "{rejected:?}");
    assert_eq!(world.read_csv("res/succeeded.csv")[0]["Email"], "b@example.com");
}

#[test]
fn a_contact_missing_from_a_bulk_answer_is_looked_up() {
    let body = r#"{"succeded":true,"errorCount":0,"responses":[]}"#;
    let fault = format!("POST /contacts/bulk/tags/update/add applied=201 times=1 body={body}");
    let world = world(&[&fault]);
    world.add_contacts(&[json!({ "email": "a@example.com" })]);
    world.write_sheet("in.csv", "Email,Tags\na@example.com,lead\n");
    world.run_import("--mode tag").exits(0);
    assert_eq!(tag_names(&world.contact_by_email("a@example.com")), ["lead"]);
    assert_eq!(sent(&world, "POST /contacts/bulk/tags/update/add"), 1);
}
