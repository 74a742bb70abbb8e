//! Mappings from their TOML text, with the line of everything that is wrong.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::{
    Constant, FORMAT, Mapping, Missing, Problem, Rule, Share, Template, When, options, target,
};
use crate::model::policy::TagRule;
use crate::model::target::Target;
use crate::sheet::Reading;
use crate::toml_doc::{At, Source, json};

const TOP: &[&str] =
    &["format", "location", "ignore", "missing", "sheet", "options", "column", "constant"];
/// What presets say beside the mapping; a preset's text is a mapping too.
const PRESET: &[&str] = &["title", "entity", "direction", "detect", "layout"];
const SHEET: &[&str] = &["encoding", "delimiter", "sheet", "header_row", "hidden"];
const COLUMN: &[&str] = &[
    "from",
    "join",
    "to",
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
const CONSTANT: &[&str] = &["to", "value", "file"];
pub(super) const CONVERTS: &[&str] = &[
    "text",
    "line",
    "phone",
    "email",
    "date",
    "date_time",
    "number",
    "money",
    "boolean",
    "country",
    "timezone",
    "list",
    "url",
];

impl Mapping {
    /// Reads a mapping. `name` is what messages call it.
    ///
    /// # Errors
    /// All problems of the text, in its order.
    pub fn parse(text: &str, name: &str) -> Result<Self, Vec<Problem>> {
        let mut source = Source::new(text);
        let mapping = match source.table(text) {
            Some(table) => read(&mut source, &table),
            None => Self::default(),
        };
        let mut problems = source.problems;
        if problems.is_empty() {
            return Ok(Self { name: name.to_owned(), ..mapping });
        }
        problems.sort_by_key(|problem| problem.line);
        Err(problems)
    }
}

fn read(source: &mut Source, table: &DeTable) -> Mapping {
    let mut mapping = Mapping::default();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "format" => format(source, value),
            "location" => mapping.location = location(source, value),
            "ignore" => mapping.ignore = source.texts("ignore", value).unwrap_or_default(),
            "missing" => {
                let missing = source.word("missing", value, &["stop", "skip"]);
                mapping.missing = missing.unwrap_or(Missing::Stop);
            }
            "sheet" => mapping.reading = reading(source, value),
            "options" => mapping.options = read_options(source, value),
            "column" => {
                let tables = source.tables("column", value);
                mapping.rules = tables
                    .into_iter()
                    .filter_map(|(line, table)| rule(source, line, table))
                    .collect();
            }
            "constant" => {
                let tables = source.tables("constant", value);
                mapping.constants = tables
                    .into_iter()
                    .filter_map(|(line, table)| constant(source, line, table))
                    .collect();
            }
            other if PRESET.contains(&other) => {}
            other => {
                let known = [TOP, PRESET].concat();
                source.unknown_key(source.line_of(key), other, "a mapping", &known);
            }
        }
    }
    mapping
}

fn format(source: &mut Source, value: At) {
    if source.number("format", value).is_some_and(|format| format != FORMAT) {
        let message =
            format!("this mapping's format is not {FORMAT}, the one that this program reads");
        source.report(source.line_of(value), message);
    }
}

fn location(source: &mut Source, value: At) -> Option<crate::id::LocationId> {
    match source.name("location", value)?.trim().parse() {
        Ok(location) => Some(location),
        Err(invalid) => {
            source.report(source.line_of(value), invalid);
            None
        }
    }
}

fn reading(source: &mut Source, value: At) -> Reading {
    let mut reading = Reading::default();
    let Some(table) = source.entries("sheet", value) else { return reading };
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "encoding" => reading.encoding = source.name("encoding", value),
            "delimiter" => reading.delimiter = delimiter(source, value),
            "sheet" => reading.sheet = source.name("sheet", value),
            "header_row" => reading.header_row = header_row(source, value),
            "hidden" => {
                let hidden = source.word("hidden", value, &["refuse", "skip", "include"]);
                reading.hidden = hidden.unwrap_or_default();
            }
            other => source.unknown_key(source.line_of(key), other, "`[sheet]`", SHEET),
        }
    }
    reading
}

fn delimiter(source: &mut Source, value: At) -> Option<char> {
    let text = source.text("delimiter", value)?;
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
        source.report(
            source.line_of(value),
            "`delimiter` must be one character, or `comma`, `semicolon`, `tab` or `pipe`",
        );
    }
    named
}

fn header_row(source: &mut Source, value: At) -> Option<u32> {
    let number = source.number("header_row", value)?;
    let row = u32::try_from(number).ok().filter(|row| *row > 0);
    if row.is_none() {
        source.report(source.line_of(value), "`header_row` counts from 1");
    }
    row
}

