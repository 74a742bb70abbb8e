//! What an undo restores, what it keeps, and what it deletes.

use serde_json::{Map, json};

use super::*;
use crate::model::IdempotencyClass;

fn body(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn op(change: OpChange, before: Value) -> Op {
    let (key, class) = (String::new(), IdempotencyClass::Replayable);
    Op {
        id: 1,
        key,
        like: None,
        row: 1,
        step: 0,
        serial_group: 0,
        class,
        contact: None,
        after: Vec::new(),
        change,
        before,
    }
}

fn remote(row: &Value) -> RemoteContact {
    let mut row = row.clone();
    row["id"] = json!("c");
    RemoteContact::from_json_value(&row).unwrap()
}

const TAG: RevertOptions<'_> =
    RevertOptions { tag: "undone", delete_created: false, since_ms: None };
const DELETE: RevertOptions<'_> =
    RevertOptions { tag: "undone", delete_created: true, since_ms: None };

/// The revert as JSON: the changes and conflicts, or why there is none.
fn as_json(reversal: &RevertPlan) -> Value {
    match reversal {
        RevertPlan::Ops { steps, conflicts } => {
            let changes: Vec<_> = steps.iter().map(|step| &step.change).collect();
            json!({ "do": changes, "conflicts": conflicts })
        }
        RevertPlan::Nothing(_) => json!("nothing"),
        RevertPlan::Conflict(fields) => json!({ "conflicts": fields }),
    }
}

fn on_contact(change: OpChange, before: Value, current: &Value) -> RevertPlan {
    let remote = remote(current);
    let standing = RevertContext { remote: Some(&remote), ..RevertContext::default() };
    plan_op_revert(&op(change, before), None, &standing, &TAG)
}

#[track_caller]
fn check(reversal: &RevertPlan, changes: &Value, conflicts: &[&str]) {
    assert_eq!(as_json(reversal), json!({ "do": changes, "conflicts": conflicts }));
}

#[test]
fn an_update_is_taken_back_field_by_field() {
    let change = || OpChange::Update {
        body: body(&json!({
            "city": "Rome", "state": "RM", "postalCode": "1", "assignedTo": "u",
            "customFields": [
                {"id": "date", "field_value": "2026-01-02"}, {"id": "text", "field_value": "new"},
                {"id": "many", "field_value": ["a"]},
            ],
        })),
    };
    let before = json!({
        "city": "Oslo", "state": null, "postalCode": "", "assignedTo": "v",
        "customFields": [
            {"id": "date", "field_value": null}, {"id": "text", "field_value": ""},
            {"id": "many", "field_value": ["b"]},
        ],
    });
    let current = json!({
        "city": "Rome", "state": "RM", "postalCode": "1", "assignedTo": "u",
        "customFields": [
            {"id": "date", "value": "2026-01-02T00:00:00Z"}, {"id": "text", "value": "new"},
            {"id": "many", "value": ["a"]},
        ],
    });
    let restored = on_contact(change(), before.clone(), &current);
    check(&restored, &json!([{"do": "update", "body": before}]), &[]);
    let RevertPlan::Ops { steps, .. } = &restored else { panic!("{restored:?}") };
    assert_eq!(steps[0].before["city"], "Rome");
    assert_eq!(steps[0].before["customFields"][2]["field_value"], json!(["a"]));

    let edited = json!({
        "city": "Bern", "postalCode": "1", "assignedTo": "v", "customFields": [{"id": "text", "value": "x"}],
    });
    check(
        &on_contact(change(), before.clone(), &edited),
        &json!([{"do": "update", "body": {"postalCode": ""}}]),
        &["city", "customFields.text", "customFields.many"],
    );
    let taken_back = json!({
        "city": "Oslo", "assignedTo": "v", "customFields": [{"id": "many", "value": ["b"]}],
    });
    assert_eq!(as_json(&on_contact(change(), before.clone(), &taken_back)), json!("nothing"));
    let all_edited = json!({"city": "Bern", "assignedTo": "v", "customFields": [{"id": "many", "value": ["b"]}]});
    let reversal = on_contact(change(), before, &all_edited);
    assert_eq!(as_json(&reversal), json!({"conflicts": ["city"]}));
}

#[test]
fn a_whole_name_is_taken_back_by_its_parts() {
    let change = OpChange::Update { body: body(&json!({"name": "Ann Test"})) };
    let current = json!({"firstName": "Ann", "lastName": "Test"});
    let expected = json!([{"do": "update", "body": {"firstName": null, "lastName": null}}]);
    check(&on_contact(change, json!({"name": null}), &current), &expected, &[]);
}

#[test]
fn a_channel_is_restored_among_all_others() {
    let stop = json!({"status": "permanent", "message": "STOP_KEYWORD"});
    let change = || OpChange::Update {
        body: body(
            &json!({"dnd": true, "dndSettings": {"Email": {"status": "active"}, "SMS": stop}}),
        ),
    };
    let before =
        json!({"dnd": false, "dndSettings": {"Email": {"status": "inactive"}, "SMS": stop}});
    let current = json!({"dnd": true, "dndSettings": {"Email": {"status": "active"}, "SMS": stop}});
    check(
        &on_contact(change(), before.clone(), &current),
        &json!([{
            "do": "update",
            "body": {"dnd": false, "dndSettings": {"Email": {"status": "inactive"}, "SMS": stop}},
        }]),
        &[],
    );
    // A later permanent opt-out is kept.
    let out = json!({"dnd": false, "dndSettings": {"Email": {"status": "permanent"}, "SMS": stop}});
    let reversal = on_contact(change(), before, &out);
    assert_eq!(as_json(&reversal), json!({"conflicts": ["dndSettings.Email"]}));
}

#[test]
fn tags_that_were_really_added_go_and_removed_ones_come_back() {
    let tags = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>();
    let current = json!({"tags": ["old", "new", "other"]});
    for (change, before, expected) in [
        (
            OpChange::AddTags { tags: tags(&["New", "Old", "gone"]) },
            json!(["old"]),
            json!([{"do": "remove_tags", "tags": ["New"]}]),
        ),
        (
            OpChange::RemoveTags { tags: tags(&["Lost", "never", "new"]) },
            json!(["lost", "new", "kept"]),
            json!([{"do": "add_tags", "tags": ["lost"]}]),
        ),
        (
            OpChange::Update { body: body(&json!({"tags": ["new", "old"]})) },
            json!({"tags": ["old", "lost"]}),
            json!([{"do": "remove_tags", "tags": ["new"]}, {"do": "add_tags", "tags": ["lost"]}]),
        ),
    ] {
        check(&on_contact(change, before, &current), &expected, &[]);
    }
    let nothing = on_contact(OpChange::AddTags { tags: tags(&["old"]) }, json!(["OLD"]), &current);
    assert_eq!(as_json(&nothing), json!("nothing"));
}

#[test]
fn a_business_is_taken_back_while_it_is_the_one_that_was_set() {
    let change = || OpChange::SetBusiness { business: Some("new".to_owned()) };
    let with = |current: Value| on_contact(change(), json!("old"), &current);
    let expected = json!([{"do": "set_business", "business": "old"}]);
    check(&with(json!({"businessId": "new"})), &expected, &[]);
    assert_eq!(as_json(&with(json!({"businessId": "old"}))), json!("nothing"));
    assert_eq!(as_json(&with(json!({}))), json!({"conflicts": ["business"]}));
    let cleared = on_contact(change(), Value::Null, &json!({"businessId": "new"}));
    check(&cleared, &json!([{"do": "set_business", "business": null}]), &[]);
}

fn created() -> Op {
    let sent = json!({
        "name": "Ann Test", "email": "a@x", "tags": ["VIP"], "dnd": false, "gender": "female",
        "customFields": [{"id": "text", "field_value": "x"}, {"id": "dropped", "field_value": "y"}],
    });
    op(OpChange::Create { body: body(&sent) }, Value::Null)
}

fn as_created() -> Value {
    json!({
        "firstName": "Ann", "lastName": "Test", "contactName": "ann test", "email": "a@x", "tags": ["vip"],
        "country": "US", "customFields": [{"id": "text", "value": "x"}], "dateAdded": 1_000_000,
    })
}

#[test]
fn a_created_contact_is_tagged() {
    let with = |current: &Value, wish: &RevertOptions<'_>| {
        let remote = remote(current);
        let standing = RevertContext { remote: Some(&remote), ..RevertContext::default() };
        as_json(&plan_op_revert(&created(), Some("c"), &standing, wish))
    };
    let tag = json!({"do": [{"do": "add_tags", "tags": ["undone"]}], "conflicts": []});
    assert_eq!(with(&as_created(), &TAG), tag);
    assert_eq!(with(&json!({"tags": ["Undone"]}), &TAG), json!("nothing"));
    // An upsert may have matched an existing contact: it is older than the import.
    let late = RevertOptions { since_ms: Some(1_000_001), ..TAG };
    assert_eq!(with(&as_created(), &late), json!("nothing"));
    assert_eq!(with(&as_created(), &RevertOptions { since_ms: Some(1_000_000), ..TAG }), tag);
    assert_eq!(
        with(&as_created(), &RevertOptions { since_ms: Some(1_000_001), ..DELETE }),
        json!("nothing")
    );
}

