//! A finished export in a directory, as its manifest describes it: for those who read its files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::change_names;
use super::manifest::{FILE, ManifestTable, is_export_file_name};
use super::manifest_fields::ManifestCustomField;
use super::mirror_facts::MirrorPosition;
use crate::id::{LocationId, RunId};
use crate::resource::{ColumnKind, RESOURCES};

/// A finished export.
#[derive(Debug)]
pub struct FinishedExport {
    /// Its directory, absolute.
    pub dir: PathBuf,
    /// The run that wrote it, and can write it in other formats; none if it is that of a mirror.
    pub run: Option<RunId>,
    /// The exported location.
    pub location: LocationId,
    /// The custom fields behind columns of `contacts`, by column.
    pub custom_fields: BTreeMap<String, ManifestCustomField>,
    /// The tables, in the order of the registry.
    pub tables: Vec<ExportedTable>,
}

/// A table of an export.
#[derive(Debug)]
pub struct ExportedTable {
    /// Its name.
    pub name: &'static str,
    /// Its columns with their types.
    pub columns: Vec<(String, ColumnKind)>,
    /// Its files, by format.
    files: Vec<(String, String, bool)>,
}

impl ExportedTable {
    /// The name of the file in a format, and whether lists and JSON are strings in it.
    #[must_use]
    pub fn find_file(&self, format: &str) -> Option<(&str, bool)> {
        let file = self.files.iter().find(|(of, ..)| of == format);
        file.map(|(_, name, flat)| (name.as_str(), *flat))
    }
}

/// Why an export cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ExportReadError {
    /// There is no manifest.
    #[error("there is no finished export in `{}`", .0.display())]
    Missing(PathBuf),
    /// The manifest cannot be read.
    #[error("`{}`: {reason}", .path.display())]
    Unreadable {
        /// The manifest.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The manifest does not describe the tables: it is of an older version, or all files are those
    /// of templates.
    #[error("the manifest in `{}` does not describe the columns of a table", .dir.display())]
    WithoutColumns {
        /// The directory.
        dir: PathBuf,
        /// The run that can write the files again; none if they are those of a mirror.
        run: Option<RunId>,
    },
}

#[derive(Debug, Deserialize)]
struct StoredManifest {
    run: RunId,
    #[serde(default)]
    mirror: Option<MirrorPosition>,
    location: LocationId,
    #[serde(default)]
    custom_fields: BTreeMap<String, ManifestCustomField>,
    tables: BTreeMap<String, ManifestTable>,
}

impl FinishedExport {
    /// The directory of a table's files of changes, if there are some in Parquet.
    #[must_use]
    pub fn find_changes(&self, table: &str) -> Option<PathBuf> {
        let dir = self.dir.join(change_names::DIRECTORY).join(table);
        change_names::has_parquet(&dir).then_some(dir)
    }

    /// Reads the manifest in a directory.
    ///
    /// # Errors
    /// When there is none, it cannot be read, or it does not describe the tables.
    pub fn read(dir: &Path) -> Result<Self, ExportReadError> {
        let unreadable = |path: &Path, reason: &dyn std::fmt::Display| {
            ExportReadError::Unreadable { path: path.to_owned(), reason: reason.to_string() }
        };
        let dir = std::path::absolute(dir).map_err(|error| unreadable(dir, &error))?;
        let path = dir.join(FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ExportReadError::Missing(dir));
            }
            Err(error) => return Err(unreadable(&path, &error)),
        };
        let manifest: StoredManifest =
            serde_json::from_slice(&text).map_err(|error| unreadable(&path, &error))?;
        // A sync's run is removed when it is done.
        let run = Some(manifest.run).filter(|_| manifest.mirror.is_none());
        let mut tables = Vec::new();
        for resource in RESOURCES {
            let Some(table) = manifest.tables.get(resource.name) else { continue };
            let columns = table.columns.iter().map(|column| {
                let kind = ColumnKind::from_name(&column.kind)
                    .ok_or_else(|| unreadable(&path, &format!("unknown type `{}`", column.kind)))?;
                Ok((column.name.clone(), kind))
            });
            let columns: Vec<_> = columns.collect::<Result<_, ExportReadError>>()?;
            if columns.is_empty() {
                return Err(ExportReadError::WithoutColumns { dir, run });
            }
            // The manifest may be damaged or planted: no file elsewhere is read by its word.
            let files = table.files.iter().filter(|file| is_export_file_name(resource.name, file));
            let files = files.map(|file| (file.format.clone(), file.name.clone(), file.flat));
            tables.push(ExportedTable { name: resource.name, columns, files: files.collect() });
        }
        if tables.is_empty() {
            return Err(ExportReadError::WithoutColumns { dir, run });
        }
        let StoredManifest { location, custom_fields, .. } = manifest;
        Ok(Self { dir, run, location, custom_fields, tables })
    }
}
