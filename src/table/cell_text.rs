//! The cells of a column, by type, as text formats need them.
//!
//! The types are those of our tables; a schema with any other type is rejected when the file is
//! opened.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMillisecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, ListArray, RecordBatch,
    StringArray, TimestampMillisecondArray,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};

use super::{TableWriteError, date_text};

/// A column of a batch.
#[derive(Debug)]
pub(super) enum ColumnCells<'b> {
    Text(&'b StringArray),
    Json(&'b StringArray),
    Boolean(&'b BooleanArray),
    Integer(&'b Int64Array),
    Float(&'b Float64Array),
    Date(&'b Date32Array),
    Instant(&'b TimestampMillisecondArray),
    List(&'b ListArray, &'b StringArray),
}

/// The columns of a batch, which must have the schema that the file was opened with.
pub(super) fn columns_of_batch<'b>(
    path: &Path,
    schema: &Schema,
    batch: &'b RecordBatch,
) -> Result<Vec<ColumnCells<'b>>, TableWriteError> {
    if batch.schema_ref().fields() != schema.fields() {
        return Err(TableWriteError::encode_error(path, "the batch is of another table"));
    }
    Ok(cells_of_batch(batch))
}

/// The columns of a batch with types that are ours.
pub(super) fn cells_of_batch(batch: &RecordBatch) -> Vec<ColumnCells<'_>> {
    let fields = batch.schema_ref().fields().iter().zip(batch.columns());
    fields.map(|(field, column)| ColumnCells::from_array(field, column)).collect()
}

/// Rejects a schema with types that are not ours.
pub(super) fn check_schema(path: &Path, schema: &Schema) -> Result<(), TableWriteError> {
    let unknown = |field: &&Arc<Field>| match field.data_type() {
        DataType::List(item) => *item.data_type() != DataType::Utf8,
        DataType::Timestamp(unit, zone) => {
            (*unit, zone.as_deref()) != (TimeUnit::Millisecond, Some("UTC"))
        }
        other => !matches!(
            other,
            DataType::Utf8
                | DataType::Boolean
                | DataType::Int64
                | DataType::Float64
                | DataType::Date32
        ),
    };
    match schema.fields().iter().find(unknown) {
        None => Ok(()),
        Some(field) => {
            let (name, kind) = (field.name(), field.data_type());
            Err(TableWriteError::encode_error(path, format!("column `{name}` is of type {kind}")))
        }
    }
}

impl<'b> ColumnCells<'b> {
    /// The cells of a column, according to its type.
    pub(super) fn from_array(field: &Field, column: &'b ArrayRef) -> Self {
        match field.data_type() {
            DataType::Utf8 if is_json(field) => Self::Json(column.as_string()),
            DataType::Boolean => Self::Boolean(column.as_boolean()),
            DataType::Int64 => Self::Integer(column.as_primitive::<Int64Type>()),
            DataType::Float64 => Self::Float(column.as_primitive::<Float64Type>()),
            DataType::Date32 => Self::Date(column.as_primitive::<Date32Type>()),
            DataType::Timestamp(..) => {
                Self::Instant(column.as_primitive::<TimestampMillisecondType>())
            }
            DataType::List(_) => {
                let list = column.as_list::<i32>();
                Self::List(list, list.values().as_string())
            }
            _ => Self::Text(column.as_string()),
        }
    }

    /// The texts of a cell: none if it is null, several if it is a list, else one. Days and
    /// instants are ISO 8601.
    pub(super) fn cell_texts(&self, row: usize) -> Vec<Cow<'b, str>> {
        if self.is_null(row) {
            return Vec::new();
        }
        let print = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut buffer = Vec::new();
            write(&mut buffer);
            Cow::Owned(String::from_utf8(buffer).expect("days and moments are ASCII"))
        };
        vec![match self {
            Self::Text(cells) | Self::Json(cells) => Cow::Borrowed(cells.value(row)),
            Self::List(cells, texts) => {
                return list_items(cells, texts, row).map(Cow::Borrowed).collect();
            }
            Self::Boolean(cells) => Cow::Borrowed(if cells.value(row) { "true" } else { "false" }),
            Self::Integer(cells) => Cow::Owned(cells.value(row).to_string()),
            Self::Float(cells) => Cow::Owned(cells.value(row).to_string()),
            Self::Date(cells) => print(&|buffer| date_text::write_day(buffer, cells.value(row))),
            Self::Instant(cells) => {
                print(&|buffer| date_text::write_instant(buffer, cells.value(row)))
            }
        }]
    }

    /// Whether the cell of this row is null.
    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Text(cells) | Self::Json(cells) => cells.is_null(row),
            Self::Boolean(cells) => cells.is_null(row),
            Self::Integer(cells) => cells.is_null(row),
            Self::Float(cells) => cells.is_null(row),
            Self::Date(cells) => cells.is_null(row),
            Self::Instant(cells) => cells.is_null(row),
            Self::List(cells, _) => cells.is_null(row),
        }
    }
}

/// Whether the texts of a column are JSON.
pub(super) fn is_json(field: &Field) -> bool {
    field.metadata().get("ghl.kind").is_some_and(|kind| kind == "json")
}

/// The texts of a list cell; a null item is an empty text.
pub(super) fn list_items<'b>(
    list: &ListArray,
    items: &'b StringArray,
    row: usize,
) -> impl Iterator<Item = &'b str> + Clone + use<'b> {
    let bounds = list.value_offsets();
    let at = |place: usize| usize::try_from(bounds[place]).expect("offsets are not negative");
    (at(row)..at(row + 1)).map(|item| if items.is_null(item) { "" } else { items.value(item) })
}
