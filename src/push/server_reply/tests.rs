//! The verdict on each kind of response to a write.

use bytes::Bytes;
use serde_json::{Map, json};

use super::*;
use crate::model::IdempotencyClass;

fn op(change: OpChange) -> Op {
    Op {
        id: 1,
        key: "k".to_owned(),
        like: None,
        row: 1,
        step: 0,
        serial_group: 1,
        class: IdempotencyClass::Unique,
        contact: None,
        after: Vec::new(),
        change,
        before: Value::Null,
    }
}

fn body(value: Value) -> Map<String, Value> {
    let Value::Object(body) = value else { panic!("a body is an object") };
    body
}

fn create() -> OpChange {
    OpChange::Create { body: body(json!({ "email": "a@x.org", "city": "Rome" })) }
}

fn update() -> OpChange {
    OpChange::Update { body: body(json!({ "city": "Rome" })) }
}

fn note() -> OpChange {
    OpChange::CreateNote { body: body(json!({ "body": "hello" })) }
}

fn answered(status: u16, body: &Value) -> WriteOutcome {
    WriteOutcome::Answered { status, body: Bytes::from(body.to_string()), trace_id: None }
}

fn name(verdict: &ResponseVerdict) -> String {
    match verdict {
        ResponseVerdict::Known(OpResolution::Nothing { .. }) => "nothing".to_owned(),
        ResponseVerdict::Known(OpResolution::Applied { made }) => {
            format!("applied {}", made.as_deref().unwrap_or("-"))
        }
        ResponseVerdict::Known(OpResolution::Differs { differences, .. }) => {
            let fields: Vec<_> = differences.iter().map(|one| one.field.clone()).collect();
            format!("differs {}", fields.join(" "))
        }
        ResponseVerdict::Known(OpResolution::Refused { code, .. }) => code.to_string(),
        ResponseVerdict::LookUp(LookupReason::NoAnswer) => "look up".to_owned(),
        ResponseVerdict::LookUp(LookupReason::Unread) => "look up what it made".to_owned(),
        ResponseVerdict::LookUp(LookupReason::Refused(_)) => "look up before refusing".to_owned(),
        ResponseVerdict::LookUp(LookupReason::Denied(_)) => "look up what was denied".to_owned(),
        ResponseVerdict::LookUp(LookupReason::Exists(id)) => format!("look up whose {id} is"),
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn check(change: OpChange, again: bool, sent: WriteOutcome, expected: &str) {
    let shown = format!("{change:?} {sent:?}");
    assert_eq!(name(&interpret_outcome(&op(change), again, sent)), expected, "{shown}");
}

#[test]
fn each_success_has_its_meaning() {
    let contact =
        |city: &str| json!({ "contact": { "id": "c", "email": "a@x.org", "city": city } });
    check(create(), false, answered(201, &contact("Rome")), "applied c");
    check(create(), false, answered(201, &contact("Bern")), "differs city");
    check(create(), false, answered(201, &json!({ "ok": true })), "look up what it made");
    check(update(), false, answered(200, &contact("Rome")), "applied -");
    check(update(), false, answered(200, &contact("Bern")), "differs city");
    check(update(), false, answered(200, &json!({ "succeded": true })), "look up what it made");
    check(OpChange::Delete, false, answered(200, &json!({ "succeded": true })), "applied -");
    let made = |text: &str| json!({ "note": { "id": "n", "body": text } });
    check(note(), false, answered(201, &made("hello")), "applied n");
    check(note(), false, answered(201, &made("else")), "differs note.body");
    check(note(), false, answered(201, &json!({})), "look up what it made");
    let changed =
        || OpChange::UpdateNote { id: "n".to_owned(), body: body(json!({ "body": "hello" })) };
    check(changed(), false, answered(200, &made("hello")), "applied -");
    check(changed(), false, answered(200, &made("hel")), "differs note.body");
    check(changed(), false, answered(200, &json!({ "succeded": true })), "applied -");
}

#[test]
fn a_success_that_its_body_denies_is_looked_up() {
    for flag in ["succeded", "succeeded", "success"] {
        let denied = || answered(200, &json!({ flag: false }));
        check(create(), false, denied(), "look up before refusing");
        let done = OpChange::CompleteTask { id: "t".to_owned(), completed: true };
        for change in [update(), note(), OpChange::Delete, done] {
            check(change, false, denied(), "look up what was denied");
        }
    }
    let both = answered(200, &json!({ "succeded": true, "succeeded": false }));
    check(OpChange::Delete, false, both, "look up what was denied");
}

#[test]
fn each_refusal_has_its_meaning() {
    let duplicate = json!({
        "statusCode": 400, "message": "This location does not allow duplicated contacts.",
        "meta": { "contactId": "other", "matchingField": "email" },
    });
    check(create(), false, answered(400, &duplicate), reconcile::EXISTS_NOW.spelling());
    check(create(), true, answered(400, &duplicate), "look up whose other is");
    // What was refused may have been applied: the record decides.
    check(update(), true, answered(400, &duplicate), "look up what was denied");
    let invalid = json!({ "message": ["email must be an email"], "statusCode": 422 });
    check(create(), false, answered(422, &invalid), "look up before refusing");
    check(update(), false, answered(422, &invalid), "look up what was denied");
    check(note(), false, answered(422, &invalid), "look up what was denied");
    check(OpChange::Delete, false, answered(422, &invalid), "look up what was denied");
    let gone = json!({ "message": "Contact not found for id:c", "statusCode": 400 });
    check(update(), false, answered(400, &gone), "look up what was denied");
    check(note(), false, answered(400, &gone), "look up what was denied");
    // An earlier attempt may have deleted it; without one, another application has.
    check(OpChange::Delete, false, answered(400, &gone), "nothing");
    check(OpChange::Delete, true, answered(400, &gone), "applied -");
    check(create(), false, answered(400, &gone), "look up before refusing");
    let task = || OpChange::DeleteTask { id: "t".to_owned() };
    check(task(), false, answered(404, &json!({ "message": "Task not found" })), "nothing");
    check(task(), true, answered(404, &json!({ "message": "Task not found" })), "applied -");
}

#[test]
fn what_was_not_answered_is_looked_up_and_what_was_applied_never_sent_again() {
    let cut = || WriteOutcome::AppliedUnreadable { status: 201, message: String::new() };
    let lost =
        || WriteOutcome::Unknown { status: Some(502), message: String::new(), trace_id: None };
    check(create(), false, cut(), "look up what it made");
    check(update(), false, cut(), "look up what it made");
    check(note(), false, cut(), "look up what it made");
    check(OpChange::Delete, false, cut(), "applied -");
    for change in [create(), update(), note(), OpChange::Delete] {
        check(change, false, lost(), "look up");
    }
}

#[test]
fn a_row_ends_where_its_contact_fails() {
    let gone = resolution_details(&OpResolution::Refused {
        code: reconcile::CONTACT_GONE,
        message: String::new(),
        contact: None,
    });
    assert!(ends_row(&create(), OpState::InDoubt, None));
    assert!(ends_row(&update(), OpState::Conflict, None));
    assert!(!ends_row(&update(), OpState::Differs, None));
    assert!(!ends_row(&note(), OpState::Refused, None));
    assert!(ends_row(&note(), OpState::Refused, gone.as_ref()));
}

#[test]
fn an_op_without_an_answer_ends_with_what_is_known() {
    let known = settled_from(
        after_giving_up(&OpResolution::NotApplied, 5),
        SettledBy::LookUp,
        ResponseTrace::default(),
    );
    assert_eq!(known.state, OpState::Refused);
    let unknown = settled_from(
        after_giving_up(&OpResolution::SendAgain, 5),
        SettledBy::LookUp,
        ResponseTrace::default(),
    );
    assert_eq!(unknown.state, OpState::InDoubt);
}
