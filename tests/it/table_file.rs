//! Reads an exported table back, in any format, with only the format's own crate.

use std::collections::BTreeMap;
use std::fs::File;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;
use serde_json::{Value, json};

use crate::world::World;

/// A Parquet file.
pub(crate) struct ParquetFile {
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) metadata: std::sync::Arc<ParquetMetaData>,
    pub(crate) schema: arrow_schema::SchemaRef,
}

/// Rows as column names and the texts that CSV would show; null, an empty text and an empty list are
/// nothing.
pub(crate) type Rows = Vec<BTreeMap<String, String>>;

impl ParquetFile {
    pub(crate) fn open(world: &World, file: &str) -> Self {
        let file = File::open(world.path(file)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let (metadata, schema) = (reader.metadata().clone(), reader.schema().clone());
        let batches = reader.build().unwrap().map(Result::unwrap).collect();
        Self { batches, metadata, schema }
    }

    /// Every row as JSON, with the columns' own types; JSON columns stay text.
    pub(crate) fn rows(&self) -> Vec<Value> {
        let row = |batch: &RecordBatch, row: usize| {
            let schema = batch.schema();
            let names = schema.fields().iter().map(|field| field.name().clone());
            let cells = batch.columns().iter().map(|column| cell(column, row));
            names.zip(cells).collect::<Value>()
        };
        let rows =
            self.batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |n| (batch, n)));
        rows.map(|(batch, n)| row(batch, n)).collect()
    }

    /// Column names and types, as `name: type`.
    pub(crate) fn columns(&self) -> Vec<String> {
        let fields = self.schema.fields().iter();
        fields.map(|field| format!("{}: {}", field.name(), kind(field.data_type()))).collect()
    }
}

fn kind(kind: &DataType) -> String {
    match kind {
        DataType::List(item) => format!("list of {}", item.data_type()),
        DataType::Timestamp(TimeUnit::Millisecond, Some(zone)) => format!("ms in {zone}"),
        other => other.to_string(),
    }
}

fn cell(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Utf8 => json!(column.as_string::<i32>().value(row)),
        DataType::Boolean => json!(column.as_boolean().value(row)),
        DataType::Int64 => json!(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => json!(column.as_primitive::<Float64Type>().value(row)),
        DataType::Date32 => json!(day(column.as_primitive::<Date32Type>().value(row))),
        DataType::Timestamp(..) => {
            json!(instant(column.as_primitive::<TimestampMillisecondType>().value(row)))
        }
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(row);
            json!(list.as_string::<i32>().iter().collect::<Vec<_>>())
        }
        other => panic!("no column is {other}"),
    }
}

fn day(days: i32) -> String {
    jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap().to_string()
}

fn instant(ms: i64) -> String {
    format!("{:.3}", jiff::Timestamp::from_millisecond(ms).unwrap())
}

/// The rows of a table in one format, in the form that all formats share.
pub(crate) fn read_table(world: &World, dir: &str, table: &str, format: &str) -> Rows {
    let file = format!("{dir}/{table}.{format}");
    let rows = match format {
        "parquet" => ParquetFile::open(world, &file).rows(),
        "jsonl" => world.read_rows(&file),
        _ => return csv(world, &file),
    };
    rows.iter().map(texts).collect()
}

fn texts(row: &Value) -> BTreeMap<String, String> {
    let cells = row.as_object().unwrap().iter();
    cells.map(|(name, value)| (name.clone(), text(value))).collect()
}

/// A JSON cell is text in Parquet and nested in JSON Lines: both are parsed and shown alike.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => nested(text).unwrap_or_else(|| text.clone()),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            ghl_bulk::table::join_list(items.iter().filter_map(Value::as_str))
        }
        Value::Number(number) if number.is_f64() => number.as_f64().unwrap().to_string(),
        other => other.to_string(),
    }
}

fn nested(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    (value.is_object() || value.is_array()).then(|| self::text(&value))
}

fn csv(world: &World, file: &str) -> Rows {
    let mut reader = csv::Reader::from_path(world.path(file)).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let row = |record: csv::StringRecord| {
        let cells = record.iter().map(|cell| {
            let cell = ghl_bulk::table::strip_guard(cell);
            nested(cell).unwrap_or_else(|| cell.to_owned())
        });
        header.iter().cloned().zip(cells).collect()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}
