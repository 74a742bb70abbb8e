//! Parquet: typed columns, compressed.
//!
//! Row groups are limited by memory as well as by rows, so that memory does not depend on the size
//! of the table. The first batch decides which columns get a dictionary: a dictionary of ids or of
//! JSON only costs time and space. The file is unreadable until it is closed, because its index
//! comes last. JSON columns have Parquet's type JSON.

use std::collections::HashSet;
use std::hash::Hash;
use std::io;
use std::path::{Path, PathBuf};

use ::parquet::arrow::arrow_writer::ArrowWriterOptions;
use ::parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use ::parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{KeyValue, SortingColumn};
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::schema::types::{ColumnPath, SchemaDescriptor, Type, TypePtr};
use arrow_array::{ArrowPrimitiveType, PrimitiveArray, RecordBatch};
use arrow_schema::{DataType, Schema, SchemaRef};

use super::cell_text::{self, ColumnCells};
use super::table_file::HashedOutputFile;
use super::{SinkOptions, TableFormat, TableSink, TableWriteError, WrittenTable};

/// The format's entry in the registry.
pub(super) const FORMAT: TableFormat = TableFormat {
    name: "parquet",
    extension: "parquet",
    doc: "Typed and compressed columns, for analysis; small and fast to read.",
    open,
};

/// A row group is closed at this many rows, or when it takes this much memory.
const GROUP_ROWS: usize = 100_000;
const GROUP_BYTES: usize = 16 << 20;

/// A table with more columns is not compressed: each column has a compressor of some 150 KB of its own.
const COMPRESSED_COLUMNS: usize = 1_000;

/// How many rows are sampled to decide whether a column gets a dictionary.
const SAMPLE_ROWS: usize = 1000;

struct ParquetSink {
    path: PathBuf,
    schema: SchemaRef,
    options: SinkOptions,
    state: ParquetState,
    rows: u64,
}

enum ParquetState {
    /// No batch has been written yet.
    New(HashedOutputFile),
    Open(Box<ArrowWriter<HashedOutputFile>>),
    /// Opening failed; the error was reported then.
    Failed,
}

fn open(
    path: &Path,
    schema: SchemaRef,
    options: &SinkOptions,
) -> Result<Box<dyn TableSink>, TableWriteError> {
    Ok(Box::new(ParquetSink {
        path: path.to_owned(),
        schema,
        options: options.clone(),
        state: ParquetState::New(HashedOutputFile::create(path)?),
        rows: 0,
    }))
}

impl TableSink for ParquetSink {
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), TableWriteError> {
        let columns = cell_text::columns_of_batch(&self.path, &self.schema, batch)?;
        let writer = self.ensure_writer(&columns)?;
        let mut written = writer.write(batch);
        if written.is_ok() && writer.memory_size() > GROUP_BYTES {
            written = writer.flush();
        }
        written.map_err(|error| convert_error(&self.path, error))?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn close(mut self: Box<Self>) -> Result<WrittenTable, TableWriteError> {
        self.ensure_writer(&[])?;
        let Self { path, state, rows, .. } = *self;
        let ParquetState::Open(writer) = state else {
            return Err(not_opened_error(&path));
        };
        let output = writer.into_inner();
        output.map_err(|error| convert_error(&path, error))?.close(rows)
    }
}

impl ParquetSink {
    /// The writer, opened for columns like these if it is not open yet.
    fn ensure_writer(
        &mut self,
        columns: &[ColumnCells],
    ) -> Result<&mut ArrowWriter<HashedOutputFile>, TableWriteError> {
        self.state = match std::mem::replace(&mut self.state, ParquetState::Failed) {
            ParquetState::New(output) => {
                let properties = writer_properties(&self.schema, &self.options, columns);
                let writer = open_writer(output, &self.schema, properties);
                ParquetState::Open(Box::new(writer.map_err(|e| convert_error(&self.path, e))?))
            }
            other => other,
        };
        match &mut self.state {
            ParquetState::Open(writer) => Ok(writer),
            _ => Err(not_opened_error(&self.path)),
        }
    }
}

fn open_writer(
    output: HashedOutputFile,
    schema: &SchemaRef,
    properties: WriterProperties,
) -> Result<ArrowWriter<HashedOutputFile>, ParquetError> {
    let options = ArrowWriterOptions::new()
        .with_properties(properties)
        .with_parquet_schema(parquet_schema(schema)?);
    ArrowWriter::try_new_with_options(output, schema.clone(), options)
}

