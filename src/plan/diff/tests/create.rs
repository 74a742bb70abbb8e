//! New contacts: their bodies, and how duplicates are prevented.

use super::*;
use crate::run::RowAction;

#[test]
fn a_create_carries_all_that_the_row_says() {
    let row = json!({
        "fields": {
            "firstName": "Ann", "name": "Ann Test", "email": "a@x", "gender": "female", "city": null,
            "companyName": "Acme",
        },
        "custom": {"date": "2026-01-02", "many": ["a"], "text": null}, "tags": ["VIP"], "dnd": false,
        "channels": {"Email": true, "SMS": false}, "owner": "u", "business": "b",
        "notes": [{"fields": {"body": "hello"}}],
    });
    let planned = Case::create(false).plan(&row);
    assert_eq!((planned.action, &planned.contact), (RowAction::Create, &None));
    let kinds: Vec<Value> = planned.ops.iter().map(|op| change(op)["do"].clone()).collect();
    assert_eq!(kinds, ["create", "set_business", "create_note"]);
    assert_eq!(
        change(&planned.ops[0])["body"],
        json!({
            "firstName": "Ann", "email": "a@x", "gender": "female", "companyName": "Acme",
            "customFields": [
                {"id": "date", "field_value": "2026-01-02"}, {"id": "many", "field_value": ["a"]},
            ],
            "tags": ["VIP"], "dnd": false, "assignedTo": "u",
            "dndSettings": {"Email": {"status": "active"}, "SMS": {"status": "inactive"}},
        })
    );
    assert_eq!(planned.ops[0].before, Value::Null);
    assert!(planned.ops.iter().all(|op| op.contact.is_none()));
    let changes = changes(&planned);
    assert!(changes.contains(&("email", "", "a@x")));
    assert!(changes.contains(&("customFields.date_key", "", "2026-01-02")));
    assert!(changes.contains(&("note", "", "hello")));
    assert!(changes.iter().all(|(field, old, _)| old.is_empty() && *field != "name"));
}

#[test]
fn a_whole_name_makes_a_new_contact_without_parts() {
    let row = json!({"fields": {"name": "Ann Test", "email": "a@x"}});
    let planned = Case::create(false).plan(&row);
    assert_eq!(change(&planned.ops[0])["body"], json!({"name": "Ann Test", "email": "a@x"}));
}

