//! Numbers and amounts of money.
//!
//! Without a given decimal sign, only unambiguous numbers are accepted: `1,234` is one thousand and more in some
//! countries and little more than one in others, so it is an error.

use super::digits;
use super::is_spreadsheet_error;
use super::quote::QuotedText;
use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// Parses a number.
///
/// With `decimal` (`.` or `,`), the other of the two signs, spaces and apostrophes may group the digits before it.
/// Without it, only digits with `.` as the decimal sign are accepted.
///
/// # Errors
/// `W_NUMBER_INVALID`, and `R_SPREADSHEET_ERROR` for an error value.
pub fn parse_number(text: &str, decimal: Option<char>) -> Result<f64, Diagnostic> {
    let ascii = digits::to_ascii(text.trim());
    parse_decimal(&ascii, decimal).ok_or_else(|| invalid_number_error(text, decimal))
}

/// Parses an amount of money: a number as in [`parse_number`], with optional currency signs and codes, which may be
/// negative by being in parentheses. `1,234.50` is unambiguous, and is accepted even without `decimal`.
///
/// # Errors
/// Those of [`parse_number`].
pub fn parse_money(text: &str, decimal: Option<char>) -> Result<f64, Diagnostic> {
    let ascii = digits::to_ascii(text.trim());
    let amount = strip_currency(&ascii);
    let (amount, is_negative) =
        match amount.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            Some(inner) => (strip_currency(inner), true),
            None => (amount, false),
        };
    // `-$5` has its sign before the currency.
    let (amount, is_negative) = match amount.strip_prefix('-') {
        Some(rest) if !is_negative => (strip_currency(rest), true),
        _ => (amount, is_negative),
    };
    let decimal = decimal.or_else(|| is_unambiguous_amount(amount).then_some('.'));
    let value =
        parse_decimal(amount, decimal).filter(|value| !is_negative || value.is_sign_positive());
    value
        .map(|value| if is_negative { -value } else { value })
        .ok_or_else(|| invalid_number_error(text, decimal))
}

/// Whether a number or amount has a single `.` before three digits, which is the decimal sign in some countries and groups
/// thousands in others: `1.250`.
#[must_use]
pub fn is_ambiguous_number(text: &str) -> bool {
    let ascii = digits::to_ascii(text.trim());
    let amount = strip_currency(ascii.trim_matches(['(', ')', '+', '-']));
    amount.split_once('.').is_some_and(|(whole, fraction)| {
        let is_group = matches!(whole.len(), 1..=3) && !whole.starts_with('0');
        is_group && is_digits(whole) && fraction.len() == 3 && is_digits(fraction)
    })
}

fn invalid_number_error(text: &str, decimal: Option<char>) -> Diagnostic {
    if is_spreadsheet_error(text) {
        let message = format!("{} is a spreadsheet's error value, not a number", QuotedText(text));
        return Diagnostic::new(DiagnosticCode::R_SPREADSHEET_ERROR, message);
    }
    let hint = match decimal {
        None if text.contains(',') => "; set the decimal sign with `--decimal`",
        _ => "",
    };
    Diagnostic::new(
        DiagnosticCode::W_NUMBER_INVALID,
        format!("{} is not a number{hint}", QuotedText(text)),
    )
}

fn parse_decimal(text: &str, decimal: Option<char>) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(index) => unsigned.split_at(index),
        None => (unsigned, ""),
    };
    if !exponent.is_empty() && !is_exponent(&exponent[1..]) {
        return None;
    }
    let sign = decimal.unwrap_or('.');
    let (whole, fraction) = mantissa.split_once(sign).unwrap_or((mantissa, "0"));
    let whole =
        if decimal.is_some() { remove_digit_grouping(whole, sign)? } else { whole.to_owned() };
    if !is_digits(&whole) || !is_digits(fraction) {
        return None;
    }
    let value: f64 = format!("{whole}.{fraction}{exponent}").parse().ok()?;
    let value = if text.starts_with('-') { -value } else { value };
    value.is_finite().then_some(value)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_exponent(text: &str) -> bool {
    is_digits(text.strip_prefix(['+', '-']).unwrap_or(text))
}

/// Removes the signs that group the digits. All signs must be the same, the last group must have three digits, and
/// the others two or three.
fn remove_digit_grouping(whole: &str, decimal: char) -> Option<String> {
    let mark = whole.chars().find(|c| !c.is_ascii_digit());
    let Some(mark) = mark else { return Some(whole.to_owned()) };
    if mark == decimal || !matches!(mark, ',' | '.' | ' ' | '\'' | '’') {
        return None;
    }
    let groups: Vec<_> = whole.split(mark).collect();
    let (first, others) = groups.split_first()?;
    let (last, middle) = others.split_last()?;
    let is_grouped = matches!(first.len(), 1..=3)
        && last.len() == 3
        && (middle.iter().all(|group| group.len() == 3)
            || middle.iter().all(|group| group.len() == 2));
    is_grouped.then(|| groups.concat())
}

/// Whether commas group the digits before a single `.`, which makes the number unambiguous.
fn is_unambiguous_amount(amount: &str) -> bool {
    amount.contains(',') && amount.matches('.').count() == 1 && amount.rfind(',') < amount.find('.')
}

/// Currency names other than codes of three capital letters.
const CURRENCIES: [&str; 12] =
    ["US$", "A$", "C$", "CA$", "AU$", "NZ$", "HK$", "R$", "kr.", "kr", "zł", "Fr."];

