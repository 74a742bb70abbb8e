//! CSV: a header line, then one record per row (RFC 4180, UTF-8, `\n` after every
//! record), after a byte order mark if that was asked for.
//!
//! Null and empty text are both an empty cell. A list is one cell ([`super::join_list`]), JSON is
//! its text, days and instants are ISO 8601. Texts and lists are guarded
//! ([`super::guard_formula`]); numbers, booleans, days, instants and JSON cannot start a formula
//! and are not.

use std::io::Write;
use std::path::Path;

use ::csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::cell_text::{self, ColumnCells};
use super::delimited::BYTE_ORDER_MARK;
use super::formula_guard::{FormulaGuardMode, needs_guard};
use super::table_file::HashedOutputFile;
use super::{
    SinkOptions, TableFormat, TableSink, TableWriteError, WrittenTable, date_text, joined_list,
};

/// The format's entry in the registry.
pub(super) const FORMAT: TableFormat = TableFormat {
    name: "csv",
    extension: "csv",
    doc: "One line per row, for spreadsheets; lists and JSON are text cells.",
    open,
};

struct CsvSink {
    writer: Writer<HashedOutputFile>,
    schema: SchemaRef,
    safe: FormulaGuardMode,
    cell: Vec<u8>,
    rows: u64,
}

fn open(
    path: &Path,
    schema: SchemaRef,
    options: &SinkOptions,
) -> Result<Box<dyn TableSink>, TableWriteError> {
    let mut output = HashedOutputFile::create(path)?;
    if options.csv_bom {
        output
            .write_all(BYTE_ORDER_MARK.as_bytes())
            .map_err(|source| TableWriteError::write_error(path, source))?;
    }
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Necessary)
        .terminator(Terminator::Any(b'\n'))
        .buffer_capacity(1 << 17)
        .from_writer(output);
    let header = schema.fields().iter().map(|field| field.name());
    writer.write_record(header).map_err(|error| convert_error(path, error))?;
    Ok(Box::new(CsvSink { writer, schema, safe: options.csv_safe, cell: Vec::new(), rows: 0 }))
}

impl TableSink for CsvSink {
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), TableWriteError> {
        let columns =
            cell_text::columns_of_batch(self.writer.get_ref().path(), &self.schema, batch)?;
        for row in 0..batch.num_rows() {
            self.write_row(&columns, row)
                .map_err(|error| convert_error(self.writer.get_ref().path(), error))?;
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<WrittenTable, TableWriteError> {
        let path = self.writer.get_ref().path().to_owned();
        let output = self
            .writer
            .into_inner()
            .map_err(|error| TableWriteError::write_error(&path, error.into_error()))?;
        output.close(self.rows)
    }
}

impl CsvSink {
    fn write_row(&mut self, columns: &[ColumnCells], row: usize) -> ::csv::Result<()> {
        for column in columns {
            if column.is_null(row) {
                self.writer.write_field(b"")?;
                continue;
            }
            let cell = encode_cell(column, row, self.safe, &mut self.cell);
            self.writer.write_field(cell)?;
        }
        self.writer.write_record(None::<&[u8]>)
    }
}

/// The bytes of a cell that is not null; `buffer` is a buffer for cells that have to be formatted.
fn encode_cell<'c>(
    column: &ColumnCells<'c>,
    row: usize,
    safe: FormulaGuardMode,
    buffer: &'c mut Vec<u8>,
) -> &'c [u8] {
    buffer.clear();
    match column {
        ColumnCells::Json(cells) => return cells.value(row).as_bytes(),
        ColumnCells::Text(cells) => {
            let text = cells.value(row);
            if !needs_guard(text, safe) {
                return text.as_bytes();
            }
            buffer.push(b'\'');
            buffer.extend_from_slice(text.as_bytes());
        }
        ColumnCells::List(cells, items) => {
            joined_list::write_list(buffer, cell_text::list_items(cells, items, row));
            let text = std::str::from_utf8(buffer).expect("texts and separators are UTF-8");
            if needs_guard(text, safe) {
                buffer.insert(0, b'\'');
            }
        }
        ColumnCells::Boolean(cells) => return if cells.value(row) { b"true" } else { b"false" },
        ColumnCells::Integer(cells) => write_number(buffer, cells.value(row)),
        ColumnCells::Float(cells) => write_number(buffer, cells.value(row)),
        ColumnCells::Date(cells) => date_text::write_day(buffer, cells.value(row)),
        ColumnCells::Instant(cells) => date_text::write_instant(buffer, cells.value(row)),
    }
    buffer
}

fn write_number(buffer: &mut Vec<u8>, number: impl std::fmt::Display) {
    write!(buffer, "{number}").expect("a vector takes every byte");
}

fn convert_error(path: &Path, error: ::csv::Error) -> TableWriteError {
    let reason = error.to_string();
    match error.into_kind() {
        ::csv::ErrorKind::Io(source) => TableWriteError::write_error(path, source),
        _ => TableWriteError::encode_error(path, reason),
    }
}