fn read_options(source: &mut Source, value: At) -> BTreeMap<String, serde_json::Value> {
    let mut read = BTreeMap::new();
    let Some(table) = source.entries("options", value) else { return read };
    for (key, value) in table {
        let (name, line) = (key.get_ref().to_string(), source.line_of(key));
        let value = json(value.get_ref()).unwrap_or_default();
        if let Some(problem) = options::judge(&name, &value, line) {
            source.problems.push(problem);
        }
        read.insert(name, value);
    }
    read
}

fn rule(source: &mut Source, line: usize, table: &DeTable) -> Option<Rule> {
    let mut rule = Rule { line, ..Rule::default() };
    let (mut from, mut to) = (None, None);
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "from" => from = Some(source.texts("from", value)),
            "join" => rule.join = source.text("join", value).unwrap_or_default(),
            "to" => to = Some(read_target(source, "to", value)),
            "suggest" => drop(read_target(source, "suggest", value)),
            "convert" => rule.convert = source.word("convert", value, CONVERTS),
            "blank" => {
                let blank = source.word("blank", value, &["leave", "clear", "error"]);
                rule.blank = blank;
            }
            "values" => rule.values = values(source, value),
            "prefix" => rule.prefix = source.text("prefix", value).unwrap_or_default(),
            "strip_prefix" => {
                rule.strip_prefix = source.text("strip_prefix", value).unwrap_or_default();
            }
            "split" => rule.split = source.texts("split", value),
            "part" => rule.part = part(source, value),
            "template" => rule.template = template(source, value),
            "tags" => rule.tags = source.word::<TagRule>("tags", value, &["add", "replace"]),
            "when" => rule.when = When::read(source, value),
            "fallback" => rule.fallback = source.truth("fallback", value).unwrap_or_default(),
            "named_by" => rule.named_by = source.name("named_by", value),
            other => source.unknown_key(source.line_of(key), other, "`[[column]]`", COLUMN),
        }
    }
    // A value that was wrong is reported already; only a missing one still has to be.
    for (key, missing) in [("from", from.is_none()), ("to", to.is_none())] {
        if missing {
            source.report(line, format_args!("this `[[column]]` has no `{key}`"));
        }
    }
    (rule.from, rule.to) = (from??, to??);
    sensible(source, rule)
}

/// The rule, if its parts go together.
fn sensible(source: &mut Source, rule: Rule) -> Option<Rule> {
    match rule.nonsense() {
        Some(problem) => {
            source.problems.push(problem);
            None
        }
        None => Some(rule),
    }
}

fn part(source: &mut Source, value: At) -> Option<Share> {
    let text = source.text("part", value)?;
    text.parse().map_err(|wrong| source.report(source.line_of(value), wrong)).ok()
}

fn template(source: &mut Source, value: At) -> Option<Template> {
    let text = source.text("template", value)?;
    let wrong = |why| source.report(source.line_of(value), format_args!("`template`: {why}"));
    Template::parse(&text).map_err(wrong).ok()
}

fn read_target(source: &mut Source, key: &str, value: At) -> Option<Target> {
    let text = source.name(key, value)?;
    match target(&text) {
        Ok(target) => Some(target),
        Err(unknown) => {
            let problem = Problem::new(source.line_of(value), unknown.to_string());
            source.problems.push(match unknown.closest {
                Some(near) => problem.did_you_mean(Some(near)),
                None => problem.hint("custom fields are written `customFields.NAME`"),
            });
            None
        }
    }
}

fn values(source: &mut Source, value: At) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let Some(table) = source.entries("values", value) else { return values };
    for (key, value) in table {
        if let Some(text) = source.text("values", value) {
            values.insert(key.get_ref().to_string(), text);
        }
    }
    values
}

fn constant(source: &mut Source, line: usize, table: &DeTable) -> Option<Constant> {
    let (mut to, mut value, mut file) = (None, None, Vec::new());
    for (key, entry) in table {
        match key.get_ref().as_ref() {
            "file" => file = source.texts("file", entry).unwrap_or_default(),
            "to" => to = Some(read_target(source, "to", entry)),
            "value" => value = Some(source.text("value", entry)),
            other => source.unknown_key(source.line_of(key), other, "`[[constant]]`", CONSTANT),
        }
    }
    for (key, missing) in [("to", to.is_none()), ("value", value.is_none())] {
        if missing {
            source.report(line, format_args!("this `[[constant]]` has no `{key}`"));
        }
    }
    let constant = Constant { to: to??, value: value??, file, line };
    let senseless = match &constant.to {
        Target::Ignore | Target::Undecided | Target::ContactId | Target::SourceId => true,
        Target::Custom(name) => name.contains('*'),
        _ => false,
    };
    if senseless {
        source.report(line, format_args!("`{}` cannot be the same for every row", constant.to));
        return None;
    }
    Some(constant)
}
