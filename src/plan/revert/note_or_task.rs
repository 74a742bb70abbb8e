//! Taking back what was written to notes and tasks.

use serde_json::{Map, Value};

use super::{Reversal, one, step, summed};
use crate::model::op::{Change, Op};
use crate::model::verify::{same_child_value, same_note, same_task};
use crate::plan::diff::{form, is_same, target, whole_seconds};

/// How to take back a note or task that was written.
pub(super) fn reverse(op: &Op, made: Option<&str>, child: Option<&Value>) -> Reversal {
    let Some(child) = child else { return Reversal::Nothing("the note or task is gone") };
    match &op.change {
        Change::CreateNote { body } => created("note", same_note(body, child), made, child),
        Change::CreateTask { body } => created("task", same_task(body, child), made, child),
        Change::UpdateNote { id, body } => {
            restored("note", body, &op.before, child, |mut old| {
                // The API wants the text with every write of a note.
                if let Some(text) = child.get("body").filter(|text| text.is_string()) {
                    old.entry("body").or_insert_with(|| text.clone());
                }
                Change::UpdateNote { id: id.clone(), body: old }
            })
        }
        Change::UpdateTask { id, body } => restored("task", body, &op.before, child, |mut old| {
            if let Some(due) = old.get("dueDate").and_then(whole_seconds) {
                old.insert("dueDate".to_owned(), due.into());
            }
            Change::UpdateTask { id: id.clone(), body: old }
        }),
        Change::CompleteTask { id, completed } => {
            let body = Map::from_iter([("completed".to_owned(), Value::Bool(*completed))]);
            restored("task", &body, &op.before, child, |old| {
                let completed = old.get("completed").and_then(Value::as_bool).unwrap_or_default();
                Change::CompleteTask { id: id.clone(), completed }
            })
        }
        _ => Reversal::Nothing("it did not write a note or task"),
    }
}

/// A child that was made goes, as long as it is what was written.
fn created(kind: &str, unchanged: bool, made: Option<&str>, child: &Value) -> Reversal {
    let Some(id) = made else { return Reversal::Nothing("nobody knows which one was made") };
    if !unchanged {
        return Reversal::Conflict(vec![kind.to_owned()]);
    }
    let id = id.to_owned();
    let change = if kind == "note" { Change::DeleteNote { id } } else { Change::DeleteTask { id } };
    one(change, child.clone())
}

/// A child that was changed gets its old values back where it still has the new ones.
fn restored(
    kind: &str,
    body: &Map<String, Value>,
    before: &Value,
    child: &Value,
    change: impl FnOnce(Map<String, Value>) -> Change,
) -> Reversal {
    let (mut old, mut conflicts) = (Map::new(), Vec::new());
    for (key, written) in body {
        let was = before.get(key).unwrap_or(&Value::Null);
        let now = child.get(key).unwrap_or(&Value::Null);
        if is_same(key, was, now) {
            continue;
        }
        if same_child_value(key, written, now) {
            old.insert(key.clone(), form(key, was));
        } else if !same_child_value(key, was, now) {
            conflicts.push(target(kind, key));
        }
    }
    let steps = if old.is_empty() { Vec::new() } else { vec![step(change(old), child.clone())] };
    summed(steps, conflicts, "all of it is as before already")
}
