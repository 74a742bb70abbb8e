//! Parses mappings from TOML text, and reports every problem with its line.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::preset::template::FORMER_TABLE;
use super::{
    ConstantValue, FORMAT, Mapping, MappingRule, PolicyOptions, RuleCondition, SplitPart,
    TextTemplate, clean_field_name, parse_target,
};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::new_field::NewFieldType;
use crate::model::target::MappingTarget;
use crate::sheet::SheetReadOptions;
use crate::toml_doc::{SpannedTomlValue, TomlDocument, toml_to_json};

const TOP: &[&str] =
    &["format", "location", "ignore", "missing", "sheet", "options", "column", "constant"];
/// The keys of a preset in addition to those of a mapping; a preset's text is also a mapping.
const PRESET: &[&str] = &["title", "entity", "direction", "detect", "template"];
const SHEET: &[&str] = &["encoding", "delimiter", "sheet", "header_row", "hidden"];
const COLUMN: &[&str] = &[
    "from",
    "join",
    "to",
    "create",
    "name",
    "suggest",
    "convert",
    "blank",
    "values",
    "prefix",
    "strip_prefix",
    "split",
    "part",
    "template",
    "tags",
    "when",
    "fallback",
    "named_by",
];
const CONSTANT: &[&str] = &["to", "value", "file", "when"];
impl Mapping {
    /// Parses a mapping. `name` is its name in messages.
    ///
    /// # Errors
    /// All problems of the text, in its order.
    pub fn parse(text: &str, name: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut source = TomlDocument::new(text, DiagnosticCode::E_MAPPING);
        let mapping = match source.parse_document(text) {
            Some(table) => read_mapping(&mut source, &table),
            None => Self::default(),
        };
        let mut problems = source.problems;
        if problems.is_empty() {
            return Ok(Self { name: name.to_owned(), ..mapping });
        }
        problems.sort_by_key(|problem| problem.place.line);
        Err(problems)
    }
}

fn read_mapping(source: &mut TomlDocument, table: &DeTable) -> Mapping {
    let mut mapping = Mapping::default();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "format" => check_format(source, value),
            "location" => mapping.location = read_location(source, value),
            "ignore" => mapping.ignore = source.read_text_list("ignore", value).unwrap_or_default(),
            "missing" => {
                mapping.missing = source.read_choice("missing", value).unwrap_or_default();
            }
            "sheet" => mapping.reading = read_sheet_table(source, value),
            "options" => mapping.options = read_options(source, value),
            "column" => {
                let tables = source.read_table_array("column", value);
                mapping.rules = tables
                    .into_iter()
                    .filter_map(|(line, table)| read_rule(source, line, table))
                    .collect();
            }
            "constant" => {
                let tables = source.read_table_array("constant", value);
                mapping.constants = tables
                    .into_iter()
                    .filter_map(|(line, table)| read_constant(source, line, table))
                    .collect();
            }
            other if PRESET.contains(&other) || other == FORMER_TABLE => {}
            other => {
                let known = [TOP, PRESET].concat();
                source.report_unknown_key(source.line_of(key), other, "a mapping", &known);
            }
        }
    }
    mapping
}

fn check_format(source: &mut TomlDocument, value: SpannedTomlValue) {
    if source.read_integer("format", value).is_some_and(|format| format != FORMAT) {
        let message = format!(
            "the mapping must have `format = {FORMAT}`, the format that this version reads"
        );
        source.report_problem(source.line_of(value), message);
    }
}

fn read_location(
    source: &mut TomlDocument,
    value: SpannedTomlValue,
) -> Option<crate::id::LocationId> {
    match source.read_non_blank_text("location", value)?.trim().parse() {
        Ok(location) => Some(location),
        Err(invalid) => {
            source.report_problem(source.line_of(value), invalid);
            None
        }
    }
}

