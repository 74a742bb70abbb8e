//! Parquet: typed columns, compressed.
//!
//! Row groups are cut by memory as well as by rows, so that a table of any length takes the same room. Which columns
//! get a dictionary is decided by the first batch: a dictionary of ids or of JSON only costs time and room. The file
//! is unreadable until it is closed: its index comes last.

use std::collections::HashSet;
use std::hash::Hash;
use std::io;
use std::path::{Path, PathBuf};

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{KeyValue, SortingColumn};
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::schema::types::ColumnPath;
use arrow_array::{ArrowPrimitiveType, PrimitiveArray, RecordBatch};
use arrow_schema::{DataType, Schema, SchemaRef};

use super::cell_text::{self, Cells};
use super::table_file::Output;
use super::{Error, Format, Options, Sink, Written};

/// The format's line in the registry.
pub(super) const FORMAT: Format = Format {
    name: "parquet",
    extension: "parquet",
    doc: "Typed and compressed columns, for analysis; small and fast to read.",
    open,
};

/// A row group is closed at this many rows, or when it takes this much memory.
const GROUP_ROWS: usize = 100_000;
const GROUP_BYTES: usize = 16 << 20;

/// How many rows decide whether a column gets a dictionary.
const SAMPLE: usize = 1000;

struct Parquet {
    path: PathBuf,
    schema: SchemaRef,
    options: Options,
    state: State,
    rows: u64,
}

enum State {
    /// No batch has come yet.
    New(Output),
    Open(Box<ArrowWriter<Output>>),
    /// Opening failed; the error was reported then.
    Failed,
}

fn open(path: &Path, schema: SchemaRef, options: &Options) -> Result<Box<dyn Sink>, Error> {
    Ok(Box::new(Parquet {
        path: path.to_owned(),
        schema,
        options: options.clone(),
        state: State::New(Output::create(path)?),
        rows: 0,
    }))
}

impl Sink for Parquet {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let columns = cell_text::columns(&self.path, &self.schema, batch)?;
        let writer = self.writer(&columns)?;
        let mut written = writer.write(batch);
        if written.is_ok() && writer.memory_size() > GROUP_BYTES {
            written = writer.flush();
        }
        written.map_err(|error| failure(&self.path, error))?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn close(mut self: Box<Self>) -> Result<Written, Error> {
        self.writer(&[])?;
        let Self { path, state, rows, .. } = *self;
        let State::Open(writer) = state else {
            return Err(unopened(&path));
        };
        let output = writer.into_inner();
        output.map_err(|error| failure(&path, error))?.close(rows)
    }
}

impl Parquet {
    /// The writer, opened for columns like these if it is not open yet.
    fn writer(&mut self, columns: &[Cells]) -> Result<&mut ArrowWriter<Output>, Error> {
        self.state = match std::mem::replace(&mut self.state, State::Failed) {
            State::New(output) => {
                let properties = properties(&self.schema, &self.options, columns);
                let writer = ArrowWriter::try_new(output, self.schema.clone(), Some(properties));
                State::Open(Box::new(writer.map_err(|e| failure(&self.path, e))?))
            }
            other => other,
        };
        match &mut self.state {
            State::Open(writer) => Ok(writer),
            _ => Err(unopened(&self.path)),
        }
    }
}

fn properties(schema: &Schema, options: &Options, columns: &[Cells]) -> WriterProperties {
    let metadata = options.metadata.iter().cloned();
    let metadata = metadata.map(|(key, value)| KeyValue::new(key, value));
    // Level 3 takes a third more time and does not make our tables smaller.
    let level = ZstdLevel::try_new(1).expect("the level is in range");
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_key_value_metadata(Some(metadata.collect()))
        .set_sorting_columns(sorting(schema, &options.sorted_by));
    for (field, cells) in schema.fields().iter().zip(columns) {
        if !repeats(cells) {
            let mut path = vec![field.name().clone()];
            if let DataType::List(item) = field.data_type() {
                path.extend(["list".to_owned(), item.name().clone()]);
            }
            properties = properties.set_column_dictionary_enabled(ColumnPath::new(path), false);
        }
    }
    properties.build()
}

/// The sorting columns, as far as the schema has them in that order.
fn sorting(schema: &Schema, names: &[String]) -> Option<Vec<SortingColumn>> {
    let places = names.iter().map_while(|name| schema.index_of(name).ok());
    let columns: Vec<_> = places
        .filter_map(|place| i32::try_from(place).ok())
        .map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: true })
        .collect();
    (!columns.is_empty()).then_some(columns)
}

/// Whether the values of a column come again often enough for a dictionary to pay.
fn repeats(cells: &Cells) -> bool {
    match cells {
        Cells::Text(cells) | Cells::Json(cells) => few(cells.iter().take(SAMPLE).flatten()),
        Cells::List(_, items) => few(items.iter().take(SAMPLE).flatten()),
        Cells::Instant(cells) => few(sample(cells)),
        Cells::Integer(cells) => few(sample(cells)),
        Cells::Float(cells) => few(sample(cells).map(f64::to_bits)),
        Cells::Date(cells) => few(sample(cells)),
        Cells::Boolean(_) => true,
    }
}

fn sample<T: ArrowPrimitiveType>(cells: &PrimitiveArray<T>) -> impl Iterator<Item = T::Native> {
    cells.iter().take(SAMPLE).flatten()
}

fn few<T: Eq + Hash>(values: impl Iterator<Item = T>) -> bool {
    let mut count = 0;
    let distinct: HashSet<T> = values.inspect(|_| count += 1).collect();
    // Few values prove nothing, and a dictionary of few values costs nothing.
    count < 50 || distinct.len() * 2 <= count
}

fn unopened(path: &Path) -> Error {
    Error::encode(path, "the file could not be begun")
}

fn failure(path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => Error::write(path, *source),
            Err(other) => Error::encode(path, other.to_string()),
        },
        other => Error::encode(path, other.to_string()),
    }
}
