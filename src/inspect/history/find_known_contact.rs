//! Finds a contact in the mirror: among those that exist, those that were deleted, and former versions.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::inspect::find_contact::{ContactLabel, ContactMatch, match_labels};
use crate::mirror::{MirrorError, MirrorReader, RecordKind};
use crate::pull::ContactKey;
use crate::repository::{Identities, Repository, RepositoryError, SnapshotLine, SnapshotList};

/// The most contacts that are remembered: an address that more have names none.
const MAX_FOUND: usize = 1_000;

/// The members of a contact that a key can match.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct KeyMembers {
    email: Value,
    phone: Value,
    additional_emails: Value,
    additional_phones: Value,
}

/// Finds the contact that a key names or has named. Reads every version of every contact, one at a time, unless the key is
/// an id.
///
/// # Errors
/// When the mirror is damaged or cannot be read.
pub fn find_known_contact(
    mirror: &MirrorReader,
    key: &ContactKey,
) -> Result<ContactMatch, MirrorError> {
    if let ContactKey::Id(id) = key {
        let known = mirror.find_version(RecordKind::Contact, id.as_str())?;
        return Ok(known.map_or(ContactMatch::Missing, |_| ContactMatch::Found(id.clone())));
    }
    Ok(match_labels(list_known_contacts(mirror, key)?.into_values()))
}

/// The contacts that an address or number names or has named, by id.
///
/// # Errors
/// When the mirror is damaged or cannot be read.
pub fn list_known_contacts(
    mirror: &MirrorReader,
    key: &ContactKey,
) -> Result<BTreeMap<String, ContactLabel>, MirrorError> {
    let mut found: BTreeMap<String, ContactLabel> = BTreeMap::new();
    mirror.for_each_version(RecordKind::Contact, |version| {
        let is_known = found.contains_key(version.id);
        if !is_known && (found.len() >= MAX_FOUND || !has_key(version.body, key)) {
            return;
        }
        // The current version comes last and names the contact.
        let Some(mut label) = ContactLabel::from_row(version.body) else { return };
        label.is_deleted = version.is_deleted;
        found.insert(version.id.to_owned(), label);
    })?;
    Ok(found)
}

/// The contacts that an address or number names or has named in any snapshot of a location, forgotten ones included, by
/// id. Reads every file of contacts.
///
/// # Errors
/// When a snapshot is damaged or cannot be decrypted.
pub fn list_snapshot_contacts(
    repository: &Repository,
    list: &SnapshotList,
    identities: Option<&Identities>,
    key: &ContactKey,
) -> Result<BTreeMap<String, ContactLabel>, RepositoryError> {
    let mut found: BTreeMap<String, ContactLabel> = BTreeMap::new();
    for snapshot in list.snapshots.iter().chain(&list.forgotten) {
        repository.for_each_line(&snapshot.manifest, "contacts", identities, |line| {
            let SnapshotLine::Put(record) = line else { return };
            let is_known = found.contains_key(&record.id);
            if !is_known && (found.len() >= MAX_FOUND || !has_key(&record.body, key)) {
                return;
            }
            if let Some(label) = ContactLabel::from_row(&record.body) {
                found.insert(record.id.clone(), label);
            }
        })?;
    }
    Ok(found)
}

/// Whether a row has the key's value, as the primary or an additional one.
fn has_key(row: &str, key: &ContactKey) -> bool {
    let Ok(row) = serde_json::from_str::<KeyMembers>(row) else { return false };
    match key {
        ContactKey::Id(_) => false,
        ContactKey::Email(_) => {
            let is_it = |text: &str| ContactKey::from_email(text) == *key;
            has_text(&row.email, &is_it) || has_text(&row.additional_emails, &is_it)
        }
        ContactKey::Phone(_) => {
            let is_it = |text: &str| ContactKey::from_phone(text) == *key;
            has_text(&row.phone, &is_it) || has_text(&row.additional_phones, &is_it)
        }
    }
}

/// Whether a value has such a text anywhere: additional values are texts or objects with them.
fn has_text(value: &Value, is_it: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_it(text),
        Value::Array(items) => items.iter().any(|item| has_text(item, is_it)),
        Value::Object(members) => members.values().any(|item| has_text(item, is_it)),
        _ => false,
    }
}
