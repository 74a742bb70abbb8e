//! An account as it would be told to somebody who knows no ids: for comparing two accounts.
//!
//! Ids and dates of writing are left out, and everything that has no order of its own is sorted.

use serde_json::{Map, Value, json};

use crate::sandbox::store::contact::Contact;
use crate::sandbox::store::location_store::Shelf;

/// What differs between two accounts that hold the same.
const OWN: [&str; 6] = ["id", "contactId", "locationId", "dateAdded", "dateUpdated", "searchAfter"];

/// The contacts with their notes and tasks, sorted.
pub(crate) fn contacts(shelf: &Shelf) -> Vec<Value> {
    sorted(shelf.living().map(contact))
}

fn contact(contact: &Contact) -> Value {
    let mut row = without_own(contact.row());
    for list in ["tags", "followers", "customFields"] {
        if let Some(Value::Array(values)) = row.get_mut(list) {
            *values = sorted(values.drain(..));
        }
    }
    let notes = contact.notes.iter().map(|note| without_own(note.fields()).into());
    let tasks = contact.tasks.iter().map(|task| without_own(task.fields()).into());
    json!({ "contact": row, "notes": sorted(notes), "tasks": sorted(tasks) })
}

fn without_own(mut row: Map<String, Value>) -> Map<String, Value> {
    row.retain(|key, _| !OWN.contains(&key.as_str()));
    row
}

fn sorted(values: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut values: Vec<_> = values.collect();
    values.sort_by_cached_key(Value::to_string);
    values
}
