//! Reverts writes to notes and tasks.

use serde_json::{Map, Value};

use super::{RevertPlan, combine_steps, revert_step, single_step_plan};
use crate::model::op::{Op, OpChange};
use crate::model::verify::{note_matches_body, same_child_value, task_matches_body};
use crate::plan::diff::{
    child_target, is_property_unchanged, to_update_value, truncate_to_seconds,
};

/// How to revert a write to a note or task.
pub(super) fn plan_child_revert(op: &Op, made: Option<&str>, child: Option<&Value>) -> RevertPlan {
    let Some(child) = child else {
        return RevertPlan::Nothing("the note or task no longer exists");
    };
    match &op.change {
        OpChange::CreateNote { body } => {
            revert_created_child("note", note_matches_body(body, child), made, child)
        }
        OpChange::CreateTask { body } => {
            revert_created_child("task", task_matches_body(body, child), made, child)
        }
        OpChange::UpdateNote { id, body } => {
            revert_changed_child("note", body, &op.before, child, |mut old| {
                // The API requires the text in every update of a note.
                if let Some(text) = child.get("body").filter(|text| text.is_string()) {
                    old.entry("body").or_insert_with(|| text.clone());
                }
                OpChange::UpdateNote { id: id.clone(), body: old }
            })
        }
        OpChange::UpdateTask { id, body } => {
            revert_changed_child("task", body, &op.before, child, |mut old| {
                if let Some(due) = old.get("dueDate").and_then(truncate_to_seconds) {
                    old.insert("dueDate".to_owned(), due.into());
                }
                OpChange::UpdateTask { id: id.clone(), body: old }
            })
        }
        OpChange::CompleteTask { id, completed } => {
            let body = Map::from_iter([("completed".to_owned(), Value::Bool(*completed))]);
            revert_changed_child("task", &body, &op.before, child, |old| {
                let completed = old.get("completed").and_then(Value::as_bool).unwrap_or_default();
                OpChange::CompleteTask { id: id.clone(), completed }
            })
        }
        _ => RevertPlan::Nothing("it did not write a note or task"),
    }
}

/// A created child is deleted, if it is still as written.
fn revert_created_child(
    kind: &str,
    unchanged: bool,
    made: Option<&str>,
    child: &Value,
) -> RevertPlan {
    let Some(id) = made else { return RevertPlan::Nothing("it is unknown which one was created") };
    if !unchanged {
        return RevertPlan::Conflict(vec![kind.to_owned()]);
    }
    let id = id.to_owned();
    let change =
        if kind == "note" { OpChange::DeleteNote { id } } else { OpChange::DeleteTask { id } };
    single_step_plan(change, child.clone())
}

/// A changed child gets its old values back where it still has the new ones.
fn revert_changed_child(
    kind: &str,
    body: &Map<String, Value>,
    before: &Value,
    child: &Value,
    change: impl FnOnce(Map<String, Value>) -> OpChange,
) -> RevertPlan {
    let (mut old, mut conflicts) = (Map::new(), Vec::new());
    for (key, written) in body {
        let was = before.get(key).unwrap_or(&Value::Null);
        let now = child.get(key).unwrap_or(&Value::Null);
        if is_property_unchanged(key, was, now) {
            continue;
        }
        if same_child_value(key, written, now) {
            old.insert(key.clone(), to_update_value(key, was));
        } else if !same_child_value(key, was, now) {
            conflicts.push(child_target(kind, key));
        }
    }
    let steps =
        if old.is_empty() { Vec::new() } else { vec![revert_step(change(old), child.clone())] };
    combine_steps(steps, conflicts, "everything is already as before")
}
