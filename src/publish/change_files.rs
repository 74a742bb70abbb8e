//! The files of changes: what has changed from one publish to the next, one file for each table and format.
//!
//! A file is a function of the mirror's history and of the two syncs in its name, so that one that was interrupted is
//! written again with the same bytes. It is never changed: many loaders read a name once.

use std::path::{Path, PathBuf};

use super::manifest::ManifestMetadata;
use super::mirror_facts::MirrorPosition;
use super::mirror_rows::{self, ChangeRange};
use super::table_writer::RowSource;
use super::{BUFFERED_ENTRIES, OpenTables, PublishError, PublishOptions, SplitRows};
use crate::concurrency;
use crate::event::{SharedObserver, WrittenFile};
use crate::resource::RESOURCES;
use crate::table::FORMATS;

/// The directory of files of changes, in the output directory.
pub(super) const DIRECTORY: &str = "changes";

/// So many characters of a mirror's id are in the name of a file.
const ID_LENGTH: usize = 8;

/// Digits of the number of a sync in the name of a file, so that names sort like numbers.
const SEQ_DIGITS: usize = 10;

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
        |rows: SplitRows| open.writers[rows.table].add_rows(rows),
    )?;
    let mut files = Vec::new();
    for finished in open.writers.into_iter().map(|writer| writer.finish(None)) {
        for written in finished?.files.into_iter().filter(|file| file.rows > 0) {
            let extension = Path::new(&written.file).extension().unwrap_or_default();
            let name = file_name(range.after, &position, &extension.to_string_lossy());
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

/// Names sort like the syncs. The id keeps the files of two mirrors apart, whose syncs have the same numbers.
fn file_name(after: i64, position: &MirrorPosition, extension: &str) -> String {
    let id: String = position.id.chars().take(ID_LENGTH).collect();
    let (first, last) = (after + 1, position.seq);
    format!("{first:0SEQ_DIGITS$}-{last:0SEQ_DIGITS$}-{id}.{extension}")
}

/// Whether a directory has files in Parquet.
pub(super) fn has_parquet(dir: &Path) -> bool {
    let is_parquet = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.path().extension().is_some_and(|it| it == "parquet"))
    };
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.any(is_parquet))
}

/// Whether a directory has nothing but files of changes.
pub(super) fn is_change_directory(dir: &Path) -> bool {
    let entries = |dir: &Path| {
        let entries = std::fs::read_dir(dir).ok()?;
        let name =
            |entry: std::io::Result<std::fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
        entries.map(name).collect::<Option<Vec<String>>>()
    };
    let is_hidden = |name: &str| name.starts_with('.');
    let is_table = |name: &String| {
        let is_known = RESOURCES.iter().any(|resource| resource.name == name);
        is_known
            && entries(&dir.join(name)).is_some_and(|files| {
                files.iter().all(|file| is_hidden(file) || is_change_file(file))
            })
    };
    entries(dir).is_some_and(|names| names.iter().all(|name| is_hidden(name) || is_table(name)))
}

fn is_change_file(name: &str) -> bool {
    let Some((stem, extension)) = name.split_once('.') else { return false };
    let parts: Vec<&str> = stem.split('-').collect();
    let is_seq =
        |part: &str| part.len() >= SEQ_DIGITS && part.bytes().all(|byte| byte.is_ascii_digit());
    matches!(parts[..], [first, last, id] if is_seq(first) && is_seq(last)
        && id.len() == ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        && FORMATS.iter().any(|format| format.extension == extension)
}
