//! JSON Lines: one object per line, with every column.
//!
//! Nulls are written, lists are arrays, JSON is nested ([`super::json`] explains when it is a
//! string instead), days and instants have the same text as in CSV, floats always have a fraction
//! or an exponent. Flat lines have lists and JSON as strings of JSON text instead: then every column
//! has one type on all lines, which readers need that infer a schema from the first lines.

use std::io::Write;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::cell_text::{self, ColumnCells};
use super::table_file::HashedOutputFile;
use super::{
    SinkOptions, TableFormat, TableSink, TableWriteError, WrittenTable, date_text, joined_list,
    json,
};
use crate::choice::choice_enum;

choice_enum! {
    /// How JSON Lines represent lists and JSON.
    pub enum JsonLinesShape = Nested {
        /// As arrays and objects
        Nested = "nested",
        /// As strings of JSON text, for readers that infer one type per column (Polars, DuckDB)
        Flat = "flat",
    }
}

/// The format's entry in the registry.
pub(super) const FORMAT: TableFormat = TableFormat {
    name: "jsonl",
    extension: "jsonl",
    doc: "One JSON object per line, for programs; lists and JSON are nested.",
    open,
};

/// How many bytes are buffered before they are written.
const BUFFER_BYTES: usize = 1 << 17;

struct JsonLinesSink {
    output: HashedOutputFile,
    schema: SchemaRef,
    /// What precedes each column's value: `{"id":`, then `,"location_id":` and so on.
    keys: Vec<Vec<u8>>,
    shape: JsonLinesShape,
    lines: Vec<u8>,
    rows: u64,
}

fn open(
    path: &Path,
    schema: SchemaRef,
    options: &SinkOptions,
) -> Result<Box<dyn TableSink>, TableWriteError> {
    Ok(Box::new(JsonLinesSink {
        output: HashedOutputFile::create(path)?,
        keys: encode_keys(&schema),
        shape: options.jsonl,
        schema,
        lines: Vec::new(),
        rows: 0,
    }))
}

/// The rows of a batch as they are in a file, a line each, with nested lists and JSON.
///
/// # Panics
/// Never: a batch has the columns of its own schema, and JSON of texts is UTF-8.
#[must_use]
pub fn format_json_lines(batch: &RecordBatch) -> String {
    let schema = batch.schema();
    let columns = cell_text::columns_of_batch(Path::new(""), &schema, batch)
        .expect("a batch has the columns of its own schema");
    let (keys, mut lines) = (encode_keys(&schema), Vec::new());
    for row in 0..batch.num_rows() {
        write_line(&mut lines, &keys, &columns, row, JsonLinesShape::Nested);
    }
    String::from_utf8(lines).expect("JSON of texts is UTF-8")
}

fn encode_keys(schema: &SchemaRef) -> Vec<Vec<u8>> {
    let fields = schema.fields().iter().enumerate();
    fields.map(|(index, field)| encode_key(index, field.name())).collect()
}

fn encode_key(index: usize, name: &str) -> Vec<u8> {
    let mut key = vec![if index == 0 { b'{' } else { b',' }];
    json::write_string(&mut key, name);
    key.push(b':');
    key
}

/// The columns of a row of a batch with their values as JSON, lists and JSON nested.
///
/// # Panics
/// If the batch has no such row.
#[must_use]
pub fn json_members(batch: &RecordBatch, row: usize) -> Vec<(String, String)> {
    let schema = batch.schema();
    let members = cell_text::cells_of_batch(batch).into_iter().zip(schema.fields());
    let members = members.map(|(column, field)| {
        let mut value = Vec::new();
        write_value(&mut value, &column, row, JsonLinesShape::Nested);
        (field.name().clone(), String::from_utf8(value).expect("JSON of texts is UTF-8"))
    });
    members.collect()
}

impl TableSink for JsonLinesSink {
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), TableWriteError> {
        let columns = cell_text::columns_of_batch(self.output.path(), &self.schema, batch)?;
        for row in 0..batch.num_rows() {
            write_line(&mut self.lines, &self.keys, &columns, row, self.shape);
            if self.lines.len() >= BUFFER_BYTES {
                self.flush_lines()?;
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn close(mut self: Box<Self>) -> Result<WrittenTable, TableWriteError> {
        self.flush_lines()?;
        self.output.close(self.rows)
    }
}

impl JsonLinesSink {
    fn flush_lines(&mut self) -> Result<(), TableWriteError> {
        let written = self.output.write_all(&self.lines);
        self.lines.clear();
        written.map_err(|source| TableWriteError::write_error(self.output.path(), source))
    }
}

fn write_line(
    lines: &mut Vec<u8>,
    keys: &[Vec<u8>],
    columns: &[ColumnCells],
    row: usize,
    shape: JsonLinesShape,
) {
    for (key, column) in keys.iter().zip(columns) {
        lines.extend_from_slice(key);
        write_value(lines, column, row, shape);
    }
    lines.extend_from_slice(b"}\n");
}

fn write_value(out: &mut Vec<u8>, column: &ColumnCells, row: usize, shape: JsonLinesShape) {
    if column.is_null(row) {
        return out.extend_from_slice(b"null");
    }
    match column {
        ColumnCells::Text(cells) => json::write_string(out, cells.value(row)),
        ColumnCells::Json(cells) if shape == JsonLinesShape::Flat => {
            json::write_string(out, cells.value(row));
        }
        ColumnCells::Json(cells) => json::embed_json(out, cells.value(row)),
        ColumnCells::Boolean(cells) => {
            out.extend_from_slice(if cells.value(row) { b"true" } else { b"false" });
        }
        ColumnCells::Integer(cells) => write_number(out, &cells.value(row)),
        ColumnCells::Float(cells) => write_number(out, &cells.value(row)),
        ColumnCells::Date(cells) => {
            write_quoted(out, |out| date_text::write_day(out, cells.value(row)));
        }
        ColumnCells::Instant(cells) => {
            write_quoted(out, |out| date_text::write_instant(out, cells.value(row)));
        }
        ColumnCells::List(cells, items) => {
            let items = cell_text::list_items(cells, items, row);
            if shape == JsonLinesShape::Nested {
                return joined_list::write_json_array(out, items);
            }
            let mut array = Vec::new();
            joined_list::write_json_array(&mut array, items);
            json::write_string(out, std::str::from_utf8(&array).expect("JSON of texts is UTF-8"));
        }
    }
}

fn write_number(out: &mut Vec<u8>, number: &impl serde::Serialize) {
    serde_json::to_writer(out, number).expect("a vector takes every byte");
}

fn write_quoted(out: &mut Vec<u8>, text: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    text(out);
    out.push(b'"');
}
