//! Verification: whether the account has what a change requested.
//!
//! A response of 200 proves nothing (api.md §5.4): values are dropped, lower-cased and reformatted.
//! So what was sent is compared with the account property by property, with the tolerance that each
//! type of value needs. Everything here is a pure comparison that neither reads nor sends.

mod round_trip;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::op::OpChange;
use super::remote::{RemoteContact, equality};
pub(crate) use round_trip::{ContactProperty, PropertyKind, body_properties, remote_channel_value};

/// A property whose value differs from the one that was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PropertyMismatch {
    /// The property: `city`, `customFields.<id>`, `dndSettings.Email`, `tags`.
    pub field: String,
    /// The value that was sent; null for a value to be cleared.
    pub sent: Value,
    /// The value in the account; null if there is none.
    pub got: Value,
}

/// The result of comparing a contact with the states before and after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ThreeWayResult {
    /// It is as the change requested.
    Applied,
    /// The change is missing and nothing else has changed the fields: it can be sent.
    NotApplied,
    /// These fields are neither as before nor as requested: they were edited in between.
    Conflict(Vec<String>),
}

/// The parts of a change that the returned contact does not have. Changes of children and the
/// deletion of a contact have no properties to compare.
#[must_use]
pub fn find_mismatches(change: &OpChange, answer: &RemoteContact) -> Vec<PropertyMismatch> {
    let open =
        wanted_properties(change).into_iter().filter(|property| !property.matches_contact(answer));
    let one = |property: ContactProperty| PropertyMismatch {
        field: property.field_name(),
        got: property.current_value(answer),
        sent: property.value,
    };
    open.map(one).collect()
}

/// Compares the state before (`before` of the op), the change, and the contact as it is now.
///
/// A contact that is partly as requested and otherwise as before has no other edits: the change can
/// be sent again, because it contains whole values.
#[must_use]
pub fn compare_three_way(
    change: &OpChange,
    before: &Value,
    remote: &RemoteContact,
) -> ThreeWayResult {
    let open: Vec<ContactProperty> = wanted_properties(change)
        .into_iter()
        .filter(|property| !property.matches_contact(remote))
        .collect();
    if open.is_empty() {
        return ThreeWayResult::Applied;
    }
    // Missing tags can be added at any time, whatever happened to the other tags.
    if matches!(change, OpChange::AddTags { .. } | OpChange::RemoveTags { .. }) {
        return ThreeWayResult::NotApplied;
    }
    let strange =
        open.iter().filter(|property| !property.property_before(before).matches_contact(remote));
    let strange: Vec<String> = strange.map(ContactProperty::field_name).collect();
    if strange.is_empty() { ThreeWayResult::NotApplied } else { ThreeWayResult::Conflict(strange) }
}

/// The properties that a change requests.
fn wanted_properties(change: &OpChange) -> Vec<ContactProperty> {
    let one = |kind, value: Value| vec![ContactProperty { kind, value }];
    match change {
        // A new contact may get more tags immediately: workflows add them.
        OpChange::Create { body } | OpChange::Upsert { body } => body_properties(body, true),
        OpChange::Update { body } => body_properties(body, false),
        OpChange::AddTags { tags } => one(PropertyKind::TagsThere, tags.clone().into()),
        OpChange::RemoveTags { tags } => one(PropertyKind::TagsGone, tags.clone().into()),
        OpChange::SetBusiness { business } => one(PropertyKind::Business, business.clone().into()),
        _ => Vec::new(),
    }
}

/// How many properties of a contact a change requests.
#[must_use]
pub fn count_properties(change: &OpChange) -> usize {
    wanted_properties(change).len()
}

/// The parts of a note or task that a change requests and `child` does not have, by target:
/// `note.body`.
#[must_use]
pub fn find_child_mismatches(change: &OpChange, child: &Value) -> Vec<PropertyMismatch> {
    let completed;
    let (kind, parts, body): (_, &[&str], _) = match change {
        OpChange::CreateNote { body } | OpChange::UpdateNote { body, .. } => {
            ("note", &NOTE_PARTS, body)
        }
        OpChange::CreateTask { body } | OpChange::UpdateTask { body, .. } => {
            ("task", &TASK_PARTS, body)
        }
        OpChange::CompleteTask { completed: value, .. } => {
            completed = Map::from_iter([("completed".to_owned(), Value::Bool(*value))]);
            ("task", &TASK_PARTS, &completed)
        }
        _ => return Vec::new(),
    };
    let open = parts.iter().filter(|key| !part_matches_body(body, child, key));
    let one = |key: &&str| PropertyMismatch {
        field: format!("{kind}.{key}"),
        sent: body[*key].clone(),
        got: child.get(*key).cloned().unwrap_or_default(),
    };
    open.map(one).collect()
}

/// The parts of a note that are compared.
const NOTE_PARTS: [&str; 5] = ["body", "title", "color", "userId", "pinned"];
/// The parts of a task that are compared.
const TASK_PARTS: [&str; 5] = ["title", "body", "dueDate", "completed", "assignedTo"];

/// Whether a note of the contact matches `body`. Missing parts of the body, parts that the server
/// does not return, mark-up and outer blanks are ignored.
#[must_use]
pub fn note_matches_body(body: &Map<String, Value>, note: &Value) -> bool {
    NOTE_PARTS.iter().all(|key| part_matches_body(body, note, key)) && note.get("body").is_some()
}

/// Whether a task of the contact matches `body`; due dates are compared as instants.
#[must_use]
pub fn task_matches_body(body: &Map<String, Value>, task: &Value) -> bool {
    TASK_PARTS.iter().all(|key| part_matches_body(body, task, key)) && task.get("title").is_some()
}

/// Whether one part of a child matches `body`.
fn part_matches_body(body: &Map<String, Value>, child: &Value, key: &str) -> bool {
    let (Some(sent), got) = (body.get(key), child.get(key).unwrap_or(&Value::Null)) else {
        return true;
    };
    // A part that the server omits from its responses must not prevent a match: the child would be
    // written a second time.
    let optional = !matches!(key, "body" | "title" | "dueDate");
    optional && got.is_null() || same_child_value(key, sent, got)
}

/// Whether two values of one part of a note or task are equal.
pub(crate) fn same_child_value(key: &str, one: &Value, other: &Value) -> bool {
    let nothing = |value: &Value| equality::is_null_or_empty(value) || value == &Value::Bool(false);
    if nothing(one) || nothing(other) {
        return nothing(one) && nothing(other);
    }
    match (key, one, other) {
        ("dueDate", ..) => {
            match (equality::value_epoch_millis(one), equality::value_epoch_millis(other)) {
                // A spreadsheet and some systems have whole seconds.
                (Some(one), Some(other)) => {
                    one == other
                        || (one % 1_000 == 0 || other % 1_000 == 0)
                            && one.div_euclid(1_000) == other.div_euclid(1_000)
                }
                _ => one == other,
            }
        }
        ("body" | "title", Value::String(one), Value::String(other)) => {
            equality::same_text(one, other)
                || equality::strip_markup(one) == equality::strip_markup(other)
        }
        (_, Value::String(one), Value::String(other)) => one.eq_ignore_ascii_case(other),
        _ => one == other,
    }
}
