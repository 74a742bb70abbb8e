//! Phone numbers: parses one number to E.164.
//!
//! A number with `+` contains its country code, and only needs to have a possible length, because number plans
//! change faster than tables of them. A number without `+` must be valid in the given country. Nothing is guessed:
//! letters, lost digits and several numbers in one are errors.

mod parts;
mod scientific;

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region,
};

use super::digits;
use super::quote::QuotedText;
use super::{ParsedValue, is_spreadsheet_error};
use crate::diagnostic::{Diagnostic, DiagnosticCode};

#[cfg(test)]
mod tests;

/// The maximum number of digits in E.164, without the `+`.
const MOST_DIGITS: usize = 15;

/// Parses one phone number to E.164, such as `+12025550143`.
///
/// `country` (ISO 3166-1 alpha-2) applies to numbers without `+`. Accepts punctuation, digits of other scripts,
/// prefixes such as `tel:` and `p:`, extensions (`W_PHONE_EXTENSION`: removed), a leading `00` or `011` for `+`
/// (`W_PHONE_IDD_00`), and numbers that a spreadsheet converted: `2025550143.0` (`W_PHONE_FLOAT`) and
/// `1.2025550143E+10`, if no digit is lost (`W_PHONE_SCIENTIFIC`). `W_PHONE_UNUSUAL`: a number with `+` that is not
/// in the number plan.
///
/// # Errors
/// `R_PHONE_SCIENTIFIC` for lost digits, `R_SPREADSHEET_ERROR`, otherwise `R_INVALID_PHONE`.
pub fn parse_phone(text: &str, country: Option<&str>) -> Result<ParsedValue<String>, Diagnostic> {
    let mut notices = Vec::new();
    let ascii = digits::to_ascii(text);
    let bare = parts::strip_phone_label(&ascii);
    let plain = scientific::to_plain_digits(bare, text, &mut notices)?;
    let (number, extension) = parts::split_extension(&plain);
    parts::check_characters(number).map_err(|why| invalid_phone_error(text, why))?;
    let number =
        to_e164(number, country, &mut notices).map_err(|why| invalid_phone_error(text, &why))?;
    if let Some(extension) = extension {
        notices.push(Diagnostic::new(
            DiagnosticCode::W_PHONE_EXTENSION,
            format!("the extension `{extension}` of {} was removed", QuotedText(text)),
        ));
    }
    Ok(ParsedValue { value: number, notices })
}

/// Whether a number says itself which country it is of.
#[must_use]
pub fn has_country_code(text: &str) -> bool {
    let ascii = digits::to_ascii(text);
    let bare = parts::strip_phone_label(&ascii);
    bare.trim_start_matches('(').starts_with('+') || parts::strip_double_zero(bare).is_some()
}

/// The country (ISO 3166-1 alpha-2) of a dialling code such as `44`, `+1` or `0049`; of several, the largest. `None` if it
/// is no dialling code.
#[must_use]
pub fn parse_dial_code(text: &str) -> Option<&'static str> {
    let ascii = digits::to_ascii(text);
    let code = ascii.trim().trim_start_matches('(').trim_end_matches(')');
    let code = code.strip_suffix(".0").unwrap_or(code);
    let code = code.strip_prefix('+').or_else(|| code.strip_prefix("00")).unwrap_or(code).trim();
    // Islands in the North American plan have area codes of their own: `1-876`.
    let code = code.strip_prefix("1-").or_else(|| code.strip_prefix("1 ")).map_or(code, |area| {
        if area.len() == 3 && area.bytes().all(|byte| byte.is_ascii_digit()) { "1" } else { code }
    });
    if !(1..=3).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let region = PHONE_NUMBER_UTIL.get_region_for_country_code(code.parse().ok()?)?;
    super::parse_country(region.as_region_str().as_str()).ok()
}

/// Whether the characters can form exactly one number.
pub(super) fn is_single_number(text: &str) -> bool {
    let ascii = digits::to_ascii(text);
    let bare = parts::strip_phone_label(&ascii);
    let (number, _) = parts::split_extension(bare);
    parts::check_characters(number).is_ok() || scientific::is_float_notation(bare)
}

fn invalid_phone_error(text: &str, why: &str) -> Diagnostic {
    if is_spreadsheet_error(text) {
        let message =
            format!("{} is a spreadsheet's error value, not a phone number", QuotedText(text));
        return Diagnostic::new(DiagnosticCode::R_SPREADSHEET_ERROR, message);
    }
    Diagnostic::new(
        DiagnosticCode::R_INVALID_PHONE,
        format!("{} is not a phone number: {why}", QuotedText(text)),
    )
}

fn to_e164(
    number: &str,
    country: Option<&str>,
    notices: &mut Vec<Diagnostic>,
) -> Result<String, String> {
    if number.trim_start_matches('(').starts_with('+') {
        return parse_international(number, notices);
    }
    if let Some(rest) = parts::strip_double_zero(number) {
        let parsed = parse_valid_number(&format!("+{rest}"), None)
            .ok_or("the leading `00` stands for `+`, but no such number exists")?;
        notices.push(dial_prefix_notice("00"));
        return Ok(format_e164(&parsed));
    }
    let Some(country) = country else {
        return Err("it has no country code, and no default country is known; write it with `+`, \
         or set the country with `--default-country`"
            .to_owned());
    };
    let region = country.to_ascii_uppercase().parse::<Region>().ok();
    let parsed = parse_valid_number(number, region).ok_or_else(|| {
        let international = format!("+{number}");
        let hint = parse_valid_number(&international, None)
            .map(|parsed| format!(", but `{}` does: write it with `+`", format_e164(&parsed)));
        format!("no such number exists in {country}{}", hint.unwrap_or_default())
    })?;
    let home = region.and_then(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region));
    if number.starts_with("011") && home != Some(parsed.country_code) {
        notices.push(dial_prefix_notice("011"));
    }
    Ok(format_e164(&parsed))
}

fn parse_international(number: &str, notices: &mut Vec<Diagnostic>) -> Result<String, String> {
    let parsed = PHONE_NUMBER_UTIL
        .parse(number, None)
        .map_err(|_| "no country has this country code, or digits are missing")?;
    match PHONE_NUMBER_UTIL.is_possible_number_with_reason(&parsed) {
        Ok(NumberLengthType::IsPossible) => {}
        Ok(_) => return Err("the area code is missing".to_owned()),
        Err(_) => return Err("it has too many or too few digits for its country".to_owned()),
    }
    let written = format_e164(&parsed);
    if written.len() > MOST_DIGITS + 1 {
        return Err(format!("it has more than {MOST_DIGITS} digits"));
    }
    if !PHONE_NUMBER_UTIL.is_valid_number(&parsed) {
        notices.push(Diagnostic::new(
            DiagnosticCode::W_PHONE_UNUSUAL,
            format!("`{written}` has a possible length but is not in a known number range"),
        ));
    }
    Ok(written)
}

fn parse_valid_number(number: &str, region: Option<Region>) -> Option<PhoneNumber> {
    let parsed = PHONE_NUMBER_UTIL.parse(number, region).ok()?;
    PHONE_NUMBER_UTIL.is_valid_number(&parsed).then_some(parsed)
}

fn format_e164(number: &PhoneNumber) -> String {
    PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::E164).into_owned()
}

fn dial_prefix_notice(prefix: &str) -> Diagnostic {
    Diagnostic::new(
        DiagnosticCode::W_PHONE_IDD_00,
        format!("the leading `{prefix}` was read as `+`"),
    )
}
