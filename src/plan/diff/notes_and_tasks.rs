//! Notes and tasks: new ones are written, those that exist are changed where they differ.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{LiveChildren, Work, change_text, literal};
use crate::model::op::{Change, Class};
use crate::model::remote::equality;
use crate::plan::identity::rejection;
use crate::plan::validate::Rejection;

/// The kinds of children, in the words of targets.
const NOTE: &str = "note";
const TASK: &str = "task";

/// Plans the row's notes and tasks.
///
/// # Errors
/// When one is named by id and is not there.
pub(super) fn write(work: &mut Work<'_>, children: &LiveChildren) -> Result<(), Rejection> {
    let draft = work.draft;
    for (ordinal, note) in draft.notes.iter().enumerate() {
        match &note.id {
            None => create_note(work, ordinal, &note.fields),
            Some(id) => {
                update_note(work, ordinal, id, &note.fields, find(&children.notes, id, NOTE)?);
            }
        }
    }
    for (ordinal, task) in draft.tasks.iter().enumerate() {
        match &task.id {
            None => create_task(work, ordinal, &task.fields),
            Some(id) => {
                let there = find(&children.tasks, id, TASK)?;
                let fields = task.fields_beside(there["body"].as_str());
                update_task(work, ordinal, id, &fields, there);
            }
        }
    }
    Ok(())
}

fn find<'c>(children: &'c [Value], id: &str, kind: &str) -> Result<&'c Value, Rejection> {
    children.iter().find(|child| equality::has_id(child, id)).ok_or_else(|| {
        let message = format!(
            "the contact has no {kind} `{id}`; it may have been deleted, or belong to another contact; \
             empty the cell to write a new one"
        );
        rejection("R_NOT_FOUND", &format!("{kind}.id"), message)
    })
}

/// A property's name as targets have it.
pub(crate) fn target(kind: &str, key: &str) -> String {
    if (kind, key) == (NOTE, "body") { NOTE.to_owned() } else { format!("{kind}.{key}") }
}

/// The body of a new child: what has a value.
fn new_body(
    work: &mut Work<'_>,
    kind: &str,
    fields: &BTreeMap<String, Value>,
) -> Map<String, Value> {
    let mut body = Map::new();
    for (key, value) in fields.iter().filter(|(_, value)| !equality::is_nothing(value)) {
        work.change(&target(kind, key), String::new(), change_text::text(value));
        body.insert(key.clone(), value.clone());
    }
    body
}

fn create_note(work: &mut Work<'_>, ordinal: usize, fields: &BTreeMap<String, Value>) {
    let body = new_body(work, NOTE, fields);
    if !body.is_empty() {
        work.push(NOTE, ordinal, Class::Countable, Change::CreateNote { body }, Value::Null);
    }
}

fn create_task(work: &mut Work<'_>, ordinal: usize, fields: &BTreeMap<String, Value>) {
    let mut body = new_body(work, TASK, fields);
    if !body.is_empty() {
        // Required by the API (api.md §5, tasks).
        body.entry("completed").or_insert(Value::Bool(false));
        work.push(TASK, ordinal, Class::Countable, Change::CreateTask { body }, Value::Null);
    }
}

fn update_note(
    work: &mut Work<'_>,
    ordinal: usize,
    id: &str,
    fields: &BTreeMap<String, Value>,
    there: &Value,
) {
    let mut body = differing(work, NOTE, fields, there);
    if body.is_empty() {
        return;
    }
    // The specification requires the text with every write of a note.
    if let Some(text) = there.get("body").filter(|text| text.is_string()) {
        body.entry("body").or_insert_with(|| text.clone());
    }
    let change = Change::UpdateNote { id: id.to_owned(), body };
    work.push(NOTE, ordinal, Class::Replayable, change, there.clone());
}

fn update_task(
    work: &mut Work<'_>,
    ordinal: usize,
    id: &str,
    fields: &BTreeMap<String, Value>,
    there: &Value,
) {
    let mut body = differing(work, TASK, fields, there);
    if let Some(due) = body.get("dueDate").and_then(whole_seconds) {
        body.insert("dueDate".to_owned(), due.into());
    }
    let id = id.to_owned();
    let completed = body.get("completed").and_then(Value::as_bool);
    let change = match completed {
        _ if body.is_empty() => return,
        Some(completed) if body.len() == 1 => Change::CompleteTask { id, completed },
        _ => Change::UpdateTask { id, body },
    };
    work.push(TASK, ordinal, Class::Replayable, change, there.clone());
}

/// The properties that differ from those of a child that exists, in the form of a body.
fn differing(
    work: &mut Work<'_>,
    kind: &str,
    fields: &BTreeMap<String, Value>,
    there: &Value,
) -> Map<String, Value> {
    let mut body = Map::new();
    for (key, value) in fields {
        let old = there.get(key).unwrap_or(&Value::Null);
        if is_same(key, value, old)
            || literal::says_value(work.draft, &target(kind, key), value, old)
        {
            continue;
        }
        work.change(&target(kind, key), change_text::text(old), change_text::text(value));
        body.insert(key.clone(), form(key, value));
    }
    body
}

/// Stricter than the comparison that knows a child again: a change of line breaks is a change.
pub(crate) fn is_same(key: &str, value: &Value, old: &Value) -> bool {
    let none = |value: &Value| equality::is_nothing(value) || *value == Value::Bool(false);
    match (value, old) {
        _ if none(value) || none(old) => none(value) && none(old),
        _ if key == "dueDate" => match (equality::instant_of(value), equality::instant_of(old)) {
            (Some(value), Some(old)) => value == old,
            _ => value == old,
        },
        (Value::String(value), Value::String(old)) => equality::text(value, old),
        _ => value == old,
    }
}

/// A property as an update writes it. Null is taken by none of them (api.md §5, tasks and notes).
pub(crate) fn form(key: &str, value: &Value) -> Value {
    match (key, value) {
        ("completed" | "pinned", Value::Null) => Value::Bool(false),
        (_, Value::Null) => "".into(),
        _ => value.clone(),
    }
}

/// A time without fractions of seconds: updates of tasks stumble over them (api.md §5, tasks).
pub(crate) fn whole_seconds(value: &Value) -> Option<String> {
    let milliseconds = equality::instant_of(value)?;
    let time = jiff::Timestamp::from_second(milliseconds.div_euclid(1_000)).ok()?;
    Some(time.to_string())
}
