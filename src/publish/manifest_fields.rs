//! The custom fields behind columns, and what has become of them since the export that is in the output directory.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::resource::{ColumnSource, CustomFieldSource, FieldColumn, TableColumn};

/// The custom field behind a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestCustomField {
    /// The field's id.
    pub id: String,
    /// Its key, without `contact.`.
    pub key: String,
    /// Its name, as users see it.
    pub label: String,
    /// The type of its values, such as `MONETORY`.
    pub data_type: String,
    /// Whether the field no longer exists; the column has no values.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// Whether the field's values have another type now, and so another column.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retyped: bool,
}

impl ManifestCustomField {
    pub(super) fn from_column(column: &TableColumn) -> Option<(String, Self)> {
        let (field, retyped) = match &column.source {
            ColumnSource::Field(field) => (field, false),
            ColumnSource::FormerField(field) => (field, true),
            _ => return None,
        };
        Some((column.name.clone(), Self::new(field, false, retyped)))
    }

    fn new(field: &CustomFieldSource, deleted: bool, retyped: bool) -> Self {
        Self {
            id: field.id.clone(),
            key: field.key.clone(),
            label: field.label.clone(),
            data_type: field.data_type.clone(),
            deleted,
            retyped,
        }
    }

    /// The custom fields behind columns that a mirror remembers, by column.
    #[must_use]
    pub fn by_column(columns: &[FieldColumn]) -> BTreeMap<String, Self> {
        let entry = |column: &FieldColumn| {
            (column.name.clone(), Self::new(&column.field, column.deleted, column.retyped))
        };
        columns.iter().map(entry).collect()
    }
}

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
