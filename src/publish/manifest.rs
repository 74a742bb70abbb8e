//! `manifest.json`: the contents of an export, written last.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::change_names;
use super::manifest_fields::ManifestCustomField;
use super::mirror_facts::{MirrorFacts, MirrorPosition};
use super::{PublishError, errors_file, streams};
use crate::event::WrittenFile;
use crate::id::{LocationId, RunId};
use crate::repository::SnapshotId;
use crate::resource::{RESOURCES, TableColumn, TableSchema};
use crate::run::FetchFailure;
use crate::table::{FORMATS, TableFormat};

/// The version of the manifest format. It changes when a field is renamed or changes its meaning.
const FORMAT: u32 = 1;

/// The file's name.
pub(super) const FILE: &str = "manifest.json";

/// What an export was asked for, as far as it decides whose place it may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportScope {
    /// The filters as they were typed; null when everything is exported. `7d` stays `7d`, so that a nightly
    /// export replaces that of the night before.
    pub filters: serde_json::Value,
    /// The tables and templates.
    pub tables: Vec<String>,
    /// The columns that are masked, and how; none in an export that has what the server sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masks: Vec<String>,
}

/// The facts about an export other than its files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManifestMetadata {
    /// The run.
    pub run: RunId,
    /// The location.
    pub location: LocationId,
    /// The location's name, if the token may read it.
    pub location_name: Option<String>,
    /// The `Version` of the API.
    pub api_version: String,
    /// The version of this program.
    pub tool_version: String,
    /// When the pull began. Later changes may be missing.
    pub started: jiff::Timestamp,
    /// When the pull ended; unknown while it runs.
    pub finished: Option<jiff::Timestamp>,
    /// The `--updated-since` value for the next incremental export: the start, less the time that
    /// the search may lag behind (api.md §2.10).
    pub watermark: jiff::Timestamp,
    /// The filter, in the API's grammar; `None` when everything was exported.
    pub filter: Option<serde_json::Value>,
    /// What was asked for: the export may be replaced by another one of the same request.
    pub request: ExportScope,
    /// Requests sent, by route, retries included.
    pub requests: BTreeMap<String, u64>,
    /// The state of the mirror that was published, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<MirrorPosition>,
    /// How it was published.
    #[serde(flatten)]
    pub mirror_facts: Option<MirrorFacts>,
    /// The snapshot that was published, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotOrigin>,
}

/// The snapshot that the tables are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotOrigin {
    /// The id of its repository.
    pub repository: String,
    /// Its id.
    pub snapshot: SnapshotId,
    /// The server's time when it was read: the tables say how things were then.
    pub as_of: jiff::Timestamp,
}

impl ManifestMetadata {
    /// The facts as key-value metadata for the files themselves.
    pub(super) fn to_key_values(&self) -> Vec<(String, String)> {
        let pairs = [
            ("ghl_bulk.run", self.run.to_string()),
            ("ghl_bulk.location", self.location.to_string()),
            ("ghl_bulk.version", self.tool_version.clone()),
            ("ghl_bulk.api_version", self.api_version.clone()),
            ("ghl_bulk.started", self.started.to_string()),
        ];
        pairs.map(|(key, value)| (key.to_owned(), value)).into()
    }
}

/// The manifest of an export, to be written.
#[derive(Debug, Serialize)]
pub(super) struct ExportManifest {
    format_version: u32,
    #[serde(flatten)]
    facts: ManifestMetadata,
    /// The number of the last spool entry that was used: two manifests of one run with the same
    /// number describe the same rows.
    entries: i64,
    /// Whether everything requested is in the export.
    complete: bool,
    /// Records that could not be read; they are listed in `errors.csv`.
    unreadable: u64,
    /// The lists that are missing as a whole, and what that means.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<MissingList>,
    /// The custom fields that are columns of `contacts`, by column.
    custom_fields: BTreeMap<String, ManifestCustomField>,
    tables: BTreeMap<String, ManifestTable>,
}

