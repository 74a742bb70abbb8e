//! A snapshot of an account without ids, for comparing two accounts.
//!
//! Ids and write dates are left out, and everything without an order of its own is sorted.

use serde_json::{Map, Value, json};

use crate::sandbox::store::contact::StoredContact;
use crate::sandbox::store::location_store::LocationStore;

/// The keys that differ between two accounts with the same content.
const OWN: [&str; 6] = ["id", "contactId", "locationId", "dateAdded", "dateUpdated", "searchAfter"];

/// The contacts with their notes and tasks, sorted.
pub(crate) fn snapshot_contacts(store: &LocationStore) -> Vec<Value> {
    sorted_by_json(store.existing_contacts().map(|contact| snapshot_contact(store, contact)))
}

fn snapshot_contact(store: &LocationStore, contact: &StoredContact) -> Value {
    let mut row = without_ids_and_dates(contact.parse_row());
    for list in ["tags", "followers", "customFields"] {
        if let Some(Value::Array(values)) = row.get_mut(list) {
            *values = sorted_by_json(values.drain(..));
        }
    }
    let notes = contact.notes.iter().map(|slot| store.notes.note(*slot));
    let notes = notes.map(|note| without_ids_and_dates(note.to_fields()).into());
    let tasks = contact.tasks.iter().map(|task| without_ids_and_dates(task.to_fields()).into());
    json!({ "contact": row, "notes": sorted_by_json(notes), "tasks": sorted_by_json(tasks) })
}

fn without_ids_and_dates(mut row: Map<String, Value>) -> Map<String, Value> {
    row.retain(|key, _| !OWN.contains(&key.as_str()));
    row
}

fn sorted_by_json(values: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut values: Vec<_> = values.collect();
    values.sort_by_cached_key(Value::to_string);
    values
}
