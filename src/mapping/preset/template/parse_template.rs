//! Parses a template from its TOML text, and reports every problem with its line.

use toml::de::DeTable;

use super::parse_columns::{build_columns, read_column, resolve_column_positions};
use super::{ExportTemplate, tables_of_entity};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::mapping::Mapping;
use crate::mapping::preset::PresetEntity;
use crate::table::{OutputDialect, OutputEncoding};
use crate::toml_doc::{SpannedTomlValue, TomlDocument};

const KEYS: &[&str] = &[
    "system",
    "file",
    "columns",
    "delimiter",
    "encoding",
    "bom",
    "line_end",
    "quote",
    "list",
    "date",
    "time",
    "require",
    "unique",
    "max_rows",
    "upload",
    "column",
];
/// Parses the template in a preset's text; `None` if it has none. `about` is the preset's name and entity.
///
/// # Errors
/// All its problems, in the order of the text.
pub(in crate::mapping::preset) fn parse(
    text: &str,
    name: &str,
    entity: PresetEntity,
    mapping: &Mapping,
) -> Result<Option<ExportTemplate>, Vec<Diagnostic>> {
    let mut source = TomlDocument::new(text, DiagnosticCode::E_MAPPING);
    let Some(table) = source.parse_document(text) else { return Err(source.problems) };
    let is_template = |key: &str| key == "template" || key == super::FORMER_TABLE;
    let Some((_, value)) = table.iter().find(|(key, _)| is_template(key.get_ref())) else {
        return Ok(None);
    };
    let template = source.read_table("template", value).map(|table| {
        let line = source.line_of(value);
        read_template(
            &mut source,
            line,
            table,
            ExportTemplate::with_defaults(name, entity),
            mapping,
        )
    });
    let mut problems = source.problems;
    problems.sort_by_key(|problem| problem.place.line);
    if problems.is_empty() { Ok(template) } else { Err(problems) }
}

impl ExportTemplate {
    /// Creates a template with default values.
    fn with_defaults(name: &str, entity: PresetEntity) -> Self {
        Self {
            systems: Vec::new(),
            file: format!("{name}.csv"),
            tables: tables_of_entity(entity),
            form: OutputDialect::default(),
            list: None,
            date: None,
            time: None,
            columns: Vec::new(),
            require: Vec::new(),
            unique: None,
            is_upload: false,
            max_rows: None,
        }
    }
}

fn read_template(
    source: &mut TomlDocument,
    line: usize,
    table: &DeTable,
    mut template: ExportTemplate,
    mapping: &Mapping,
) -> ExportTemplate {
    let (mut names, mut entries) = (None, Vec::new());
    // Keys that name columns are resolved once the columns are known.
    let (mut require, mut unique) = (None, None);
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "system" => template.systems = read_system_names(source, value),
            "file" => template.file = read_file_name(source, value).unwrap_or(template.file),
            "columns" => {
                names =
                    source.read_text_list("columns", value).map(|it| (source.line_of(value), it));
            }
            "list" => template.list = source.read_text("list", value),
            "date" => template.date = read_time_format(source, "date", value),
            "time" => template.time = read_time_format(source, "time", value),
            "require" => {
                require =
                    source.read_text_list("require", value).map(|it| (source.line_of(value), it));
            }
            "unique" => {
                unique = source
                    .read_non_blank_text("unique", value)
                    .map(|it| (source.line_of(value), it));
            }
            "upload" => {
                template.is_upload = source.read_bool("upload", value).unwrap_or_default();
            }
            "max_rows" => template.max_rows = source.read_positive_integer("max_rows", value),
            "column" => {
                let tables = source.read_table_array("column", value);
                entries = tables
                    .into_iter()
                    .filter_map(|(line, it)| read_column(source, line, it))
                    .collect();
            }
            other if read_dialect_key(source, other, value, &mut template.form) => {}
            other => source.report_unknown_key(source.line_of(key), other, "`[template]`", KEYS),
        }
    }
    template.columns = build_columns(source, line, names, &entries, mapping, &template);
    template.require = resolve_column_positions(source, "require", require, &template.columns);
    let unique = unique.map(|(line, name)| (line, vec![name]));
    template.unique =
        resolve_column_positions(source, "unique", unique, &template.columns).first().copied();
    template
}

