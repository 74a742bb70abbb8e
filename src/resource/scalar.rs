//! Reads scalar values: numbers, days, instants.
//!
//! Every function takes JSON text and reports whether the column would write it the same way. It
//! knows the API's formats, but no columns or arrays.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::json_scan;

/// The milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// The instants of the years 1 to 9999, in epoch milliseconds: the range that all readers of our
/// files support.
const INSTANT_RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

/// The number, and whether it is represented exactly.
pub(super) fn parse_float(raw: &str) -> Option<(f64, bool)> {
    let value: f64 = raw.parse().ok().filter(|v: &f64| v.is_finite())?;
    // Up to 15 digits always survive a double, unless it underflows; beyond that, the shortest form
    // decides.
    let short = raw.len() <= 15 && !raw.contains(['e', 'E']);
    Some((value, short || normalize_decimal(raw) == normalize_decimal(&value.to_string())))
}

/// A decimal number as its digits without outer zeros, and the exponent of the last digit.
fn normalize_decimal(text: &str) -> (bool, String, i64) {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = [whole.trim_start_matches(['-', '+']), fraction].concat();
    let preserved = digits.trim_end_matches('0');
    let exponent = exponent.parse().unwrap_or(i64::MAX / 2);
    let shift = i64::try_from(digits.len() - preserved.len()).unwrap_or(0)
        - i64::try_from(fraction.len()).unwrap_or(0);
    let preserved = preserved.trim_start_matches('0');
    if preserved.is_empty() {
        return (false, String::new(), 0);
    }
    (whole.starts_with('-'), preserved.to_owned(), exponent + shift)
}

/// Reads an integer.
pub(super) fn parse_integer(raw: &str) -> Option<i64> {
    raw.parse().ok().or_else(|| {
        let (negative, digits, exponent) = normalize_decimal(raw);
        let zeros = usize::try_from(exponent).ok().filter(|&zeros| zeros < 19)?;
        let sign = if negative { "-" } else { "" };
        let is_number = raw.parse::<f64>().is_ok();
        let text = format!("{sign}0{digits}{}", "0".repeat(zeros));
        is_number.then(|| text.parse().ok()).flatten()
    })
}

/// The day of an epoch number (in UTC) or of a text (as written), and how it was sent.
pub(super) fn parse_day(raw: &str) -> Option<(i32, DateEncoding)> {
    let Some(text) = json_scan::decode_string(raw) else {
        let ms = raw.parse().ok().filter(|ms| INSTANT_RANGE.contains(ms))?;
        let sent = if ms % DAY_MS == 0 { DateEncoding::Epoch } else { DateEncoding::Otherwise };
        return Some((i32::try_from(ms.div_euclid(DAY_MS)).ok()?, sent));
    };
    let (date, rest) = text.split_at_checked(10)?;
    let days = parse_iso_date(date.as_bytes())?;
    match rest.bytes().next() {
        None => Some((days, DateEncoding::Text)),
        Some(b'T' | b't' | b' ') => Some((days, DateEncoding::Otherwise)),
        Some(_) => None,
    }
}

/// How a day was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateEncoding {
    /// As the epoch milliseconds of its midnight.
    Epoch,
    /// As `YYYY-MM-DD`.
    Text,
    /// With a time of day, or in any other form.
    Otherwise,
}

/// The instant in epoch milliseconds, and whether the text is `YYYY-MM-DDTHH:MM:SS.mmmZ`.
///
/// A time without an offset needs a zone.
pub(super) fn parse_instant(raw: &str, zone: Option<&TimeZone>) -> Option<(i64, bool)> {
    let known = |ms: &i64| INSTANT_RANGE.contains(ms);
    let Some(text) = json_scan::decode_string(raw) else {
        return raw.parse().ok().filter(known).map(|ms| (ms, false));
    };
    if let Some(ms) = parse_canonical_instant(text.as_bytes()) {
        return Some((ms, true));
    }
    let timestamp = text.parse::<Timestamp>().ok().or_else(|| {
        let local: DateTime = text.parse().ok()?;
        zone?.to_ambiguous_timestamp(local).compatible().ok()
    })?;
    Some((timestamp.as_millisecond(), false)).filter(|(ms, _)| known(ms))
}

/// Reads `YYYY-MM-DDTHH:MM:SS.mmmZ`, the form of nearly all times that the API sends.
fn parse_canonical_instant(text: &[u8]) -> Option<i64> {
    let shape = |at: usize, byte| text.get(at) == Some(&byte);
    let shaped = text.len() == 24
        && shape(10, b'T')
        && shape(13, b':')
        && shape(16, b':')
        && shape(19, b'.')
        && shape(23, b'Z');
    if !shaped {
        return None;
    }
    let days = parse_iso_date(&text[..10])?;
    let (hour, minute) = (parse_digits(&text[11..13])?, parse_digits(&text[14..16])?);
    let (second, ms) = (parse_digits(&text[17..19])?, parse_digits(&text[20..23])?);
    let valid = hour < 24 && minute < 60 && second < 60;
    let of_day = ((hour * 60 + minute) * 60 + second) * 1000 + ms;
    valid.then(|| i64::from(days) * DAY_MS + i64::from(of_day))
}

/// Reads `YYYY-MM-DD` as days since 1970.
fn parse_iso_date(text: &[u8]) -> Option<i32> {
    if text.len() != 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let (year, month, day) =
        (parse_digits(&text[..4])?, parse_digits(&text[5..7])?, parse_digits(&text[8..])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // Days from a March-based year, after Howard Hinnant's `days_from_civil`.
    let (year_of_march, month_of_march) = (year - i32::from(month <= 2), (month + 9) % 12);
    let of_year = (153 * month_of_march + 2) / 5 + day - 1;
    let era_days = 365 * year_of_march + year_of_march / 4 - year_of_march / 100
        + year_of_march / 400
        + of_year;
    ((1..=last).contains(&day) && year > 0).then_some(era_days - 719_468)
}

fn parse_digits(text: &[u8]) -> Option<i32> {
    text.iter().try_fold(0, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i32::from(*b - b'0')))
}

/// The text of a day, in the API's format.
pub(super) fn format_day(days: i32) -> String {
    let date = Date::constant(1970, 1, 1) + jiff::Span::new().days(days);
    date.to_string()
}

/// The text of an instant, in the API's format.
pub(super) fn format_instant(ms: i64) -> String {
    let timestamp = Timestamp::from_millisecond(ms).expect("a decoded instant is in range");
    format!("{timestamp:.3}")
}
