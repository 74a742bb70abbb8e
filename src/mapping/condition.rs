//! Conditions: apply a rule only to rows in which another column passes a test.
//!
//! `when = { column = "Type", is = ["note", "call"] }` (or `in`, which is the same), `not = […]`, `contains = […]`: one of
//! these texts is a part of the cell's, `matches = "…"`: a regular expression, `filled = true | false`, or `id = true |
//! false`: whether the cell looks like the id of a contact. A list of such conditions, `when = [{ … }, { … }]`, means all of
//! them. Texts are compared without surrounding spaces and
//! ignoring case. A rule that does not apply says nothing about its target, not even that it is empty.

use toml::de::{DeTable, DeValue};

use super::text_pattern::TextPattern;
use super::toml_text::{toml_string, toml_string_array};
use crate::toml_doc::{SpannedTomlValue, TomlDocument};

const KEYS: &[&str] = &["column", "is", "in", "not", "contains", "matches", "filled", "id"];
/// The length of a contact id: letters and digits, as in `HighLevel`'s own exports.
const ID: usize = 20;

/// The condition under which a rule applies to a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleCondition {
    /// The tested column, as written: a name or a letter.
    pub column: String,
    /// The test of its cell.
    pub test: CellTest,
}

/// A test of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellTest {
    /// It is one of these texts.
    Is(Vec<String>),
    /// It is not one of these texts.
    Not(Vec<String>),
    /// It contains one of these texts.
    Contains(Vec<String>),
    /// It matches this pattern.
    Matches(TextPattern),
    /// It is not empty, or is empty.
    Filled(bool),
    /// It looks like the id of a contact, or does not.
    Id(bool),
}

impl CellTest {
    /// Whether a cell's text passes.
    #[must_use]
    pub fn matches_text(&self, text: &str) -> bool {
        match self {
            Self::Is(words) => contains_word(words, text),
            Self::Not(words) => !contains_word(words, text),
            Self::Contains(parts) => {
                let text = text.trim().to_lowercase();
                parts.iter().any(|part| text.contains(&part.to_lowercase()))
            }
            Self::Matches(pattern) => pattern.matches_text(text.trim()),
            Self::Filled(filled) => *filled != text.trim().is_empty(),
            Self::Id(id) => *id == looks_like_contact_id(text.trim()),
        }
    }

    /// Whether no cell can pass both tests.
    #[must_use]
    pub fn is_disjoint_from(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Is(words), test) | (test, Self::Is(words)) => {
                !words.iter().any(|word| test.matches_text(word))
            }
            (Self::Filled(one), Self::Filled(other)) | (Self::Id(one), Self::Id(other)) => {
                one != other
            }
            (Self::Id(true), Self::Filled(false)) | (Self::Filled(false), Self::Id(true)) => true,
            (Self::Not(words), Self::Filled(false)) | (Self::Filled(false), Self::Not(words)) => {
                contains_word(words, "")
            }
            (test @ (Self::Contains(_) | Self::Matches(_)), Self::Filled(false))
            | (Self::Filled(false), test @ (Self::Contains(_) | Self::Matches(_))) => {
                !test.matches_text("")
            }
            _ => false,
        }
    }
}

impl RuleCondition {
    /// Reads one condition, or a list of conditions.
    pub(super) fn list_from_toml(source: &mut TomlDocument, value: SpannedTomlValue) -> Vec<Self> {
        match value.get_ref() {
            DeValue::Array(conditions) => {
                conditions.iter().filter_map(|value| Self::from_toml(source, value)).collect()
            }
            _ => Self::from_toml(source, value).into_iter().collect(),
        }
    }

    /// Reads a condition.
    fn from_toml(source: &mut TomlDocument, value: SpannedTomlValue) -> Option<Self> {
        let line = source.line_of(value);
        let before = source.problems.len();
        let table = source.read_table("when", value)?;
        let (column, tests) = read_entries(source, table);
        let one = tests.len() == 1;
        match (column, tests.into_iter().next()) {
            (Some(column), Some(test)) if one => Some(Self { column, test }),
            // The problem was already reported.
            _ if source.problems.len() > before => None,
            _ => {
                let message = "`when` needs a `column` and one of `is`, `in`, `not`, `contains`, \
                               `matches`, `filled` and `id`: `when = { column = \"Type\", is = [\"note\"] }`";
                source.report_problem(line, message);
                None
            }
        }
    }

    /// The condition in the notation of mappings.
    pub(super) fn to_toml(&self) -> String {
        let test = match &self.test {
            CellTest::Is(words) => format!("is = {}", toml_string_array(words)),
            CellTest::Not(words) => format!("not = {}", toml_string_array(words)),
            CellTest::Contains(parts) => format!("contains = {}", toml_string_array(parts)),
            CellTest::Matches(pattern) => format!("matches = {}", toml_string(pattern.as_str())),
            CellTest::Filled(filled) => format!("filled = {filled}"),
            CellTest::Id(id) => format!("id = {id}"),
        };
        format!("{{ column = {}, {test} }}", toml_string(&self.column))
    }
}

