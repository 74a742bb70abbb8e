//! Times and durations as people write them.

use std::time::Duration;

use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, Zoned};

use crate::export::SinceTime;

/// A moment to come: a time stamp, a local time of day, or a duration from now.
pub(crate) fn parse_deadline(text: &str) -> Result<Timestamp, String> {
    let now = Zoned::now();
    if let Ok(duration) = text.parse::<SignedDuration>()
        && duration.is_positive()
    {
        return now.timestamp().checked_add(duration).map_err(|error| error.to_string());
    }
    if let Ok(time) = text.parse::<civil::Time>()
        && !text.contains(['-', 'T'])
    {
        let today = now.date().to_datetime(time).to_zoned(now.time_zone().clone());
        let today = today.map_err(|error| error.to_string())?;
        let next = if today > now { Ok(today) } else { today.checked_add(Span::new().days(1)) };
        return next.map(|next| next.timestamp()).map_err(|error| error.to_string());
    }
    parse_timestamp(text).ok_or_else(|| {
        "not a time such as `2026-11-21T06:00:00Z` or `06:00` nor a duration such as `2h30m`"
            .to_owned()
    })
}

/// A moment past, with what stays the same when the command is repeated.
pub(crate) fn parse_since(text: &str) -> Result<SinceTime, String> {
    let at = parse_past_time(text)?;
    let spelled = if parse_timestamp(text).is_some() { at.to_string() } else { text.to_owned() };
    Ok(SinceTime { at, spelled })
}

/// A moment past: a time stamp, a date, or a duration before now.
pub(crate) fn parse_past_time(text: &str) -> Result<Timestamp, String> {
    if let Some(stamp) = parse_timestamp(text) {
        return Ok(stamp);
    }
    let before = |span: Span| Zoned::now().with_time_zone(TimeZone::UTC).checked_sub(span).ok();
    match text.parse::<Span>().ok().filter(|span| span.is_positive()).and_then(before) {
        Some(time) => Ok(time.timestamp()),
        None => Err("not a time such as `2026-11-21T06:00:00Z`, a date such as `2026-11-21` (UTC), nor a duration such as `7d`".to_owned()),
    }
}

/// A time stamp with its zone, or a date or time without one, which is taken as UTC.
fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let civil = || text.parse::<civil::DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse().ok().or_else(|| civil().map(|zoned| zoned.timestamp()))
}

/// A duration such as `10m` or `1h30m`; `0s` is one.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration = text.parse::<SignedDuration>().ok().and_then(|it| Duration::try_from(it).ok());
    duration.ok_or_else(|| "not a duration such as `10m` or `1h30m`".to_owned())
}

/// Seconds, with or without a fraction; more than zero.
pub(crate) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("not a positive number of seconds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_every_form_the_help_names() {
        assert_eq!(parse_since("2026-11-21").unwrap().at.to_string(), "2026-11-21T00:00:00Z");
        assert_eq!(
            parse_since("2026-11-21T06:00:00+01:00").unwrap().at.to_string(),
            "2026-11-21T05:00:00Z"
        );
        let week = parse_since("7d").unwrap().at.duration_until(Timestamp::now()).as_secs();
        assert!((0..10).contains(&(week - 7 * 24 * 3600)), "{week}");
        let left = parse_deadline("2h30m").unwrap().duration_since(Timestamp::now());
        assert!((8_990..=9_000).contains(&left.as_secs()));
        assert!(parse_deadline("23:59").unwrap() > Timestamp::now());
        for text in ["", "soon", "-1h", "25:00"] {
            assert!(parse_deadline(text).is_err(), "{text}");
            assert!(parse_since(text).is_err(), "{text}");
        }
        assert!(
            parse_seconds("0").is_err()
                && parse_seconds("x").is_err()
                && parse_seconds("0.5").is_ok()
        );
    }
}
