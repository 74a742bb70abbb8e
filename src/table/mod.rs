//! Tables as files: writes record batches to one file, in any of [`FORMATS`].
//!
//! A [`TableSink`] writes one new file, hashes it while writing, and has it on disk when it closes.
//! It never replaces a file: the caller chooses a temporary name and renames the file when
//! everything has succeeded. Memory stays bounded for any number of batches.
//!
//! To add a format: a file in this directory, its `mod` line, and its line in [`FORMATS`]. No
//! format knows contacts: a column is defined by its Arrow type, and text with `ghl.kind` = `json`
//! in its field's metadata is JSON.

mod cell_text;
mod csv;
mod date_text;
mod delimited;
mod formula_guard;
mod joined_list;
mod json;
mod jsonl;
mod parquet;
mod string_columns;
mod table_file;
#[cfg(test)]
mod tests;
mod xlsx;

use std::io;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

pub use delimited::{DelimitedWriter, OutputDialect, OutputEncoding};
pub use formula_guard::{FormulaGuardMode, guard_formula, looks_like_formula, strip_guard};
pub use joined_list::{join_list, split_list};
pub use jsonl::{JsonLinesShape, format_json_lines, json_members};
pub use string_columns::BatchTexts;
pub use xlsx::TextWorkbook;

/// Every format, the default first.
pub const FORMATS: &[TableFormat] = &[parquet::FORMAT, csv::FORMAT, jsonl::FORMAT, xlsx::FORMAT];

type OpenSinkFn = fn(&Path, SchemaRef, &SinkOptions) -> Result<Box<dyn TableSink>, TableWriteError>;

/// A file format for tables.
#[derive(Debug, Clone, Copy)]
pub struct TableFormat {
    /// The name of the format on the command line.
    pub name: &'static str,
    /// The file extension, without the dot.
    pub extension: &'static str,
    /// A one-sentence description.
    pub doc: &'static str,
    open: OpenSinkFn,
}

impl TableFormat {
    /// The format with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// Whether lists and JSON are strings of JSON text in files of this format.
    #[must_use]
    pub fn is_flat(&self, shape: JsonLinesShape) -> bool {
        self.name == jsonl::FORMAT.name && shape == JsonLinesShape::Flat
    }

    /// Creates a file for batches of this schema. The file must not exist yet.
    pub fn open_sink(
        &self,
        path: &Path,
        schema: SchemaRef,
        options: &SinkOptions,
    ) -> Result<Box<dyn TableSink>, TableWriteError> {
        cell_text::check_schema(path, &schema)?;
        (self.open)(path, schema, options)
    }
}

/// The settings for writing a file.
#[derive(Debug, Clone, Default)]
pub struct SinkOptions {
    /// Key-value metadata for the file itself, in formats that support it (Parquet, XLSX).
    pub metadata: Vec<(String, String)>,
    /// When the table was made, in formats that say so (XLSX).
    pub created: Option<jiff::Timestamp>,
    /// How CSV cells are kept from being executed as formulas.
    pub csv_safe: FormulaGuardMode,
    /// Whether CSV files begin with a byte order mark, by which Excel knows UTF-8.
    pub csv_bom: bool,
    /// How JSON Lines represent lists and JSON.
    pub jsonl: JsonLinesShape,
    /// The columns by which the rows are sorted, ascending with nulls first, in formats that record
    /// it (Parquet).
    pub sorted_by: Vec<String>,
}

/// A file being written.
pub trait TableSink: Send {
    /// Adds the rows of a batch.
    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), TableWriteError>;

    /// Completes the file and waits until it is on disk.
    fn close(self: Box<Self>) -> Result<WrittenTable, TableWriteError>;
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenTable {
    /// The number of rows.
    pub rows: u64,
    /// The number of bytes.
    pub bytes: u64,
    /// The SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// How many texts were cut, because the format has a limit (XLSX).
    pub cut_cells: u64,
}

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum TableWriteError {
    /// The file could not be created; perhaps it exists.
    #[error("creating `{}`", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The file could not be written; perhaps the disk is full.
    #[error("writing `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The rows cannot be represented in the format.
    #[error("writing `{}`: {reason}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// What cannot be represented.
        reason: String,
    },
}

impl TableWriteError {
    /// The operating system's error, if any, such as `StorageFull` or `AlreadyExists`.
    #[must_use]
    pub fn io_error(&self) -> Option<&io::Error> {
        match self {
            Self::Create { source, .. } | Self::Write { source, .. } => Some(source),
            Self::Encode { .. } => None,
        }
    }

    fn write_error(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Write { path, source }
    }

    fn encode_error(path: &Path, reason: impl Into<String>) -> Self {
        Self::Encode { path: path.to_owned(), reason: reason.into() }
    }
}
