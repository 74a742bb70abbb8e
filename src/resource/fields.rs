//! Custom fields: the definitions of an account, and the columns derived from them.
//!
//! A contact's custom field is a column named after its key or label ([`super::column_name`]).
//! Duplicates get `_2`, `_3` and so on, in the order of the field ids. The same definitions always
//! give the same columns, whatever their order. Where columns are remembered ([`FieldColumn`]), a
//! field keeps the name that it had first, whatever becomes of its key, its label or other fields.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

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

/// The column of a custom field, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldColumn {
    /// The field.
    pub field: CustomFieldSource,
    /// The column's name.
    pub name: String,
    /// The name of the column's type.
    #[serde(rename = "type")]
    kind: String,
    /// Whether the field no longer exists.
    #[serde(default)]
    pub deleted: bool,
    /// Whether the field's values have another type now, and so another column.
    #[serde(default)]
    pub retyped: bool,
}

impl FieldColumn {
    /// Whether another one is the column of the same field, with the same type.
    #[must_use]
    pub fn is_same_column(&self, other: &Self) -> bool {
        self.field.id == other.field.id && self.kind == other.kind
    }
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
        let definitions = rows.into_iter().map(parse_definition).collect::<Result<_, _>>()?;
        Ok(Self::from_columns(&assign_columns(&[], definitions)))
    }

    /// Reads definitions; rows that are none are left out.
    #[must_use]
    pub fn from_sound_definitions<'r>(rows: impl IntoIterator<Item = &'r str>) -> Self {
        Self::from_columns(&assign_field_columns(&[], rows))
    }

    /// The columns that are remembered.
    #[must_use]
    pub fn from_columns(columns: &[FieldColumn]) -> Self {
        let left_out = columns.len().saturating_sub(MAX_CUSTOM_COLUMNS);
        let kept = columns.iter().take(MAX_CUSTOM_COLUMNS);
        let mut columns: Vec<_> = kept.map(FieldColumn::to_table_column).collect();
        columns.sort_by(|a, b| a.name.cmp(&b.name));
        let names = columns.iter().filter_map(|column| match &column.source {
            ColumnSource::Field(field) => Some((field.id.clone(), column.name.clone())),
            _ => None,
        });
        let names = Arc::new(names.collect());
        Self { columns, left_out, names }
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

/// The columns of all fields: those that are known, as definitions describe their fields now, then those of new fields by
/// id. A field whose values have another type than before gets another column, and keeps the former one. Rows that are no
/// definitions are left out.
#[must_use]
pub fn assign_field_columns<'r>(
    known: &[FieldColumn],
    rows: impl IntoIterator<Item = &'r str>,
) -> Vec<FieldColumn> {
    let definitions = rows.into_iter().filter_map(|row| parse_definition(row).ok());
    assign_columns(known, definitions.collect())
}

fn assign_columns(
    known: &[FieldColumn],
    mut definitions: Vec<FieldColumnDefinition>,
) -> Vec<FieldColumn> {
    definitions.retain(|d| d.model.as_deref().is_none_or(|model| model == "contact"));
    definitions.sort_by(|a, b| a.id.cmp(&b.id));
    definitions.dedup_by(|a, b| a.id == b.id);
    let mut columns = known.to_vec();
    for column in &mut columns {
        column.deleted = true;
    }
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, column) in columns.iter().enumerate() {
        places.entry(column.field.id.clone()).or_default().push(place);
    }
    let standard = contacts::standard_columns().map(|column| column.name);
    let taken = standard.chain(columns.iter().map(|column| column.name.clone()));
    let mut taken: HashMap<String, u64> = taken.map(|name| (name, 2)).collect();
    for definition in definitions {
        let field = definition.into_source();
        let kind = column_kind(&field.data_type).name().to_owned();
        let of_field = places.entry(field.id.clone()).or_default();
        let current = of_field.iter().copied().find(|place| columns[*place].kind == kind);
        for place in of_field.iter() {
            (columns[*place].deleted, columns[*place].retyped) = (false, true);
        }
        if let Some(place) = current {
            (columns[place].retyped, columns[place].field) = (false, field);
            continue;
        }
        of_field.push(columns.len());
        let name = reserve_unique_name(&column_name::name_custom_field(&field), &mut taken);
        columns.push(FieldColumn { field, name, kind, deleted: false, retyped: false });
    }
    columns
}

/// The same columns, in the same order, named by what their fields are called now. Those of fields that exist come
/// first to their names.
#[must_use]
pub fn rename_field_columns(columns: &[FieldColumn]) -> Vec<FieldColumn> {
    let standard = contacts::standard_columns().map(|column| column.name);
    let mut taken: HashMap<String, u64> = standard.map(|name| (name, 2)).collect();
    let mut places: Vec<usize> = (0..columns.len()).collect();
    places.sort_by_key(|place| {
        let column = &columns[*place];
        (column.deleted, column.retyped, column.field.id.clone())
    });
    let mut renamed = columns.to_vec();
    for place in places {
        let name = column_name::name_custom_field(&columns[place].field);
        renamed[place].name = reserve_unique_name(&name, &mut taken);
    }
    renamed
}

fn parse_definition(row: &str) -> Result<FieldColumnDefinition, RowDecodeError> {
    serde_json::from_str(row)
        .map_err(|error| RowDecodeError::not_a_row("custom_fields", error.to_string(), row))
}

impl FieldColumnDefinition {
    fn into_source(self) -> CustomFieldSource {
        let key = self.field_key.unwrap_or_default();
        CustomFieldSource {
            id: self.id,
            key: key.strip_prefix("contact.").unwrap_or(&key).to_owned(),
            label: self.name.as_str().unwrap_or_default().to_owned(),
            data_type: self.data_type.unwrap_or_default(),
        }
    }
}

impl FieldColumn {
    fn to_table_column(&self) -> TableColumn {
        let field = self.field.clone();
        TableColumn {
            name: self.name.clone(),
            kind: ColumnKind::from_name(&self.kind).unwrap_or(ColumnKind::Text),
            source: if self.retyped {
                ColumnSource::FormerField(field)
            } else {
                ColumnSource::Field(field)
            },
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
