//! Booleans, in the spellings and languages of spreadsheets.

use super::quote::QuotedText;
use crate::diagnostic::{Diagnostic, DiagnosticCode};

const YES: &[&str] = &[
    "true",
    "t",
    "yes",
    "y",
    "1",
    "1.0",
    "x",
    "on",
    "✓",
    "✔",
    "✔️",
    "☑",
    "☑️",
    "✅",
    "checked",
    "wahr",
    "ja",
    "j",
    "vrai",
    "oui",
    "verdadero",
    "sí",
    "si",
    "vero",
    "sì",
    "verdadeiro",
    "sim",
    "waar",
    "prawda",
    "tak",
    "sant",
    "да",
    "истина",
    "是",
    "はい",
];

const NO: &[&str] = &[
    "false",
    "f",
    "no",
    "n",
    "0",
    "0.0",
    "off",
    "✗",
    "✘",
    "✕",
    "☐",
    "❌",
    "unchecked",
    "falsch",
    "nein",
    "faux",
    "non",
    "falso",
    "não",
    "nao",
    "onwaar",
    "nee",
    "fałsz",
    "nie",
    "falskt",
    "nej",
    "нет",
    "ложь",
    "否",
    "いいえ",
];

/// Parses yes or no; `None` for an empty cell.
///
/// # Errors
/// `R_BOOLEAN_UNKNOWN` for anything else. Guessing would do the most harm in consent columns.
pub fn parse_boolean(text: &str) -> Result<Option<bool>, Diagnostic> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match_boolean_word(text).map(Some).ok_or_else(|| {
        Diagnostic::new(
            DiagnosticCode::R_BOOLEAN_UNKNOWN,
            format!("{} is neither yes nor no", QuotedText(text)),
        )
    })
}

/// The value of a word for yes or no.
pub(super) fn match_boolean_word(text: &str) -> Option<bool> {
    let is = |word: &&str| {
        word.eq_ignore_ascii_case(text) || (!text.is_ascii() && **word == text.to_lowercase())
    };
    if YES.iter().any(&is) { Some(true) } else { NO.iter().any(is).then_some(false) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_and_no_are_known_in_many_spellings() {
        for text in [
            "TRUE", "Yes", "1", "x", "X", "✓", "on", "WAHR", "oui", "Y ", "Sí", "SÌ", "ДА", "1.0",
            "t",
        ] {
            assert_eq!(parse_boolean(text), Ok(Some(true)), "{text}");
        }
        for text in ["false", "N", "0", "off", "Nein", "FAUX", "NÃO", "0.0", "✗"] {
            assert_eq!(parse_boolean(text), Ok(Some(false)), "{text}");
        }
        assert_eq!(parse_boolean(""), Ok(None));
        assert_eq!(parse_boolean(" "), Ok(None));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["maybe", "N/A", "No.", "2", "-", "yes please", "#N/A", "unknown"] {
            assert_eq!(parse_boolean(text).unwrap_err().code, "R_BOOLEAN_UNKNOWN", "{text}");
        }
    }
}
