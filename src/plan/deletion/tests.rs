//! Tests of before-images and of what is recreated from them.

use serde_json::json;

use super::*;
use crate::model::{CustomField, LocationBusiness, LocationUser};

fn directory() -> LocationDirectory {
    let field = |id: &str, data_type: &str| CustomField {
        id: id.to_owned(),
        key: format!("key_{id}"),
        column: String::new(),
        name: id.to_owned(),
        data_type: data_type.to_owned(),
        options: Vec::new(),
        custom_option: false,
    };
    let user = LocationUser { id: "u1".to_owned(), name: String::new(), email: String::new() };
    LocationDirectory {
        location: "l".parse().unwrap(),
        name: None,
        country: None,
        timezone: None,
        allows_duplicates: false,
        unique: Vec::new(),
        fields: vec![field("text", "TEXT"), field("file", "FILE_UPLOAD")],
        users: vec![user],
        businesses: vec![LocationBusiness { id: "b1".to_owned(), name: String::new() }],
    }
}

fn image() -> BeforeImage {
    BeforeImage {
        contact: json!({
            "id": "c1", "firstName": "Ann", "name": "ann", "email": "ann@example.com",
            "customFields": [{"id": "text", "value": "x"}, {"id": "file", "value": {"a": 1}}, {"id": "gone", "value": "y"}],
            "assignedTo": "u9", "businessId": "b1", "tags": ["vip"],
        }),
        notes: vec![
            json!({"id": "n2", "body": "later", "dateAdded": "2026-02-01T00:00:00Z", "userId": "u1"}),
            json!({"id": "n1", "body": "[2026-01-02] first", "dateAdded": "2026-01-02T00:00:00Z", "userId": "u9"}),
            json!({"id": "n3", "body": " "}),
        ],
        tasks: vec![json!({"_id": "t1", "title": "Call", "dueDate": "2026-03-01T09:00:00.000Z",
                           "completed": true, "assignedTo": "u1"})],
        opportunities: 0,
    }
}

#[test]
fn all_that_can_be_written_is_recreated_and_the_rest_is_named() {
    let recreation = image().recreation_draft(&directory()).unwrap();
    let draft = &recreation.draft;
    let fields: Vec<_> = draft.fields.keys().map(|field| field.name()).collect();
    assert_eq!(fields, ["firstName", "email"]);
    assert_eq!(draft.custom.keys().collect::<Vec<_>>(), ["text"]);
    assert_eq!((draft.business.as_deref(), draft.owner.as_ref()), (Some("b1"), None));
    let lost: Vec<_> = recreation.warnings.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(lost, ["customFields.key_file", "customFields.gone", "assignedTo", "note"]);
    assert_eq!(
        (recreation.notes, recreation.tasks),
        (vec!["n1".into(), "n2".into()], vec!["t1".to_owned()])
    );
    let notes: Vec<_> = draft.notes.iter().map(|note| note.fields["body"].as_str()).collect();
    assert_eq!(notes, [Some("[2026-01-02] first"), Some("[2026-02-01] later")]);
    let users: Vec<_> = draft.notes.iter().map(|note| note.fields.get("userId")).collect();
    assert_eq!(users, [None, Some(&json!("u1"))]);
    let task = &draft.tasks[0].fields;
    assert_eq!(
        (&task["completed"], &task["dueDate"]),
        (&json!(true), &json!("2026-03-01T09:00:00Z"))
    );
}

#[test]
fn what_has_changed_of_a_record_is_named() {
    let (then, mut now) = (image(), image());
    // The order of a list and the spelling of a time are not changes.
    now.notes.reverse();
    now.tasks[0]["dueDate"] = json!("2026-03-01T09:00:00Z");
    now.contact["dateUpdated"] = json!("2026-11-01T00:00:00Z");
    assert_eq!(then.changed_parts(&now), [] as [&str; 0]);
    now.contact["firstName"] = json!("Anna");
    now.notes.pop();
    now.tasks[0]["completed"] = json!(false);
    assert_eq!(then.changed_parts(&now), ["contact", "notes", "tasks"]);
    assert_eq!(BeforeImage::from_op_before(&serde_json::to_value(&then).unwrap()), Some(then));
    assert_eq!(BeforeImage::from_op_before(&json!({"id": "n1", "body": "a note"})), None);
}
