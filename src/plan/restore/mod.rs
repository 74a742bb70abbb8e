//! Restoring: what a snapshot's record becomes in the location that it is restored into.
//!
//! [`Translation`] replaces the ids of another location, or of definitions that were replaced, by those of the same
//! names. [`RestorableField`] names what of an existing contact is put back; [`restore_fields`] and [`undo_changes`]
//! decide with which values.

mod anonymise;
mod field_draft;
mod restorable_field;
#[cfg(test)]
mod tests;
mod translation;

pub use anonymise::anonymise;
pub use field_draft::{FieldUndo, restore_fields, undo_changes};
pub use restorable_field::RestorableField;
pub use translation::{MissingName, MissingNames, NameKind, Translation, UserSubstitutes};

use serde_json::Value;

use crate::model::directory::LocationDirectory;
use crate::model::remote::{RemoteContact, equality};
use crate::plan::deletion::RecreationDraft;

/// A contact with its notes and tasks, as a snapshot has them.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotContact {
    /// The contact.
    pub remote: RemoteContact,
    /// Its notes, as the server sent them.
    pub notes: Vec<Value>,
    /// Its tasks.
    pub tasks: Vec<Value>,
}

impl SnapshotContact {
    /// What recreates the contact.
    #[must_use]
    pub fn recreation_draft(&self, directory: &LocationDirectory) -> RecreationDraft {
        RecreationDraft::from_records(&self.remote, &self.notes, &self.tasks, directory)
    }
}

/// The records of a snapshot that a contact no longer has: neither by their ids nor by what they say, because what was
/// recreated has another id. `same` compares two records; each one of the account stands for one of the snapshot.
#[must_use]
pub fn lost_records(
    snapshot: &[Value],
    current: &[Value],
    same: impl Fn(&Value, &Value) -> bool,
) -> Vec<Value> {
    let has_id = |list: &[Value], one: &Value| {
        equality::child_id(one).is_some_and(|id| list.iter().any(|it| equality::has_id(it, id)))
    };
    let mut others: Vec<&Value> = current.iter().filter(|one| !has_id(snapshot, one)).collect();
    let mut lost = Vec::new();
    for record in snapshot.iter().filter(|record| !has_id(current, record)) {
        match others.iter().position(|other| same(record, other)) {
            Some(place) => drop(others.swap_remove(place)),
            None => lost.push(record.clone()),
        }
    }
    lost
}
