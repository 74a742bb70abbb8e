//! Reads a TOML text value by value, with the line of each value.
//!
//! Reading continues after a problem, so that all problems of a file are reported at once. This module knows TOML,
//! but neither mappings nor configurations.

use std::fmt::Display;
use std::io;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::choice::Choice;
use super::diagnostic::{Diagnostic, DiagnosticCode};
use super::text::{closest_match, comparison_key};

/// The most bytes of a TOML file that is read: a mapping of 10,000 columns has less than one megabyte.
const MAX_BYTES: u64 = 16 << 20;

/// Reads a TOML file.
///
/// # Errors
/// When it cannot be read, is longer than 16 MiB, or is a pipe or a device: that may have no end, or never begin.
pub(crate) fn read_toml_file(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    let wrong = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, why.to_owned()));
    if !metadata.is_file() && !metadata.is_dir() {
        return wrong("it is a pipe or a device, not a file");
    }
    if metadata.len() > MAX_BYTES {
        return wrong("it has more than 16 MiB");
    }
    std::fs::read(path)
}

/// A text and the problems found in it.
pub(crate) struct TomlDocument {
    /// The offset where each line begins.
    starts: Vec<usize>,
    /// The code of its problems.
    code: DiagnosticCode,
    /// The problems found so far.
    pub(crate) problems: Vec<Diagnostic>,
}

/// A value and its position in the text.
pub(crate) type SpannedTomlValue<'a, 't> = &'a Spanned<DeValue<'t>>;

impl TomlDocument {
    /// Creates a document from a text, which may be invalid TOML or invalid UTF-8; `code` is that of its problems.
    pub(crate) fn new(text: impl AsRef<[u8]>, code: DiagnosticCode) -> Self {
        let breaks = memchr::memchr_iter(b'\n', text.as_ref()).map(|at| at + 1);
        Self { starts: std::iter::once(0).chain(breaks).collect(), code, problems: Vec::new() }
    }