fn read_sheet_table(source: &mut TomlDocument, value: SpannedTomlValue) -> SheetReadOptions {
    let mut reading = SheetReadOptions::default();
    let Some(table) = source.read_table("sheet", value) else { return reading };
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "encoding" => reading.encoding = source.read_non_blank_text("encoding", value),
            "delimiter" => reading.delimiter = read_delimiter(source, value),
            "sheet" => reading.sheet = source.read_non_blank_text("sheet", value),
            "header_row" => reading.header_row = read_header_row(source, value),
            "hidden" => {
                reading.hidden = source.read_choice("hidden", value).unwrap_or_default();
            }
            other => source.report_unknown_key(source.line_of(key), other, "`[sheet]`", SHEET),
        }
    }
    reading
}

fn read_delimiter(source: &mut TomlDocument, value: SpannedTomlValue) -> Option<char> {
    let text = source.read_text("delimiter", value)?;
    let named = match text.as_str() {
        "comma" => Some(','),
        "semicolon" => Some(';'),
        "tab" => Some('\t'),
        "pipe" => Some('|'),
        _ => {
            let mut chars = text.chars();
            chars.next().filter(|_| chars.next().is_none())
        }
    };
    if named.is_none() {
        source.report_problem(
            source.line_of(value),
            "`delimiter` must be one character, or `comma`, `semicolon`, `tab` or `pipe`",
        );
    }
    named
}

fn read_header_row(source: &mut TomlDocument, value: SpannedTomlValue) -> Option<u32> {
    let number = source.read_integer("header_row", value)?;
    let row = u32::try_from(number).ok().filter(|row| *row > 0);
    if row.is_none() {
        source.report_problem(source.line_of(value), "`header_row` must be at least 1");
    }
    row
}

fn read_options(source: &mut TomlDocument, value: SpannedTomlValue) -> PolicyOptions {
    let mut options = PolicyOptions::default();
    let Some(table) = source.read_table("options", value) else { return options };
    for (key, value) in table {
        let value = toml_to_json(value.get_ref()).unwrap_or_default();
        let set = options.set(key.get_ref(), &value, source.line_of(key));
        source.problems.extend(set.err());
    }
    options
}

fn read_rule(source: &mut TomlDocument, line: usize, table: &DeTable) -> Option<MappingRule> {
    let mut rule = MappingRule { line, ..MappingRule::default() };
    let (mut from, mut to) = (None, None);
    let (mut create, mut name) = (None, None);
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "create" => create = Some(read_new_field_type(source, value)),
            "name" => name = Some(source.read_non_blank_text("name", value)),
            "from" => from = Some(source.read_text_list("from", value)),
            "join" => rule.join = source.read_text("join", value).unwrap_or_default(),
            "to" => to = Some(read_target(source, "to", value)),
            "suggest" => drop(read_target(source, "suggest", value)),
            "convert" => rule.convert = source.read_choice("convert", value),
            "blank" => rule.blank = source.read_choice("blank", value),
            "values" => rule.values = read_value_map(source, value),
            "prefix" => rule.prefix = source.read_text("prefix", value).unwrap_or_default(),
            "strip_prefix" => {
                rule.strip_prefix = source.read_text("strip_prefix", value).unwrap_or_default();
            }
            "split" => rule.split = source.read_text_list("split", value),
            "part" => rule.part = read_split_part(source, value),
            "template" => rule.template = read_template(source, value),
            "tags" => rule.tags = source.read_choice("tags", value),
            "when" => rule.when = RuleCondition::list_from_toml(source, value),
            "fallback" => rule.fallback = source.read_bool("fallback", value).unwrap_or_default(),
            "named_by" => rule.named_by = source.read_non_blank_text("named_by", value),
            other => source.report_unknown_key(source.line_of(key), other, "`[[column]]`", COLUMN),
        }
    }
    if (create.is_some() && to.is_some()) || (name.is_some() && create.is_none()) {
        let message =
            "`create` takes the place of `to`, and `name` names the field that it creates";
        source.report_problem(line, message);
        return None;
    }
    // A wrong value was already reported; only a missing one still has to be.
    for (key, missing) in [("from", from.is_none()), ("to", to.is_none() && create.is_none())] {
        if missing {
            source.report_problem(line, format_args!("this `[[column]]` has no `{key}`"));
        }
    }
    rule.from = from??;
    rule.create = create.map_or(Some(None), |create| create.map(Some))?;
    rule.to = match (to, name) {
        (Some(to), _) => to?,
        (None, Some(name)) => MappingTarget::Custom(clean_field_name(&name?)),
        (None, None) => MappingTarget::Custom(clean_field_name(rule.from.first()?)),
    };
    validate_rule(source, rule)
}

