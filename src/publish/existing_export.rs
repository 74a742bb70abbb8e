//! What is in an output directory already, and whether a new export may replace it.
//!
//! An export replaces an earlier one only if both were asked for the same: the location, the filters and the
//! tables. Anything else stays until the user says otherwise.

use std::path::{Path, PathBuf};

use super::PublishError;
use super::change_names;
use super::manifest::{ExportScope, PreviousManifest};
use super::mirror_facts::{MirrorFacts, MirrorPosition};
use crate::event::WrittenFile;
use crate::id::{LocationId, RunId};
use crate::table::TableFormat;

/// How many foreign files are named.
const NAMED: usize = 3;

/// The output directory contains something else than an earlier export of the same request.
#[derive(Debug, thiserror::Error)]
#[error("`{}` is not replaced: it contains {what}", .out.display())]
pub struct OccupiedOutput {
    /// The directory.
    pub out: PathBuf,
    /// What is there.
    what: String,
}

/// Checks that a directory is empty, or has an earlier export of the same run or the same request. An export of a
/// mirror that was lost since is replaced as a whole by that of the new one.
///
/// # Errors
/// With what is there instead.
pub fn ensure_replaceable(
    out: &Path,
    run: &RunId,
    location: &LocationId,
    scope: &ExportScope,
) -> Result<(), PublishError> {
    let found = match PreviousManifest::read(out) {
        Some(manifest) if manifest.run == *run => None,
        Some(manifest) => foreign_files(out, Some(&manifest))?
            .or_else(|| describe_difference(&manifest, location, scope)),
        None => foreign_files(out, None)?,
    };
    match found {
        Some(what) => Err(PublishError::Occupied(OccupiedOutput { out: out.to_owned(), what })),
        None => Ok(()),
    }
}

/// The files of an export of this state of a mirror, if a directory has them in these formats.
#[must_use]
pub fn find_current_files(
    out: &Path,
    (position, facts): (&MirrorPosition, &MirrorFacts),
    scope: &ExportScope,
    formats: &[&'static TableFormat],
) -> Option<Vec<WrittenFile>> {
    let manifest = PreviousManifest::read(out)?;
    let changes_seq = |facts: &MirrorFacts| facts.changes.as_ref().map(|changes| changes.seq);
    let is_as_asked =
        |old: &MirrorFacts| old.deleted == facts.deleted && changes_seq(old) == changes_seq(facts);
    let is_same = manifest.mirror.as_ref() == Some(position)
        && manifest.request.as_ref() == Some(scope)
        && manifest.mirror_facts.as_ref().is_some_and(is_as_asked);
    let files = manifest.data_files();
    let is_whole = |file: &WrittenFile| {
        out.join(&file.file).metadata().is_ok_and(|metadata| metadata.len() == file.bytes)
    };
    let has_format =
        |format: &&'static TableFormat| files.iter().any(|it| it.format == format.name);
    let is_current = is_same && files.iter().all(is_whole) && formats.iter().all(has_format);
    is_current.then_some(files)
}

/// Whether a file is of a masked export, as the manifest beside it says.
#[must_use]
pub fn is_masked_file(path: &Path) -> bool {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { return false };
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let Some(manifest) = PreviousManifest::read(dir) else { return false };
    let is_masked = manifest.request.as_ref().is_some_and(|request| !request.masks.is_empty());
    is_masked && name.to_str().is_some_and(|name| manifest.owns_file(name))
}

/// The files in a directory that no export wrote. Hidden files are not counted.
fn foreign_files(
    out: &Path,
    manifest: Option<&PreviousManifest>,
) -> Result<Option<String>, PublishError> {
    let entries = match std::fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(PublishError::from_io_error(out, source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| PublishError::from_io_error(out, source))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // Files of changes come before the first manifest.
        let ours = manifest.is_some_and(|manifest| manifest.owns_file(&name))
            || (name == change_names::DIRECTORY
                && change_names::is_change_directory(&entry.path()));
        if !ours && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    if names.is_empty() {
        return Ok(None);
    }
    let shown: Vec<_> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = if names.len() == 1 { "a file" } else { "files" };
    Ok(Some(format!("{what} of no export: {}{more}", shown.join(", "))))
}

/// How the earlier export differs from the new one.
fn describe_difference(
    old: &PreviousManifest,
    location: &LocationId,
    scope: &ExportScope,
) -> Option<String> {
    if old.location != *location {
        return Some(format!("an export of location `{}`, not of `{location}`", old.location));
    }
    let (filters, tables) = match &old.request {
        Some(old) => (old.filters == scope.filters, old.tables == scope.tables),
        // Version 0.1.0 stored the resolved filter only, and no list of what was asked for.
        None => (old.filter.is_none() == scope.filters.is_null(), true),
    };
    if !filters {
        return Some("an export of the same location with other filters".to_owned());
    }
    let masks = |scope: &ExportScope| scope.masks.clone();
    if old.request.as_ref().map(masks).unwrap_or_default() != scope.masks {
        return Some("an export of the same location with other masks".to_owned());
    }
    if !tables {
        let of = |tables: &[String]| tables.join(", ");
        let old = old.request.as_ref().map(|old| of(&old.tables)).unwrap_or_default();
        return Some(format!("an export of other tables ({old}, not {})", of(&scope.tables)));
    }
    None
}