/// Strips a currency before and after the amount.
fn strip_currency(amount: &str) -> &str {
    let amount = amount.trim();
    let amount =
        currency_prefix_length(amount).map_or(amount, |length| &amount[length..]).trim_start();
    currency_suffix_length(amount)
        .map_or(amount, |length| &amount[..amount.len() - length])
        .trim_end()
}

fn currency_prefix_length(amount: &str) -> Option<usize> {
    let named =
        CURRENCIES.iter().filter(|name| amount.starts_with(**name)).map(|name| name.len()).max();
    let sign = amount.chars().next().filter(|c| is_currency_sign(*c)).map(char::len_utf8);
    let code = amount.get(..3).filter(|code| is_currency_code(code)).map(str::len);
    named.or(sign).or(code)
}

fn currency_suffix_length(amount: &str) -> Option<usize> {
    let named =
        CURRENCIES.iter().filter(|name| amount.ends_with(**name)).map(|name| name.len()).max();
    let sign = amount.chars().next_back().filter(|c| is_currency_sign(*c)).map(char::len_utf8);
    let start = amount.len().checked_sub(3);
    let code = start.and_then(|start| amount.get(start..)).filter(|code| is_currency_code(code));
    named.or(sign).or(code.map(str::len))
}

fn is_currency_code(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase())
}

fn is_currency_sign(c: char) -> bool {
    matches!(c, '$' | '¢'..='¥' | '฿' | '\u{20a0}'..='\u{20c0}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::float_cmp, reason = "the same digits give the same number")]
    #[track_caller]
    fn check(read: Result<f64, Diagnostic>, expected: f64) {
        assert_eq!(read.unwrap(), expected);
    }

    #[track_caller]
    fn refuse(read: Result<f64, Diagnostic>) {
        assert_eq!(read.unwrap_err().code, "W_NUMBER_INVALID");
    }

    #[test]
    fn a_number_without_stated_decimal_sign_has_one_reading_or_none() {
        for (text, expected) in [
            ("12", 12.0),
            ("-5", -5.0),
            ("+7", 7.0),
            ("149.70", 149.7),
            ("0.00", 0.0),
            ("1e3", 1000.0),
            ("1.5E+3", 1500.0),
            ("007", 7.0),
            ("−5", -5.0),
            ("１２", 12.0),
            (" 3 ", 3.0),
            ("187500.25", 187_500.25),
        ] {
            check(parse_number(text, None), expected);
        }
        for text in [
            "1.234,56", "1,234", "1,234.50", "99,00", "1 234", "abc", "", "5%", ".", "1.", ".5",
            "1.2.3", "1e", "e5", "NaN", "inf", "0x10", "--5", "1e999", "$5", "12 34",
        ] {
            refuse(parse_number(text, None));
        }
    }

    #[test]
    fn a_stated_decimal_sign_allows_groups() {
        for (text, decimal, expected) in [
            ("1.234,56", ',', 1234.56),
            ("99,00", ',', 99.0),
            ("1.234", ',', 1234.0),
            ("1 234,5", ',', 1234.5),
            ("1\u{a0}234,5", ',', 1234.5),
            ("1,234,234.33", '.', 1_234_234.33),
            ("1'234.5", '.', 1234.5),
            ("12,34,567.5", '.', 1_234_567.5),
            ("-1.000", ',', -1000.0),
            ("1,234", '.', 1234.0),
            ("5", ',', 5.0),
        ] {
            check(parse_number(text, Some(decimal)), expected);
        }
        for (text, decimal) in [
            ("1.23", ','),
            ("1,2,3", '.'),
            ("1.234,56", '.'),
            ("1,234.56", ','),
            ("1.2345,6", ','),
            ("1,234,56", '.'),
            (",5", ','),
        ] {
            refuse(parse_number(text, Some(decimal)));
        }
    }

    #[test]
    fn money_sheds_its_currency() {
        for (text, expected) in [
            ("$1,234.50", 1234.5),
            ("$59.80", 59.8),
            ("149.70", 149.7),
            ("€ 5", 5.0),
            ("5 €", 5.0),
            ("USD 12.5", 12.5),
            ("12.5 USD", 12.5),
            ("US$12.5", 12.5),
            ("-$5.00", -5.0),
            ("$-5.00", -5.0),
            ("($1,234.50)", -1234.5),
            ("R$ 10", 10.0),
            ("100 kr", 100.0),
            ("£1,000,000.00", 1_000_000.0),
            ("(5)", -5.0),
            ("CHF 5", 5.0),
            ("₹12,34,567.50", 1_234_567.5),
        ] {
            check(parse_money(text, None), expected);
        }
        check(parse_money("1.234,56 €", Some(',')), 1234.56);
        check(parse_money("€ 1.234", Some(',')), 1234.0);
        for text in [
            "$1,234",
            "1.234,56",
            "1.234,56 €",
            "free",
            "$",
            "",
            "(-5)",
            "--5",
            "$$5",
            "1,23.45",
            "USD",
        ] {
            refuse(parse_money(text, None));
        }
    }

    #[test]
    fn error_values_are_called_so() {
        assert_eq!(parse_number("#DIV/0!", None).unwrap_err().code, "R_SPREADSHEET_ERROR");
    }

    proptest::proptest! {
        #[test]
        fn every_number_is_read_back(value in -1e15_f64..1e15) {
            check(parse_number(&value.to_string(), None), value);
            check(parse_number(&value.to_string().replace('.', ","), Some(',')), value);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9.,$() '€-]{0,20}|\\PC{0,20}") {
            let _ = parse_number(&text, Some(','));
            let _ = parse_money(&text, None);
        }
    }
}
