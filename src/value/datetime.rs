//! Timestamps: a date and a time, in the form that the API accepts.

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::date;
use super::{DateOrder, ParsedValue};
use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// Parses a timestamp to UTC without fractions of a second, such as `2026-03-01T09:00:00Z` (api.md §5, tasks).
///
/// A time with an offset keeps its instant, and one without is read in `zone`. A date alone becomes midnight in
/// `zone`, with `W_DUE_NO_TIME`. `None` for an empty text and for placeholders that mean "no date". For `order` and
/// `locale`, see [`parse_date`](super::parse_date).
///
/// # Errors
/// Those of [`parse_date`](super::parse_date).
pub fn parse_datetime(
    text: &str,
    order: Option<DateOrder>,
    zone: &TimeZone,
    locale: Option<&str>,
) -> Result<ParsedValue<Option<String>>, Diagnostic> {
    let (shape, clock) = date::parse_day_and_time(text, locale)?;
    let ParsedValue { value, mut notices } = date::resolve_day(text, &shape, order)?;
    let Some(day) = value else { return Ok(ParsedValue { value: None, notices }) };
    let is_day_alone = clock.is_none();
    let (time, own) = match clock {
        Some(clock) => (clock.time, clock.zone),
        None => (Time::midnight(), None),
    };
    if is_day_alone {
        let name = zone.iana_name().unwrap_or("the time zone");
        notices.push(Diagnostic::new(
            DiagnosticCode::W_DUE_NO_TIME,
            format!(
                "no time is given; midnight in {name} is used (`--timezone` sets another time zone)"
            ),
        ));
    }
    let zone = own.as_ref().unwrap_or(zone);
    let instant = zone
        .to_ambiguous_zoned(day.to_datetime(time))
        .compatible()
        .map_err(|_| date::invalid_date_error(text, "it is outside the calendar"))?
        .timestamp();
    Ok(ParsedValue { value: Some(instant.to_string()), notices })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, zone: &str, expected: &str, codes: &[&str]) {
        let zone = TimeZone::get(zone).unwrap();
        let read = parse_datetime(text, None, &zone, None).unwrap();
        assert_eq!(read.value.as_deref(), Some(expected), "{text}");
        assert_eq!(read.notices.iter().map(|n| n.code).collect::<Vec<_>>(), codes, "{text}");
    }

    #[test]
    fn a_time_with_an_offset_keeps_its_instant() {
        for (text, expected) in [
            ("2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z"),
            ("2026-03-01T09:00:00.999Z", "2026-03-01T09:00:00Z"),
            ("2026-08-31T11:18:23+05:30", "2026-08-31T05:48:23Z"),
            ("2026-06-08T10:28:39-07:00", "2026-06-08T17:28:39Z"),
            ("2026-03-01 09:00 UTC", "2026-03-01T09:00:00Z"),
            ("Sun, 1 Mar 2026 09:00:00 +0100", "2026-03-01T08:00:00Z"),
            (
                "Sun Mar 01 2026 09:00:00 GMT+0100 (Central European Standard Time)",
                "2026-03-01T08:00:00Z",
            ),
            ("2026-03-01T09:00:00+01:00[Europe/Paris]", "2026-03-01T08:00:00Z"),
            ("2026-07-01T09:00:00[Europe/Paris]", "2026-07-01T07:00:00Z"),
        ] {
            check(text, "America/New_York", expected, &[]);
        }
    }

    #[test]
    fn a_time_without_offset_is_read_in_the_zone() {
        for (text, expected) in [
            ("2026-03-01 09:00", "2026-03-01T14:00:00Z"),
            ("2026-07-01T09:00:00", "2026-07-01T13:00:00Z"),
            ("Jul 22 2026 02:09 PM", "2026-07-22T18:09:00Z"),
            ("3/15/2026 2:30 PM", "2026-03-15T18:30:00Z"),
            ("2026-03-01 12:00 AM", "2026-03-01T05:00:00Z"),
            // The hour that the clocks skip, and the one that they show twice.
            ("2026-03-08 02:30", "2026-03-08T07:30:00Z"),
            ("2026-11-01 01:30", "2026-11-01T05:30:00Z"),
        ] {
            check(text, "America/New_York", expected, &[]);
        }
    }

    #[test]
    fn a_date_alone_is_midnight_and_says_so() {
        check("2026-01-02", "UTC", "2026-01-02T00:00:00Z", &["W_DUE_NO_TIME"]);
        check("2026-01-02", "Asia/Tokyo", "2026-01-01T15:00:00Z", &["W_DUE_NO_TIME"]);
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for (text, code) in [
            ("2026-02-30", "W_DATE_INVALID"),
            ("2026-03-01T25:00:00Z", "W_DATE_INVALID"),
            ("2026-03-01 09:00 EST", "W_DATE_INVALID"),
            ("2026-03-01 13:00 PM", "W_DATE_INVALID"),
            ("09:00", "W_DATE_INVALID"),
            ("tomorrow", "W_DATE_INVALID"),
            ("03/04/2026 09:00", "W_DATE_AMBIGUOUS"),
        ] {
            let error = parse_datetime(text, None, &TimeZone::UTC, None).unwrap_err();
            assert_eq!(error.code, code, "{text}");
        }
        assert_eq!(parse_datetime("", None, &TimeZone::UTC, None).unwrap().value, None);
    }
}
