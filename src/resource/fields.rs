//! Custom fields: the definitions of an account, and the columns derived from them.
//!
//! A contact's custom field is a column named after its key or label ([`super::column_name`]).
//! Duplicates get `_2`, `_3` and so on, in the order of the field ids. The same definitions always
//! give the same columns, whatever their order.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use super::column::{ColumnKind, ColumnSource, CustomFieldSource, TableColumn};
use super::column_name;
use super::{RowDecodeError, contacts};

/// How many custom fields become columns. More would not fit into a table of BigQuery, and each column of each file costs
/// memory; the values of the others are in the column `extra`.
pub const MAX_CUSTOM_COLUMNS: usize = 10_000;

/// The custom fields of contacts, as columns.
#[derive(Debug, Default, Clone)]
pub struct CustomFieldColumns {
    columns: Vec<TableColumn>,
    left_out: usize,
    names: Arc<HashMap<String, String>>,
}

/// The parts of a definition that a column needs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FieldColumnDefinition {
    id: String,
    /// Any JSON: a label that is no text must not cost the column.
    #[serde(default)]
    name: serde_json::Value,
    field_key: Option<String>,
    data_type: Option<String>,
    model: Option<String>,
}

impl CustomFieldColumns {
    /// Reads definitions: the rows of `GET /locations/{id}/customFields`, as JSON text.
    ///
    /// Definitions of other models than contacts are not columns.
    pub fn from_definitions<'r>(
        rows: impl IntoIterator<Item = &'r str>,
    ) -> Result<Self, RowDecodeError> {
        let mut definitions =
            rows.into_iter().map(parse_definition).collect::<Result<Vec<_>, RowDecodeError>>()?;
        definitions.retain(|d| d.model.as_deref().is_none_or(|model| model == "contact"));
        definitions.sort_by(|a, b| a.id.cmp(&b.id));
        definitions.dedup_by(|a, b| a.id == b.id);
        let left_out = definitions.len().saturating_sub(MAX_CUSTOM_COLUMNS);
        definitions.truncate(MAX_CUSTOM_COLUMNS);
        let mut taken: HashMap<String, u64> =
            contacts::standard_columns().map(|column| (column.name, 2)).collect();
        let mut columns: Vec<_> =
            definitions.into_iter().map(|definition| definition.into_column(&mut taken)).collect();
        columns.sort_by(|a, b| a.name.cmp(&b.name));
        let names = columns.iter().filter_map(|column| match &column.source {
            ColumnSource::Field(field) => Some((field.id.clone(), column.name.clone())),
            _ => None,
        });
        let names = Arc::new(names.collect());
        Ok(Self { columns, left_out, names })
    }

    /// How many fields have no column: those after the first [`MAX_CUSTOM_COLUMNS`], by id.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// The columns, in the order of their names.
    #[must_use]
    pub fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    /// The column name of the field with this id.
    #[must_use]
    pub fn column_name(&self, id: &str) -> Option<&str> {
        self.names.get(id).map(String::as_str)
    }

    /// The column name of every field, by id.
    pub(super) fn column_names_by_id(&self) -> Arc<HashMap<String, String>> {
        Arc::clone(&self.names)
    }
}

fn parse_definition(row: &str) -> Result<FieldColumnDefinition, RowDecodeError> {
    serde_json::from_str(row)
        .map_err(|error| RowDecodeError::not_a_row("custom_fields", error.to_string(), row))
}

impl FieldColumnDefinition {
    fn into_column(self, taken: &mut HashMap<String, u64>) -> TableColumn {
        let key = self.field_key.unwrap_or_default();
        let field = CustomFieldSource {
            id: self.id,
            key: key.strip_prefix("contact.").unwrap_or(&key).to_owned(),
            label: self.name.as_str().unwrap_or_default().to_owned(),
            data_type: self.data_type.unwrap_or_default(),
        };
        TableColumn {
            name: reserve_unique_name(&column_name::name_custom_field(&field), taken),
            kind: column_kind(&field.data_type),
            source: ColumnSource::Field(field),
            doc: "A custom field of the account; the table `custom_fields` describes it under this column name.",
        }
    }
}

/// A name that no column has, and is now taken. `taken` has the number to try next for each name.
fn reserve_unique_name(name: &str, taken: &mut HashMap<String, u64>) -> String {
    let mut free = name.to_owned();
    if let Some(first) = taken.get(name).copied() {
        let mut number = first;
        while taken.contains_key(&format!("{name}_{number}")) {
            number += 1;
        }
        taken.insert(name.to_owned(), number + 1);
        free = format!("{name}_{number}");
    }
    taken.insert(free.clone(), 2);
    free
}

fn column_kind(data_type: &str) -> ColumnKind {
    match data_type {
        "NUMERICAL" | "FLOAT" | "MONETORY" => ColumnKind::Float,
        "DATE" => ColumnKind::Date,
        "MULTIPLE_OPTIONS" | "CHECKBOX" => ColumnKind::TextList,
        "TEXTBOX_LIST" | "FILE_UPLOAD" | "SIGNATURE" => ColumnKind::Json,
        _ => ColumnKind::Text,
    }
}