/// A list that could not be read.
#[derive(Debug, Serialize)]
struct MissingList {
    /// Its table, or `location` or `calendars`, which have none.
    list: String,
    /// The code of the failure, as in `errors.csv`.
    code: &'static str,
    message: String,
}

/// The parts of an older export's manifest that a newer export needs.
#[derive(Debug, Deserialize)]
pub(super) struct PreviousManifest {
    pub(super) run: RunId,
    pub(super) location: LocationId,
    #[serde(default)]
    pub(super) filter: Option<serde_json::Value>,
    #[serde(default)]
    pub(super) request: Option<ExportScope>,
    pub(super) entries: i64,
    #[serde(default)]
    pub(super) mirror: Option<MirrorPosition>,
    #[serde(flatten)]
    pub(super) mirror_facts: Option<MirrorFacts>,
    #[serde(default)]
    pub(super) custom_fields: BTreeMap<String, ManifestCustomField>,
    tables: BTreeMap<String, ManifestTable>,
    /// How many names were ignored, since no export could have written such a file.
    #[serde(skip)]
    pub(super) ignored_names: usize,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ManifestColumn {
    /// Its name.
    pub(super) name: String,
    /// The name of its type, as in `ghl-bulk schema tables`.
    #[serde(rename = "type")]
    pub(super) kind: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct ManifestTable {
    rows: u64,
    /// Absent in manifests of older versions, and for the files of templates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) columns: Vec<ManifestColumn>,
    pub(super) files: Vec<ManifestFile>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ManifestFile {
    #[serde(rename = "file")]
    pub(super) name: String,
    pub(super) format: String,
    /// Its row count; absent in manifests of older versions, whose files have the row count of
    /// their table.
    #[serde(default)]
    rows: Option<u64>,
    bytes: u64,
    sha256: String,
    /// Whether lists and JSON are strings of JSON text in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) flat: bool,
}

impl ExportManifest {
    pub(super) fn new(
        facts: ManifestMetadata,
        entries: i64,
        failures: &[FetchFailure],
        unreadable: u64,
        schemas: &[TableSchema],
        files: &[WrittenFile],
    ) -> Self {
        let mut tables = BTreeMap::<String, ManifestTable>::new();
        for written in files {
            let table = tables.entry(written.table.clone()).or_default();
            if let Some(schema) = schemas.iter().find(|schema| schema.name == written.table) {
                table.columns = schema.columns.iter().map(ManifestColumn::from_column).collect();
            }
            // A template may be split into several files; each has some of the rows.
            let parts = table.files.iter().any(|file| file.format == written.format);
            table.rows = if parts { table.rows + written.rows } else { written.rows };
            table.files.push(ManifestFile {
                name: written.file.clone(),
                format: written.format.clone(),
                rows: Some(written.rows),
                bytes: written.bytes,
                sha256: written.sha256.clone(),
                flat: written.flat,
            });
        }
        let complete = failures.is_empty();
        let missing = failures.iter().filter(|failure| failure.is_of_whole_list());
        let missing = missing.map(MissingList::from_failure).collect();
        let custom_fields = if let Some(facts) = &facts.mirror_facts {
            // Also those whose columns are masked: the next export compares them.
            ManifestCustomField::by_column(&facts.field_columns)
        } else {
            let columns = schemas.iter().flat_map(|schema| &schema.columns);
            columns.filter_map(ManifestCustomField::from_column).collect()
        };
        let format_version = FORMAT;
        Self {
            format_version,
            facts,
            entries,
            complete,
            unreadable,
            missing,
            custom_fields,
            tables,
        }
    }

    pub(super) fn write(&self, dir: &Path) -> Result<(), PublishError> {
        write_file(&dir.join(FILE), self)
    }

    /// Whether there are files of changes beside the tables.
    pub(super) fn has_changes(&self) -> bool {
        self.facts.mirror_facts.as_ref().is_some_and(|facts| facts.changes.is_some())
    }

    /// The names of the data files.
    pub(super) fn file_names(&self) -> Vec<String> {
        let files = self.tables.values().flat_map(|table| &table.files);
        files.map(|file| file.name.clone()).collect()
    }
}

/// Puts a manifest in the place of another.
pub(super) fn replace_file(dir: &Path, manifest: &impl Serialize) -> Result<(), PublishError> {
    let (path, unfinished) = (dir.join(FILE), dir.join(".manifest.json.partial"));
    write_file(&unfinished, manifest)?;
    let rights =
        path.metadata().and_then(|it| std::fs::set_permissions(&unfinished, it.permissions()));
    rights
        .and_then(|()| std::fs::rename(&unfinished, &path))
        .map_err(|source| PublishError::from_io_error(&path, source))
}

fn write_file(path: &Path, manifest: &impl Serialize) -> Result<(), PublishError> {
    let mut text = serde_json::to_vec_pretty(manifest).expect("a manifest is plain JSON");
    text.push(b'\n');
    let write = || {
        use std::io::Write as _;
        let mut file = std::fs::File::create(path)?;
        file.write_all(&text)?;
        file.sync_all()
    };
    write().map_err(|source| PublishError::from_io_error(path, source))
}

impl MissingList {
    fn from_failure(failure: &FetchFailure) -> Self {
        Self {
            list: streams::table_name(&failure.stream).to_owned(),
            code: failure.code.spelling(),
            message: failure.message.clone(),
        }
    }
}

impl ManifestColumn {
    fn from_column(column: &TableColumn) -> Self {
        Self { name: column.name.clone(), kind: column.kind.name().to_owned() }
    }
}

impl PreviousManifest {
    /// Reads the manifest in a directory, if it is one of ours.
    ///
    /// The file may be damaged or planted, and the files that it names are moved and removed: names that
    /// no export could have written there are dropped and counted in [`Self::ignored_names`].
    pub(super) fn read(dir: &Path) -> Option<Self> {
        let mut manifest: Self =
            serde_json::from_slice(&std::fs::read(dir.join(FILE)).ok()?).ok()?;
        for (table, entry) in &mut manifest.tables {
            let all = entry.files.len();
            entry.files.retain(|file| is_export_file_name(table, file));
            manifest.ignored_names += all - entry.files.len();
        }
        Some(manifest)
    }

    pub(super) fn has_table(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    /// The data files.
    pub(super) fn data_files(&self) -> Vec<WrittenFile> {
        let written = |(table, file): (&String, &ManifestFile)| WrittenFile {
            table: table.clone(),
            format: file.format.clone(),
            file: file.name.clone(),
            rows: file.rows.unwrap_or(self.tables[table].rows),
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            flat: file.flat,
        };
        let files = self.tables.iter();
        let files =
            files.flat_map(|(name, table)| table.files.iter().map(move |file| (name, file)));
        files.map(written).collect()
    }

    /// Whether there are files of changes beside the tables.
    pub(super) fn has_changes(&self) -> bool {
        self.mirror_facts.as_ref().is_some_and(|facts| facts.changes.is_some())
    }

    /// Whether an export writes a file with this name.
    pub(super) fn owns_file(&self, name: &str) -> bool {
        name == FILE
            || name == errors_file::FILE
            || (self.has_changes()
                && [change_names::DIRECTORY, change_names::VIEWS].contains(&name))
            || self.data_files().iter().any(|file| file.file == name)
    }
}

/// Whether an export could have written a file of this name for the table: `<table>.<extension>`, or a
/// template's file, whose name is plain by the template's own rule.
pub(super) fn is_export_file_name(table: &str, file: &ManifestFile) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    let name = file.name.as_str();
    if name.starts_with('.')
        || !name.chars().all(plain)
        || [FILE, errors_file::FILE].contains(&name)
    {
        return false;
    }
    let is_table = RESOURCES.iter().any(|resource| resource.name == table);
    let written = |format: &TableFormat| name == format!("{table}.{}", format.extension);
    !is_table || FORMATS.iter().any(written)
}
