//! Responses that are equivalent to what was sent, and responses that are not.

use serde_json::json;

use super::*;

fn remote(row: &Value) -> RemoteContact {
    RemoteContact::from_json_value(row).unwrap()
}

fn body(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[track_caller]
fn check(change: &OpChange, row: &Value, expected: &[&str]) {
    let found = find_mismatches(change, &remote(row));
    let fields: Vec<&str> = found.iter().map(|one| &*one.field).collect();
    assert_eq!(fields, expected, "{found:?}");
}

#[test]
fn an_answer_that_only_spells_differently_is_what_was_sent() {
    let sent = body(&json!({
        "locationId": "l", "createNewIfDuplicateAllowed": false,
        "firstName": "Ann ", "email": "Ann@X.com", "phone": "+14155551234", "dateOfBirth": "1990-09-25",
        "address1": "Main St 1", "tags": ["VIP", "New"], "dnd": false, "assignedTo": "u", "city": null,
        "gender": "female",
        "dndSettings": {"Email": {"status": "active"}, "SMS": {"status": "inactive"}},
        "customFields": [
            {"id": "d", "field_value": "2026-07-23"}, {"id": "n", "field_value": 5},
            {"id": "l", "field_value": ["b", "a"]}, {"id": "gone", "field_value": ""},
            {"id": "gone date", "field_value": null},
        ],
    }));
    let row = json!({
        "id": "c", "firstName": "Ann", "email": "ann@x.com", "phone": "+1 415-555-1234",
        "dateOfBirth": 654_220_800_000_i64, "address": "Main St 1", "tags": ["new", "vip", "by-workflow"],
        "assignedTo": "u", "dndSettings": {"email": {"status": "active", "message": "x"}},
        "customFields": [
            {"id": "d", "value": "2026-07-23T00:00:00.000Z"}, {"id": "n", "value": 5.0},
            {"id": "l", "value": ["a", "b"]}, {"id": "other", "value": "x"},
        ],
    });
    check(&OpChange::Create { body: sent.clone() }, &row, &[]);
    // An update's tags are all of the contact's tags.
    check(&OpChange::Update { body: sent }, &row, &["tags"]);
}

#[test]
fn what_the_server_dropped_or_changed_is_named() {
    let sent = body(&json!({
        "city": "Rome", "postalCode": "", "dnd": true, "assignedTo": null, "gender": "female",
        "dndSettings": {"Email": {"status": "active"}},
        "customFields": [{"id": "d", "field_value": null}, {"id": "t", "field_value": "x"}],
    }));
    let row = json!({
        "id": "c", "postalCode": "02139", "assignedTo": "u", "gender": "male",
        "customFields": [{"id": "d", "value": "2026-01-01"}],
    });
    let change = OpChange::Update { body: sent };
    let mut fields: Vec<String> =
        find_mismatches(&change, &remote(&row)).into_iter().map(|one| one.field).collect();
    fields.sort();
    let expected = [
        "assignedTo",
        "city",
        "customFields.d",
        "customFields.t",
        "dnd",
        "dndSettings.Email",
        "gender",
        "postalCode",
    ];
    assert_eq!(fields, expected);
    let found = find_mismatches(&change, &remote(&row));
    let city = found.iter().find(|one| one.field == "city").unwrap();
    assert_eq!((&city.sent, &city.got), (&json!("Rome"), &Value::Null));
}

#[test]
fn a_name_is_found_in_its_parts() {
    let change = OpChange::Create { body: body(&json!({"name": "Ann  de Test"})) };
    check(&change, &json!({"id": "c", "firstName": "Ann", "lastName": "de Test"}), &[]);
    check(&change, &json!({"id": "c", "contactName": "ann de test"}), &[]);
    check(&change, &json!({"id": "c", "firstName": "Ann"}), &["name"]);
}

#[test]
fn bulk_changes_are_seen_in_the_contact() {
    let row = json!({"id": "c", "tags": ["vip"], "businessId": "b"});
    let tags = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>();
    check(&OpChange::AddTags { tags: tags(&["VIP"]) }, &row, &[]);
    check(&OpChange::AddTags { tags: tags(&["VIP", "x"]) }, &row, &["tags"]);
    check(&OpChange::RemoveTags { tags: tags(&["x"]) }, &row, &[]);
    check(&OpChange::RemoveTags { tags: tags(&["Vip"]) }, &row, &["tags"]);
    check(&OpChange::SetBusiness { business: Some("b".into()) }, &row, &[]);
    check(&OpChange::SetBusiness { business: None }, &row, &["business"]);
    check(&OpChange::Delete, &row, &[]);
}

#[test]
fn the_three_way_rule() {
    let change = OpChange::Update {
        body: body(&json!({
            "city": "Rome", "customFields": [{"id": "t", "field_value": "new"}],
            "dndSettings": {"Email": {"status": "active"}},
        })),
    };
    let before = json!({
        "city": "Oslo", "customFields": [{"id": "t", "field_value": ""}], "dndSettings": {"Email": null},
    });
    let check = |city: Option<&str>, custom: &str, status: &str, expected: ThreeWayResult| {
        let row = json!({
            "id": "c", "city": city, "customFields": [{"id": "t", "value": custom}],
            "dndSettings": {"Email": {"status": status}},
        });
        assert_eq!(compare_three_way(&change, &before, &remote(&row)), expected, "{row}");
    };
    let conflict = |fields: &[&str]| {
        ThreeWayResult::Conflict(fields.iter().map(|&field| field.to_owned()).collect())
    };
    check(Some("Rome"), "new", "active", ThreeWayResult::Applied);
    check(Some("Oslo"), "", "inactive", ThreeWayResult::NotApplied);
    check(Some("Rome"), "", "inactive", ThreeWayResult::NotApplied);
    check(Some("Bern"), "new", "active", conflict(&["city"]));
    check(None, "other", "inactive", conflict(&["city", "customFields.t"]));
    check(Some("Oslo"), "", "permanent", conflict(&["dndSettings.Email"]));
}

#[test]
fn the_three_way_rule_of_bulk_changes() {
    let row = remote(&json!({"id": "c", "tags": ["a"], "businessId": "b"}));
    let add = |tag: &str| OpChange::AddTags { tags: vec![tag.to_owned()] };
    assert_eq!(compare_three_way(&add("A"), &json!([]), &row), ThreeWayResult::Applied);
    assert_eq!(compare_three_way(&add("x"), &json!(["gone"]), &row), ThreeWayResult::NotApplied);
    let business = |id: &str| OpChange::SetBusiness { business: Some(id.to_owned()) };
    assert_eq!(compare_three_way(&business("b"), &Value::Null, &row), ThreeWayResult::Applied);
    assert_eq!(compare_three_way(&business("x"), &json!("b"), &row), ThreeWayResult::NotApplied);
    let conflict = ThreeWayResult::Conflict(vec!["business".to_owned()]);
    assert_eq!(compare_three_way(&business("x"), &Value::Null, &row), conflict);
}

#[test]
fn a_note_is_known_again() {
    let note = |sent: Value, there: Value| note_matches_body(&body(&sent), &there);
    assert!(note(
        json!({"body": "two\nlines "}),
        json!({"id": "n", "body": "<p>two</p><p>lines</p>"})
    ));
    assert!(note(
        json!({"body": "a", "color": "#FFAA00"}),
        json!({"body": "a", "color": "#ffaa00"})
    ));
    assert!(note(json!({"body": "a", "title": ""}), json!({"body": "a", "color": "#fff"})));
    assert!(note(json!({"body": "a", "pinned": false}), json!({"body": "a", "pinned": null})));
    assert!(!note(json!({"body": "a", "title": "t"}), json!({"body": "a", "title": "u"})));
    assert!(!note(json!({"body": "a"}), json!({"body": "b"})));
    assert!(!note(json!({}), json!({})));
}

#[test]
fn a_task_is_known_again() {
    let task = |sent: Value, there: Value| task_matches_body(&body(&sent), &there);
    let sent = json!({"title": "Call", "dueDate": "2026-03-01T09:00:00Z", "completed": false});
    assert!(task(
        sent.clone(),
        json!({"title": "Call", "dueDate": "2026-03-01T10:00:00.000+01:00", "completed": false, "assignedTo": "u"})
    ));
    let other = |key: &str, value: Value| {
        let mut there =
            json!({"title": "Call", "dueDate": "2026-03-01T09:00:00.000Z", "completed": false});
        there[key] = value;
        task(sent.clone(), there)
    };
    assert!(other("body", json!("")));
    assert!(!other("title", json!("Mail")));
    assert!(!other("completed", json!(true)));
    assert!(!other("dueDate", json!("2026-03-01T09:00:01.000Z")));
}