    /// Parses the text as a table; `None` if it is not TOML.
    pub(crate) fn parse_document<'t>(&mut self, text: &'t str) -> Option<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start).min(text.len());
            let line = self.line_at(at);
            let before = text.get(self.starts[line - 1]..at).unwrap_or_default();
            let (column, detail) = (before.chars().count() + 1, error.message().trim());
            self.report_problem(line, format_args!("invalid TOML at column {column}: {detail}"));
        }
        errors.is_empty().then(|| table.into_inner())
    }

    /// The line, from 1, of an offset.
    pub(crate) fn line_at(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// The line where a value begins.
    pub(crate) fn line_of<T>(&self, value: &Spanned<T>) -> usize {
        self.line_at(value.span().start)
    }

    pub(crate) fn report_problem(&mut self, line: usize, message: impl Display) {
        self.problems.push(self.problem_at_line(line, message));
    }

    /// Creates a problem at a line, from 1, for the caller to complete and report.
    pub(crate) fn problem_at_line(&self, line: usize, message: impl Display) -> Diagnostic {
        Diagnostic::new(self.code, message.to_string()).at_line(line)
    }

    /// Creates a problem at a key or value, for the caller to complete and report.
    pub(crate) fn problem_at<T>(&self, part: &Spanned<T>, message: impl Display) -> Diagnostic {
        self.problem_at_line(self.line_of(part), message)
    }

    /// Reports a key that is not a known one.
    pub(crate) fn report_unknown_key(
        &mut self,
        line: usize,
        key: &str,
        place: &str,
        known: &[&'static str],
    ) {
        let problem = self.problem_at_line(line, format!("{place} has no key `{key}`"));
        let hint = || format!("{place} can have `{}`", known.join("`, `"));
        self.report_not_one_of(problem, key, known.iter().copied(), hint);
    }

    /// Reports a word that is not a known one, and suggests the closest match or, failing that, the hint.
    pub(crate) fn report_not_one_of<'k>(
        &mut self,
        problem: Diagnostic,
        word: &str,
        known: impl IntoIterator<Item = &'k str>,
        hint: impl FnOnce() -> String,
    ) {
        self.problems.push(match closest_match(word, known, comparison_key) {
            Some(near) => problem.did_you_mean(Some(near)),
            None => problem.with_hint(hint()),
        });
    }

    /// Reports a value of the wrong type. The message does not repeat the value, which may be a secret.
    pub(crate) fn report_wrong_type(&mut self, key: &str, value: SpannedTomlValue, expected: &str) {
        let found = match value.get_ref() {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let message = format!("`{key}` must be {expected}, not {found}");
        self.report_problem(self.line_of(value), message);
    }

    /// Reads a string.
    pub(crate) fn read_text(&mut self, key: &str, value: SpannedTomlValue) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        self.or_report_wrong_type(text, key, value, "text")
    }

    /// Reads a string that is not blank.
    pub(crate) fn read_non_blank_text(
        &mut self,
        key: &str,
        value: SpannedTomlValue,
    ) -> Option<String> {
        let text = self.read_text(key, value)?;
        if text.trim().is_empty() {
            self.report_problem(self.line_of(value), format_args!("`{key}` is blank"));
            return None;
        }
        Some(text)
    }

    /// Reads a string or a list of strings.
    pub(crate) fn read_text_list(
        &mut self,
        key: &str,
        value: SpannedTomlValue,
    ) -> Option<Vec<String>> {
        let texts = match value.get_ref() {
            DeValue::String(text) => Some(vec![text.to_string()]),
            DeValue::Array(items) => {
                items.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
            }
            _ => None,
        };
        self.or_report_wrong_type(texts, key, value, "text or a list of texts")
    }

    /// Reads a boolean.
    pub(crate) fn read_bool(&mut self, key: &str, value: SpannedTomlValue) -> Option<bool> {
        let truth = value.get_ref().as_bool();
        self.or_report_wrong_type(truth, key, value, "true or false")
    }

    /// Reads an integer.
    pub(crate) fn read_integer(&mut self, key: &str, value: SpannedTomlValue) -> Option<i64> {
        let number = integer_value(value.get_ref());
        self.or_report_wrong_type(number, key, value, "a whole number")
    }

    /// Reads an integer of at least 1.
    pub(crate) fn read_positive_integer(
        &mut self,
        key: &str,
        value: SpannedTomlValue,
    ) -> Option<u64> {
        let number = self.read_integer(key, value)?;
        let positive = u64::try_from(number).ok().filter(|number| *number > 0);
        if positive.is_none() {
            self.report_problem(self.line_of(value), format_args!("`{key}` must be at least 1"));
        }
        positive
    }

    /// Reads one word of a [`Choice`].
    pub(crate) fn read_choice<T: Choice>(
        &mut self,
        key: &str,
        value: SpannedTomlValue,
    ) -> Option<T> {
        let text = self.read_text(key, value)?;
        let found = T::from_word(&text);
        if found.is_none() {
            let problem = self.problem_at(value, format_args!("`{key}` cannot be `{text}`"));
            let hint = || format!("it can be {}", T::words_phrase());
            self.report_not_one_of(problem, &text.trim().to_lowercase(), T::words(), hint);
        }
        found
    }

    /// Reads the entries of a table.
    pub(crate) fn read_table<'a, 't>(
        &mut self,
        key: &str,
        value: SpannedTomlValue<'a, 't>,
    ) -> Option<&'a DeTable<'t>> {
        let table = value.get_ref().as_table();
        self.or_report_wrong_type(table, key, value, "a table")
    }

    /// Reads an array of tables (`[[key]]`).
    pub(crate) fn read_table_array<'a, 't>(
        &mut self,
        key: &str,
        value: SpannedTomlValue<'a, 't>,
    ) -> Vec<(usize, &'a DeTable<'t>)> {
        let Some(items) = value.get_ref().as_array() else {
            let hint = format!("write `[[{key}]]`");
            let line = self.line_of(value);
            self.problems.push(
                self.problem_at_line(line, format!("`{key}` must be a list of tables"))
                    .with_hint(hint),
            );
            return Vec::new();
        };
        let mut tables = Vec::with_capacity(items.len());
        for item in items {
            if let Some(table) = self.read_table(key, item) {
                tables.push((self.line_of(item), table));
            }
        }
        tables
    }

    fn or_report_wrong_type<T>(
        &mut self,
        read: Option<T>,
        key: &str,
        value: SpannedTomlValue,
        kind: &str,
    ) -> Option<T> {
        if read.is_none() {
            self.report_wrong_type(key, value, kind);
        }
        read
    }
}

fn integer_value(value: &DeValue) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Converts an option's value to JSON; `None` for a value that JSON cannot represent.
pub(crate) fn toml_to_json(value: &DeValue) -> Option<serde_json::Value> {
    match value {
        DeValue::String(text) => Some(text.as_ref().into()),
        DeValue::Integer(_) => integer_value(value).map(Into::into),
        DeValue::Boolean(yes) => Some((*yes).into()),
        DeValue::Array(items) => items
            .iter()
            .map(|item| toml_to_json(item.get_ref()))
            .collect::<Option<Vec<_>>>()
            .map(Into::into),
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}