/// Returns the rule if its parts are consistent.
fn validate_rule(source: &mut TomlDocument, rule: MappingRule) -> Option<MappingRule> {
    match rule.first_problem() {
        Some(problem) => {
            source.problems.push(problem);
            None
        }
        None => Some(rule),
    }
}

fn read_new_field_type(source: &mut TomlDocument, value: SpannedTomlValue) -> Option<NewFieldType> {
    let text = source.read_text("create", value)?;
    if NewFieldType::is_uncreatable(&text) {
        let message = format!(
            "`create` cannot be `{text}`: the API cannot create the options of such fields; create the field in \
             HighLevel, then map the column to it"
        );
        source.report_problem(source.line_of(value), message);
        return None;
    }
    source.read_choice("create", value)
}

fn read_split_part(source: &mut TomlDocument, value: SpannedTomlValue) -> Option<SplitPart> {
    let text = source.read_text("part", value)?;
    text.parse().map_err(|wrong| source.report_problem(source.line_of(value), wrong)).ok()
}

fn read_template(source: &mut TomlDocument, value: SpannedTomlValue) -> Option<TextTemplate> {
    let text = source.read_text("template", value)?;
    let wrong =
        |why| source.report_problem(source.line_of(value), format_args!("`template`: {why}"));
    TextTemplate::parse(&text).map_err(wrong).ok()
}

fn read_target(
    source: &mut TomlDocument,
    key: &str,
    value: SpannedTomlValue,
) -> Option<MappingTarget> {
    let text = source.read_non_blank_text(key, value)?;
    match parse_target(&text) {
        Ok(target) => Some(target),
        Err(unknown) => {
            source.problems.push(unknown.into_problem(source.line_of(value)));
            None
        }
    }
}

fn read_value_map(source: &mut TomlDocument, value: SpannedTomlValue) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let Some(table) = source.read_table("values", value) else { return values };
    for (key, value) in table {
        if let Some(text) = source.read_text("values", value) {
            values.insert(key.get_ref().to_string(), text);
        }
    }
    values
}

fn read_constant(source: &mut TomlDocument, line: usize, table: &DeTable) -> Option<ConstantValue> {
    let (mut to, mut value, mut file, mut when) = (None, None, Vec::new(), Vec::new());
    for (key, entry) in table {
        match key.get_ref().as_ref() {
            "file" => file = source.read_text_list("file", entry).unwrap_or_default(),
            "when" => when = RuleCondition::list_from_toml(source, entry),
            "to" => to = Some(read_target(source, "to", entry)),
            "value" => value = Some(source.read_text("value", entry)),
            other => {
                source.report_unknown_key(source.line_of(key), other, "`[[constant]]`", CONSTANT);
            }
        }
    }
    for (key, missing) in [("to", to.is_none()), ("value", value.is_none())] {
        if missing {
            source.report_problem(line, format_args!("this `[[constant]]` has no `{key}`"));
        }
    }
    let constant = ConstantValue { to: to??, value: value??, file, when, line };
    let senseless = match &constant.to {
        MappingTarget::Ignore
        | MappingTarget::Undecided
        | MappingTarget::ContactId
        | MappingTarget::SourceId => true,
        MappingTarget::Custom(name) => name.contains('*'),
        _ => false,
    };
    if senseless {
        source.report_problem(
            line,
            format_args!("`{}` cannot be the same for every row", constant.to),
        );
        return None;
    }
    Some(constant)
}
