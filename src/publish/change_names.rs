//! The names of files of changes, and of what belongs to them.

use std::path::Path;

use super::mirror_facts::MirrorPosition;
use crate::resource::RESOURCES;
use crate::table::FORMATS;

/// The directory of files of changes, in the output directory.
pub(super) const DIRECTORY: &str = "changes";

/// So many characters of a mirror's id are in the name of a file.
const ID_LENGTH: usize = 8;

/// Digits of the number of a sync in the name of a file, so that names sort like numbers.
const SEQ_DIGITS: usize = 10;

/// The file with views over them.
pub(super) const VIEWS: &str = "views.sql";

/// Names sort like the syncs. The id keeps the files of two mirrors apart, whose syncs have the same numbers.
pub(super) fn file_name(after: i64, position: &MirrorPosition, extension: &str) -> String {
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
