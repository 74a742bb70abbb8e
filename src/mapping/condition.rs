//! Conditions: in which rows a rule applies, by what another column holds.
//!
//! `when = { column = "Type", is = ["note", "call"] }`, or `not = […]`, `filled = true | false`, or
//! `id = true | false`: whether the cell looks like the id of a contact. Texts are compared without outer
//! blanks and case. A rule that does not apply says nothing about its target, not
//! even that it is empty.

use toml::de::DeTable;

use super::render_toml::{list, quote};
use crate::toml_doc::{At, Source};

const KEYS: &[&str] = &["column", "is", "not", "filled", "id"];
/// The letters and digits of an id (formats.md §1).
const ID: usize = 20;

/// In which rows a rule applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    /// The column that is looked at, as written: a name or a letter.
    pub column: String,
    /// What it must hold.
    pub test: Test,
}

/// What a cell must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// One of these texts.
    Is(Vec<String>),
    /// None of these texts.
    Not(Vec<String>),
    /// Anything at all, or nothing.
    Filled(bool),
    /// What looks like the id of a contact, or does not.
    Id(bool),
}

impl Test {
    /// Whether a cell's text passes.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        match self {
            Self::Is(words) => has(words, text),
            Self::Not(words) => !has(words, text),
            Self::Filled(filled) => *filled != text.trim().is_empty(),
            Self::Id(id) => *id == is_id(text.trim()),
        }
    }

    /// Whether no cell passes both.
    #[must_use]
    pub fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Is(words), test) | (test, Self::Is(words)) => {
                !words.iter().any(|word| test.holds(word))
            }
            (Self::Filled(one), Self::Filled(other)) | (Self::Id(one), Self::Id(other)) => {
                one != other
            }
            (Self::Id(true), Self::Filled(false)) | (Self::Filled(false), Self::Id(true)) => true,
            (Self::Not(words), Self::Filled(false)) | (Self::Filled(false), Self::Not(words)) => {
                has(words, "")
            }
            _ => false,
        }
    }
}

impl When {
    /// Reads a condition.
    pub(super) fn read(source: &mut Source, value: At) -> Option<Self> {
        let line = source.line_of(value);
        let before = source.problems.len();
        let table = source.entries("when", value)?;
        let (column, tests) = entries(source, table);
        let one = tests.len() == 1;
        match (column, tests.into_iter().next()) {
            (Some(column), Some(test)) if one => Some(Self { column, test }),
            // What is wrong was reported already.
            _ if source.problems.len() > before => None,
            _ => {
                let message = "`when` needs a `column` and one of `is`, `not`, `filled` and `id`: \
                               `when = { column = \"Type\", is = [\"note\"] }`";
                source.report(line, message);
                None
            }
        }
    }

    /// The condition as a mapping has it.
    pub(super) fn to_toml(&self) -> String {
        let test = match &self.test {
            Test::Is(words) => format!("is = {}", list(words)),
            Test::Not(words) => format!("not = {}", list(words)),
            Test::Filled(filled) => format!("filled = {filled}"),
            Test::Id(id) => format!("id = {id}"),
        };
        format!("{{ column = {}, {test} }}", quote(&self.column))
    }
}

fn entries(source: &mut Source, table: &DeTable) -> (Option<String>, Vec<Test>) {
    let (mut column, mut tests) = (None, Vec::new());
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "column" => column = source.name("column", value),
            "is" => tests.extend(source.texts("is", value).map(Test::Is)),
            "not" => tests.extend(source.texts("not", value).map(Test::Not)),
            "filled" => tests.extend(source.truth("filled", value).map(Test::Filled)),
            "id" => tests.extend(source.truth("id", value).map(Test::Id)),
            other => source.unknown_key(source.line_of(key), other, "`when`", KEYS),
        }
    }
    (column, tests)
}

fn is_id(text: &str) -> bool {
    text.len() == ID && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn has(words: &[String], text: &str) -> bool {
    let text = text.trim().to_lowercase();
    words.iter().any(|word| word.trim().to_lowercase() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn texts_are_compared_without_blanks_and_case() {
        let is = Test::Is(words(&["Note", "call"]));
        assert!(is.holds(" NOTE ") && is.holds("Call") && !is.holds("task") && !is.holds(""));
        let not = Test::Not(words(&["Note"]));
        assert!(not.holds("task") && not.holds("") && !not.holds("note"));
        assert!(Test::Filled(true).holds("x") && !Test::Filled(true).holds("  "));
        assert!(Test::Id(true).holds(" 2Sm6B84ICq0pYJUeWvTG") && !Test::Id(true).holds("crm-1001"));
        assert!(Test::Id(false).holds("") && !Test::Id(false).holds("2Sm6B84ICq0pYJUeWvTG"));
    }

    #[test]
    fn conditions_exclude_each_other_when_no_cell_passes_both() {
        let is = |texts: &[&str]| Test::Is(words(texts));
        let not = |texts: &[&str]| Test::Not(words(texts));
        for (one, other, expected) in [
            (is(&["a"]), is(&["b"]), true),
            (is(&["a", "b"]), is(&["B"]), false),
            (is(&["a"]), not(&["A"]), true),
            (is(&["a", "c"]), not(&["a"]), false),
            (not(&["a"]), not(&["b"]), false),
            (Test::Filled(true), Test::Filled(false), true),
            (Test::Filled(true), Test::Filled(true), false),
            (is(&["a"]), Test::Filled(false), true),
            (not(&[""]), Test::Filled(false), true),
            (not(&["a"]), Test::Filled(false), false),
            (Test::Id(true), Test::Id(false), true),
            (Test::Id(true), Test::Filled(false), true),
            (Test::Id(false), Test::Filled(false), false),
            (is(&["a"]), Test::Id(true), true),
        ] {
            assert_eq!(one.excludes(&other), expected, "{one:?} {other:?}");
            assert_eq!(other.excludes(&one), expected, "{other:?} {one:?}");
        }
    }
}