#[test]
fn a_created_contact_is_deleted_only_when_nothing_has_grown() {
    let others = [
        OpChange::Update { body: body(&json!({"phone": "+12"})) },
        OpChange::AddTags { tags: vec!["later".to_owned()] },
        OpChange::SetBusiness { business: Some("b".to_owned()) },
    ];
    let with = |key: &str, value: Value, others: &[OpChange], grown: ForeignRecordCounts| {
        let mut current = as_created();
        current[key] = value;
        let remote = remote(&current);
        let standing =
            RevertContext { remote: Some(&remote), others, grown, ..RevertContext::default() };
        as_json(&plan_op_revert(&created(), Some("c"), &standing, &DELETE))
    };
    let delete = json!({"do": [{"do": "delete"}], "conflicts": []});
    let none = ForeignRecordCounts::default();
    assert_eq!(with("x", Value::Null, &[], none), delete);
    assert_eq!(with("tags", json!(["vip", "undone"]), &[], none), delete);
    assert_eq!(with("phone", json!("+12"), &others, none), delete);
    assert_eq!(with("tags", json!(["vip", "later"]), &others, none), delete);
    assert_eq!(with("businessId", json!("b"), &others, none), delete);
    for (key, value, field) in [
        ("city", json!("Rome"), "city"),
        ("email", json!("other@x"), "email"),
        ("firstName", json!("Bob"), "firstName"),
        ("phone", json!("+12"), "phone"),
        ("tags", json!(["vip", "by hand"]), "tags"),
        ("dnd", json!(true), "dnd"),
        ("dndSettings", json!({"SMS": {"status": "permanent"}}), "dndSettings.SMS"),
        ("assignedTo", json!("u"), "assignedTo"),
        ("businessId", json!("b"), "business"),
        ("additionalEmails", json!(["b@x"]), "additionalEmails"),
        ("customFields", json!([{"id": "more", "value": 1}]), "customFields.more"),
    ] {
        assert_eq!(with(key, value, &[], none), json!({"conflicts": [field]}), "{key}");
    }
    let grown = ForeignRecordCounts { notes: 1, opportunities: 2, ..none };
    let expected = json!({"conflicts": ["notes", "opportunities"]});
    assert_eq!(with("x", Value::Null, &[], grown), expected);
}

