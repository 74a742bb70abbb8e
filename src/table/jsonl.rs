//! JSON Lines: one object a line, every column in it.
//!
//! Nulls are written, lists are arrays, JSON is nested ([`super::json`] says when it is a string instead), days and
//! instants are the same text as in CSV, floats always have a fraction or an exponent.

use std::io::Write;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::cell_text::{self, Cells};
use super::table_file::Output;
use super::{Error, Format, Options, Sink, Written, date_text, joined_list, json};

/// The format's line in the registry.
pub(super) const FORMAT: Format = Format {
    name: "jsonl",
    extension: "jsonl",
    doc: "One JSON object per line, for programs; lists and JSON are nested.",
    open,
};

/// How much is gathered before it is written.
const FULL: usize = 1 << 17;

struct JsonLines {
    output: Output,
    schema: SchemaRef,
    /// What stands before each column's value: `{"id":`, then `,"location_id":` and so on.
    keys: Vec<Vec<u8>>,
    lines: Vec<u8>,
    rows: u64,
}

fn open(path: &Path, schema: SchemaRef, _: &Options) -> Result<Box<dyn Sink>, Error> {
    let fields = schema.fields().iter().enumerate();
    let keys = fields.map(|(index, field)| key(index, field.name()));
    Ok(Box::new(JsonLines {
        output: Output::create(path)?,
        keys: keys.collect(),
        schema,
        lines: Vec::new(),
        rows: 0,
    }))
}

fn key(index: usize, name: &str) -> Vec<u8> {
    let mut key = vec![if index == 0 { b'{' } else { b',' }];
    json::string(&mut key, name);
    key.push(b':');
    key
}

impl Sink for JsonLines {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let columns = cell_text::columns(self.output.path(), &self.schema, batch)?;
        for row in 0..batch.num_rows() {
            for (key, column) in self.keys.iter().zip(&columns) {
                self.lines.extend_from_slice(key);
                value(&mut self.lines, column, row);
            }
            self.lines.extend_from_slice(b"}\n");
            if self.lines.len() >= FULL {
                self.flush()?;
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn close(mut self: Box<Self>) -> Result<Written, Error> {
        self.flush()?;
        self.output.close(self.rows)
    }
}

impl JsonLines {
    fn flush(&mut self) -> Result<(), Error> {
        let written = self.output.write_all(&self.lines);
        self.lines.clear();
        written.map_err(|source| Error::write(self.output.path(), source))
    }
}

fn value(out: &mut Vec<u8>, column: &Cells, row: usize) {
    if column.is_null(row) {
        return out.extend_from_slice(b"null");
    }
    match column {
        Cells::Text(cells) => json::string(out, cells.value(row)),
        Cells::Json(cells) => json::embed(out, cells.value(row)),
        Cells::Boolean(cells) => {
            out.extend_from_slice(if cells.value(row) { b"true" } else { b"false" });
        }
        Cells::Integer(cells) => number(out, &cells.value(row)),
        Cells::Float(cells) => number(out, &cells.value(row)),
        Cells::Date(cells) => quoted(out, |out| date_text::day(out, cells.value(row))),
        Cells::Instant(cells) => quoted(out, |out| date_text::instant(out, cells.value(row))),
        Cells::List(cells, items) => joined_list::array(out, cell_text::items(cells, items, row)),
    }
}

fn number(out: &mut Vec<u8>, number: &impl serde::Serialize) {
    serde_json::to_writer(out, number).expect("a vector takes every byte");
}

fn quoted(out: &mut Vec<u8>, text: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    text(out);
    out.push(b'"');
}
