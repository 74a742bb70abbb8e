//! XLSX: a workbook for people, with typed cells.
//!
//! Numbers, booleans, days and instants are cells of that type; everything else is text, also ids,
//! phone numbers and postal codes, so that leading zeros and `+` survive, and no text from outside
//! is ever a formula. Instants are UTC, and their number format says so with a `Z`: `ghl-bulk` reads
//! it back as UTC. Null and empty text are both an empty cell; lists are as in CSV; JSON is its text.
//!
//! What a workbook cannot hold: a number with more than 15 digits and a day before March 1900 are
//! text; a text with more than 32,767 characters is cut, marked and counted
//! ([`WrittenTable::cut_cells`](super::WrittenTable)); rows beyond 1,048,576 go to another sheet of
//! the file; line breaks are `\n`.

mod text_workbook;
mod workbook_writer;

use std::io::BufWriter;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, SchemaRef};

use self::workbook_writer::{CellFormat, SheetColumn, WorkbookWriter};
use super::cell_text::{self, ColumnCells};
use super::table_file::HashedOutputFile;
use super::{
    SinkOptions, TableFormat, TableSink, TableWriteError, WrittenTable, date_text, joined_list,
};

pub use text_workbook::TextWorkbook;

/// The format's entry in the registry.
pub(super) const FORMAT: TableFormat = TableFormat {
    name: "xlsx",
    extension: "xlsx",
    doc: "A workbook per table, for Excel: typed cells, text where leading zeros matter, filters.",
    open,
};

/// The serial number of 1970-01-01: days since the end of 1899.
const EPOCH_SERIAL: i32 = 25_569;
/// The serial numbers of 1900-03-01 and 9999-12-31. Before, spreadsheets count a day that never was.
const SERIALS: std::ops::RangeInclusive<i32> = 61..=2_958_465;
const DAY_MS: i64 = 86_400_000;
/// The largest integer whose digits a spreadsheet shows all.
const MAX_INTEGER: u64 = 999_999_999_999_999;

struct XlsxSink {
    workbook: WorkbookWriter,
    output: BufWriter<HashedOutputFile>,
    schema: SchemaRef,
    rows: u64,
}

fn open(
    path: &Path,
    schema: SchemaRef,
    options: &SinkOptions,
) -> Result<Box<dyn TableSink>, TableWriteError> {
    let output = BufWriter::with_capacity(1 << 17, HashedOutputFile::create(path)?);
    let columns = schema.fields().iter().map(|field| sheet_column(field)).collect();
    let mut workbook = WorkbookWriter::new(path, columns)?;
    workbook.set_properties(options.created, &options.metadata);
    Ok(Box::new(XlsxSink { workbook, output, schema, rows: 0 }))
}

fn sheet_column(field: &Field) -> SheetColumn {
    let (format, width) = match field.data_type() {
        DataType::Boolean => (CellFormat::General, 8.0),
        DataType::Int64 | DataType::Float64 => (CellFormat::General, 12.0),
        DataType::Date32 => (CellFormat::Day, 12.0),
        DataType::Timestamp(..) => (CellFormat::Instant, 21.0),
        _ => (CellFormat::Text, 22.0),
    };
    SheetColumn { name: field.name().clone(), format, width }
}

impl TableSink for XlsxSink {
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), TableWriteError> {
        let columns = cell_text::columns_of_batch(self.workbook.path(), &self.schema, batch)?;
        self.workbook.write_rows(|workbook| {
            for row in 0..batch.num_rows() {
                workbook.begin_row()?;
                for (place, column) in columns.iter().enumerate() {
                    if !column.is_null(row) {
                        write_cell(workbook, place, column, row)?;
                    }
                }
            }
            Ok(())
        })?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<WrittenTable, TableWriteError> {
        let Self { workbook, mut output, rows, .. } = *self;
        let path = workbook.path().to_owned();
        let cut_cells = workbook.save(&mut output)?;
        let output = output
            .into_inner()
            .map_err(|error| TableWriteError::write_error(&path, error.into_error()))?;
        Ok(WrittenTable { cut_cells, ..output.close(rows)? })
    }
}

fn write_cell(
    workbook: &mut WorkbookWriter,
    place: usize,
    column: &ColumnCells,
    row: usize,
) -> Result<(), TableWriteError> {
    match column {
        ColumnCells::Text(cells) | ColumnCells::Json(cells) => {
            workbook.write_text(place, cells.value(row))
        }
        ColumnCells::List(cells, items) => {
            let cell = joined_list::join_list(cell_text::list_items(cells, items, row));
            workbook.write_text(place, &cell)
        }
        ColumnCells::Boolean(cells) => workbook.write_boolean(place, cells.value(row)),
        ColumnCells::Integer(cells) => {
            let value = cells.value(row);
            if value.unsigned_abs() > MAX_INTEGER {
                return workbook.write_text(place, &value.to_string());
            }
            #[expect(clippy::cast_precision_loss, reason = "it has at most 15 digits")]
            workbook.write_number(place, value as f64)
        }
        ColumnCells::Float(cells) if !cells.value(row).is_finite() => {
            workbook.write_text(place, &cells.value(row).to_string())
        }
        ColumnCells::Float(cells) => workbook.write_number(place, cells.value(row)),
        ColumnCells::Date(cells) => {
            let days = cells.value(row);
            match serial_of_day(days.into()) {
                Some(serial) => workbook.write_number(place, serial.into()),
                None => write_ascii(workbook, place, |out| date_text::write_day(out, days)),
            }
        }
        ColumnCells::Instant(cells) => {
            let ms = cells.value(row);
            match serial_of_day(ms.div_euclid(DAY_MS)) {
                Some(serial) => {
                    let of_day = i32::try_from(ms.rem_euclid(DAY_MS)).unwrap_or_default();
                    workbook
                        .write_number(place, f64::from(serial) + f64::from(of_day) / 86_400_000.0)
                }
                None => write_ascii(workbook, place, |out| date_text::write_instant(out, ms)),
            }
        }
    }
}

/// The serial number of a day, if spreadsheets agree on it.
fn serial_of_day(days: i64) -> Option<i32> {
    let serial = i32::try_from(days).ok()?.checked_add(EPOCH_SERIAL)?;
    SERIALS.contains(&serial).then_some(serial)
}

fn write_ascii(
    workbook: &mut WorkbookWriter,
    place: usize,
    print: impl FnOnce(&mut Vec<u8>),
) -> Result<(), TableWriteError> {
    let mut text = Vec::new();
    print(&mut text);
    workbook.write_text(place, std::str::from_utf8(&text).expect("days and instants are ASCII"))
}
