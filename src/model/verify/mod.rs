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

use super::op::Change;
use super::remote::{Live, equality};
pub(crate) use round_trip::{Kind, Property, channel_value, properties};

/// A property whose value is not the one that was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The property: `city`, `customFields.<id>`, `dndSettings.Email`, `tags`.
    pub field: String,
    /// What was sent; null for a value that was to be cleared.
    pub sent: Value,
    /// What stands there; null for nothing.
    pub got: Value,
}

/// Where a contact stands between the state before a change and the one it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ThreeWay {
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
pub fn differences(change: &Change, answer: &Live) -> Vec<Difference> {
    let open = wanted(change).into_iter().filter(|property| !property.holds(answer));
    let one = |property: Property| Difference {
        field: property.field(),
        got: property.current(answer),
        sent: property.value,
    };
    open.map(one).collect()
}

/// Compares the state before (`before` of the op), the change and the contact as it stands.
///
/// A contact of which a part is as asked for and the rest as before was not edited by anybody: the change
/// can be sent again, since it says whole values.
#[must_use]
pub fn three_way(change: &Change, before: &Value, live: &Live) -> ThreeWay {
    let open: Vec<Property> =
        wanted(change).into_iter().filter(|property| !property.holds(live)).collect();
    if open.is_empty() {
        return ThreeWay::Applied;
    }
    // Tags that are not there can be added at any time, whatever else became of the tags.
    if matches!(change, Change::AddTags { .. } | Change::RemoveTags { .. }) {
        return ThreeWay::NotApplied;
    }
    let strange = open.iter().filter(|property| !property.was(before).holds(live));
    let strange: Vec<String> = strange.map(Property::field).collect();
    if strange.is_empty() { ThreeWay::NotApplied } else { ThreeWay::Conflict(strange) }
}

/// What a change asks of its contact.
fn wanted(change: &Change) -> Vec<Property> {
    let one = |kind, value: Value| vec![Property { kind, value }];
    match change {
        // A new contact may have more tags at once: workflows give them.
        Change::Create { body } | Change::Upsert { body } => properties(body, true),
        Change::Update { body } => properties(body, false),
        Change::AddTags { tags } => one(Kind::TagsThere, tags.clone().into()),
        Change::RemoveTags { tags } => one(Kind::TagsGone, tags.clone().into()),
        Change::SetBusiness { business } => one(Kind::Business, business.clone().into()),
        _ => Vec::new(),
    }
}

/// Whether a note of the contact is the one that `body` describes. What the body does not say, and what
/// the server does not give back, does not count; mark-up and outer blanks neither.
#[must_use]
pub fn same_note(body: &Map<String, Value>, note: &Value) -> bool {
    ["body", "title", "color", "userId", "pinned"].iter().all(|key| same_part(body, note, key))
        && note.get("body").is_some()
}

/// Whether a task of the contact is the one that `body` describes; due dates are compared as instants.
#[must_use]
pub fn same_task(body: &Map<String, Value>, task: &Value) -> bool {
    ["title", "body", "dueDate", "completed", "assignedTo"]
        .iter()
        .all(|key| same_part(body, task, key))
        && task.get("title").is_some()
}

/// Whether one part of a child is as `body` says.
fn same_part(body: &Map<String, Value>, child: &Value, key: &str) -> bool {
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
    let nothing = |value: &Value| equality::is_nothing(value) || value == &Value::Bool(false);
    if nothing(one) || nothing(other) {
        return nothing(one) && nothing(other);
    }
    match (key, one, other) {
        ("dueDate", ..) => match (equality::instant_of(one), equality::instant_of(other)) {
            (Some(one), Some(other)) => one == other,
            _ => one == other,
        },
        ("body" | "title", Value::String(one), Value::String(other)) => {
            equality::text(one, other) || equality::plain_words(one) == equality::plain_words(other)
        }
        (_, Value::String(one), Value::String(other)) => one.eq_ignore_ascii_case(other),
        _ => one == other,
    }
}