#[test]
fn a_create_has_the_class_that_keeps_it_single() {
    let (email, phone) = (json!({"email": "a@x"}), json!({"phone": "+1"}));
    let (both, none) = (json!({"email": "a@x", "phone": "+1"}), json!({"firstName": "Ann"}));
    let beside = |email: bool, phone: bool| ContactAction::CreateBeside { email, phone };
    for (number, (fields, free, unique, marker, action, expected)) in [
        (&email, false, &["email", "phone"][..], false, ContactAction::Create, "create Unique"),
        (&phone, false, &["email", "phone"], false, ContactAction::Create, "create Unique"),
        (&phone, false, &[], false, ContactAction::Create, "create Unique"),
        (&phone, false, &["email"], false, ContactAction::Create, "create Once"),
        (&phone, false, &["email"], true, ContactAction::Create, "create Marked"),
        (&both, false, &["email"], true, beside(false, true), "create Unique"),
        (&none, false, &["email", "phone"], false, ContactAction::Create, "create Once"),
        (&none, false, &["email", "phone"], true, ContactAction::Create, "create Marked"),
        (&email, true, &["email", "phone"], false, ContactAction::Create, "upsert Replayable"),
        (&phone, true, &["email", "phone"], false, ContactAction::Create, "upsert Replayable"),
        (&both, true, &["email", "phone"], true, ContactAction::Create, "create Marked"),
        (&phone, true, &["email"], false, ContactAction::Create, "create Once"),
        (&none, true, &["email", "phone"], false, ContactAction::Create, "create Once"),
        (&email, true, &["email", "phone"], false, beside(true, false), "create Once"),
        (&email, true, &["email", "phone"], true, beside(true, false), "create Marked"),
        (&both, true, &["email", "phone"], false, beside(true, true), "create Once"),
        (
            &both,
            true,
            &["email", "phone"],
            false,
            beside(false, true),
            "upsert Replayable, update Replayable",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let mut case = Case::create(free);
        case.directory.unique = unique.iter().map(|&name| name.to_owned()).collect();
        case.policy.marker = marker.then(|| "The marker".to_owned());
        case.action = action;
        let row = json!({ "fields": fields });
        let planned = case.plan(&row);
        let ops = planned.ops.iter();
        let ops: Vec<String> = ops
            .map(|op| format!("{} {:?}", change(op)["do"].as_str().unwrap(), op.class))
            .collect();
        assert_eq!(ops.join(", "), expected, "case {number}");

        case.policy.no_identity = crate::model::policy::NoIdentityRule::Skip;
        let code = case.try_plan(&row).err().map(|rejection| rejection.code.spelling());
        let nothing = planned.ops[0].class == IdempotencyClass::Once;
        assert_eq!(code, nothing.then_some("R_NO_IDENTITY"), "case {number}");
    }
}

#[test]
fn a_marker_carries_the_key_of_the_op() {
    for name in ["marker", "marker_key", "contact.marker_key", "the MARKER"] {
        let mut case = Case::create(true);
        case.policy.marker = Some(name.to_owned());
        let row = json!({"fields": {"email": "a@x"}, "custom": {"marker": "mine", "text": "x"}});
        let planned = case.plan(&row);
        let op = &planned.ops[0];
        let expected = json!([
            {"id": "text", "field_value": "x"}, {"id": "marker", "field_value": op.key},
        ]);
        assert_eq!(change(op)["body"]["customFields"], expected, "{name}");
    }
}

#[test]
fn an_upsert_takes_nothing_away_from_a_contact_that_came_in_between() {
    let row = json!({
        "fields": {"email": "a@x"}, "tags": ["VIP"], "dnd": false,
        "channels": {"Email": false, "SMS": true},
    });
    let mut case = Case::create(true);
    let planned = case.plan(&row);
    assert_eq!(
        change(&planned.ops[0]),
        json!({"do": "upsert", "body": {"email": "a@x", "dndSettings": {"SMS": {"status": "active"}}}})
    );
    assert_eq!(change(&planned.ops[1]), json!({"do": "add_tags", "tags": ["VIP"]}));
    case.policy.tags = TagRule::Replace;
    let planned = case.plan(&row);
    assert_eq!(planned.ops.len(), 1);
    assert_eq!(change(&planned.ops[0])["body"]["tags"], json!(["VIP"]));
}

#[test]
fn a_phone_that_others_have_is_written_after_the_upsert() {
    let mut case = Case::create(true);
    case.action = ContactAction::CreateBeside { email: false, phone: true };
    let planned = case.plan(&json!({"fields": {"email": "a@x", "phone": "+1"}}));
    assert_eq!(change(&planned.ops[0])["body"], json!({"email": "a@x"}));
    assert_eq!(change(&planned.ops[1]), json!({"do": "update", "body": {"phone": "+1"}}));
    assert_eq!(planned.ops[1].before, json!({"phone": null}));
    assert_ne!(planned.ops[0].key, planned.ops[1].key);
}

#[test]
fn a_new_contact_s_further_addresses_are_named() {
    let row = json!({"fields": {"email": "a@x"}, "additional_emails": ["a@x", "b@x"]});
    assert_eq!(codes(&Case::create(false).plan(&row)), ["W_MULTI_EMAIL"]);
}

#[test]
fn a_new_contact_has_no_note_that_exists() {
    let row = json!({"fields": {"email": "a@x"}, "notes": [{"id": "n", "fields": {"body": "x"}}]});
    let refused = Case::create(false).try_plan(&row).unwrap_err();
    assert_eq!((refused.code.spelling(), &*refused.field), ("R_NOT_FOUND", "note.id"));
}

#[test]
fn nothing_is_lost_between_a_row_and_its_body() {
    let mut row = json!({"fields": {}});
    for field in Field::ALL.iter().filter(|field| **field != Field::Name) {
        row["fields"][field.name()] = json!("x");
    }
    let planned = Case::create(false).plan(&row);
    assert_eq!(change(&planned.ops[0])["body"], row["fields"]);
}
