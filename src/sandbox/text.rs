//! Helpers for texts: JSON strings, dates, phone numbers.
//!
//! Defines the service's formats, not its records.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::rfc2822::DateTimePrinter;

/// Appends `text` as a JSON string.
pub(super) fn write_json_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a text is JSON, and a vector takes every byte");
}

/// A text as a JSON string.
pub(super) fn json_string(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

/// Milliseconds since 1970 as the service writes them: `2025-11-24T16:58:56.678Z`.
pub(super) fn format_iso(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}

/// Milliseconds since 1970 in a time zone, without the zone: `2021-07-16 11:00:00`.
pub(super) fn format_local_time(milliseconds: i64, zone: &str) -> String {
    let time = Timestamp::from_millisecond(milliseconds).and_then(|time| time.in_tz(zone));
    time.map_or_else(|_| String::new(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// Milliseconds since 1970 at a fixed UTC offset: `2023-09-25T16:00:00-05:00`.
pub(super) fn format_with_offset(milliseconds: i64, offset_hours: i64) -> String {
    let text = format_iso(milliseconds + offset_hours * 3_600_000);
    let mut text = text.get(..19).unwrap_or_default().to_owned();
    let sign = if offset_hours < 0 { '-' } else { '+' };
    let _ = write!(text, "{sign}{:02}:00", offset_hours.abs());
    text
}

/// Milliseconds since 1970 as HTTP headers write them: `Mon, 24 Nov 2025 16:58:56 GMT`.
pub(super) fn format_http_date(milliseconds: i64) -> String {
    let time = Timestamp::from_millisecond(milliseconds).ok();
    let text = time.map(|time| DateTimePrinter::new().timestamp_to_rfc9110_string(&time));
    text.and_then(Result::ok).unwrap_or_default()
}

/// Parses a time or a date into milliseconds since 1970.
pub(super) fn parse_datetime(text: &str) -> Option<i64> {
    match text.parse::<Timestamp>() {
        Ok(time) => Some(time.as_millisecond()),
        Err(_) => parse_date(text),
    }
}

/// Parses a date in one of the service's eight formats.
pub(super) fn parse_date(text: &str) -> Option<i64> {
    let separators = ['/', '-', '.', '_'];
    let separator = text.chars().find(|character| separators.contains(character))?;
    let mut parts = text.split(separator);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !matches!((first.len(), third.len()), (4, 2) | (2, 4)) {
        return None;
    }
    let (year, month, day) =
        if first.len() == 4 { (first, second, third) } else { (third, first, second) };
    if second.len() != 2 {
        return None;
    }
    midnight_millis(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

fn midnight_millis(year: i16, month: i8, day: i8) -> Option<i64> {
    let date = Date::new(year, month, day).ok()?;
    let midnight = date.at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(midnight.timestamp().as_millisecond())
}

/// A phone number in international format, or None if it cannot be one.
///
/// Ten digits are taken as a North American number, as in a location in that country.
pub(super) fn normalize_phone(text: &str) -> Option<String> {
    if text.chars().any(char::is_alphabetic) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if !(7..=15).contains(&digits.len()) {
        return None;
    }
    let international = text.trim_start().starts_with('+') || digits.len() != 10;
    Some(if international { format!("+{digits}") } else { format!("+1{digits}") })
}

/// Whether a text looks like an e-mail address.
pub(super) fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else { return false };
    let dotted = domain.split('.').count() > 1 && domain.split('.').all(|part| !part.is_empty());
    !name.is_empty() && !name.contains('@') && dotted && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_every_spelling_of_the_service() {
        for text in
            ["1990/09/25", "09/25/1990", "1990-09-25", "09-25-1990", "1990.09.25", "09_25_1990"]
        {
            assert_eq!(
                parse_date(text).map(format_iso).as_deref(),
                Some("1990-09-25T00:00:00.000Z"),
                "{text}"
            );
        }
        for text in ["", "25/09/1990", "1990-9-25", "soon", "1990-09-25-1"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn a_phone_number_becomes_international() {
        assert_eq!(normalize_phone("(415) 555-1234").as_deref(), Some("+14155551234"));
        assert_eq!(normalize_phone("+49 30 123456").as_deref(), Some("+4930123456"));
        assert_eq!(normalize_phone("call me"), None);
    }
}
