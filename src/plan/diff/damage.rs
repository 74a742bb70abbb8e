//! What a spreadsheet takes from a value when it saves a file: a leading `+`, leading zeros, digits after the fifteenth.
//!
//! A cell that is the account's value less that was not edited, so it requests no change.

use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// How many digits of a number a spreadsheet keeps.
const DIGITS: usize = 15;

/// Whether a cell is what a spreadsheet leaves of the account's value; false for the value itself.
pub(super) fn is_damaged_copy(cell: &str, current: &str) -> bool {
    let (cell, current) = (cell.trim(), current.trim());
    let digits = current.strip_prefix('+').unwrap_or(current);
    if cell == current || digits.len() < 2 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let Some(number) = read_whole_number(cell) else { return false };
    let kept = digits.trim_start_matches('0');
    if number.rounded {
        return kept.len() == number.digits.len() && is_rounded(kept, number.significant);
    }
    number.digits == kept || kept.len() > DIGITS && is_rounded_text(kept, &number.digits)
}

/// The warning for such a cell.
pub(super) fn damage_warning(field: &str, cell: &str, current: &str) -> Diagnostic {
    let message = format!(
        "`{cell}` is what a spreadsheet leaves of `{current}`, which the contact has; it stays as it is"
    );
    Diagnostic::new(DiagnosticCode::W_DAMAGED_COPY, message).in_field(field)
}

/// A whole number as a spreadsheet writes it.
struct WholeNumber {
    digits: String,
    /// The digits that a scientific notation has: the others are zeros in `digits`, whatever they were.
    significant: (usize, u64),
    rounded: bool,
}

/// Reads `12025550143`, `12025550143.0`, `1.2025550143E+10`, `1,20256E+10`.
fn read_whole_number(cell: &str) -> Option<WholeNumber> {
    let cell = cell.trim_start_matches('\'');
    let plain = cell.strip_suffix(".0").or_else(|| cell.strip_suffix(",0")).unwrap_or(cell);
    if !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(WholeNumber { digits: plain.to_owned(), significant: (0, 0), rounded: false });
    }
    let (mantissa, exponent) = cell.split_once(['E', 'e'])?;
    let exponent: usize = exponent.trim_start_matches('+').parse().ok()?;
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let is_number = whole.len() == 1 && all.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || exponent > 30 || fraction.len() > exponent {
        return None;
    }
    let zeros = "0".repeat(exponent - fraction.len());
    let significant = (all.len(), all.parse().ok()?);
    Some(WholeNumber { digits: format!("{all}{zeros}"), significant, rounded: true })
}

/// Whether a number has these first digits, rounded.
fn is_rounded(digits: &str, (count, first): (usize, u64)) -> bool {
    let Some(front) = digits.get(..count).and_then(|front| front.parse::<u64>().ok()) else {
        return false;
    };
    let rounds_up = digits.as_bytes().get(count).is_some_and(|next| *next >= b'5');
    first == front + u64::from(rounds_up)
}

/// Whether a text is a longer number of which only the first fifteen digits are left.
fn is_rounded_text(digits: &str, left: &str) -> bool {
    let zeros = left.get(DIGITS..).is_some_and(|rest| rest.bytes().all(|byte| byte == b'0'));
    let first = left.get(..DIGITS).and_then(|first| first.parse().ok());
    digits.len() == left.len()
        && zeros
        && first.is_some_and(|first| is_rounded(digits, (DIGITS, first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_leaves_of_a_value_is_that_value() {
        for (cell, current) in [
            ("15105550146", "+15105550146"),
            ("15105550146.0", "+15105550146"),
            ("1.5105550146E+10", "+15105550146"),
            ("1.51056E+10", "+15105550146"),
            ("1,51056E+10", "+15105550146"),
            ("4109", "04109"),
            ("501", "00501"),
            ("7", "007"),
            ("1234567890123450000", "1234567890123450123"),
        ] {
            assert!(is_damaged_copy(cell, current), "{cell} {current}");
        }
        for (cell, current) in [
            ("+15105550146", "+15105550146"),
            ("15105550147", "+15105550146"),
            ("1.51057E+10", "+15105550146"),
            ("1.51056E+11", "+15105550146"),
            ("4109", "14109"),
            ("41090", "04109"),
            ("EC1A", "EC1A 1BB"),
            ("", "0"),
            ("0", "00"),
            ("5105550146", "+15105550146"),
        ] {
            assert!(!is_damaged_copy(cell, current), "{cell} {current}");
        }
    }
}
