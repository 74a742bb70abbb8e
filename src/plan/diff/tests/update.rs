//! Existing contacts: only differences are written, with the values that they replace.

use super::*;
use crate::run::RowAction;

/// The body of the single update that a row needs, and the changes; null if it needs none.
fn updated(case: &Case, row: &Value) -> (Value, Value) {
    let planned = case.plan(row);
    match planned.ops.as_slice() {
        [] => {
            assert_eq!(planned.action, RowAction::Unchanged);
            assert!(planned.changes.is_empty());
            (Value::Null, Value::Null)
        }
        [op] => {
            assert_eq!(
                (planned.action, op.class),
                (RowAction::Update, IdempotencyClass::Replayable)
            );
            assert_eq!(op.contact.as_ref().map(ContactId::as_str), Some("c"));
            (change(op)["body"].clone(), op.before.clone())
        }
        ops => panic!("{ops:?}"),
    }
}

#[track_caller]
fn check(current: &Value, row: &Value, body: &Value, before: &Value) {
    let (sent, replaced) = updated(&Case::update(current), row);
    assert_eq!((&sent, &replaced), (body, before), "{row}");
}

#[test]
fn what_is_equal_is_not_sent() {
    let current = json!({
        "firstName": "Ann", "lastName": "Test", "email": "Ann@X.com", "phone": "+14155551234",
        "city": "Boston ", "postalCode": "02139", "dateOfBirth": 654_220_800_000_i64, "dnd": true,
        "tags": ["vip", "a"], "assignedTo": "u", "businessId": "b",
        "dndSettings": {"SMS": {"status": "permanent"}}, "additionalEmails": [{"email": "b@x.com"}],
        "customFields": [
            {"id": "number", "value": 5.0}, {"id": "date", "value": "2026-07-23T00:00:00.000Z"},
            {"id": "many", "value": ["b", "a"]}, {"id": "text", "value": "007"},
        ],
    });
    let row = json!({
        "fields": {
            "firstName": "Ann", "lastName": "Test", "name": "ann  test", "email": "ann@x.com",
            "phone": "+14155551234", "city": "Boston", "postalCode": "02139",
            "dateOfBirth": "1990-09-25", "website": null,
        },
        "custom": {"number": 5, "date": "2026-07-23", "many": ["a", "b"], "text": "007", "money": null},
        "tags": ["VIP"], "dnd": true, "channels": {"SMS": true, "Email": false}, "owner": "u",
        "business": "b", "additional_emails": ["B@x.com", "ann@x.com"],
    });
    let case = Case::update(&current);
    assert_eq!(updated(&case, &row), (Value::Null, Value::Null));
    assert_eq!(codes(&case.plan(&row)), [] as [&str; 0]);
}

#[test]
fn only_what_differs_is_sent_with_what_it_replaces() {
    let current = json!({
        "firstName": "Ann", "city": "Oslo", "email": "old@x.com", "postalCode": "2139", "assignedTo": "u",
        "customFields": [{"id": "number", "value": 5}, {"id": "many", "value": ["a"]}],
    });
    let row = json!({
        "fields": {
            "firstName": "ann", "city": "Rome", "email": "new@x.com", "postalCode": "02139", "state": "MA",
        },
        "custom": {"number": 6.5, "many": ["a", "b"], "text": "x"}, "owner": null,
    });
    check(
        &current,
        &row,
        &json!({
            "firstName": "ann", "city": "Rome", "email": "new@x.com", "postalCode": "02139", "state": "MA",
            "assignedTo": null,
            "customFields": [
                {"id": "many", "field_value": ["a", "b"]}, {"id": "number", "field_value": 6.5},
                {"id": "text", "field_value": "x"},
            ],
        }),
        &json!({
            "firstName": "Ann", "city": "Oslo", "email": "old@x.com", "postalCode": "2139", "state": null,
            "assignedTo": "u",
            "customFields": [
                {"id": "many", "field_value": ["a"]}, {"id": "number", "field_value": 5},
                {"id": "text", "field_value": ""},
            ],
        }),
    );
    let planned = Case::update(&current).plan(&row);
    let changes = changes(&planned);
    assert!(changes.contains(&("city", "Oslo", "Rome")));
    assert!(changes.contains(&("customFields.many_key", "a", "a; b")));
    assert!(changes.contains(&("customFields.number_key", "5", "6.5")));
    assert!(changes.contains(&("assignedTo", "u", "")));
}

