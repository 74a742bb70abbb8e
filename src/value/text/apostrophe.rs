//! Removes the leading apostrophe that spreadsheets and exporters put before a cell, but not the apostrophe of a
//! name.

use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// Strips such an apostrophe; all others stay.
///
/// One `'` is removed if the text after it (and after any further apostrophes) starts like a formula, consists only
/// of digits, spaces and the punctuation of phone numbers, or is a number with an exponent.
pub(super) fn strip_leading<'t>(text: &'t str, notices: &mut Vec<Diagnostic>) -> &'t str {
    let Some(rest) = text.strip_prefix('\'') else { return text };
    let guarded = rest.trim_start_matches('\'');
    if !(starts_a_formula(guarded) || is_phone_like(guarded) || is_scientific(guarded)) {
        return text;
    }
    notices.push(Diagnostic::new(
        DiagnosticCode::W_APOSTROPHE_STRIPPED,
        "the leading `'`, with which spreadsheets mark text, was removed",
    ));
    rest
}

fn starts_a_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

fn is_phone_like(text: &str) -> bool {
    let punctuation = |c: char| c.is_whitespace() || matches!(c, '+' | '-' | '(' | ')' | '.' | '/');
    text.contains(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || punctuation(c))
}

/// Whether the text is a number that a spreadsheet would write differently than it read it.
fn is_scientific(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    digits(whole)
        && digits(fraction)
        && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
}