#[test]
fn a_contact_that_is_gone_needs_nothing() {
    let reversal = plan_op_revert(&created(), Some("c"), &RevertContext::default(), &DELETE);
    assert_eq!(as_json(&reversal), json!("nothing"));
    let reversal =
        plan_op_revert(&op(OpChange::Delete, Value::Null), None, &RevertContext::default(), &TAG);
    assert_eq!(as_json(&reversal), json!("nothing"));
}

fn on_child(change: OpChange, before: Value, made: Option<&str>, child: Option<&Value>) -> Value {
    let standing = RevertContext { child, ..RevertContext::default() };
    as_json(&plan_op_revert(&op(change, before), made, &standing, &TAG))
}

#[test]
fn children_that_were_made_go_while_they_are_as_written() {
    let note = || OpChange::CreateNote { body: body(&json!({"body": "a\nb"})) };
    let rich = json!({"id": "n", "body": "<p>a</p><p>b</p>"});
    let deleted = json!({"do": [{"do": "delete_note", "id": "n"}], "conflicts": []});
    assert_eq!(on_child(note(), Value::Null, Some("n"), Some(&rich)), deleted);
    let edited = json!({"id": "n", "body": "a b c"});
    let conflict = json!({"conflicts": ["note"]});
    assert_eq!(on_child(note(), Value::Null, Some("n"), Some(&edited)), conflict);
    assert_eq!(on_child(note(), Value::Null, Some("n"), None), json!("nothing"));
    assert_eq!(on_child(note(), Value::Null, None, Some(&rich)), json!("nothing"));

    let sent = json!({"title": "Call", "dueDate": "2026-03-01T09:00:00Z", "completed": false});
    let task = || OpChange::CreateTask { body: body(&sent) };
    let current =
        json!({"title": "Call", "dueDate": "2026-03-01T09:00:00.000Z", "completed": false});
    let deleted = json!({"do": [{"do": "delete_task", "id": "t"}], "conflicts": []});
    assert_eq!(on_child(task(), Value::Null, Some("t"), Some(&current)), deleted);
    let done = json!({"title": "Call", "dueDate": "2026-03-01T09:00:00.000Z", "completed": true});
    let conflict = json!({"conflicts": ["task"]});
    assert_eq!(on_child(task(), Value::Null, Some("t"), Some(&done)), conflict);
}