#[test]
fn null_clears_in_the_way_that_the_api_takes() {
    let current = json!({
        "city": "Oslo", "postalCode": "02139", "country": "US", "dateOfBirth": "1990-09-25T00:00:00.000Z",
        "customFields": [
            {"id": "date", "value": "2026-01-01"}, {"id": "text", "value": "x"}, {"id": "money", "value": 1},
            {"id": "many", "value": ["a"]},
        ],
    });
    let row = json!({
        "fields": {"city": null, "postalCode": null, "country": null, "dateOfBirth": null, "state": null},
        "custom": {"date": null, "text": null, "money": null, "many": [], "number": null},
    });
    let (sent, before) = updated(&Case::update(&current), &row);
    assert_eq!(
        sent,
        json!({
            "city": null, "postalCode": "", "country": "", "dateOfBirth": null,
            "customFields": [
                {"id": "date", "field_value": null}, {"id": "many", "field_value": ""},
                {"id": "money", "field_value": ""}, {"id": "text", "field_value": ""},
            ],
        })
    );
    assert_eq!(before["postalCode"], "02139");
    assert_eq!(before["customFields"][0], json!({"id": "date", "field_value": "2026-01-01"}));
}

#[test]
fn a_whole_name_is_sent_only_to_a_contact_without_parts() {
    let row = json!({"fields": {"name": "Ann Test"}});
    let name = json!({"name": "Ann Test"});
    check(&json!({}), &row, &name, &json!({"name": null}));
    check(&json!({"contactName": "old"}), &row, &name, &json!({"name": "old"}));
    check(&json!({"contactName": "ann test"}), &row, &Value::Null, &Value::Null);
    let with_parts = json!({"fields": {"name": "Ann Test", "firstName": "Ann"}});
    check(&json!({}), &with_parts, &json!({"firstName": "Ann"}), &json!({"firstName": null}));
}

#[test]
fn an_edited_whole_name_changes_the_part_that_differs() {
    let current = json!({"firstName": "Anna Maria", "lastName": "van Test"});
    for (name, sent, before) in [
        ("Anna Maria van Test", Value::Null, Value::Null),
        ("anna  maria VAN test", Value::Null, Value::Null),
        ("Ann van Test", json!({"firstName": "Ann"}), json!({"firstName": "Anna Maria"})),
        ("Anna Maria Muster", json!({"lastName": "Muster"}), json!({"lastName": "van Test"})),
        (
            "Bea de Muster",
            json!({"firstName": "Bea", "lastName": "de Muster"}),
            json!({"firstName": "Anna Maria", "lastName": "van Test"}),
        ),
    ] {
        let row = json!({"fields": {"name": name}});
        check(&current, &row, &sent, &before);
        let whole =
            json!({"fields": {"name": name, "firstName": "Anna Maria", "lastName": "van Test"}});
        // Parts of its own decide, so that a row whose edit of them was applied changes nothing more.
        check(&current, &whole, &Value::Null, &Value::Null);
    }
    let row = json!({"fields": {"name": "Bea"}});
    check(&current, &row, &Value::Null, &Value::Null);
    assert_eq!(codes(&Case::update(&current).plan(&row)), ["W_NAME_NOT_UPDATED"]);
    let row = json!({"fields": {"name": "Anna Maria van Test", "firstName": "Bea", "lastName": "van Test"}});
    check(&current, &row, &json!({"firstName": "Bea"}), &json!({"firstName": "Anna Maria"}));
}

#[test]
fn gender_is_not_sent_to_a_contact_that_exists() {
    let row = json!({"fields": {"gender": "female"}});
    let planned = Case::update(&json!({})).plan(&row);
    assert_eq!(
        (planned.action, codes(&planned)),
        (RowAction::Unchanged, vec!["W_GENDER_NOT_UPDATED"])
    );
    let planned = Case::update(&json!({"gender": "Female"})).plan(&row);
    assert_eq!(codes(&planned), [] as [&str; 0]);
}

#[test]
fn tags_are_added_unless_they_replace() {
    let current = json!({"tags": ["vip", "old"]});
    let row = json!({"tags": ["VIP", "New"]});
    let mut case = Case::update(&current);
    let planned = case.plan(&row);
    assert_eq!(planned.action, RowAction::Update);
    assert_eq!(change(&planned.ops[0]), json!({"do": "add_tags", "tags": ["New"]}));
    assert_eq!(planned.ops[0].before, json!(["vip", "old"]));
    assert_eq!(changes(&planned), [("tags", "vip; old", "vip; old; New")]);

    case.policy.tags = TagRule::Replace;
    assert_eq!(
        updated(&case, &row),
        (json!({"tags": ["VIP", "New"]}), json!({"tags": ["vip", "old"]}))
    );
    assert_eq!(updated(&case, &json!({"tags": ["Old", "VIP"]})).0, Value::Null);
    assert_eq!(updated(&case, &json!({})).0, Value::Null);
}

