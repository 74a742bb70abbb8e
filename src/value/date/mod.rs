//! Dates: a calendar day from the spellings found in spreadsheets.
//!
//! Nothing is guessed: if day and month could be swapped, and neither the caller's order nor the numbers decide,
//! the date is ambiguous. The day is taken as written; a time or offset after it does not shift it.

mod clock;
mod date_shape;
mod day_month_order;
mod month;
mod resolve_date;

use jiff::civil::Date;
use jiff::{Timestamp, Zoned, tz::TimeZone};

pub(super) use clock::TimeOfDay;
pub(super) use date_shape::{DateNumber, DateShape};
pub use day_month_order::DateOrder;
pub use month::{is_date_word, is_month_name};
use resolve_date::CenturyWindow;

use super::ParsedValue;
use super::digits;
use super::quote::QuotedText;
use crate::diagnostic::{Diagnostic, DiagnosticCode};

#[cfg(test)]
mod tests;

/// The maximum length of a text that is read as a date, in characters.
const LONGEST: usize = 100;

/// The year that Apple's address book writes for birthdays without a year.
const APPLE_NO_YEAR: i16 = 1604;

/// Parses a calendar day. `None` for an empty text, and for placeholders such as `0/0/00` that mean "no date".
///
/// `order` is the order of day, month and year in dates of three numbers; dates that start with a four-digit year
/// do not need it. `locale` is the language of month names in addition to English: `fr`, `de`, `es`, `it`, `pt`,
/// `nl`. Notice: `W_DATE_AMBIGUOUS` for a two-digit year that was completed.
///
/// # Errors
/// `W_DATE_AMBIGUOUS`, `W_DATE_NO_YEAR`, `W_DATE_SERIAL` (a spreadsheet's serial number in a text cell, which is
/// not converted), otherwise `W_DATE_INVALID`.
pub fn parse_date(
    text: &str,
    order: Option<DateOrder>,
    locale: Option<&str>,
) -> Result<ParsedValue<Option<Date>>, Diagnostic> {
    let (day, _) = parse_day_and_time(text, locale)?;
    resolve_date::resolve_shape(text, &day, order, CenturyWindow::AroundToday(latest_today()))
}

/// Parses a birthday: a calendar day after 1900 and not in the future.
///
/// # Errors
/// Those of [`parse_date()`], and `W_DATE_FUTURE`.
pub fn parse_date_of_birth(
    text: &str,
    order: Option<DateOrder>,
    locale: Option<&str>,
) -> Result<ParsedValue<Option<Date>>, Diagnostic> {
    parse_birthday(text, order, locale, latest_today())
}

fn parse_birthday(
    text: &str,
    order: Option<DateOrder>,
    locale: Option<&str>,
    today: Date,
) -> Result<ParsedValue<Option<Date>>, Diagnostic> {
    let (day, _) = parse_day_and_time(text, locale)?;
    let read = resolve_date::resolve_shape(text, &day, order, CenturyWindow::Past(today))?;
    let error = |code, why: &str| Err(Diagnostic::new(code, format!("{} {why}", QuotedText(text))));
    match read.value {
        Some(day) if day.year() == APPLE_NO_YEAR => {
            error(DiagnosticCode::W_DATE_NO_YEAR, "has no year")
        }
        Some(day) if day > today => error(DiagnosticCode::W_DATE_FUTURE, "is in the future"),
        Some(day) if day.year() <= 1900 => {
            error(DiagnosticCode::W_DATE_INVALID, "is not a date of birth: it is before 1901")
        }
        _ => Ok(read),
    }
}

/// Today in the time zone where it is latest, so that today's date is not in the future in any time zone.
fn latest_today() -> Date {
    let latest = TimeZone::fixed(jiff::tz::offset(14));
    Zoned::new(Timestamp::now(), latest).date()
}

/// The shape of the day in the text, and the time after it.
pub(super) fn parse_day_and_time(
    text: &str,
    locale: Option<&str>,
) -> Result<(DateShape, Option<TimeOfDay>), Diagnostic> {
    if text.len() > LONGEST {
        return Err(invalid_date_error(text, "it is too long"));
    }
    let ascii = digits::to_ascii(text.trim());
    let (day, time) = clock::split_off_time(&ascii);
    if day.is_empty() && time.is_some() {
        return Err(invalid_date_error(text, "it is only a time"));
    }
    let clock = match time {
        Some(time) => Some(TimeOfDay::parse(time).ok_or_else(|| {
            invalid_date_error(text, &format!("{} is not a time", QuotedText(time)))
        })?),
        None => None,
    };
    Ok((DateShape::from_text(day, locale), clock))
}

/// Resolves a shape to a day, with the notices for the caller.
pub(super) fn resolve_day(
    text: &str,
    shape: &DateShape,
    order: Option<DateOrder>,
) -> Result<ParsedValue<Option<Date>>, Diagnostic> {
    resolve_date::resolve_shape(text, shape, order, CenturyWindow::AroundToday(latest_today()))
}

/// The orders in which the numbers are a valid calendar day.
pub(super) fn possible_orders(numbers: [DateNumber; 3]) -> Vec<DateOrder> {
    resolve_date::valid_orders(numbers, CenturyWindow::AroundToday(latest_today()))
}

pub(super) fn invalid_date_error(text: &str, why: &str) -> Diagnostic {
    Diagnostic::new(
        DiagnosticCode::W_DATE_INVALID,
        format!("{} is not a valid date: {why}", QuotedText(text)),
    )
}

fn completed_year_notice(text: &str, year: i16) -> Diagnostic {
    let message = format!("the year of {} has two digits and was read as {year}", QuotedText(text));
    Diagnostic::new(DiagnosticCode::W_DATE_AMBIGUOUS, message)
}
