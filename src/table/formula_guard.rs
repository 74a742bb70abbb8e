//! The formula guard: cells that a spreadsheet would execute or alter get a leading `'`.
//!
//! The guard can always be removed: `strip_guard(guard_formula(text)) == text` for every text and
//! every mode but [`FormulaGuardMode::Off`]. So a text that already looks guarded gets another
//! apostrophe.

use std::borrow::Cow;

use crate::choice::choice_enum;

choice_enum! {
    /// Which cells get a guard.
    pub enum FormulaGuardMode = Formulas {
        /// Cells that start like a formula, except plain numbers and phone numbers in E.164 form
        Formulas = "formulas",
        /// Also what Excel would spoil: phone numbers, leading zeros, long numbers, exponents
        Excel = "excel",
        /// No cells: for programs that read the file
        Off = "off",
    }
}

/// The text as a guarded cell.
#[must_use]
pub fn guard_formula(text: &str, safe: FormulaGuardMode) -> Cow<'_, str> {
    if needs_guard(text, safe) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Whether a spreadsheet might execute the text as a formula.
#[must_use]
pub fn looks_like_formula(text: &str) -> bool {
    is_formula_trigger(text) && !is_plain_number(text)
}

/// The text of a cell. Texts that were never guarded are unchanged, except those that look guarded.
#[must_use]
pub fn strip_guard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_risky(text.trim_start_matches('\'')) => text,
        _ => cell,
    }
}

/// Whether the text needs a guard.
pub(super) fn needs_guard(text: &str, safe: FormulaGuardMode) -> bool {
    // Most texts start with a letter, and no letter is a risk.
    let Some(first) = text.bytes().next().filter(|b| !b.is_ascii_alphabetic()) else {
        return false;
    };
    match safe {
        FormulaGuardMode::Off => false,
        _ if first == b'\'' => is_risky(text.trim_start_matches('\'')),
        FormulaGuardMode::Formulas => is_formula_trigger(text) && !is_plain_number(text),
        FormulaGuardMode::Excel => is_altered_by_excel(text),
    }
}

/// Whether any mode might guard the text.
fn is_risky(text: &str) -> bool {
    is_formula_trigger(text) || is_altered_by_excel(text)
}

/// Whether a spreadsheet might execute the text as a formula, or strip what precedes one.
fn is_formula_trigger(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠'])
}

/// Whether the text is a number such as `-12`, `+14155551234` (E.164), `1.5` or `2e-7`.
fn is_plain_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    digits(whole)
        && digits(fraction)
        && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
}

/// Whether Excel would execute the text, or save it differently from how it read it.
fn is_altered_by_excel(text: &str) -> bool {
    if !is_plain_number(text) {
        return is_formula_trigger(text);
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let leads_with_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    let trails_with_zero = digits.contains('.') && digits.ends_with('0');
    // From 12 digits on, Excel writes 1.23457E+11.
    let is_long = digits.len() > 11;
    leads_with_zero || trails_with_zero || is_long || digits.contains(['+', 'e', 'E'])
}
