//! The draft that puts fields of an existing contact back.

use serde_json::Value;

use super::RestorableField;
use crate::id::ContactId;
use crate::model::directory::LocationDirectory;
use crate::model::draft::ContactDraft;
use crate::model::remote::{RemoteContact, equality};
use crate::model::target::Field;

/// The draft that gives a contact the values of a snapshot in some fields, also where the snapshot has none.
#[must_use]
pub fn restore_fields(
    contact: &ContactId,
    wanted: &RemoteContact,
    fields: &[RestorableField],
) -> ContactDraft {
    let mut draft = ContactDraft { contact: Some(contact.clone()), ..ContactDraft::default() };
    for field in fields {
        put_field(&mut draft, field, wanted);
    }
    draft
}

/// What an undo of other people's changes does with a contact.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldUndo {
    /// The values to put back.
    pub draft: ContactDraft,
    /// The fields that have changed again since, by name: they are left as they are.
    pub conflicts: Vec<String>,
}

/// Takes back what changed between two snapshots, where the contact still has the later value. Tags are compared one by
/// one: those that were added are removed, those that were removed are added, whatever else happened to them.
#[must_use]
pub fn undo_changes(
    (before, after): (&RemoteContact, &RemoteContact),
    current: &RemoteContact,
    fields: &[RestorableField],
    directory: &LocationDirectory,
) -> FieldUndo {
    let mut undo = FieldUndo::default();
    undo.draft.contact = Some(current.id.clone());
    for field in fields {
        if *field == RestorableField::Tags {
            undo_tags(&mut undo.draft, before, after, current);
            continue;
        }
        let same = |one, other| has_same_value(field, one, other, directory);
        if same(before, after) || same(current, before) {
            continue;
        }
        if same(current, after) {
            put_field(&mut undo.draft, field, before);
        } else {
            undo.conflicts.push(field.name(directory));
        }
    }
    undo
}

fn undo_tags(
    draft: &mut ContactDraft,
    before: &RemoteContact,
    after: &RemoteContact,
    current: &RemoteContact,
) {
    let added = |tag: &&String| after.has_tag(tag) && !before.has_tag(tag);
    let kept = current.tags.iter().filter(|tag| !added(tag));
    let mut tags: Vec<String> = kept.cloned().collect();
    let removed = before.tags.iter().filter(|tag| !after.has_tag(tag) && !current.has_tag(tag));
    tags.extend(removed.cloned());
    let is_changed = tags.len() != current.tags.len() || tags.iter().any(|it| !current.has_tag(it));
    if is_changed {
        draft.tags = tags;
        draft.replaces_tags = true;
    }
}

/// Puts one value into a draft; none clears the field.
fn put_field(draft: &mut ContactDraft, field: &RestorableField, wanted: &RemoteContact) {
    match field {
        // Its parts say it better, and a search has it in lower case.
        RestorableField::Native(Field::Name) if wanted.has_name_parts() => {}
        RestorableField::Native(field) => {
            let value = wanted.native_field(*field);
            // Without a name and its parts there is nothing to put back.
            if value.is_some() || *field != Field::Name {
                draft.fields.insert(*field, value.map_or(Value::Null, Value::from));
            }
        }
        RestorableField::Custom(id) => {
            let value = wanted.custom.get(id).cloned().unwrap_or(Value::Null);
            draft.custom.insert(id.clone(), value);
        }
        RestorableField::Tags => {
            draft.tags.clone_from(&wanted.tags);
            draft.replaces_tags = true;
        }
        RestorableField::Dnd => {
            draft.dnd = wanted.dnd.then_some(true);
            let blocked = wanted.channels.iter().filter(|(_, state)| state.is_blocked());
            draft.channels = blocked.map(|(channel, _)| (*channel, true)).collect();
        }
        RestorableField::Owner => {
            draft.owner = Some(wanted.owner.clone().map_or(Value::Null, Value::from));
        }
        RestorableField::Business => {
            draft.business = Some(wanted.business.clone().unwrap_or_default());
        }
    }
}

fn has_same_value(
    field: &RestorableField,
    one: &RemoteContact,
    other: &RemoteContact,
    directory: &LocationDirectory,
) -> bool {
    match field {
        RestorableField::Native(field) => {
            match (one.native_field(*field), other.native_field(*field)) {
                (None, None) => true,
                (Some(one), Some(other)) => equality::same_field(*field, one, other),
                _ => false,
            }
        }
        RestorableField::Custom(id) => {
            let kind = directory.fields.iter().find(|field| field.id == *id);
            let kind = kind.map(|field| field.data_type.as_str());
            let value = |contact: &RemoteContact| contact.custom.get(id).cloned();
            let (one, other) = (value(one).unwrap_or_default(), value(other).unwrap_or_default());
            equality::same_custom_value(kind, &one, &other)
        }
        RestorableField::Tags => {
            let has_all = |one: &RemoteContact, other: &RemoteContact| {
                one.tags.iter().all(|tag| other.has_tag(tag))
            };
            has_all(one, other) && has_all(other, one)
        }
        RestorableField::Dnd => {
            let blocked = |contact: &RemoteContact| {
                let channels = contact.channels.iter().filter(|(_, state)| state.is_blocked());
                (contact.dnd, channels.map(|(channel, _)| *channel).collect::<Vec<_>>())
            };
            blocked(one) == blocked(other)
        }
        RestorableField::Owner => one.owner == other.owner,
        RestorableField::Business => one.business == other.business,
    }
}
