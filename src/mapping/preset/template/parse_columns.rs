//! Parses the columns of a template, and merges them with what the mapping reads.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::{ExportTemplate, FieldSource, TemplateColumn, columns_with_rules};
use crate::mapping::{Mapping, closest_name, mapping_problem};
use crate::toml_doc::{SpannedTomlValue, TomlDocument};

const COLUMN: &[&str] =
    &["name", "fill", "join", "split", "values", "unless_phone", "guard", "longest", "required"];

/// The content of a `[[template.column]]`.
#[derive(Default)]
pub(super) struct ParsedTemplateColumn {
    line: usize,
    name: String,
    fill: Option<Vec<FieldSource>>,
    column: TemplateColumn,
}

/// Reads a `[[template.column]]`.
pub(super) fn read_column(
    source: &mut TomlDocument,
    line: usize,
    table: &DeTable,
) -> Option<ParsedTemplateColumn> {
    let mut entry = ParsedTemplateColumn { line, ..ParsedTemplateColumn::default() };
    for (key, value) in table {
        let column = &mut entry.column;
        match key.get_ref().as_ref() {
            "name" => entry.name = source.read_non_blank_text("name", value)?,
            "fill" => entry.fill = read_field_sources(source, value),
            "join" => column.join = source.read_text("join", value),
            "split" => column.split = source.read_text_list("split", value),
            "values" => column.values = read_value_map(source, value),
            "unless_phone" => {
                column.unless_phone = source.read_non_blank_text("unless_phone", value);
            }
            "guard" => column.unguarded = !source.read_bool("guard", value).unwrap_or(true),
            "required" => column.required = source.read_bool("required", value).unwrap_or_default(),
            "longest" => column.longest = source.read_positive_integer("longest", value),
            other => {
                source.report_unknown_key(
                    source.line_of(key),
                    other,
                    "`[[template.column]]`",
                    COLUMN,
                );
            }
        }
    }
    if entry.name.is_empty() {
        source.report_problem(line, "this `[[template.column]]` has no `name`");
        return None;
    }
    Some(entry)
}

fn read_field_sources(
    source: &mut TomlDocument,
    value: SpannedTomlValue,
) -> Option<Vec<FieldSource>> {
    let names = source.read_text_list("fill", value)?;
    let mut fills = Vec::with_capacity(names.len());
    for name in names {
        match FieldSource::from_name(&name) {
            Ok(fill) => fills.push(fill),
            Err((message, near)) => {
                let problem = mapping_problem(source.line_of(value), message).did_you_mean(near);
                source.problems.push(problem);
            }
        }
    }
    Some(fills)
}

fn read_value_map(source: &mut TomlDocument, value: SpannedTomlValue) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for (key, value) in source.read_table("values", value).into_iter().flatten() {
        if let Some(text) = source.read_text("values", value) {
            values.insert(key.get_ref().to_lowercase(), text);
        }
    }
    values
}

/// Builds the columns: the listed ones, or by default all that the mapping reads or the template describes.
pub(super) fn build_columns(
    source: &mut TomlDocument,
    line: usize,
    names: Option<(usize, Vec<String>)>,
    entries: &[ParsedTemplateColumn],
    mapping: &Mapping,
    template: &ExportTemplate,
) -> Vec<TemplateColumn> {
    let read = columns_with_rules(mapping);
    let (line, names) = names.unwrap_or_else(|| {
        let described = entries.iter().map(|entry| &entry.name);
        let more = described.filter(|name| !read.iter().any(|(known, _)| known == *name));
        (line, read.iter().map(|(name, _)| name).chain(more).cloned().collect())
    });
    check_column_entries(source, entries, &names);
    let mut columns: Vec<TemplateColumn> = Vec::with_capacity(names.len());
    for name in names {
        if columns.iter().any(|column| column.name == name) {
            source.report_problem(line, format_args!("there are two columns `{name}`"));
            continue;
        }
        let rules = read.iter().find(|(known, _)| *known == name);
        let turned = rules.and_then(|(_, rules)| TemplateColumn::from_inverted_rules(&name, rules));
        let own = entries.iter().find(|entry| entry.name == name);
        let at = own.map_or(line, |entry| entry.line);
        if let Some(column) = merge_column(&name, turned, own) {
            columns.extend(validate_column(source, at, column, template));
        } else {
            let message = format!("nothing says what fills `{name}`");
            let hint =
                "a `[[template.column]]` with `name` and `fill` does; `fill = []` leaves it empty";
            source.problems.push(mapping_problem(at, message).with_hint(hint));
        }
    }
    if columns.is_empty() && source.problems.is_empty() {
        source.report_problem(line, "the template has no columns");
    }
    columns
}

/// Reports descriptions of columns that are not listed, or are described twice.
fn check_column_entries(
    source: &mut TomlDocument,
    entries: &[ParsedTemplateColumn],
    names: &[String],
) {
    let before = |at: usize| entries[..at].iter();
    for (at, entry) in entries.iter().enumerate() {
        if !names.contains(&entry.name) {
            let near = closest_name(&entry.name, names.iter().map(String::as_str));
            let message = format!("`columns` does not list `{}`", entry.name);
            source.problems.push(mapping_problem(entry.line, message).did_you_mean(near));
        }
        if before(at).any(|it| it.name == entry.name) {
            source.report_problem(entry.line, format_args!("`{}` is described twice", entry.name));
        }
    }
}

/// Merges a column of the mapping with its description in the template.
fn merge_column(
    name: &str,
    turned: Option<TemplateColumn>,
    own: Option<&ParsedTemplateColumn>,
) -> Option<TemplateColumn> {
    let Some(own) = own else { return turned };
    let base = turned.unwrap_or_default();
    let fill = match &own.fill {
        Some(fill) => fill.clone(),
        None if base.fill.is_empty() => return None,
        None => base.fill,
    };
    let described = &own.column;
    let values = if described.values.is_empty() { base.values } else { described.values.clone() };
    Some(TemplateColumn {
        name: name.to_owned(),
        fill,
        split: described.split.clone().or(base.split),
        prefix: base.prefix,
        values,
        ..described.clone()
    })
}

/// Returns the column if the template's tables have its sources.
fn validate_column(
    source: &mut TomlDocument,
    line: usize,
    column: TemplateColumn,
    template: &ExportTemplate,
) -> Option<TemplateColumn> {
    let fits =
        |fill: &&FieldSource| !template.tables.iter().any(|table| fill.is_available_in(table));
    let Some(wrong) = column.fill.iter().find(fits) else { return Some(column) };
    let tables = template.tables.join(" and ");
    source.report_problem(
        line,
        format_args!("rows of {tables} have no `{wrong}` to fill `{}`", column.name),
    );
    None
}

/// Resolves the columns that a key names to their positions.
pub(super) fn resolve_column_positions(
    source: &mut TomlDocument,
    key: &str,
    named: Option<(usize, Vec<String>)>,
    columns: &[TemplateColumn],
) -> Vec<usize> {
    let mut places = Vec::new();
    for (line, name) in
        named.into_iter().flat_map(|(line, names)| names.into_iter().map(move |it| (line, it)))
    {
        if let Some(place) = columns.iter().position(|column| column.name == name) {
            places.push(place);
        } else {
            let near = closest_name(&name, columns.iter().map(|column| column.name.as_str()));
            let message = format!("`{key}` names `{name}`, which is not a column of the template");
            source.problems.push(mapping_problem(line, message).did_you_mean(near));
        }
    }
    places
}
