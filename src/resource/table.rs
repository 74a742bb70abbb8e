//! A table: a resource's columns as one account has them.
//!
//! A [`Resource`] is a line of the registry; its [`Table`] also has the account's custom fields as columns. A table
//! holds no rows, and does not know how they are read or written.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};

use super::column::{Column, Wire};
use super::derived::Derived;
use super::fields::Fields;

/// A kind of record the API serves.
#[derive(Debug)]
pub struct Resource {
    /// The name, which is also that of its file.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub doc: &'static str,
    pub(super) columns: fn(&Fields) -> Vec<Column>,
    pub(super) derived: &'static [Derived],
}

impl Resource {
    /// The resource of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        super::RESOURCES.iter().copied().find(|r| r.name == name)
    }

    /// The resource's table in an account with these custom fields.
    #[must_use]
    pub fn table(&self, fields: &Fields) -> Table {
        Table { name: self.name, columns: (self.columns)(fields), derived: self.derived }
    }
}

/// The columns of a resource, in order: `id` first, `extra` last.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The name, which is also that of its file.
    pub name: &'static str,
    /// The columns.
    pub columns: Vec<Column>,
    pub(super) derived: &'static [Derived],
}

impl Table {
    /// The Arrow schema of the table's batches.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        let fields: Vec<_> = self.columns.iter().map(Column::field).collect();
        Arc::new(Schema::new(fields))
    }

    /// The place of the column of that name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Whether custom fields are columns here.
    pub(super) fn has_fields(&self) -> bool {
        let is_field = |column: &Column| matches!(column.wire, Wire::Field(_));
        self.columns.iter().any(is_field)
    }
}
