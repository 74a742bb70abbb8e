//! Publish: writes the files of an export, as a pure function of its spool.
//!
//! It may start while the pull is still writing and then follows it. Rows are sorted by the time
//! they were added, then by id; if a record was sent more than once, the last version is used.
//! Files are written to a staging directory and moved into place together at the end, so that a
//! reader sees either the old export or the new one. Nothing here sends a request, and the result
//! does not depend on when it runs.

mod change_files;
mod change_names;
mod child_filter;
mod duplicate_ids;
mod entry_splitter;
mod errors_file;
mod existing_export;
mod file_mode;
mod finished_export;
mod manifest;
mod manifest_fields;
mod mask;
mod mirror_facts;
mod mirror_rows;
mod open_tables;
mod output_dir;
mod previous_mirror_export;
mod snapshot_rows;
mod sort;
mod streams;
mod table_writer;
mod template;
mod views;

use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

use crate::concurrency;
use crate::diagnostic::FetchFailureCode;
use crate::event::{SharedObserver, WrittenFile};
use crate::mirror::DeletedRows;
use crate::resource::{self, CustomFieldColumns, CustomValueCounts, ResourceSpec, TableSchema};
use crate::run::{self, FetchFailure, SpoolReader, stream};
use crate::table::{self, FormulaGuardMode, JsonLinesShape, TableFormat};

pub use change_files::{StagedChanges, write_changes};
pub use child_filter::ChildFilter;
pub use entry_splitter::{RowSplitter, SplitRows};
pub use existing_export::{OccupiedOutput, ensure_replaceable, find_current_files, is_masked_file};
pub use file_mode::FileMode;
pub use finished_export::{ExportReadError, ExportedTable, FinishedExport};
pub use manifest::{ExportScope, ManifestMetadata, SnapshotOrigin};
pub use manifest_fields::{ManifestCustomField, SchemaChange, SchemaChangeKind};
pub use mask::{MaskError, MaskMethod, MaskPreset, MaskRule, MaskRules, Masking};
pub use mirror_facts::{ChangesPosition, MirrorCoverage, MirrorFacts, MirrorPosition};
pub use mirror_rows::{ChangeRange, load_custom_fields as load_mirror_fields};
pub use output_dir::{LockedOutputDir, OutputDir};
pub use previous_mirror_export::{PreviousMirrorExport, refresh_manifest};
pub use snapshot_rows::write_snapshot;
pub use sort::SortableRow;
pub use template::{NamedTemplate, TemplateRows};

use open_tables::OpenTables;
use table_writer::{RowSource, TableWriter};

/// Split entries that wait to be decoded. A page of contacts has about 1 MB.
const BUFFERED_ENTRIES: usize = 2;

/// What to write.
#[derive(Clone)]
pub struct PublishOptions {
    /// The tables, in the order of the registry.
    pub tables: Vec<&'static ResourceSpec>,
    /// The formats, each once.
    pub formats: Vec<&'static TableFormat>,
    /// The templates, whose files are written in addition to those of the formats.
    pub templates: Vec<NamedTemplate>,
    /// How CSV cells are kept from being executed as formulas.
    pub csv_safe: FormulaGuardMode,
    /// Whether files for another system's own importer get a leading `'`, too.
    pub guard_uploads: bool,
    /// Whether CSV files begin with a byte order mark; not those of templates, which have their own
    /// rule.
    pub csv_bom: bool,
    /// How JSON Lines represent lists and JSON.
    pub jsonl: JsonLinesShape,
    /// Which notes, tasks and appointments.
    pub children: ChildFilter,
    /// Which columns are masked.
    pub masking: Masking,
    /// For the manifest and the files' own metadata.
    pub facts: ManifestMetadata,
}

/// What was written.
#[derive(Debug)]
pub struct PublishReport {
    /// The files, in the order of the tables.
    pub files: Vec<WrittenFile>,
    /// The tables that were read, also those that only templates use.
    pub schemas: Vec<TableSchema>,
    /// Records that could not be read, as in `errors.csv`.
    pub failures: Vec<FetchFailure>,
    /// Rows that are not records, beyond those in `errors.csv`.
    pub unreported_rows: u64,
    /// Tasks that were left out because they were deleted.
    pub deleted_tasks: u64,
    /// How the custom fields of contacts could be read.
    pub custom_values: CustomValueCounts,
    /// Values that did not fit their column's type, by `table.column`. They are kept in `extra`.
    pub type_mismatches: Vec<(String, u64)>,
}

