//! Postal codes, and the leading zeros that spreadsheets remove from them.

use super::ParsedValue;
use super::digits;
use super::quote::QuotedText;
use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// Countries whose codes have five digits, the first of which may be 0.
const FIVE_DIGITS: [&str; 20] = [
    "US", "DE", "FR", "ES", "IT", "MX", "TR", "UA", "PR", "VI", "GU", "FI", "EE", "MY", "PE", "DO",
    "SA", "GP", "MQ", "RE",
];

/// Returns a postal code unchanged, except that damage by a spreadsheet is repaired.
///
/// A US ZIP code that lost its leading zeros gets them back (`W_ZIP_PADDED`), since every ZIP code has at least
/// five digits. `country` is the row's own, not a default. Where the country is unknown or another one, a code that
/// looks too short is not changed, only reported (`W_ZIP_SUSPECT`).
#[must_use]
pub fn parse_postal_code(text: &str, country: Option<&str>) -> ParsedValue<String> {
    let text = text.trim();
    let ascii = digits::to_ascii(text);
    let code = strip_zero_fraction(&ascii);
    let country = country.map(str::to_ascii_uppercase);
    if country.as_deref() == Some("US") {
        return parse_zip_code(text, code);
    }
    let is_short = is_digits(code)
        && matches!(code.len(), 3 | 4)
        && country.as_deref().is_none_or(|country| FIVE_DIGITS.contains(&country));
    let mut read =
        ParsedValue::without_notices(if code.len() < ascii.len() { code } else { text }.to_owned());
    if is_short {
        read.notices.push(suspect_zip_notice(text));
    } else if is_formatted_number(code) {
        let message = format!(
            "{} looks like a number that a spreadsheet has formatted; it is left unchanged",
            QuotedText(text)
        );
        read.notices.push(Diagnostic::new(DiagnosticCode::W_ZIP_SUSPECT, message));
    }
    read
}

/// Parses a US ZIP code, of five digits or of five and four.
fn parse_zip_code(text: &str, code: &str) -> ParsedValue<String> {
    let (five, four) = code.split_once('-').map_or((code, None), |(five, four)| (five, Some(four)));
    let is_zip = is_digits(five) && four.is_none_or(|four| is_digits(four) && four.len() == 4);
    if !is_zip || !matches!(five.len(), 3..=5) {
        let mut read = ParsedValue::without_notices(text.to_owned());
        if !text.is_empty() {
            read.notices.push(suspect_zip_notice(text));
        }
        return read;
    }
    let mut read = ParsedValue::without_notices(format!(
        "{code:0>width$}",
        width = code.len() + 5 - five.len()
    ));
    if five.len() < 5 {
        let message =
            format!("{} had lost its leading zeros; they were restored", QuotedText(text));
        read.notices.push(Diagnostic::new(DiagnosticCode::W_ZIP_PADDED, message));
    }
    read
}

fn suspect_zip_notice(text: &str) -> Diagnostic {
    let message = format!("{} may have lost leading zeros; it is left unchanged", QuotedText(text));
    Diagnostic::new(DiagnosticCode::W_ZIP_SUSPECT, message)
}

/// Strips the `.0` of a number with decimals.
fn strip_zero_fraction(code: &str) -> &str {
    match code.split_once('.') {
        Some((whole, fraction))
            if is_digits(whole) && !fraction.is_empty() && fraction.bytes().all(|b| b == b'0') =>
        {
            whole
        }
        _ => code,
    }
}

/// Whether a code is written like `10.115` or `1.0115E+4`, as no country writes one.
fn is_formatted_number(code: &str) -> bool {
    code.starts_with(|c: char| c.is_ascii_digit())
        && code.contains(['.', ','])
        && code.bytes().all(|b| b.is_ascii_digit() || b".,eE+".contains(&b))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, country: Option<&str>, expected: &str, codes: &[&str]) {
        let read = parse_postal_code(text, country);
        assert_eq!(read.value, expected, "{text}");
        assert_eq!(read.notices.iter().map(|n| n.code).collect::<Vec<_>>(), codes, "{text}");
    }

    #[test]
    fn zip_codes_get_their_zeros_back() {
        let us = Some("US");
        check("2139", us, "02139", &["W_ZIP_PADDED"]);
        check("501", us, "00501", &["W_ZIP_PADDED"]);
        check("2139.0", us, "02139", &["W_ZIP_PADDED"]);
        check("2139-4307", us, "02139-4307", &["W_ZIP_PADDED"]);
        check("02139", us, "02139", &[]);
        check("62701.0", us, "62701", &[]);
        check("02139-4307", us, "02139-4307", &[]);
    }

    #[test]
    fn codes_that_cannot_be_restored_are_named() {
        check("2139", None, "2139", &["W_ZIP_SUSPECT"]);
        check("501", None, "501", &["W_ZIP_SUSPECT"]);
        check("1067", Some("DE"), "1067", &["W_ZIP_SUSPECT"]);
        check("12", Some("US"), "12", &["W_ZIP_SUSPECT"]);
        check("10.115", Some("DE"), "10.115", &["W_ZIP_SUSPECT"]);
        check("1.0115E+4", None, "1.0115E+4", &["W_ZIP_SUSPECT"]);
        check("12.345-678", Some("BR"), "12.345-678", &[]);
        check("K1A 0B1", Some("US"), "K1A 0B1", &["W_ZIP_SUSPECT"]);
    }

    #[test]
    fn codes_of_other_countries_stay() {
        check("1010", Some("AT"), "1010", &[]);
        check("1010.0", Some("AT"), "1010", &[]);
        check("K1A 0B1", Some("CA"), "K1A 0B1", &[]);
        check("SW1A 1AA", None, "SW1A 1AA", &[]);
        check("75001", None, "75001", &[]);
        check("00100", Some("IT"), "00100", &[]);
        check("", None, "", &[]);
        check("", Some("US"), "", &[]);
    }
}
