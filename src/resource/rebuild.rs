//! Rebuilds the API's row from a table's row: the proof that nothing was lost.
//!
//! The row has the keys of the search endpoint; everything in `extra` keeps its own key.

use std::collections::HashSet;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, RecordBatch};
use serde_json::{Map, Value, json};

use super::column::{ColumnKind, ColumnSource, TableColumn};
use super::column_builder::column_date_encoding;
use super::custom_values::{CUSTOM_FIELDS, FIRST_CUSTOM_FIELDS};
use super::extra;
use super::scalar::{self, DateEncoding};
use super::table::TableSchema;

/// Row number `row` of `batch`, as the server sent it.
///
/// A value that [`Value`] cannot represent (nested more than 127 levels deep, or with an unpaired
/// surrogate) becomes a string of its JSON text.
///
/// # Panics
/// If the batch is not of this table.
#[must_use]
pub fn rebuild_row(table: &TableSchema, batch: &RecordBatch, row: usize) -> Value {
    let preserved = extra::parse_extra(batch.columns().last().and_then(|column| {
        let texts = column.as_string::<i32>();
        texts.is_valid(row).then(|| texts.value(row))
    }));
    let mut source = Map::new();
    let mut entries = Vec::new();
    let spoken = preserved_field_ids(&preserved);
    for (column, cells) in table.columns.iter().zip(batch.columns()) {
        let value = || cell_to_json(column, cells, row);
        match &column.source {
            ColumnSource::Member { key, .. }
                if column.source_keys().all(|key| !preserved.contains_key(key)) =>
            {
                source.extend(value().map(|value| ((*key).to_owned(), value)));
            }
            ColumnSource::Field(field) if !spoken.contains(&field.id) => {
                entries.extend(value().map(|value| json!({"id": field.id, "value": value})));
            }
            _ => {}
        }
    }
    source.extend(preserved);
    // Under the name of the API's first version all values are preserved as they were sent.
    if table.has_custom_fields() && !source.contains_key(FIRST_CUSTOM_FIELDS) {
        append_custom_values(&mut source, entries);
    }
    for derived in table.derived {
        if !source.contains_key(derived.key) {
            let value = derived.derive_value(&source);
            source.extend(value.map(|value| (derived.key.to_owned(), value)));
        }
    }
    Value::Object(source)
}

/// The ids of the fields whose entries are preserved as they were sent.
fn preserved_field_ids(preserved: &Map<String, Value>) -> HashSet<String> {
    let entries = preserved.get(CUSTOM_FIELDS).and_then(Value::as_array);
    let ids = entries.into_iter().flatten();
    ids.filter_map(|entry| entry.get("id")?.as_str().map(str::to_owned)).collect()
}

fn append_custom_values(source: &mut Map<String, Value>, entries: Vec<Value>) {
    let all = source.entry(CUSTOM_FIELDS).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(all) = all {
        all.extend(entries);
    }
}

fn cell_to_json(column: &TableColumn, cells: &dyn Array, row: usize) -> Option<Value> {
    if cells.is_null(row) {
        return None;
    }
    Some(match column.kind {
        ColumnKind::Text => json!(cells.as_string::<i32>().value(row)),
        ColumnKind::Json => extra::parse_json_or_text(cells.as_string::<i32>().value(row)),
        ColumnKind::Boolean => json!(cells.as_boolean().value(row)),
        ColumnKind::Integer => json!(cells.as_primitive::<Int64Type>().value(row)),
        ColumnKind::Float => json!(cells.as_primitive::<Float64Type>().value(row)),
        ColumnKind::Date => {
            let days = cells.as_primitive::<Date32Type>().value(row);
            match column_date_encoding(column) {
                DateEncoding::Text => json!(scalar::format_day(days)),
                _ => json!(i64::from(days) * scalar::DAY_MS),
            }
        }
        ColumnKind::Timestamp => {
            let ms = cells.as_primitive::<TimestampMillisecondType>().value(row);
            json!(scalar::format_instant(ms))
        }
        ColumnKind::TextList => {
            let list = cells.as_list::<i32>().value(row);
            json!(list.as_string::<i32>().iter().collect::<Vec<_>>())
        }
    })
}
