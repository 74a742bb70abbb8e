//! Parquet files: typed columns. Those of our exports are read, and the plain types of others.
//!
//! Lists of texts are cells of JSON text, days and instants are ISO 8601, as in a CSV file of an export. The index
//! of the file comes last, so the file is read by its parts; the prescan computes the digest.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use jiff::Timestamp;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::{MAX_COLUMNS, text_cell};
use crate::concurrency::catch_silently;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::sheet::error::{file_changed_error, io_error};
use crate::sheet::row::RowPosition;
use crate::sheet::source_file::{self, FileStamp, HashingReader};
use crate::sheet::{SheetCell, SheetColumn, SheetRow, header_row};

/// The rows of a batch.
const BATCH_ROWS: usize = 1_000;

/// A file that was prescanned.
#[derive(Debug, Clone)]
pub(in crate::sheet) struct ParquetFile {
    path: PathBuf,
    stamp: FileStamp,
    pub(in crate::sheet) digest: String,
}

/// Prescans a file, and returns it with its columns and warnings.
pub(in crate::sheet) fn open(
    path: &Path,
) -> Result<(ParquetFile, Vec<SheetColumn>, Vec<Diagnostic>), Diagnostic> {
    let (file, stamp) = source_file::open_file(path)?;
    let hashing = HashingReader::new(file.take(u64::MAX));
    let digest = hashing.finish_digest().map_err(|error| io_error(path, &error))?;
    let file = ParquetFile { path: path.to_owned(), stamp, digest };
    let builder = file.open_builder()?;
    let names: Vec<String> = builder
        .schema()
        .fields()
        .iter()
        .map(|field| header_row::clean_name(field.name()))
        .collect();
    if names.len() > MAX_COLUMNS {
        return Err(unreadable_error(&format!("it has more than {MAX_COLUMNS} columns")));
    }
    let unread = builder.schema().fields().iter().find(|field| !is_readable(field.data_type()));
    if let Some(field) = unread {
        let reason = format!("column `{}` is of type {}", field.name(), field.data_type());
        return Err(unreadable_error(&reason));
    }
    let is_empty = builder.metadata().file_metadata().num_rows() == 0;
    let warnings = is_empty.then(header_row::no_rows_warning).into_iter().collect();
    Ok((file, header_row::columns_from_names(&names), warnings))
}

/// A file that is damaged, or has types that are not read.
fn unreadable_error(reason: &str) -> Diagnostic {
    let message = format!("the Parquet file cannot be read: {reason}");
    Diagnostic::new(DiagnosticCode::E_NOT_TEXT, message)
        .with_hint("export the contacts as CSV or XLSX and import that file")
}

impl ParquetFile {
    fn open_builder(&self) -> Result<ParquetRecordBatchReaderBuilder<File>, Diagnostic> {
        let (file, stamp) = source_file::open_file(&self.path)?;
        if stamp != self.stamp {
            return Err(file_changed_error(&self.path));
        }
        // A damaged file may make its reader panic.
        catch_silently(|| {
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())
        })
        .unwrap_or_else(|_| Err("its parts contradict each other".to_owned()))
        .map_err(|reason| unreadable_error(&reason))
    }

    /// Reads the rows.
    pub(in crate::sheet) fn rows(&self) -> Result<ParquetRows, Diagnostic> {
        let reader = self.open_builder()?.with_batch_size(BATCH_ROWS).build();
        let reader = reader.map_err(|error| unreadable_error(&error.to_string()))?;
        Ok(ParquetRows { reader: Some(reader), batch: None, at: 0, record: 0 })
    }
}

/// The rows of a file, read on demand.
pub(in crate::sheet) struct ParquetRows {
    /// `None` at the end.
    reader: Option<ParquetRecordBatchReader>,
    batch: Option<RecordBatch>,
    /// The next row of the batch.
    at: usize,
    record: u64,
}

impl ParquetRows {
    /// Reads the next batch that has rows; false at the end.
    fn read_batch(&mut self) -> Result<bool, Diagnostic> {
        loop {
            let Some(reader) = &mut self.reader else { return Ok(false) };
            let next = catch_silently(|| reader.next().transpose().map_err(|it| it.to_string()))
                .unwrap_or_else(|_| Err("its parts contradict each other".to_owned()));
            match next {
                Ok(Some(batch)) if batch.num_rows() == 0 => {}
                Ok(Some(batch)) => {
                    self.batch = Some(batch);
                    self.at = 0;
                    return Ok(true);
                }
                Ok(None) => {
                    self.reader = None;
                    return Ok(false);
                }
                Err(reason) => {
                    self.reader = None;
                    return Err(unreadable_error(&reason));
                }
            }
        }
    }
}