/// The file's own schema. Arrow has no JSON type without an extension, so that JSON would be plain
/// text to readers; Parquet has one.
fn parquet_schema(schema: &Schema) -> Result<SchemaDescriptor, ParquetError> {
    let converted = ArrowSchemaConverter::new().convert(schema)?;
    let root = converted.root_schema();
    let columns = schema.fields().iter().zip(root.get_fields());
    let columns = columns.map(|(field, column)| {
        if !cell_text::is_json(field) {
            return Ok(column.clone());
        }
        let json = Type::primitive_type_builder(field.name(), PhysicalType::BYTE_ARRAY)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(Some(LogicalType::Json));
        json.build().map(TypePtr::new)
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let root = Type::group_type_builder(root.name()).with_fields(columns).build()?;
    Ok(SchemaDescriptor::new(TypePtr::new(root)))
}

fn writer_properties(
    schema: &Schema,
    options: &SinkOptions,
    columns: &[ColumnCells],
) -> WriterProperties {
    let metadata = options.metadata.iter().cloned();
    let metadata = metadata.map(|(key, value)| KeyValue::new(key, value));
    // Level 3 takes a third more time and does not make our tables smaller.
    let level = ZstdLevel::try_new(1).expect("the level is in range");
    let is_compressed = schema.fields().len() <= COMPRESSED_COLUMNS;
    let compression =
        if is_compressed { Compression::ZSTD(level) } else { Compression::UNCOMPRESSED };
    let mut properties = WriterProperties::builder()
        .set_compression(compression)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_key_value_metadata(Some(metadata.collect()))
        .set_sorting_columns(sorting_columns(schema, &options.sorted_by));
    for (field, cells) in schema.fields().iter().zip(columns) {
        if !benefits_from_dictionary(cells) {
            let mut path = vec![field.name().clone()];
            if let DataType::List(item) = field.data_type() {
                path.extend(["list".to_owned(), item.name().clone()]);
            }
            properties = properties.set_column_dictionary_enabled(ColumnPath::new(path), false);
        }
    }
    properties.build()
}

/// The leading sort columns that the schema has.
fn sorting_columns(schema: &Schema, names: &[String]) -> Option<Vec<SortingColumn>> {
    let places = names.iter().map_while(|name| schema.index_of(name).ok());
    let columns: Vec<_> = places
        .filter_map(|place| i32::try_from(place).ok())
        .map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: true })
        .collect();
    (!columns.is_empty()).then_some(columns)
}

/// Whether the values of a column repeat often enough for a dictionary to pay off.
fn benefits_from_dictionary(cells: &ColumnCells) -> bool {
    match cells {
        ColumnCells::Text(cells) | ColumnCells::Json(cells) => {
            has_few_distinct(cells.iter().take(SAMPLE_ROWS).flatten())
        }
        ColumnCells::List(_, items) => has_few_distinct(items.iter().take(SAMPLE_ROWS).flatten()),
        ColumnCells::Instant(cells) => has_few_distinct(sample_values(cells)),
        ColumnCells::Integer(cells) => has_few_distinct(sample_values(cells)),
        ColumnCells::Float(cells) => has_few_distinct(sample_values(cells).map(f64::to_bits)),
        ColumnCells::Date(cells) => has_few_distinct(sample_values(cells)),
        ColumnCells::Boolean(_) => true,
    }
}

fn sample_values<T: ArrowPrimitiveType>(
    cells: &PrimitiveArray<T>,
) -> impl Iterator<Item = T::Native> {
    cells.iter().take(SAMPLE_ROWS).flatten()
}

fn has_few_distinct<T: Eq + Hash>(values: impl Iterator<Item = T>) -> bool {
    let mut count = 0;
    let distinct: HashSet<T> = values.inspect(|_| count += 1).collect();
    // Few values prove nothing, and a dictionary of few values costs nothing.
    count < 50 || distinct.len() * 2 <= count
}

fn not_opened_error(path: &Path) -> TableWriteError {
    TableWriteError::encode_error(path, "the file could not be started")
}

fn convert_error(path: &Path, error: ParquetError) -> TableWriteError {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => TableWriteError::write_error(path, *source),
            Err(other) => TableWriteError::encode_error(path, other.to_string()),
        },
        other => TableWriteError::encode_error(path, other.to_string()),
    }
}
