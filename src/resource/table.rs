//! A table: a resource's columns in one account.
//!
//! A [`ResourceSpec`] is an entry of the registry; its [`TableSchema`] also has the account's
//! custom fields as columns. A table has no rows, and does not know how they are read or written.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};

use super::column::{ColumnSource, TableColumn};
use super::derived::DerivedKey;
use super::fields::CustomFieldColumns;

/// A kind of record that the API serves.
#[derive(Debug)]
pub struct ResourceSpec {
    /// The name, also used for its file.
    pub name: &'static str,
    /// A one-sentence description.
    pub doc: &'static str,
    pub(super) columns: fn(&CustomFieldColumns) -> Vec<TableColumn>,
    pub(super) derived: &'static [DerivedKey],
}

impl ResourceSpec {
    /// The resource with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<&'static Self> {
        super::RESOURCES.iter().copied().find(|r| r.name == name)
    }

    /// The resource's table in an account with these custom fields.
    #[must_use]
    pub fn table_schema(&self, fields: &CustomFieldColumns) -> TableSchema {
        TableSchema { name: self.name, columns: (self.columns)(fields), derived: self.derived }
    }
}

/// The columns of a resource, in order: `id` first, `extra` last.
#[derive(Debug, Clone, PartialEq)]
pub struct TableSchema {
    /// The name, also used for its file.
    pub name: &'static str,
    /// The columns.
    pub columns: Vec<TableColumn>,
    pub(super) derived: &'static [DerivedKey],
}

impl TableSchema {
    /// The same table with other columns.
    #[must_use]
    pub fn with_columns(&self, columns: Vec<TableColumn>) -> Self {
        Self { columns, ..self.clone() }
    }

    /// The Arrow schema of the table's batches.
    #[must_use]
    pub fn arrow_schema(&self) -> SchemaRef {
        let fields: Vec<_> = self.columns.iter().map(TableColumn::arrow_field).collect();
        Arc::new(Schema::new(fields))
    }

    /// The index of the column with this name.
    #[must_use]
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The index of the column whose value arrives under a key of the API.
    #[must_use]
    pub fn column_index_of_key(&self, key: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.source_keys().any(|known| known == key))
    }

    /// Whether custom fields are columns of this table.
    pub(super) fn has_custom_fields(&self) -> bool {
        let is_field = |column: &TableColumn| matches!(column.source, ColumnSource::Field(_));
        self.columns.iter().any(is_field)
    }
}
