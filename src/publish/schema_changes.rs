//! What has become of the columns of custom fields since the export that is in the output directory.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::manifest::ManifestCustomField;

/// What has become of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaChangeKind {
    /// The column is new, for a new custom field.
    Added,
    /// The field has another name or key; the column keeps its own.
    Renamed,
    /// The field was deleted; the column stays, without values.
    Deleted,
    /// A field that had been deleted is there again.
    Restored,
    /// The field's values have another type, and so another column; this one stays, without values.
    Retyped,
    /// The column is new, for a field with the key of one that was deleted, or for another type of a field's values.
    Recreated,
    /// The column is no longer there, because columns were named again.
    Removed,
}

impl SchemaChangeKind {
    /// Whether queries over the tables give the same as before.
    #[must_use]
    pub fn is_harmless(self) -> bool {
        matches!(self, Self::Added | Self::Restored)
    }
}

/// What has become of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaChange {
    /// What.
    pub change: SchemaChangeKind,
    /// The column of `contacts`.
    pub column: String,
    /// The custom field's name.
    pub field: String,
    /// The custom field's id.
    pub field_id: String,
    /// Its name before, if it was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// Compares the custom fields of two exports, by column.
#[must_use]
pub(super) fn compare_fields(
    before: &BTreeMap<String, ManifestCustomField>,
    now: &BTreeMap<String, ManifestCustomField>,
) -> Vec<SchemaChange> {
    let known_keys: BTreeSet<&str> = before.values().map(|field| field.key.as_str()).collect();
    let known_ids: BTreeSet<&str> = before.values().map(|field| field.id.as_str()).collect();
    let mut changes = Vec::new();
    for (column, field) in now {
        let change = match before.get(column) {
            None if known_ids.contains(&*field.id) || known_keys.contains(&*field.key) => {
                SchemaChangeKind::Recreated
            }
            None => SchemaChangeKind::Added,
            Some(old) if field.retyped && !old.retyped => SchemaChangeKind::Retyped,
            Some(old) if field.deleted && !old.deleted => SchemaChangeKind::Deleted,
            Some(old) if old.deleted && !field.deleted => SchemaChangeKind::Restored,
            Some(old) if old.label != field.label || old.key != field.key => {
                SchemaChangeKind::Renamed
            }
            Some(_) => continue,
        };
        let old = before.get(column).filter(|_| change == SchemaChangeKind::Renamed);
        changes.push(describe(change, column, field, old.map(|old| old.label.clone())));
    }
    let gone = before.iter().filter(|(column, _)| !now.contains_key(*column));
    changes.extend(
        gone.map(|(column, field)| describe(SchemaChangeKind::Removed, column, field, None)),
    );
    changes
}

fn describe(
    change: SchemaChangeKind,
    column: &str,
    field: &ManifestCustomField,
    before: Option<String>,
) -> SchemaChange {
    let (column, field_id) = (column.to_owned(), field.id.clone());
    SchemaChange { change, column, field: field.label.clone(), field_id, before }
}