impl PublishReport {
    /// How many records could not be read.
    #[must_use]
    pub fn unreadable(&self) -> u64 {
        self.failures.iter().map(|failure| failure.records).sum::<u64>() + self.unreported_rows
    }
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The spool cannot be read.
    #[error(transparent)]
    Run(#[from] run::RunError),
    /// The mirror cannot be read.
    #[error(transparent)]
    Mirror(#[from] crate::mirror::MirrorError),
    /// The snapshot cannot be read.
    #[error(transparent)]
    Repository(#[from] crate::repository::RepositoryError),
    /// A table cannot be written.
    #[error("{}", message_with_cause(.0))]
    Table(#[from] table::TableWriteError),
    /// A file or directory cannot be written or put in place.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// The system error.
        source: std::io::Error,
    },
    /// The output directory contains something else, which is not replaced.
    #[error(transparent)]
    Occupied(OccupiedOutput),
    /// A column cannot be masked.
    #[error(transparent)]
    Mask(#[from] MaskError),
    /// The pull that was followed failed.
    #[error("the pull did not finish")]
    Abandoned,
}

impl PublishError {
    fn from_io_error(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

fn message_with_cause(error: &table::TableWriteError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// A pull that is still running.
pub struct RunningPull {
    /// The number of the last committed entry; closed when there will be no more.
    pub committed: watch::Receiver<i64>,
    /// Receives a message when the pull has finished; dropped when it failed.
    pub ended: oneshot::Receiver<()>,
    /// For waiting on both from a blocking thread.
    pub handle: Handle,
}

impl RunningPull {
    /// Waits for more entries; false if there will be none.
    fn wait_for_entries(&mut self) -> bool {
        self.handle.block_on(self.committed.changed()).is_ok()
    }
}

/// Reads a spool to its end and writes its tables into `staging`.
///
/// # Errors
/// When the spool is damaged or a file cannot be written. No file has its final name then.
pub fn write_export(
    db: &Path,
    staging: &Path,
    options: &PublishOptions,
    mut running_pull: Option<RunningPull>,
    observer: &SharedObserver,
) -> Result<PublishReport, PublishError> {
    let reader = SpoolReader::open(db)?;
    let fields = load_custom_fields(&reader, running_pull.as_mut())?;
    let mut open = OpenTables::create(&fields, staging, options, RowSource::Spool, observer)?;
    let splitter = RowSplitter::new(db, open.writers.iter().map(TableWriter::table));
    // One thread reads and splits entries, the other decodes and writes rows.
    concurrency::run_pipeline(
        BUFFERED_ENTRIES,
        |entries| split_spool_entries(&SpoolReader::open(db)?, &splitter, running_pull, entries),
        |entry_rows: SplitRows| open.writers[entry_rows.table].add_rows(entry_rows),
    )?;
    open.finish(Some(&reader), reader.load_failures()?, observer)
}

/// Writes the tables of a mirror, as a sync left it, into `staging`.
///
/// # Errors
/// When the mirror is damaged or a file cannot be written. No file has its final name then.
pub fn write_mirror(
    mirror_dir: &Path,
    staging: &Path,
    options: &PublishOptions,
    deleted: DeletedRows,
    observer: &SharedObserver,
) -> Result<PublishReport, PublishError> {
    let mirror = mirror_rows::open_mirror(mirror_dir)?;
    let fields = mirror_rows::load_custom_fields(&mirror, i64::MAX)?;
    let mut open = OpenTables::create(&fields, staging, options, RowSource::Mirror, observer)?;
    concurrency::run_pipeline(
        BUFFERED_ENTRIES,
        |batches| mirror_rows::send_rows(mirror_dir, &options.tables, deleted, batches),
        |rows: SplitRows| open.add_rows_in_order(rows),
    )?;
    open.finish(None, mirror.load_failures()?, observer)
}

/// Splits all entries, in commit order.
fn split_spool_entries(
    reader: &SpoolReader,
    splitter: &RowSplitter,
    mut running_pull: Option<RunningPull>,
    entries: &SyncSender<SplitRows>,
) -> Result<(), PublishError> {
    let mut seq = 0;
    loop {
        while let Some(entry) = reader.next_entry("", seq)? {
            seq = entry.seq;
            let Some(entry_rows) = splitter.split_entry(&entry)? else { continue };
            if entries.send(entry_rows).is_err() {
                // The writer has failed and reports the reason.
                return Ok(());
            }
        }
        let Some(mut pull) = running_pull.take() else { return Ok(()) };
        if pull.wait_for_entries() {
            running_pull = Some(pull);
        } else {
            // An entry may have been committed between the last read and the end: read once more.
            pull.handle.block_on(pull.ended).map_err(|_| PublishError::Abandoned)?;
        }
    }
}

/// Loads the custom fields. They are pulled first, because the contacts' columns depend on them. If
/// they could not be read, `resume --retry-errors` requests them at the end of its pull.
fn load_custom_fields(
    reader: &SpoolReader,
    mut running_pull: Option<&mut RunningPull>,
) -> Result<CustomFieldColumns, PublishError> {
    loop {
        // The last response is used.
        let (mut seq, mut last) = (0, None);
        while let Some(entry) = reader.next_entry(stream::FIELDS, seq)? {
            seq = entry.seq;
            last = Some(entry);
        }
        // Broken definitions are requested again at the end of the pull.
        let may_change = || {
            let failures = reader.load_failures()?;
            Ok::<_, PublishError>(failures.iter().any(|failure| failure.stream == stream::FIELDS))
        };
        if let Some(pull) = running_pull.as_mut().filter(|_| last.is_some())
            && may_change()?
            && pull.wait_for_entries()
        {
            continue;
        }
        if let Some(entry) = last {
            let answer = std::str::from_utf8(&entry.body).unwrap_or_default();
            let rows = resource::response_rows(answer, "customFields");
            return Ok(CustomFieldColumns::from_sound_definitions(rows));
        }
        if !running_pull.as_mut().is_some_and(|pull| pull.wait_for_entries()) {
            return Ok(CustomFieldColumns::default());
        }
    }
}

/// The failure of a row that cannot be decoded.
fn invalid_row_failure(table: &str, at: i64, error: &resource::RowDecodeError) -> FetchFailure {
    FetchFailure {
        stream: table.to_owned(),
        subject: format!("answer {at}"),
        code: FetchFailureCode::NoRow,
        message: error.to_string(),
        status: None,
        trace_id: None,
        transient: false,
        records: 1,
    }
}
