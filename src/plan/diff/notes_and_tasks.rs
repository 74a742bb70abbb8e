//! Notes and tasks: new ones are created, existing ones are updated where they differ.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{RemoteChildren, RowPlanBuilder, change_text, literal};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::IdempotencyClass;
use crate::model::op::OpChange;
use crate::model::remote::equality;
use crate::plan::identity::row_rejection;

/// The kinds of children, as target prefixes.
const NOTE: &str = "note";
const TASK: &str = "task";

/// Plans the row's notes and tasks.
///
/// # Errors
/// When one with an id does not exist.
pub(super) fn plan_children(
    work: &mut RowPlanBuilder<'_>,
    children: &RemoteChildren,
) -> Result<(), Diagnostic> {
    let draft = work.draft;
    for (ordinal, note) in draft.notes.iter().enumerate() {
        match &note.id {
            None => plan_new_note(work, ordinal, &note.fields),
            Some(id) => {
                plan_note_update(
                    work,
                    ordinal,
                    id,
                    &note.fields,
                    find_child(&children.notes, id, NOTE)?,
                );
            }
        }
    }
    for (ordinal, task) in draft.tasks.iter().enumerate() {
        match &task.id {
            None => plan_new_task(work, ordinal, &task.fields),
            Some(id) => {
                let current = find_child(&children.tasks, id, TASK)?;
                let fields = task.fields_with_priority(current["body"].as_str());
                plan_task_update(work, ordinal, id, &fields, current);
            }
        }
    }
    Ok(())
}

fn find_child<'c>(children: &'c [Value], id: &str, kind: &str) -> Result<&'c Value, Diagnostic> {
    children.iter().find(|child| equality::has_id(child, id)).ok_or_else(|| {
        let message = format!(
            "the contact has no {kind} `{id}`; it may have been deleted or belong to another \
             contact; empty the cell to create a new one"
        );
        row_rejection(DiagnosticCode::R_NOT_FOUND, &format!("{kind}.id"), message)
    })
}

/// The target name of a child's property.
pub(crate) fn child_target(kind: &str, key: &str) -> String {
    if (kind, key) == (NOTE, "body") { NOTE.to_owned() } else { format!("{kind}.{key}") }
}

/// The body of a new child: the properties with a value.
fn new_child_body(
    work: &mut RowPlanBuilder<'_>,
    kind: &str,
    fields: &BTreeMap<String, Value>,
) -> Map<String, Value> {
    let mut body = Map::new();
    for (key, value) in fields.iter().filter(|(_, value)| !equality::is_null_or_empty(value)) {
        work.add_field_change(
            &child_target(kind, key),
            String::new(),
            change_text::format_value(value),
        );
        body.insert(key.clone(), value.clone());
    }
    body
}

fn plan_new_note(work: &mut RowPlanBuilder<'_>, ordinal: usize, fields: &BTreeMap<String, Value>) {
    let body = new_child_body(work, NOTE, fields);
    if !body.is_empty() {
        work.push_op(
            NOTE,
            ordinal,
            IdempotencyClass::Countable,
            OpChange::CreateNote { body },
            Value::Null,
        );
    }
}

fn plan_new_task(work: &mut RowPlanBuilder<'_>, ordinal: usize, fields: &BTreeMap<String, Value>) {
    let mut body = new_child_body(work, TASK, fields);
    if !body.is_empty() {
        // Required by the API (api.md §5, tasks).
        body.entry("completed").or_insert(Value::Bool(false));
        work.push_op(
            TASK,
            ordinal,
            IdempotencyClass::Countable,
            OpChange::CreateTask { body },
            Value::Null,
        );
    }
}

fn plan_note_update(
    work: &mut RowPlanBuilder<'_>,
    ordinal: usize,
    id: &str,
    fields: &BTreeMap<String, Value>,
    current: &Value,
) {
    let mut body = changed_properties(work, NOTE, fields, current);
    if body.is_empty() {
        return;
    }
    // The API requires the text in every update of a note.
    if let Some(text) = current.get("body").filter(|text| text.is_string()) {
        body.entry("body").or_insert_with(|| text.clone());
    }
    let change = OpChange::UpdateNote { id: id.to_owned(), body };
    work.push_op(NOTE, ordinal, IdempotencyClass::Replayable, change, current.clone());
}

fn plan_task_update(
    work: &mut RowPlanBuilder<'_>,
    ordinal: usize,
    id: &str,
    fields: &BTreeMap<String, Value>,
    current: &Value,
) {
    let mut body = changed_properties(work, TASK, fields, current);
    if let Some(due) = body.get("dueDate").and_then(truncate_to_seconds) {
        body.insert("dueDate".to_owned(), due.into());
    }
    let id = id.to_owned();
    let completed = body.get("completed").and_then(Value::as_bool);
    let change = match completed {
        _ if body.is_empty() => return,
        Some(completed) if body.len() == 1 => OpChange::CompleteTask { id, completed },
        _ => OpChange::UpdateTask { id, body },
    };
    work.push_op(TASK, ordinal, IdempotencyClass::Replayable, change, current.clone());
}

/// The properties that differ from those of an existing child, in the form of a body.
fn changed_properties(
    work: &mut RowPlanBuilder<'_>,
    kind: &str,
    fields: &BTreeMap<String, Value>,
    current: &Value,
) -> Map<String, Value> {
    let mut body = Map::new();
    for (key, value) in fields {
        let old = current.get(key).unwrap_or(&Value::Null);
        if is_property_unchanged(key, value, old)
            || literal::cell_equals_value(work.draft, &child_target(kind, key), value, old)
        {
            continue;
        }
        if let (Value::String(value), Value::String(current)) = (value, old)
            && let Some(cell) =
                literal::damaged_copy(work.draft, &child_target(kind, key), value, current)
        {
            work.add_damage_warning(&child_target(kind, key), cell, current);
            continue;
        }
        work.add_field_change(
            &child_target(kind, key),
            change_text::format_value(old),
            change_text::format_value(value),
        );
        body.insert(key.clone(), to_update_value(key, value));
    }
    body
}

/// Stricter than the comparison that recognises a child: a change of line breaks is a change.
pub(crate) fn is_property_unchanged(key: &str, value: &Value, old: &Value) -> bool {
    let none = |value: &Value| equality::is_null_or_empty(value) || *value == Value::Bool(false);
    match (value, old) {
        _ if none(value) || none(old) => none(value) && none(old),
        _ if key == "dueDate" => {
            // Sheets and updates have whole seconds.
            match (truncate_to_seconds(value), truncate_to_seconds(old)) {
                (Some(value), Some(old)) => value == old,
                _ => value == old,
            }
        }
        (Value::String(value), Value::String(old)) => equality::same_text(value, old),
        _ => value == old,
    }
}

/// A property in the form of an update. None of them accepts null (api.md §5, tasks and notes).
pub(crate) fn to_update_value(key: &str, value: &Value) -> Value {
    match (key, value) {
        ("completed" | "pinned", Value::Null) => Value::Bool(false),
        (_, Value::Null) => "".into(),
        _ => value.clone(),
    }
}

/// A time without fractional seconds: updates of tasks reject those (api.md §5, tasks).
pub(crate) fn truncate_to_seconds(value: &Value) -> Option<String> {
    let milliseconds = equality::value_epoch_millis(value)?;
    let time = jiff::Timestamp::from_second(milliseconds.div_euclid(1_000)).ok()?;
    Some(time.to_string())
}
