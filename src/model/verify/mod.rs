//! Verification: whether the account holds what a change asked for.
//!
//! An answer of 200 proves nothing (api.md §5.4): values are dropped, lower-cased and reformatted. So what
//! was sent is compared with what stands there, property by property, with the tolerance that each kind of
//! value needs. Everything here is a pure comparison; it neither reads nor sends.

mod round_trip;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::op::OpChange;
use super::remote::{RemoteContact, equality};
pub(crate) use round_trip::{ContactProperty, PropertyKind, body_properties, remote_channel_value};

/// A property whose value is not the one that was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PropertyMismatch {
    /// The property: `city`, `customFields.<id>`, `dndSettings.Email`, `tags`.
    pub field: String,
    /// What was sent; null for a value that was to be cleared.
    pub sent: Value,
    /// What stands there; null for nothing.
    pub got: Value,
}

/// Where a contact stands between the state before a change and the one it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ThreeWayResult {
    /// It is what the change asked for.
    Applied,
    /// What the change asked for is not there, and nobody else has touched it: it can be sent.
    NotApplied,
    /// These fields are neither as before nor as asked for: somebody edited them in between.
    Conflict(Vec<String>),
}

/// What of a change is not found in the contact that was answered. Changes of children and the deletion
/// of a contact say nothing about it: nothing differs.
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

/// Compares the state before (`before` of the op), the change and the contact as it stands.
///
/// A contact of which a part is as asked for and the rest as before was not edited by anybody: the change
/// can be sent again, since it says whole values.
#[must_use]
pub fn compare_three_way(
    change: &OpChange,
    before: &Value,
    live: &RemoteContact,
) -> ThreeWayResult {
    let open: Vec<ContactProperty> = wanted_properties(change)
        .into_iter()
        .filter(|property| !property.matches_contact(live))
        .collect();
    if open.is_empty() {
        return ThreeWayResult::Applied;
    }
    // Tags that are not there can be added at any time, whatever else became of the tags.
    if matches!(change, OpChange::AddTags { .. } | OpChange::RemoveTags { .. }) {
        return ThreeWayResult::NotApplied;
    }
    let strange =
        open.iter().filter(|property| !property.property_before(before).matches_contact(live));
    let strange: Vec<String> = strange.map(ContactProperty::field_name).collect();
    if strange.is_empty() { ThreeWayResult::NotApplied } else { ThreeWayResult::Conflict(strange) }
}

/// What a change asks of its contact.
fn wanted_properties(change: &OpChange) -> Vec<ContactProperty> {
    let one = |kind, value: Value| vec![ContactProperty { kind, value }];
    match change {
        // A new contact may have more tags at once: workflows give them.
        OpChange::Create { body } | OpChange::Upsert { body } => body_properties(body, true),
        OpChange::Update { body } => body_properties(body, false),
        OpChange::AddTags { tags } => one(PropertyKind::TagsThere, tags.clone().into()),
        OpChange::RemoveTags { tags } => one(PropertyKind::TagsGone, tags.clone().into()),
        OpChange::SetBusiness { business } => one(PropertyKind::Business, business.clone().into()),
        _ => Vec::new(),
    }
}

/// Whether a note of the contact is the one that `body` describes. What the body does not say, and what
/// the server does not give back, does not count; mark-up and outer blanks neither.
#[must_use]
pub fn note_matches_body(body: &Map<String, Value>, note: &Value) -> bool {
    ["body", "title", "color", "userId", "pinned"]
        .iter()
        .all(|key| part_matches_body(body, note, key))
        && note.get("body").is_some()
}

/// Whether a task of the contact is the one that `body` describes; due dates are compared as instants.
#[must_use]
pub fn task_matches_body(body: &Map<String, Value>, task: &Value) -> bool {
    ["title", "body", "dueDate", "completed", "assignedTo"]
        .iter()
        .all(|key| part_matches_body(body, task, key))
        && task.get("title").is_some()
}

/// Whether one part of a child is as `body` says.
fn part_matches_body(body: &Map<String, Value>, child: &Value, key: &str) -> bool {
    let (Some(sent), got) = (body.get(key), child.get(key).unwrap_or(&Value::Null)) else {
        return true;
    };
    // A part that the server leaves out of its answers must not make a child unknown to us: it would be
    // written a second time.
    let optional = !matches!(key, "body" | "title" | "dueDate");
    optional && got.is_null() || same_child_value(key, sent, got)
}

/// Whether two values of one part of a note or task are the same.
pub(crate) fn same_child_value(key: &str, one: &Value, other: &Value) -> bool {
    let nothing = |value: &Value| equality::is_null_or_empty(value) || value == &Value::Bool(false);
    if nothing(one) || nothing(other) {
        return nothing(one) && nothing(other);
    }
    match (key, one, other) {
        ("dueDate", ..) => {
            match (equality::value_epoch_millis(one), equality::value_epoch_millis(other)) {
                (Some(one), Some(other)) => one == other,
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
