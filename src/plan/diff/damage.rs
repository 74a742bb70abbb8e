//! What a spreadsheet takes from a value when it saves a file: a leading `+`, leading zeros, digits after the fifteenth,
//! the form of a number, of a date, of yes and no.
//!
//! A cell that is the account's value less that was not edited, so it requests no change.

use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// How many digits of a number a spreadsheet keeps.
const DIGITS: usize = 15;

/// Whether a cell is what a spreadsheet leaves of the account's value; false for the value itself.
pub(super) fn is_damaged_copy(cell: &str, current: &str) -> bool {
    let (cell, current) = (cell.trim(), current.trim());
    cell != current
        && (is_damaged_number(cell, current)
            || is_same_decimal(cell, current)
            || is_same_boolean(cell, current)
            || is_same_day(cell, current))
}

/// `TRUE` for `true`.
fn is_same_boolean(cell: &str, current: &str) -> bool {
    ["true", "false"].iter().any(|word| current.eq_ignore_ascii_case(word))
        && cell.eq_ignore_ascii_case(current)
}

/// `1.00E+05` for `1e5`, `12.5` for `12.50`: the same number, as far as it is shown.
fn is_same_decimal(cell: &str, current: &str) -> bool {
    let is_number = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
    };
    let is_whole = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(cell) || !is_number(current) || is_whole(current) {
        return false;
    }
    let (Ok(shown), Ok(value)) = (cell.parse::<f64>(), current.parse::<f64>()) else {
        return false;
    };
    let mantissa = cell.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let is_short = mantissa.len() < cell.len();
    value.is_finite()
        && (format!("{shown:e}") == format!("{value:e}")
            || is_short && format!("{shown:.*e}", digits - 1) == format!("{value:.*e}", digits - 1))
}

/// `3/1/2026`, `01.03.2026` or `01/03/26` for `2026-03-01`.
fn is_same_day(cell: &str, current: &str) -> bool {
    let Ok(day) = current.parse::<jiff::civil::Date>() else { return false };
    let parts: Vec<&str> = cell.split(['/', '.', '-']).collect();
    let [first, second, year] = parts[..] else { return false };
    let number = |text: &str| text.parse::<i16>().ok().filter(|_| text.len() <= 4);
    let year = match number(year) {
        Some(short @ 0..100) => short == day.year() % 100,
        full => full == Some(day.year()),
    };
    let day = [i16::from(day.day()), i16::from(day.month())].map(Some);
    let found = [number(first), number(second)];
    year && (found == day || found == [day[1], day[0]])
}

fn is_damaged_number(cell: &str, current: &str) -> bool {
    let digits = current.strip_prefix('+').unwrap_or(current);
    if digits.len() < 2 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
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
            ("1.00E+05", "1e5"),
            ("1.23E-05", "0.0000123456"),
            ("12.5", "12.50"),
            ("TRUE", "true"),
            ("false", "FALSE"),
            ("3/1/2026", "2026-03-01"),
            ("01.03.2026", "2026-03-01"),
            ("01/03/26", "2026-03-01"),
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
            ("2.00E+05", "1e5"),
            ("12.6", "12.50"),
            ("12", "12.5"),
            ("-", "1e5"),
            ("FALSE", "true"),
            ("Yes", "YES"),
            ("3/2/2026", "2026-03-01"),
            ("3/1/2027", "2026-03-01"),
            ("2026-03-01", "2026-03-01"),
        ] {
            assert!(!is_damaged_copy(cell, current), "{cell} {current}");
        }
    }
}