#[test]
fn children_that_were_changed_get_their_old_values_back() {
    let note = OpChange::UpdateNote {
        id: "n".to_owned(),
        body: body(&json!({"body": "two\nlines", "title": "new"})),
    };
    let before = json!({"id": "n", "body": "two lines", "title": null, "color": "#fff"});
    let current = json!({"id": "n", "body": "two\nlines", "title": "new"});
    let expected = json!({"body": "two lines", "title": ""});
    assert_eq!(
        on_child(note.clone(), before.clone(), None, Some(&current)),
        json!({"do": [{"do": "update_note", "id": "n", "body": expected}], "conflicts": []})
    );
    let edited = json!({"id": "n", "body": "by hand", "title": "new"});
    assert_eq!(
        on_child(note, before, None, Some(&edited)),
        json!({
            "do": [{"do": "update_note", "id": "n", "body": {"title": "", "body": "by hand"}}],
            "conflicts": ["note"],
        })
    );

    let task = OpChange::UpdateTask {
        id: "t".to_owned(),
        body: body(&json!({"title": "new", "dueDate": "2026-03-02T09:00:00Z"})),
    };
    let before = json!({"title": "old", "dueDate": "2026-03-01T09:00:00.000Z"});
    let current = json!({"title": "new", "dueDate": "2026-03-02T09:00:00.000Z"});
    let expected = json!({"title": "old", "dueDate": "2026-03-01T09:00:00Z"});
    assert_eq!(
        on_child(task, before, None, Some(&current)),
        json!({"do": [{"do": "update_task", "id": "t", "body": expected}], "conflicts": []})
    );

    let complete = || OpChange::CompleteTask { id: "t".to_owned(), completed: true };
    let open = json!({"completed": false});
    assert_eq!(
        on_child(complete(), open.clone(), None, Some(&json!({"completed": true}))),
        json!({"do": [{"do": "complete_task", "id": "t", "completed": false}], "conflicts": []})
    );
    assert_eq!(on_child(complete(), open.clone(), None, Some(&open)), json!("nothing"));
}
