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
use crate::event::{Event, Watcher, Written};
use crate::resource::{self, Fields, Resource};
use crate::run::{self, Failure, Reader, stream};
use crate::table::{self, CsvSafe, Format};

pub use manifest::Facts;
pub use output_dir::{Held, Place};
pub use template::Named;

use row_splitter::{Cut, Cutter};
use table_writer::Lane;
use template::Layouts;

/// Entries that are cut and wait to be decoded. A page of contacts has about 1 MB.
const CUTS: usize = 2;

/// What to write.
#[derive(Clone)]
pub struct Options {
    /// The tables, in the order of the registry.
    pub tables: Vec<&'static Resource>,
    /// The formats, each once.
    pub formats: Vec<&'static Format>,
    /// The layouts, whose files are written beside those of the formats.
    pub layouts: Vec<Named>,
    /// How CSV cells are kept from running in a spreadsheet.
    pub csv_safe: CsvSafe,
    /// For the manifest and the files' own metadata.
    pub facts: Facts,
}

/// What was written.
#[derive(Debug)]
pub struct Published {
    /// The files, in the order of the tables.
    pub files: Vec<Written>,
    /// Records that could not be read, as in `errors.csv`.
    pub failures: Vec<Failure>,
    /// Values that did not fit their column's type, by `table.column`. They stand in `extra`.
    pub misfits: Vec<(String, u64)>,
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The spool cannot be read.
    #[error(transparent)]
    Run(#[from] run::Error),
    /// A table cannot be written.
    #[error("{}", with_cause(.0))]
    Table(#[from] table::Error),
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

impl Error {
    fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

fn with_cause(error: &table::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// A pull that is still going on.
pub struct Live {
    /// The last entry committed; closed when there will be no more.
    pub committed: watch::Receiver<i64>,
    /// Told when the pull has come to its end; dropped when it failed.
    pub ended: oneshot::Receiver<()>,
    /// To wait on the two from a blocking thread.
    pub handle: Handle,
}

impl Live {
    /// Waits for more entries; false when there will be none.
    fn more(&mut self) -> bool {
        self.handle.block_on(self.committed.changed()).is_ok()
    }
}

/// Reads a spool to its end and writes its tables into `staging`.
///
/// # Errors
/// When the spool is damaged or a file cannot be written. Nothing stands under a final name then.
pub fn publish(
    db: &Path,
    staging: &Path,
    options: &Options,
    mut live: Option<Live>,
    watcher: &Watcher,
) -> Result<Published, Error> {
    let reader = Reader::open(db)?;
    let fields = fields(&reader, live.as_mut())?;
    let mut layouts = Layouts::begin(&options.layouts, options.csv_safe, staging)?;
    let mut lanes = Vec::new();
    for resource in &options.tables {
        lanes.push(Lane::new(resource, &fields, staging, options, &layouts)?);
    }
    let cutter = Cutter::new(db, lanes.iter().map(Lane::table));
    // One thread reads and cuts, the other decodes and writes.
    concurrency::pipe(
        CUTS,
        |cuts| follow(&Reader::open(db)?, &cutter, live, cuts),
        |cut: Cut| lanes[cut.table].take(cut),
    )?;
    let mut published =
        Published { files: Vec::new(), failures: reader.failures()?, misfits: Vec::new() };
    for lane in lanes {
        let finished = lane.finish(&reader)?;
        if let Some(takers) = finished.takers {
            layouts.tell(takers);
        }
        for file in finished.files {
            watcher.observe(&Event::Written(file.clone()));
            published.files.push(file);
        }
        published.failures.extend(finished.failures);
        published.misfits.extend(finished.misfits);
    }
    let (files, told) = layouts.close()?;
    for file in files {
        watcher.observe(&Event::Written(file.clone()));
        published.files.push(file);
    }
    for (code, message) in told {
        watcher.observe(&Event::Warning { code, message });
    }
    errors_file::write(staging, &published.failures)?;
    Ok(published)
}

/// Cuts every entry, in the order of the commits.
fn follow(
    reader: &Reader,
    cutter: &Cutter,
    mut live: Option<Live>,
    cuts: &SyncSender<Cut>,
) -> Result<(), Error> {
    let mut seq = 0;
    loop {
        while let Some(entry) = reader.next("", seq)? {
            seq = entry.seq;
            let Some(cut) = cutter.cut(&entry)? else { continue };
            if cuts.send(cut).is_err() {
                // Whoever writes has failed, and says why.
                return Ok(());
            }
        }
        let Some(mut pull) = live.take() else { return Ok(()) };
        if pull.more() {
            live = Some(pull);
        } else {
            // There may be a last entry that came between the look and the end: one more round.
            pull.handle.block_on(pull.ended).map_err(|_| Error::Abandoned)?;
        }
    }
}

/// The custom fields: the first thing that is pulled, since the contacts' columns hang on them. Where
/// they could not be read, `resume --retry-errors` asks for them at the end of its pull.
fn fields(reader: &Reader, mut live: Option<&mut Live>) -> Result<Fields, Error> {
    loop {
        // The last answer counts.
        let (mut seq, mut last) = (0, None);
        while let Some(entry) = reader.next(stream::FIELDS, seq)? {
            seq = entry.seq;
            last = Some(entry);
        }
        if let Some(entry) = last {
            let answer = std::str::from_utf8(&entry.body).unwrap_or_default();
            let sound = |row: &&str| Fields::new([*row]).is_ok();
            let rows = resource::rows(answer, "customFields").filter(sound);
            return Ok(Fields::new(rows).unwrap_or_default());
        }
        if !live.as_mut().is_some_and(|pull| pull.more()) {
            return Ok(Fields::default());
        }
    }
}

/// A row that no table takes.
fn unreadable(table: &str, at: i64, error: &resource::Error) -> Failure {
    Failure {
        stream: table.to_owned(),
        subject: format!("answer {at}"),
        code: "no_row".to_owned(),
        message: error.to_string(),
        status: None,
        trace_id: None,
        passing: false,
    }
}
