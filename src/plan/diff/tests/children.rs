//! Notes and tasks: created, updated, or missing.

use super::*;
use crate::run::RowAction;

fn case() -> Case {
    let mut case = Case::update(&json!({"email": "a@x"}));
    case.children = RemoteChildren {
        notes: vec![json!({"id": "n", "body": "old text", "title": "t", "pinned": false})],
        tasks: vec![json!({
            "id": "t", "title": "Call", "body": "b", "dueDate": "2026-03-01T09:00:00.000Z",
            "completed": false, "assignedTo": "u",
        })],
    };
    case
}

/// The single change that a row with one note or task needs; null for none.
#[track_caller]
fn check(kind: &str, id: Option<&str>, fields: &Value, expected: &Value) {
    let case = case();
    let row = json!({ kind: [{"id": id, "fields": fields}] });
    let planned = case.plan(&row);
    let changes: Vec<Value> = planned.ops.iter().map(change).collect();
    if expected.is_null() {
        assert_eq!((planned.action, changes.len()), (RowAction::Unchanged, 0), "{fields}");
        return;
    }
    assert_eq!(changes, std::slice::from_ref(expected), "{fields}");
    assert_eq!(planned.action, RowAction::NotesAndTasks);
    let op = &planned.ops[0];
    let (class, before) = match (id, kind) {
        (None, _) => (IdempotencyClass::Countable, Value::Null),
        (_, "notes") => (IdempotencyClass::Replayable, case.children.notes[0].clone()),
        _ => (IdempotencyClass::Replayable, case.children.tasks[0].clone()),
    };
    assert_eq!((op.class, &op.before), (class, &before));
}

#[test]
fn notes_are_written_or_changed() {
    check(
        "notes",
        None,
        &json!({"body": "two\nlines", "title": null}),
        &json!({"do": "create_note", "body": {"body": "two\nlines"}}),
    );
    check("notes", Some("n"), &json!({"body": "old text\r\n"}), &Value::Null);
    check("notes", Some("n"), &json!({"body": "old text", "pinned": null}), &Value::Null);
    check(
        "notes",
        Some("n"),
        &json!({"body": "old\ntext"}),
        &json!({"do": "update_note", "id": "n", "body": {"body": "old\ntext"}}),
    );
    // The text is included, because the API requires it.
    check(
        "notes",
        Some("n"),
        &json!({"title": null, "pinned": true}),
        &json!({
            "do": "update_note", "id": "n", "body": {"title": "", "pinned": true, "body": "old text"},
        }),
    );
}

#[test]
fn tasks_are_written_or_changed() {
    check(
        "tasks",
        None,
        &json!({"title": "Call", "dueDate": "2026-03-01T09:00:00Z", "body": null}),
        &json!({
            "do": "create_task",
            "body": {"title": "Call", "dueDate": "2026-03-01T09:00:00Z", "completed": false},
        }),
    );
    check(
        "tasks",
        Some("t"),
        &json!({"title": "Call", "dueDate": "2026-03-01T10:00:00+01:00", "completed": false}),
        &Value::Null,
    );
    check(
        "tasks",
        Some("t"),
        &json!({"title": "Call", "completed": true}),
        &json!({"do": "complete_task", "id": "t", "completed": true}),
    );
    check(
        "tasks",
        Some("t"),
        &json!({"title": "Mail", "completed": true, "dueDate": "2026-03-02T09:00:00.500Z", "body": null}),
        &json!({
            "do": "update_task", "id": "t",
            "body": {"title": "Mail", "completed": true, "dueDate": "2026-03-02T09:00:00Z", "body": ""},
        }),
    );
}

#[test]
fn a_child_that_is_not_there_rejects_its_row() {
    for (kind, field) in [("notes", "note.id"), ("tasks", "task.id")] {
        let row = json!({ kind: [{"id": "gone", "fields": {"title": "x"}}] });
        let refused = case().try_plan(&row).unwrap_err();
        assert_eq!((refused.code.spelling(), &*refused.field), ("R_NOT_FOUND", field));
    }
}

#[test]
fn a_file_of_notes_does_not_touch_the_contact() {
    let row = json!({
        "contact": "c", "fields": {"email": "other@x"}, "notes": [{"fields": {"body": "x"}}],
    });
    let planned = case().plan(&row);
    assert_eq!((planned.action, planned.ops.len()), (RowAction::NotesAndTasks, 1));
    // A row without children is about the contact.
    assert_eq!(case().plan(&json!({"fields": {"email": "other@x"}})).action, RowAction::Update);
}

#[test]
fn changes_of_children_are_named_as_targets() {
    let row = json!({
        "notes": [{"id": "n", "fields": {"body": "new", "title": "u"}}],
        "tasks": [{"id": "t", "fields": {"completed": true, "body": null}}],
    });
    let planned = case().plan(&row);
    let expected = [
        ("note", "old text", "new"),
        ("note.title", "t", "u"),
        ("task.body", "b", ""),
        ("task.completed", "false", "true"),
    ];
    assert_eq!(changes(&planned), expected);
}
