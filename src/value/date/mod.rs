//! Dates: a calendar day from the spellings of spreadsheets.
//!
//! Nothing is guessed: where day and month could be either, and neither the caller's order nor the numbers
//! decide, the date is ambiguous. The day is taken as written; a time after it shifts nothing.

mod clock;
mod date_shape;
mod day_month_order;
mod month;
mod resolve_date;

use jiff::civil::Date;
use jiff::{Timestamp, Zoned, tz::TimeZone};

pub(super) use clock::Clock;
pub(super) use date_shape::{Number, Shape};
pub use day_month_order::{Order, UnknownOrder};
use resolve_date::Years;

use super::digits;
use super::quote::Shown;
use super::{Notice, Read, Unreadable};

#[cfg(test)]
mod tests;

/// The most characters of a text that is still read as a date.
const LONGEST: usize = 100;

/// The year that Apple's address book writes for birthdays without one.
const APPLE_NO_YEAR: i16 = 1604;

/// A calendar day. `None` for an empty text, and for fillers such as `0/0/00` that mean "no date".
///
/// `order` is that of day, month and year in dates of three numbers; dates that start with a year of four digits
/// need none. `locale` is the language of month names beside English: `fr`, `de`, `es`, `it`, `pt`, `nl`.
/// Notice: `W_DATE_AMBIGUOUS` for a year of two digits that was completed.
///
/// # Errors
/// `W_DATE_AMBIGUOUS`, `W_DATE_NO_YEAR`, `W_DATE_SERIAL` (a spreadsheet's serial number in a text cell, which is
/// not guessed), otherwise `W_DATE_INVALID`.
pub fn date(
    text: &str,
    order: Option<Order>,
    locale: Option<&str>,
) -> Result<Read<Option<Date>>, Unreadable> {
    let (day, _) = day_and_clock(text, locale)?;
    resolve_date::day(text, &day, order, Years::AroundToday(today()))
}

/// A calendar day that is a birthday: after 1900, and not in the future.
///
/// # Errors
/// Those of [`date()`], and `W_DATE_FUTURE`.
pub fn date_of_birth(
    text: &str,
    order: Option<Order>,
    locale: Option<&str>,
) -> Result<Read<Option<Date>>, Unreadable> {
    birthday(text, order, locale, today())
}

fn birthday(
    text: &str,
    order: Option<Order>,
    locale: Option<&str>,
    today: Date,
) -> Result<Read<Option<Date>>, Unreadable> {
    let (day, _) = day_and_clock(text, locale)?;
    let read = resolve_date::day(text, &day, order, Years::Past(today))?;
    let error = |code, why: &str| Err(Unreadable::new(code, format!("{} {why}", Shown(text))));
    match read.value {
        Some(day) if day.year() == APPLE_NO_YEAR => error("W_DATE_NO_YEAR", "has no year"),
        Some(day) if day > today => error("W_DATE_FUTURE", "lies in the future"),
        Some(day) if day.year() <= 1900 => {
            error("W_DATE_INVALID", "is no birthday: it lies before 1901")
        }
        _ => Ok(read),
    }
}

/// Today in the time zone where it is latest, so that no birthday of today lies in the future anywhere.
fn today() -> Date {
    let latest = TimeZone::fixed(jiff::tz::offset(14));
    Zoned::new(Timestamp::now(), latest).date()
}

/// The shape of the day that the text names, and the time after it.
pub(super) fn day_and_clock(
    text: &str,
    locale: Option<&str>,
) -> Result<(Shape, Option<Clock>), Unreadable> {
    if text.len() > LONGEST {
        return Err(invalid(text, "it is too long"));
    }
    let ascii = digits::ascii(text.trim());
    let (day, time) = clock::split(&ascii);
    if day.is_empty() && time.is_some() {
        return Err(invalid(text, "it is only a time"));
    }
    let clock = match time {
        Some(time) => Some(Clock::read(time).ok_or_else(|| invalid(text, "its time is none"))?),
        None => None,
    };
    Ok((Shape::of(day, locale), clock))
}

/// The day that the shape names, and what a caller wants to know of it.
pub(super) fn day(
    text: &str,
    shape: &Shape,
    order: Option<Order>,
) -> Result<Read<Option<Date>>, Unreadable> {
    resolve_date::day(text, shape, order, Years::AroundToday(today()))
}

/// The orders in which the numbers are a day of the calendar.
pub(super) fn possible_orders(numbers: [Number; 3]) -> Vec<Order> {
    resolve_date::possible(numbers, Years::AroundToday(today()))
}

pub(super) fn invalid(text: &str, why: &str) -> Unreadable {
    Unreadable::new("W_DATE_INVALID", format!("{} is no date: {why}", Shown(text)))
}

fn completed(text: &str, year: i16) -> Notice {
    let message = format!("the year of {} has two digits and was read as {year}", Shown(text));
    Notice::new("W_DATE_AMBIGUOUS", message)
}