fn read_entries(source: &mut TomlDocument, table: &DeTable) -> (Option<String>, Vec<CellTest>) {
    let (mut column, mut tests) = (None, Vec::new());
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "column" => column = source.read_non_blank_text("column", value),
            key @ ("is" | "in") => {
                tests.extend(source.read_text_list(key, value).map(CellTest::Is));
            }
            "contains" => tests.extend(read_contained_texts(source, value).map(CellTest::Contains)),
            "matches" => tests.extend(read_pattern(source, value).map(CellTest::Matches)),
            "not" => tests.extend(source.read_text_list("not", value).map(CellTest::Not)),
            "filled" => tests.extend(source.read_bool("filled", value).map(CellTest::Filled)),
            "id" => tests.extend(source.read_bool("id", value).map(CellTest::Id)),
            other => source.report_unknown_key(source.line_of(key), other, "`when`", KEYS),
        }
    }
    (column, tests)
}

/// The texts of `contains`. Every cell contains an empty text, so that is a mistake.
fn read_contained_texts(source: &mut TomlDocument, value: SpannedTomlValue) -> Option<Vec<String>> {
    let texts = source.read_text_list("contains", value)?;
    if texts.iter().any(String::is_empty) {
        source.report_problem(source.line_of(value), "`contains` has an empty text");
        return None;
    }
    Some(texts)
}

fn read_pattern(source: &mut TomlDocument, value: SpannedTomlValue) -> Option<TextPattern> {
    let text = source.read_non_blank_text("matches", value)?;
    let line = source.line_of(value);
    let wrong = |why| source.report_problem(line, format_args!("`matches`: {why}"));
    TextPattern::parse(&text).map_err(wrong).ok()
}

fn looks_like_contact_id(text: &str) -> bool {
    text.len() == ID && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn contains_word(words: &[String], text: &str) -> bool {
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
        let is = CellTest::Is(words(&["Note", "call"]));
        assert!(
            is.matches_text(" NOTE ")
                && is.matches_text("Call")
                && !is.matches_text("task")
                && !is.matches_text("")
        );
        let not = CellTest::Not(words(&["Note"]));
        assert!(not.matches_text("task") && not.matches_text("") && !not.matches_text("note"));
        assert!(
            CellTest::Filled(true).matches_text("x") && !CellTest::Filled(true).matches_text("  ")
        );
        assert!(
            CellTest::Id(true).matches_text(" 2Sm6B84ICq0pYJUeWvTG")
                && !CellTest::Id(true).matches_text("crm-1001")
        );
        assert!(
            CellTest::Id(false).matches_text("")
                && !CellTest::Id(false).matches_text("2Sm6B84ICq0pYJUeWvTG")
        );
    }

    #[test]
    fn conditions_exclude_each_other_when_no_cell_passes_both() {
        let is = |texts: &[&str]| CellTest::Is(words(texts));
        let not = |texts: &[&str]| CellTest::Not(words(texts));
        let contains = |texts: &[&str]| CellTest::Contains(words(texts));
        let matches = |text: &str| CellTest::Matches(TextPattern::parse(text).unwrap());
        for (one, other, expected) in [
            (is(&["a"]), is(&["b"]), true),
            (is(&["a", "b"]), is(&["B"]), false),
            (is(&["a"]), not(&["A"]), true),
            (is(&["a", "c"]), not(&["a"]), false),
            (not(&["a"]), not(&["b"]), false),
            (CellTest::Filled(true), CellTest::Filled(false), true),
            (CellTest::Filled(true), CellTest::Filled(true), false),
            (is(&["a"]), CellTest::Filled(false), true),
            (not(&[""]), CellTest::Filled(false), true),
            (not(&["a"]), CellTest::Filled(false), false),
            (CellTest::Id(true), CellTest::Id(false), true),
            (CellTest::Id(true), CellTest::Filled(false), true),
            (CellTest::Id(false), CellTest::Filled(false), false),
            (is(&["a"]), CellTest::Id(true), true),
            (contains(&["a"]), is(&["bat", "cat"]), false),
            (contains(&["a"]), is(&["dog"]), true),
            (contains(&["a"]), CellTest::Filled(false), true),
            (contains(&["a"]), contains(&["b"]), false),
            (matches("^x"), is(&["y"]), true),
            (matches("^x"), CellTest::Filled(false), true),
            (matches("x*"), CellTest::Filled(false), false),
        ] {
            assert_eq!(one.is_disjoint_from(&other), expected, "{one:?} {other:?}");
            assert_eq!(other.is_disjoint_from(&one), expected, "{other:?} {one:?}");
        }
    }
}
