//! The time of day after a date, and its offset.

use jiff::civil::Time;
use jiff::tz::{Offset, TimeZone};

/// A time of day, with an offset or a zone if the text has one.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::value) struct TimeOfDay {
    /// The time of day in whole seconds.
    pub(in crate::value) time: Time,
    /// The zone given in the text.
    pub(in crate::value) zone: Option<TimeZone>,
}

/// Splits off a time of day. It starts with the digits before the first colon.
pub(super) fn split_off_time(text: &str) -> (&str, Option<&str>) {
    let Some(colon) = text.find(':') else { return (text, None) };
    let day = text[..colon].trim_end_matches(|c: char| c.is_ascii_digit());
    let time = &text[day.len()..];
    let day = day.trim_end();
    let day = day.strip_suffix(['T', 't', ',']).unwrap_or(day);
    let day = day.strip_suffix(" at").or_else(|| day.strip_suffix(" um")).unwrap_or(day);
    (day.trim_end_matches([' ', ',']), Some(time))
}

impl TimeOfDay {
    /// Parses a time such as `23:30:00.000Z`, `2:09 PM` or `09:00 GMT+0100 (CET)`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (hour, rest) = leading_number(text, 2)?;
        let (minute, mut rest) = leading_number(rest.strip_prefix(':')?, 2)?;
        let mut second = 0;
        if let Some(after) = rest.strip_prefix(':') {
            (second, rest) = leading_number(after, 2)?;
            if let Some(fraction) = rest.strip_prefix(['.', ',']) {
                rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            }
        }
        let (hour, rest) = apply_am_pm(hour, rest.trim_start())?;
        let time = Time::new(hour, minute, second, 0).ok()?;
        Some(Self { time, zone: parse_zone(rest.trim()).ok()? })
    }
}

/// Reads the number of at most `longest` digits at the start of the text, and returns it with the remaining text.
fn leading_number(text: &str, longest: usize) -> Option<(i8, &str)> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &text[..text.len() - rest.len()];
    if digits.len() > longest {
        return None;
    }
    Some((digits.parse().ok()?, rest))
}

/// Converts the hour to the 24-hour clock if `AM` or `PM` follows, and returns it with the remaining text.
fn apply_am_pm(hour: i8, rest: &str) -> Option<(i8, &str)> {
    for (word, afternoon) in [("a.m.", 0), ("p.m.", 12), ("am", 0), ("pm", 12)] {
        if rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)) {
            let hour = (1..=12).contains(&hour).then_some(hour % 12 + afternoon)?;
            return Some((hour, &rest[word.len()..]));
        }
    }
    Some((hour, rest))
}

/// An unknown zone.
struct UnknownZone;

/// Parses the zone given in the text, if any.
fn parse_zone(text: &str) -> Result<Option<TimeZone>, UnknownZone> {
    let text = text.split_once('(').map_or(text, |(text, _)| text.trim_end());
    if let Some((offset, name)) = text.split_once('[') {
        let named = name.strip_suffix(']').and_then(|name| TimeZone::get(name).ok());
        return Ok(parse_zone(offset)?.or(Some(named.ok_or(UnknownZone)?)));
    }
    let offset = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).unwrap_or(text);
    match offset {
        "" if text.is_empty() => Ok(None),
        "" | "Z" | "z" => Ok(Some(TimeZone::UTC)),
        _ => self::parse_offset(offset)
            .map(|offset| Some(TimeZone::fixed(offset)))
            .ok_or(UnknownZone),
    }
}

/// Parses an offset such as `+05:30`, `-0700` or `+1`.
fn parse_offset(text: &str) -> Option<Offset> {
    let sign = match text.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = text[1..].replace(':', "");
    if !matches!(digits.len(), 1..=4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let (hours, minutes) =
        if digits.len() > 2 { (number / 100, number % 100) } else { (number, 0) };
    if hours > 14 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}
