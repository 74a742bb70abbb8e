//! CSV: one line of header, then one record a row (RFC 4180, UTF-8, `\n` after every record).
//!
//! Null and empty text are both an empty cell. A list is one cell ([`super::join`]), JSON is its text, days and
//! instants are ISO 8601. Texts and lists are guarded ([`super::guard()`]); numbers, booleans, days, instants and JSON
//! cannot start a formula and are not.

use std::io::Write;
use std::path::Path;

use ::csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::cell_text::{self, Cells};
use super::formula_guard::{CsvSafe, needs_guard};
use super::table_file::Output;
use super::{Error, Format, Options, Sink, Written, date_text, joined_list};

/// The format's line in the registry.
pub(super) const FORMAT: Format = Format {
    name: "csv",
    extension: "csv",
    doc: "One line per row, for spreadsheets and people; lists and JSON are cells of text.",
    open,
};

struct Csv {
    writer: Writer<Output>,
    schema: SchemaRef,
    safe: CsvSafe,
    cell: Vec<u8>,
    rows: u64,
}

fn open(path: &Path, schema: SchemaRef, options: &Options) -> Result<Box<dyn Sink>, Error> {
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Necessary)
        .terminator(Terminator::Any(b'\n'))
        .buffer_capacity(1 << 17)
        .from_writer(Output::create(path)?);
    let header = schema.fields().iter().map(|field| field.name());
    writer.write_record(header).map_err(|error| failure(path, error))?;
    Ok(Box::new(Csv { writer, schema, safe: options.csv_safe, cell: Vec::new(), rows: 0 }))
}

impl Sink for Csv {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let columns = cell_text::columns(self.writer.get_ref().path(), &self.schema, batch)?;
        for row in 0..batch.num_rows() {
            self.record(&columns, row)
                .map_err(|error| failure(self.writer.get_ref().path(), error))?;
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<Written, Error> {
        let path = self.writer.get_ref().path().to_owned();
        let output =
            self.writer.into_inner().map_err(|error| Error::write(&path, error.into_error()))?;
        output.close(self.rows)
    }
}

impl Csv {
    fn record(&mut self, columns: &[Cells], row: usize) -> ::csv::Result<()> {
        for column in columns {
            if column.is_null(row) {
                self.writer.write_field(b"")?;
                continue;
            }
            let cell = cell(column, row, self.safe, &mut self.cell);
            self.writer.write_field(cell)?;
        }
        self.writer.write_record(None::<&[u8]>)
    }
}

/// The bytes of a cell that is not null; `room` is for those that have to be made.
fn cell<'c>(column: &Cells<'c>, row: usize, safe: CsvSafe, room: &'c mut Vec<u8>) -> &'c [u8] {
    room.clear();
    match column {
        Cells::Json(cells) => return cells.value(row).as_bytes(),
        Cells::Text(cells) => {
            let text = cells.value(row);
            if !needs_guard(text, safe) {
                return text.as_bytes();
            }
            room.push(b'\'');
            room.extend_from_slice(text.as_bytes());
        }
        Cells::List(cells, items) => {
            joined_list::write(room, cell_text::items(cells, items, row));
            let text = std::str::from_utf8(room).expect("texts and separators are UTF-8");
            if needs_guard(text, safe) {
                room.insert(0, b'\'');
            }
        }
        Cells::Boolean(cells) => return if cells.value(row) { b"true" } else { b"false" },
        Cells::Integer(cells) => print(room, cells.value(row)),
        Cells::Float(cells) => print(room, cells.value(row)),
        Cells::Date(cells) => date_text::day(room, cells.value(row)),
        Cells::Instant(cells) => date_text::instant(room, cells.value(row)),
    }
    room
}

fn print(room: &mut Vec<u8>, number: impl std::fmt::Display) {
    write!(room, "{number}").expect("a vector takes every byte");
}

fn failure(path: &Path, error: ::csv::Error) -> Error {
    let reason = error.to_string();
    match error.into_kind() {
        ::csv::ErrorKind::Io(source) => Error::write(path, source),
        _ => Error::encode(path, reason),
    }
}