impl Iterator for ParquetRows {
    type Item = Result<SheetRow, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.batch.as_ref().is_none_or(|batch| self.at == batch.num_rows()) {
            match self.read_batch() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        let batch = self.batch.as_ref()?;
        let cells = batch.columns().iter().map(|column| read_cell(column, self.at)).collect();
        self.at += 1;
        self.record += 1;
        let place = RowPosition { line: self.record, sheet: None };
        Some(Ok(SheetRow { record: self.record, place, cells, fault: None, warnings: Vec::new() }))
    }
}

/// Whether the values of a type can be cells.
fn is_readable(kind: &DataType) -> bool {
    match kind {
        DataType::List(item) => matches!(item.data_type(), DataType::Utf8),
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::Float32
        | DataType::Float64
        | DataType::Date32
        | DataType::Timestamp(..)
        | DataType::Null => true,
        _ => false,
    }
}

fn read_cell(column: &ArrayRef, row: usize) -> SheetCell {
    if column.is_null(row) {
        return SheetCell::Empty;
    }
    match column.data_type() {
        DataType::Utf8 => text_cell(column.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => text_cell(column.as_string::<i64>().value(row).to_owned()),
        DataType::Boolean => SheetCell::Bool(column.as_boolean().value(row)),
        DataType::Date32 => {
            let days = i64::from(column.as_primitive::<Date32Type>().value(row));
            let epoch = jiff::civil::date(1970, 1, 1);
            let day = jiff::Span::new().try_days(days).and_then(|span| epoch.checked_add(span));
            day.map_or(SheetCell::Empty, |day| SheetCell::Text(day.to_string()))
        }
        DataType::Timestamp(unit, _) => read_instant(column, *unit, row),
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            let items = items.as_string::<i32>();
            let texts: Vec<&str> = items.iter().map(Option::unwrap_or_default).collect();
            if texts.is_empty() {
                SheetCell::Empty
            } else {
                SheetCell::Text(serde_json::Value::from(texts).to_string())
            }
        }
        _ => read_number(column, row),
    }
}

fn read_instant(column: &ArrayRef, unit: TimeUnit, row: usize) -> SheetCell {
    let instant = match unit {
        TimeUnit::Second => {
            Timestamp::from_second(column.as_primitive::<TimestampSecondType>().value(row))
        }
        TimeUnit::Millisecond => Timestamp::from_millisecond(
            column.as_primitive::<TimestampMillisecondType>().value(row),
        ),
        TimeUnit::Microsecond => Timestamp::from_microsecond(
            column.as_primitive::<TimestampMicrosecondType>().value(row),
        ),
        TimeUnit::Nanosecond => Timestamp::from_nanosecond(i128::from(
            column.as_primitive::<TimestampNanosecondType>().value(row),
        )),
    };
    // As in the text formats of an export: always with milliseconds.
    instant.map_or(SheetCell::Empty, |instant| SheetCell::Text(format!("{instant:.3}")))
}

fn read_number(column: &ArrayRef, row: usize) -> SheetCell {
    let float = |number: f64| SheetCell::Number(number, number.to_string());
    let integer = |number: i64| {
        #[expect(clippy::cast_precision_loss, reason = "the text has all digits")]
        SheetCell::Number(number as f64, number.to_string())
    };
    match column.data_type() {
        DataType::Int8 => integer(column.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => integer(column.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => integer(column.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => integer(column.as_primitive::<Int64Type>().value(row)),
        DataType::UInt8 => integer(column.as_primitive::<UInt8Type>().value(row).into()),
        DataType::UInt16 => integer(column.as_primitive::<UInt16Type>().value(row).into()),
        DataType::UInt32 => integer(column.as_primitive::<UInt32Type>().value(row).into()),
        DataType::Float32 => float(column.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => float(column.as_primitive::<Float64Type>().value(row)),
        _ => SheetCell::Empty,
    }
}
