//! Publish: the files of an export, as a pure function of its spool.
//!
//! It may begin while the pull still writes, and then follows it. Rows come out sorted by the time
//! they were added, then by id; of a record that was sent twice the last one counts. Files are written
//! in a staging directory and put in place together at the end, so that a reader sees the old export
//! or the new one. Nothing here sends a request, and nothing depends on when it runs.

mod errors_file;
mod manifest;
mod output_dir;
mod row_splitter;
mod sort;
mod streams;
mod table_writer;
mod template;

use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

use crate::concurrency;
use crate::event::{RunEvent, SharedObserver, WrittenFile};
use crate::resource::{self, CustomFieldColumns, ResourceSpec};
use crate::run::{self, FetchFailure, SpoolReader, stream};
use crate::table::{self, FormulaGuardMode, TableFormat};

pub use manifest::ManifestMetadata;
pub use output_dir::{LockedOutputDir, OutputDir};
pub use template::NamedTemplate;

use row_splitter::{RowSplitter, SplitRows};
use table_writer::TableWriter;
use template::TemplateFiles;

/// Entries that are cut and wait to be decoded. A page of contacts has about 1 MB.
const CUTS: usize = 2;

/// What to write.
#[derive(Clone)]
pub struct PublishOptions {
    /// The tables, in the order of the registry.
    pub tables: Vec<&'static ResourceSpec>,
    /// The formats, each once.
    pub formats: Vec<&'static TableFormat>,
    /// The layouts, whose files are written beside those of the formats.
    pub layouts: Vec<NamedTemplate>,
    /// How CSV cells are kept from running in a spreadsheet.
    pub csv_safe: FormulaGuardMode,
    /// For the manifest and the files' own metadata.
    pub facts: ManifestMetadata,
}

/// What was written.
#[derive(Debug)]
pub struct PublishReport {
    /// The files, in the order of the tables.
    pub files: Vec<WrittenFile>,
    /// Records that could not be read, as in `errors.csv`.
    pub failures: Vec<FetchFailure>,
    /// Values that did not fit their column's type, by `table.column`. They stand in `extra`.
    pub misfits: Vec<(String, u64)>,
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The spool cannot be read.
    #[error(transparent)]
    Run(#[from] run::RunError),
    /// A table cannot be written.
    #[error("{}", message_with_cause(.0))]
    Table(#[from] table::TableWriteError),
    /// A file or directory cannot be written or put in place.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The pull that was followed did not come to its end.
    #[error("the pull did not end")]
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

/// A pull that is still going on.
pub struct RunningPull {
    /// The last entry committed; closed when there will be no more.
    pub committed: watch::Receiver<i64>,
    /// Told when the pull has come to its end; dropped when it failed.
    pub ended: oneshot::Receiver<()>,
    /// To wait on the two from a blocking thread.
    pub handle: Handle,
}

impl RunningPull {
    /// Waits for more entries; false when there will be none.
    fn wait_for_entries(&mut self) -> bool {
        self.handle.block_on(self.committed.changed()).is_ok()
    }
}

/// Reads a spool to its end and writes its tables into `staging`.
///
/// # Errors
/// When the spool is damaged or a file cannot be written. Nothing stands under a final name then.
pub fn write_export(
    db: &Path,
    staging: &Path,
    options: &PublishOptions,
    mut live: Option<RunningPull>,
    observer: &SharedObserver,
) -> Result<PublishReport, PublishError> {
    let reader = SpoolReader::open(db)?;
    let fields = load_custom_fields(&reader, live.as_mut())?;
    let mut layouts = TemplateFiles::create_files(&options.layouts, options.csv_safe, staging)?;
    let mut lanes = Vec::new();
    for resource in &options.tables {
        lanes.push(TableWriter::new(resource, &fields, staging, options, &layouts)?);
    }
    let cutter = RowSplitter::new(db, lanes.iter().map(TableWriter::table));
    // One thread reads and cuts, the other decodes and writes.
    concurrency::run_pipeline(
        CUTS,
        |cuts| split_spool_entries(&SpoolReader::open(db)?, &cutter, live, cuts),
        |cut: SplitRows| lanes[cut.table].add_rows(cut),
    )?;
    let mut published =
        PublishReport { files: Vec::new(), failures: reader.load_failures()?, misfits: Vec::new() };
    for lane in lanes {
        let finished = lane.finish(&reader)?;
        if let Some(takers) = finished.takers {
            layouts.add_unused_columns(takers);
        }
        for file in finished.files {
            observer.observe(&RunEvent::Written(file.clone()));
            published.files.push(file);
        }
        published.failures.extend(finished.failures);
        published.misfits.extend(finished.misfits);
    }
    let (files, told) = layouts.close()?;
    for file in files {
        observer.observe(&RunEvent::Written(file.clone()));
        published.files.push(file);
    }
    for (code, message) in told {
        observer.observe(&RunEvent::Warning { code, message });
    }
    errors_file::write_failures(staging, &published.failures)?;
    Ok(published)
}

/// Cuts every entry, in the order of the commits.
fn split_spool_entries(
    reader: &SpoolReader,
    cutter: &RowSplitter,
    mut live: Option<RunningPull>,
    cuts: &SyncSender<SplitRows>,
) -> Result<(), PublishError> {
    let mut seq = 0;
    loop {
        while let Some(entry) = reader.next_entry("", seq)? {
            seq = entry.seq;
            let Some(cut) = cutter.split_entry(&entry)? else { continue };
            if cuts.send(cut).is_err() {
                // Whoever writes has failed, and says why.
                return Ok(());
            }
        }
        let Some(mut pull) = live.take() else { return Ok(()) };
        if pull.wait_for_entries() {
            live = Some(pull);
        } else {
            // There may be a last entry that came between the look and the end: one more round.
            pull.handle.block_on(pull.ended).map_err(|_| PublishError::Abandoned)?;
        }
    }
}

/// The custom fields: the first thing that is pulled, since the contacts' columns hang on them. Where
/// they could not be read, `resume --retry-errors` asks for them at the end of its pull.
fn load_custom_fields(
    reader: &SpoolReader,
    mut live: Option<&mut RunningPull>,
) -> Result<CustomFieldColumns, PublishError> {
    loop {
        // The last answer counts.
        let (mut seq, mut last) = (0, None);
        while let Some(entry) = reader.next_entry(stream::FIELDS, seq)? {
            seq = entry.seq;
            last = Some(entry);
        }
        if let Some(entry) = last {
            let answer = std::str::from_utf8(&entry.body).unwrap_or_default();
            let sound = |row: &&str| CustomFieldColumns::from_definitions([*row]).is_ok();
            let rows = resource::response_rows(answer, "customFields").filter(sound);
            return Ok(CustomFieldColumns::from_definitions(rows).unwrap_or_default());
        }
        if !live.as_mut().is_some_and(|pull| pull.wait_for_entries()) {
            return Ok(CustomFieldColumns::default());
        }
    }
}

/// A row that no table takes.
fn invalid_row_failure(table: &str, at: i64, error: &resource::RowDecodeError) -> FetchFailure {
    FetchFailure {
        stream: table.to_owned(),
        subject: format!("answer {at}"),
        code: "no_row".to_owned(),
        message: error.to_string(),
        status: None,
        trace_id: None,
        transient: false,
    }
}
