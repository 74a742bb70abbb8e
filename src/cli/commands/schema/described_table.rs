//! The tables to describe: those that every export can have, or those of one export.

use std::path::{Path, PathBuf};

use crate::cli::config::dirs::shorten_run_id;
use crate::cli::output::error::CliError;
use crate::id::RunId;
use crate::publish::{ExportReadError, FinishedExport, ManifestCustomField};
use crate::resource::{ColumnKind, CustomFieldColumns, RESOURCES, ResourceSpec, TableSchema};

/// A table.
#[derive(Debug)]
pub(super) struct DescribedTable {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) columns: Vec<DescribedColumn>,
    /// Its files, best for analysis first; none if no export is described.
    pub(super) files: Vec<DescribedFile>,
    /// The directory of its files of changes, if there are some in Parquet.
    pub(super) changes: Option<PathBuf>,
    /// The run that wrote them.
    pub(super) run: Option<RunId>,
}

/// A column of a table.
#[derive(Debug)]
pub(super) struct DescribedColumn {
    pub(super) name: String,
    pub(super) kind: ColumnKind,
    pub(super) doc: String,
    /// The table whose ids the column has. Nothing guarantees that the row is there: a user or a
    /// contact may have been deleted.
    pub(super) references: Option<&'static str>,
}

/// A file of a table.
#[derive(Debug)]
pub(super) struct DescribedFile {
    pub(super) format: &'static str,
    pub(super) path: PathBuf,
    /// Whether lists and JSON are strings of JSON text in it.
    pub(super) flat: bool,
}

/// The columns that have ids of another table.
const REFERENCES: &[(&str, &str, &str)] = &[
    ("contacts", "assigned_to", "users"),
    ("contacts", "business_id", "businesses"),
    ("tasks", "contact_id", "contacts"),
    ("tasks", "assigned_to", "users"),
    ("notes", "contact_id", "contacts"),
    ("notes", "user_id", "users"),
    ("appointments", "contact_id", "contacts"),
    ("appointments", "assigned_user_id", "users"),
];

/// The formats of files, best for analysis first.
const FORMATS: [&str; 4] = ["parquet", "jsonl", "csv", "xlsx"];

/// The tables that every export can have, without custom fields.
pub(super) fn describe_all() -> Vec<DescribedTable> {
    describe_tables(|schema| schema)
}

fn describe_tables(with_columns: fn(TableSchema) -> TableSchema) -> Vec<DescribedTable> {
    let all: Vec<&str> = RESOURCES.iter().map(|resource| resource.name).collect();
    let table = |resource: &&'static ResourceSpec| {
        let schema = with_columns(resource.table_schema(&CustomFieldColumns::default()));
        let columns = schema.columns.into_iter().map(|column| DescribedColumn {
            references: find_reference(resource.name, &column.name, &all),
            name: column.name,
            kind: column.kind,
            doc: column.doc.to_owned(),
        });
        let columns = columns.collect();
        DescribedTable {
            name: resource.name,
            doc: resource.doc,
            columns,
            files: Vec::new(),
            changes: None,
            run: None,
        }
    };
    RESOURCES.iter().map(table).collect()
}

/// The tables of the export in a directory.
pub(super) fn describe_export(dir: &Path) -> Result<Vec<DescribedTable>, CliError> {
    let export = FinishedExport::read(dir).map_err(|error| convert_error(&error))?;
    let all: Vec<&str> = export.tables.iter().map(|table| table.name).collect();
    let standard = describe_tables(|schema| schema.with_sync_columns(false));
    let tables = export.tables.iter().map(|table| {
        let standard = standard.iter().find(|standard| standard.name == table.name);
        let columns = table.columns.iter().map(|(name, kind)| {
            let known = standard.and_then(|standard| standard.find_column(name));
            let custom = || export.custom_fields.get(name).map(describe_custom_field);
            DescribedColumn {
                name: name.clone(),
                kind: *kind,
                doc: known.map(|known| known.doc.clone()).or_else(custom).unwrap_or_default(),
                references: find_reference(table.name, name, &all),
            }
        });
        let file = |format: &'static str| {
            let (name, flat) = table.find_file(format)?;
            Some(DescribedFile { format, path: export.dir.join(name), flat })
        };
        DescribedTable {
            name: table.name,
            doc: standard.map_or("", |standard| standard.doc),
            columns: columns.collect(),
            files: FORMATS.into_iter().filter_map(file).collect(),
            changes: export.find_changes(table.name),
            run: export.run.clone(),
        }
    });
    let tables: Vec<_> = tables.collect();
    Ok(tables)
}

impl DescribedTable {
    /// The file in a format.
    pub(super) fn find_file(&self, format: &str) -> Option<&DescribedFile> {
        self.files.iter().find(|file| file.format == format)
    }

    /// The error that none of its files is in a format that is needed.
    pub(super) fn missing_file_error(&self, format: &str) -> CliError {
        let message = format!("the export has no file of `{}` in the format `{format}`", self.name);
        CliError::usage(message).with_hint(match &self.run {
            Some(run) => format!(
                "`ghl-bulk runs publish {} --format {format}` adds it without calling the API",
                shorten_run_id(run)
            ),
            None => incremental_hint(format),
        })
    }

    fn find_column(&self, name: &str) -> Option<&DescribedColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl DescribedColumn {
    /// The meaning, with the table that the column refers to.
    pub(super) fn comment(&self) -> String {
        match self.references {
            // Many say so already.
            Some(table) if !self.doc.contains(&format!("`{table}`")) => {
                format!("{} See the table `{table}`.", self.doc)
            }
            _ => self.doc.clone(),
        }
    }
}

fn find_reference(table: &str, column: &str, tables: &[&str]) -> Option<&'static str> {
    let is_it = |(of, name, to): &&(&str, &str, &str)| {
        *of == table && *name == column && tables.contains(to)
    };
    REFERENCES.iter().find(is_it).map(|(_, _, to)| *to)
}

fn describe_custom_field(field: &ManifestCustomField) -> String {
    let ManifestCustomField { id, key, label, data_type, .. } = field;
    format!("The custom field \"{label}\" ({data_type}, key `{key}`, id `{id}`).")
}

fn convert_error(error: &ExportReadError) -> CliError {
    let hint = match error {
        ExportReadError::Missing(_) => {
            "`--export` names the directory of `ghl-bulk export --out`".to_owned()
        }
        ExportReadError::Unreadable { .. } => "export again".to_owned(),
        ExportReadError::WithoutColumns { run: None, .. } => incremental_hint("parquet"),
        ExportReadError::WithoutColumns { run: Some(run), .. } => {
            let run = shorten_run_id(run);
            format!("`ghl-bulk runs publish {run} --format parquet` writes files that it describes")
        }
    };
    CliError::usage(error.to_string()).with_hint(hint)
}

fn incremental_hint(format: &str) -> String {
    format!("export again, with `--format {format}`: `--incremental` reads only what has changed")
}
