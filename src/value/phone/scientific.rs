//! Restores phone numbers that a spreadsheet converted: `1.2025550143E+10`, `2025550143.0`.

use std::borrow::Cow;

use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::value::quote::QuotedText;

/// The fewest digits before `.0` that form a whole number; fewer may be a part of one.
const SHORTEST_FLOAT: usize = 7;

/// The most digits that an exponent may restore; no phone number is longer.
const LONGEST: usize = 20;

/// Returns the number in plain digits if it was written as a float, otherwise unchanged. `text` is for messages.
pub(super) fn to_plain_digits<'t>(
    number: &'t str,
    text: &str,
    notices: &mut Vec<Diagnostic>,
) -> Result<Cow<'t, str>, Diagnostic> {
    if let Some(ScientificNumber { digits, length }) = ScientificNumber::parse(number) {
        return restore_digits(&digits, length, text, notices).map(Cow::Owned);
    }
    if let Some(whole) = strip_zero_fraction(number) {
        notices.push(Diagnostic::new(
            DiagnosticCode::W_PHONE_FLOAT,
            format!("{} was written as a number with decimals", QuotedText(text)),
        ));
        return Ok(Cow::Borrowed(whole));
    }
    Ok(Cow::Borrowed(number))
}

/// Whether a spreadsheet wrote the number as a float.
pub(super) fn is_float_notation(number: &str) -> bool {
    ScientificNumber::parse(number).is_some() || strip_zero_fraction(number).is_some()
}

/// A number with an exponent: its remaining digits, with a leading sign, and its original number of digits.
struct ScientificNumber {
    digits: String,
    length: usize,
}

impl ScientificNumber {
    fn parse(number: &str) -> Option<Self> {
        let (mantissa, exponent) = number.split_once(['e', 'E'])?;
        let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
        let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
        let unsigned = whole.strip_prefix('+').unwrap_or(whole);
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let is_number = [unsigned, fraction, exponent].into_iter().all(all_digits);
        if !is_number || unsigned.is_empty() || exponent.is_empty() {
            return None;
        }
        let shift = exponent.parse::<usize>().unwrap_or(usize::MAX);
        let length = unsigned.len().saturating_add(shift);
        Some(Self { digits: format!("{whole}{fraction}"), length })
    }
}

fn restore_digits(
    digits: &str,
    length: usize,
    text: &str,
    notices: &mut Vec<Diagnostic>,
) -> Result<String, Diagnostic> {
    let (sign, digits) = digits.split_at(usize::from(digits.starts_with('+')));
    let lost = |left: usize| {
        let of = if length > LONGEST { String::new() } else { format!(" of {length}") };
        Diagnostic::new(
            DiagnosticCode::R_PHONE_SCIENTIFIC,
            format!(
                "a spreadsheet turned the number into {}, which has only {left} digits left{of}; \
                 format the column as text and export it again",
                QuotedText(text)
            ),
        )
    };
    let surplus = digits.get(length..);
    if surplus.is_none_or(|rest| rest.bytes().any(|b| b != b'0')) {
        return Err(lost(digits.len()));
    }
    notices.push(Diagnostic::new(
        DiagnosticCode::W_PHONE_SCIENTIFIC,
        format!(
            "a spreadsheet wrote the number as {}; all {length} digits are there",
            QuotedText(text)
        ),
    ));
    Ok(format!("{sign}{}", &digits[..length]))
}

fn strip_zero_fraction(number: &str) -> Option<&str> {
    let (whole, fraction) = number.split_once(['.', ','])?;
    let digits = whole.strip_prefix('+').unwrap_or(whole);
    let is_float = digits.len() >= SHORTEST_FLOAT
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !fraction.is_empty()
        && fraction.bytes().all(|b| b == b'0');
    is_float.then_some(whole)
}
