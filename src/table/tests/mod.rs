//! What files look like, and that they can be read back.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::*;

mod formats;
mod safety;

fn schema() -> SchemaRef {
    let instant = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    let json = [("ghl.kind".to_owned(), "json".to_owned())];
    let nullable = |name: &str, kind| Field::new(name, kind, true);
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        nullable("name", DataType::Utf8),
        nullable("ok", DataType::Boolean),
        nullable("count", DataType::Int64),
        nullable("worth", DataType::Float64),
        nullable("born", DataType::Date32),
        nullable("date_added", instant),
        nullable("tags", DataType::new_list(DataType::Utf8, true)),
        nullable("extra", DataType::Utf8).with_metadata(json),
    ]))
}

#[derive(Default, Clone)]
struct Row {
    name: Option<&'static str>,
    ok: Option<bool>,
    count: Option<i64>,
    worth: Option<f64>,
    born: Option<i32>,
    added: Option<i64>,
    tags: Option<Vec<&'static str>>,
    extra: Option<String>,
}

fn batch(rows: &[Row]) -> RecordBatch {
    let mut tags = ListBuilder::new(StringBuilder::new());
    for row in rows {
        match &row.tags {
            Some(items) => tags.append_value(items.iter().copied().map(Some)),
            None => tags.append_null(),
        }
    }
    let added: TimestampMillisecondArray = rows.iter().map(|row| row.added).collect();
    let ids = (0..rows.len()).map(|n| Some(format!("r{n}")));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(ids.collect::<StringArray>()),
        Arc::new(rows.iter().map(|r| r.name).collect::<StringArray>()),
        Arc::new(rows.iter().map(|r| r.ok).collect::<BooleanArray>()),
        Arc::new(rows.iter().map(|r| r.count).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|r| r.worth).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|r| r.born).collect::<Date32Array>()),
        Arc::new(added.with_timezone("UTC")),
        Arc::new(tags.finish()),
        Arc::new(rows.iter().map(|r| r.extra.clone()).collect::<StringArray>()),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

/// A file with these rows, where it lies and what its sink said of it.
fn written(
    format: &str,
    rows: &[Row],
    options: &SinkOptions,
) -> (tempfile::TempDir, PathBuf, WrittenTable) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table");
    let mut sink =
        TableFormat::from_name(format).unwrap().open_sink(&path, schema(), options).unwrap();
    for row in rows {
        sink.write_batch(&batch(std::slice::from_ref(row))).unwrap();
    }
    let written = sink.close().unwrap();
    (folder, path, written)
}

/// A row with a value in every column.
fn full() -> Row {
    Row {
        name: Some("Zoë \"Z\", née\nÅ"),
        ok: Some(true),
        count: Some(-7),
        worth: Some(187_500.25),
        born: Some(7572),
        added: Some(1_764_003_536_678),
        tags: Some(vec!["a", "b c"]),
        extra: Some(r#"{"n":1.50}"#.to_owned()),
    }
}