/// Reads a key of the output dialect; false if the key is not one of these.
fn read_dialect_key(
    source: &mut TomlDocument,
    key: &str,
    value: SpannedTomlValue,
    form: &mut OutputDialect,
) -> bool {
    match key {
        "delimiter" => form.delimiter = read_delimiter(source, value).unwrap_or(form.delimiter),
        "bom" => form.bom = source.read_bool(key, value).unwrap_or_default(),
        "encoding" => {
            let known = [
                ("utf-8", OutputEncoding::Utf8),
                ("utf-16le", OutputEncoding::Utf16),
                ("windows-1252", OutputEncoding::Windows1252),
            ];
            form.encoding = read_one_of(source, key, value, &known).unwrap_or_default();
        }
        "line_end" => {
            form.crlf = read_one_of(source, key, value, &[("lf", false), ("crlf", true)])
                .unwrap_or_default();
        }
        "quote" => {
            form.quoted = read_one_of(source, key, value, &[("needed", false), ("all", true)])
                .unwrap_or_default();
        }
        _ => return false,
    }
    true
}

/// Reads one of a few words.
fn read_one_of<T: Copy>(
    source: &mut TomlDocument,
    key: &str,
    value: SpannedTomlValue,
    known: &[(&str, T)],
) -> Option<T> {
    let text = source.read_text(key, value)?;
    let found = known.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
    if found.is_none() {
        let words =
            known.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let message = format!("`{key}` cannot be `{text}`; it can be {words}");
        source.report_problem(source.line_of(value), message);
    }
    found.map(|(_, it)| *it)
}

fn read_delimiter(source: &mut TomlDocument, value: SpannedTomlValue) -> Option<u8> {
    let text = source.read_text("delimiter", value)?;
    let known = match text.as_str() {
        "comma" | "," => Some(b','),
        "semicolon" | ";" => Some(b';'),
        "tab" | "\t" => Some(b'\t'),
        "pipe" | "|" => Some(b'|'),
        _ => None,
    };
    if known.is_none() {
        let message = "`delimiter` must be `comma`, `semicolon`, `tab` or `pipe`";
        source.report_problem(source.line_of(value), message);
    }
    known
}

fn read_system_names(source: &mut TomlDocument, value: SpannedTomlValue) -> Vec<String> {
    let systems = source.read_text_list("system", value).unwrap_or_default();
    let plain = |name: &String| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
    };
    if let Some(wrong) = systems.iter().find(|name| !plain(name)) {
        let message =
            format!("`{wrong}` cannot be a system's name: letters, digits, `-` and `_` make one");
        source.report_problem(source.line_of(value), message);
    }
    systems
}

/// Reads a file name, which must stay in the output directory and must not be the name of an export's own file.
fn read_file_name(source: &mut TomlDocument, value: SpannedTomlValue) -> Option<String> {
    let name = source.read_non_blank_text("file", value)?;
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    let good =
        name.chars().all(plain) && !name.starts_with(['.', ' ']) && !name.ends_with(['.', ' ']);
    let ours = ["manifest.json", "errors.csv"].iter().any(|it| name.eq_ignore_ascii_case(it));
    if good && !ours && name.len() <= 120 {
        return Some(name);
    }
    source.report_problem(
        source.line_of(value),
        format_args!("`{name}` cannot be the name of a template's file"),
    );
    None
}

/// Reads a `strftime` pattern.
fn read_time_format(
    source: &mut TomlDocument,
    key: &str,
    value: SpannedTomlValue,
) -> Option<String> {
    let pattern = source.read_non_blank_text(key, value)?;
    let sample = jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC);
    match jiff::fmt::strtime::format(&pattern, &sample) {
        Ok(_) => Some(pattern),
        Err(error) => {
            source.report_problem(source.line_of(value), format_args!("`{key}`: {error}"));
            None
        }
    }
}