#[test]
fn the_modes_of_tags_send_nothing_else() {
    let row = json!({
        "fields": {"city": "Rome"}, "tags": ["VIP", "New"], "notes": [{"fields": {"body": "x"}}],
        "business": "b", "dnd": true,
    });
    let mut case = Case::update(&json!({"tags": ["vip", "old"]}));
    case.action = ContactAction::Tag("c".parse().unwrap());
    let planned = case.plan(&row);
    assert_eq!((planned.action, planned.ops.len()), (RowAction::Tag, 1));
    assert_eq!(change(&planned.ops[0]), json!({"do": "add_tags", "tags": ["New"]}));
    assert_eq!(case.plan(&json!({"tags": ["OLD"]})).action, RowAction::Unchanged);

    case.action = ContactAction::Untag("c".parse().unwrap());
    let planned = case.plan(&row);
    assert_eq!((planned.action, planned.ops.len()), (RowAction::Untag, 1));
    assert_eq!(change(&planned.ops[0]), json!({"do": "remove_tags", "tags": ["vip"]}));
    assert_eq!(changes(&planned), [("tags", "vip; old", "old")]);
    assert_eq!(case.plan(&json!({"tags": ["other"]})).action, RowAction::Unchanged);
}

#[test]
fn do_not_disturb_is_set_but_not_lifted() {
    let stop = json!({"status": "permanent", "message": "STOP_KEYWORD", "code": "103"});
    let current = json!({"dndSettings": {"SMS": stop, "Email": {"status": "inactive"}}});
    let row = json!({"dnd": true, "channels": {"Email": true, "SMS": true}});
    check(
        &current,
        &row,
        // All channels of the contact, so that none is lost if the server replaces them.
        &json!({"dnd": true, "dndSettings": {"Email": {"status": "active"}, "SMS": stop}}),
        &json!({"dnd": false, "dndSettings": {"Email": {"status": "inactive"}, "SMS": stop}}),
    );
    check(
        &json!({}),
        &json!({"channels": {"Call": true}}),
        &json!({"dndSettings": {"Call": {"status": "active"}}}),
        &json!({"dndSettings": {"Call": {"status": "inactive"}}}),
    );

    let blocked = json!({"dnd": true, "dndSettings": {"Email": {"status": "active"}, "SMS": stop}});
    let lift = json!({"dnd": false, "channels": {"Email": false, "SMS": false, "Call": false}});
    let mut case = Case::update(&blocked);
    assert_eq!(updated(&case, &lift).0, Value::Null);
    assert_eq!(codes(&case.plan(&lift)), ["W_DND_NOT_LIFTED"; 3]);

    case.policy.allow_resubscribe = true;
    let (sent, _) = updated(&case, &lift);
    assert_eq!(sent, json!({"dndSettings": {"Email": {"status": "inactive"}, "SMS": stop}}));
    // A permanent opt-out keeps the whole block, too.
    assert_eq!(codes(&case.plan(&lift)), ["W_DND_NOT_LIFTED"; 2]);

    case.remote = Some(remote(&json!({"dnd": true})));
    assert_eq!(updated(&case, &lift).0, json!({"dnd": false}));
}

#[test]
fn a_business_is_set_by_its_own_request() {
    let planned = Case::update(&json!({"businessId": "old"})).plan(&json!({"business": "new"}));
    let op = &planned.ops[0];
    assert_eq!(change(op), json!({"do": "set_business", "business": "new"}));
    assert_eq!((op.class, &op.before), (IdempotencyClass::Replayable, &json!("old")));
}

#[test]
fn further_addresses_that_the_contact_lacks_are_named() {
    let current = json!({"email": "a@x", "additionalEmails": ["b@x"], "additionalPhones": [{"phone": "+1 2"}]});
    let row =
        json!({"additional_emails": ["A@x", "b@x", "c@x"], "additional_phones": ["+12", "+13"]});
    let planned = Case::update(&current).plan(&row);
    assert_eq!(
        (planned.action, codes(&planned)),
        (RowAction::Unchanged, vec!["W_MULTI_EMAIL", "W_MULTI_PHONE"])
    );
    let message = &planned.warnings[0].message;
    assert!(message.contains("`c@x`") && !message.contains("b@x"), "{message}");
}

#[test]
fn ops_of_a_row_come_in_order() {
    let row = json!({
        "fields": {"city": "Rome"}, "tags": ["new"], "business": "b", "notes": [{"fields": {"body": "x"}}],
    });
    let planned = Case::update(&json!({})).plan(&row);
    let steps: Vec<(u32, Value)> =
        planned.ops.iter().map(|op| (op.step, change(op)["do"].clone())).collect();
    let expected = ["update", "add_tags", "set_business", "create_note"];
    let expected: Vec<_> = (0..).zip(expected.map(Value::from)).collect();
    assert_eq!(steps, expected);
    assert!(planned.ops.iter().all(|op| (op.id, op.serial_group, op.row) == (0, 0, 1)));
}
