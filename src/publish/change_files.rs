//! The files of changes: what has changed from one publish to the next, one file for each table and format.
//!
//! A file is a function of the mirror's history and of the two syncs in its name, so that one that was interrupted is
//! written again with the same bytes. It is never changed: many loaders read a name once.

use std::path::{Path, PathBuf};

use super::change_names::{self, DIRECTORY};
use super::manifest::ManifestMetadata;
use super::mirror_facts::MirrorPosition;
use super::mirror_rows::{self, ChangeRange};
use super::open_tables::OpenTables;
use super::table_writer::RowSource;
use super::{BUFFERED_ENTRIES, PublishError, PublishOptions, SplitRows};
use crate::concurrency;
use crate::event::{SharedObserver, WrittenFile};

/// Files of changes that wait in a staging directory.
#[derive(Debug)]
pub struct StagedChanges {
    /// Their directory.
    pub(super) dir: PathBuf,
    /// The files, with where they are.
    pub(super) files: Vec<(PathBuf, WrittenFile)>,
}

impl StagedChanges {
    /// The files, with their places below the output directory.
    #[must_use]
    pub fn files(&self) -> Vec<WrittenFile> {
        self.files.iter().map(|(_, file)| file.clone()).collect()
    }
}

/// Writes the changes of a mirror into a directory of their own below `staging`. Tables without a change have no file.
///
/// # Errors
/// When the mirror is damaged or a file cannot be written.
pub fn write_changes(
    mirror_dir: &Path,
    staging: &Path,
    options: &PublishOptions,
    range: ChangeRange,
    observer: &SharedObserver,
) -> Result<StagedChanges, PublishError> {
    let mirror = mirror_rows::open_mirror(mirror_dir)?;
    let fields = mirror_rows::load_custom_fields(&mirror, range.until)?;
    let facts = facts_of_sync(&mirror, range.until, options)?;
    let position = MirrorPosition { id: mirror.mirror_id()?, seq: range.until };
    let options = PublishOptions { templates: Vec::new(), facts, ..options.clone() };
    let dir = staging.join(format!("{DIRECTORY}.{}", range.until));
    std::fs::create_dir(&dir).map_err(|source| PublishError::from_io_error(&dir, source))?;
    let mut open = OpenTables::create(&fields, &dir, &options, RowSource::MirrorChanges, observer)?;
    concurrency::run_pipeline(
        BUFFERED_ENTRIES,
        |batches| mirror_rows::send_changes(mirror_dir, &options.tables, range, batches),
        |rows: SplitRows| open.add_rows_in_order(rows),
    )?;
    let mut files = Vec::new();
    open.finish_tables(usize::MAX)?;
    for finished in open.finished {
        for written in finished.files.into_iter().filter(|file| file.rows > 0) {
            let extension = Path::new(&written.file).extension().unwrap_or_default();
            let name =
                change_names::file_name(range.after, &position, &extension.to_string_lossy());
            let from = dir.join(&written.file);
            let file = format!("{DIRECTORY}/{}/{name}", written.table);
            files.push((from, WrittenFile { file, ..written }));
        }
    }
    Ok(StagedChanges { dir, files })
}

/// The facts that are written into the files: those of the last sync in them.
fn facts_of_sync(
    mirror: &crate::mirror::MirrorReader,
    seq: i64,
    options: &PublishOptions,
) -> Result<ManifestMetadata, PublishError> {
    let mut facts = options.facts.clone();
    if let Some(sync) = mirror.find_sync(seq)? {
        (facts.run, facts.started) = (sync.facts.run, sync.facts.started);
    }
    Ok(facts)
}
