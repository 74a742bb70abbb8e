//! Resolves the shape of a date to a day: which number means what, and which century applies.

use jiff::civil::Date;

use super::{DateNumber, DateOrder, DateShape, completed_year_notice, invalid_date_error};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::value::ParsedValue;
use crate::value::quote::QuotedText;

/// The years that a two-digit year can mean.
#[derive(Debug, Clone, Copy)]
pub(super) enum CenturyWindow {
    /// The century around today: 80 years back, 19 ahead.
    AroundToday(Date),
    /// The possible birth years of a living person.
    Past(Date),
}

/// A generous upper limit for the age of a living person.
const HIGHEST_AGE: i16 = 110;

/// Returns the day that the shape describes; `text` is for messages.
pub(super) fn resolve_shape(
    text: &str,
    shape: &DateShape,
    order: Option<DateOrder>,
    years: CenturyWindow,
) -> Result<ParsedValue<Option<Date>>, Diagnostic> {
    let (year, month, day) = match shape {
        DateShape::Nothing => return Ok(ParsedValue::without_notices(None)),
        DateShape::Numbers(numbers) => assign_year_month_day(text, *numbers, order, years)?,
        DateShape::Named(year, month, day) => (*year, i16::from(*month), *day),
        DateShape::NoYear => {
            let message = format!("{} has no year", QuotedText(text));
            return Err(Diagnostic::new(DiagnosticCode::W_DATE_NO_YEAR, message));
        }
        DateShape::Serial(serial) => return Err(self::serial_date_error(text, *serial)),
        DateShape::Invalid(why) => return Err(invalid_date_error(text, why)),
    };
    let full = years.expand_year(year).ok_or_else(|| year_error(text, year))?;
    let date = calendar_date(full, month, day)
        .ok_or_else(|| invalid_date_error(text, "there is no such day"))?;
    let notices =
        if year.digits == 4 { Vec::new() } else { vec![completed_year_notice(text, full)] };
    Ok(ParsedValue { value: Some(date), notices })
}

/// Returns year, month and day of three numbers.
fn assign_year_month_day(
    text: &str,
    numbers: [DateNumber; 3],
    order: Option<DateOrder>,
    years: CenturyWindow,
) -> Result<(DateNumber, i16, i16), Diagnostic> {
    let [first, _, last] = numbers;
    let by = |order: DateOrder| {
        let (year, month, day) = order.year_month_day(numbers);
        (year, month.value, day.value)
    };
    if first.digits == 4 {
        return Ok(by(DateOrder::Ymd));
    }
    if let Some(order) = order {
        if last.digits == 4 && order == DateOrder::Ymd {
            return Err(invalid_date_error(text, "it is not in the order YMD"));
        }
        return Ok(by(order));
    }
    match valid_orders(numbers, years)[..] {
        [] => Err(invalid_date_error(text, "there is no such day")),
        [only] => Ok(by(only)),
        [DateOrder::Dmy, DateOrder::Mdy] if by(DateOrder::Dmy) == by(DateOrder::Mdy) => {
            Ok(by(DateOrder::Dmy))
        }
        _ => Err(ambiguous_date_error(text)),
    }
}

/// The orders in which the numbers are a valid calendar day.
pub(super) fn valid_orders(numbers: [DateNumber; 3], years: CenturyWindow) -> Vec<DateOrder> {
    let fits = |order: &&DateOrder| {
        let (year, month, day) = order.year_month_day(numbers);
        // A year of unknown century is valid if it fits any century; 2000 had a 29 February.
        let full = years.expand_year(year).unwrap_or(2000);
        calendar_date(full, month.value, day.value).is_some()
    };
    candidate_orders(numbers).iter().filter(fits).copied().collect()
}

/// The possible orders of three numbers, given the positions that the year can have.
fn candidate_orders(numbers: [DateNumber; 3]) -> &'static [DateOrder] {
    let [first, _, last] = numbers;
    if first.digits == 4 || first.value > 31 {
        &[DateOrder::Ymd]
    } else if last.digits == 4 || last.value > 31 {
        &[DateOrder::Dmy, DateOrder::Mdy]
    } else {
        &[DateOrder::Dmy, DateOrder::Mdy, DateOrder::Ymd]
    }
}

/// The day, if it exists in the calendar.
fn calendar_date(year: i16, month: i16, day: i16) -> Option<Date> {
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

impl CenturyWindow {
    /// Expands the year to four digits; `None` if it has three digits, is not a plausible year, or is possible in
    /// two centuries.
    fn expand_year(self, year: DateNumber) -> Option<i16> {
        match year.digits {
            4 => return (year.value >= 1000).then_some(year.value),
            2 => {}
            _ => return None,
        }
        match self {
            Self::AroundToday(today) => {
                let first = today.year() - 80;
                Some(first + (year.value - first).rem_euclid(100))
            }
            Self::Past(today) => {
                let alive = (today.year() - HIGHEST_AGE)..=today.year();
                let mut fitting =
                    [1900, 2000].map(|c| c + year.value).into_iter().filter(|y| alive.contains(y));
                fitting.next().filter(|_| fitting.next().is_none())
            }
        }
    }
}

fn year_error(text: &str, year: DateNumber) -> Diagnostic {
    match year.digits {
        2 => ambiguous_date_error(text),
        _ => invalid_date_error(text, "its year is not valid"),
    }
}

fn ambiguous_date_error(text: &str) -> Diagnostic {
    Diagnostic::new(
        DiagnosticCode::W_DATE_AMBIGUOUS,
        format!(
            "{} can mean several dates; set the order with `--date-order DMY`, `MDY` or `YMD`, or write years with four digits",
            QuotedText(text)
        ),
    )
}

fn serial_date_error(text: &str, serial: i32) -> Diagnostic {
    let epoch = jiff::civil::date(1899, 12, 30);
    let day = epoch.saturating_add(jiff::Span::new().days(serial));
    Diagnostic::new(
        DiagnosticCode::W_DATE_SERIAL,
        format!(
            "{} looks like a spreadsheet's number for {day}; format the column as a date and export it again",
            QuotedText(text)
        ),
    )
}
