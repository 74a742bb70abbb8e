//! Tables as files: record batches in, one file out, in any of [`FORMATS`].
//!
//! A [`TableSink`] writes one new file, hashes it on the way, and has it on disk when it closes. It never replaces a file:
//! whoever opens it chooses a temporary name and renames it when all is well. Memory stays bounded however many
//! batches come.
//!
//! To add a format: a file beside this one, its `mod` line, and its line in [`FORMATS`]. No format knows contacts: a
//! column is what its Arrow type says, and text marked `ghl.kind` = `json` in its field's metadata is JSON.

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

use std::io;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

pub use delimited::{DelimitedWriter, OutputDialect, OutputEncoding};
pub use formula_guard::{FormulaGuardMode, guard_formula, strip_guard};
pub use joined_list::{join_list, split_list};
pub use string_columns::BatchTexts;

/// Every format, the default first.
pub const FORMATS: &[TableFormat] = &[parquet::FORMAT, csv::FORMAT, jsonl::FORMAT];

type OpenSinkFn = fn(&Path, SchemaRef, &SinkOptions) -> Result<Box<dyn TableSink>, TableWriteError>;

/// A way to write a table as a file.
#[derive(Debug, Clone, Copy)]
pub struct TableFormat {
    /// What users call it.
    pub name: &'static str,
    /// How its files' names end, without the dot.
    pub extension: &'static str,
    /// What it is good for, in a sentence.
    pub doc: &'static str,
    open: OpenSinkFn,
}

impl TableFormat {
    /// The format of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// Creates a file for batches of this schema. There must be no such file yet.
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

/// What a file is written with, beside its rows.
#[derive(Debug, Clone, Default)]
pub struct SinkOptions {
    /// Keys and values for the file's own metadata, in formats that have any (Parquet).
    pub metadata: Vec<(String, String)>,
    /// How CSV cells are kept from running in a spreadsheet.
    pub csv_safe: FormulaGuardMode,
    /// The columns by which the rows are sorted, ascending and nulls first, in formats that say so (Parquet).
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
    /// How many rows it holds.
    pub rows: u64,
    /// How many bytes it is long.
    pub bytes: u64,
    /// The SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum TableWriteError {
    /// The file could not be created; perhaps it exists.
    #[error("creating `{}`", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file could not be written; perhaps the disk is full.
    #[error("writing `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The rows cannot be put into the format.
    #[error("writing `{}`: {reason}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
}

impl TableWriteError {
    /// What the operating system said, if it was asked: `StorageFull`, `AlreadyExists` and so on are told from here.
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
