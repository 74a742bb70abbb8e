//! From the shape of a date to a day: which number is which, and which century.

use jiff::civil::Date;

use super::{Number, Order, Shape, completed, invalid};
use crate::value::quote::Shown;
use crate::value::{Read, Unreadable};

/// Which years a year of two digits can mean.
#[derive(Debug, Clone, Copy)]
pub(super) enum Years {
    /// The century around today: 80 years back, 19 ahead.
    AroundToday(Date),
    /// Years that a person alive can be born in.
    Past(Date),
}

/// The highest age that a person alive can have, generously.
const HIGHEST_AGE: i16 = 110;

/// The day that the shape names; `text` is for messages.
pub(super) fn day(
    text: &str,
    shape: &Shape,
    order: Option<Order>,
    years: Years,
) -> Result<Read<Option<Date>>, Unreadable> {
    let (year, month, day) = match shape {
        Shape::Nothing => return Ok(Read::plain(None)),
        Shape::Numbers(numbers) => assigned(text, *numbers, order, years)?,
        Shape::Named(year, month, day) => (*year, i16::from(*month), *day),
        Shape::NoYear => {
            let message = format!("{} has no year", Shown(text));
            return Err(Unreadable::new("W_DATE_NO_YEAR", message));
        }
        Shape::Serial(serial) => return Err(self::serial(text, *serial)),
        Shape::Invalid(why) => return Err(invalid(text, why)),
    };
    let full = years.full(year).ok_or_else(|| year_error(text, year))?;
    let date =
        calendar(full, month, day).ok_or_else(|| invalid(text, "the calendar has no such day"))?;
    let notices = if year.digits == 4 { Vec::new() } else { vec![completed(text, full)] };
    Ok(Read { value: Some(date), notices })
}

/// Year, month and day of three numbers.
fn assigned(
    text: &str,
    numbers: [Number; 3],
    order: Option<Order>,
    years: Years,
) -> Result<(Number, i16, i16), Unreadable> {
    let [first, _, last] = numbers;
    let by = |order: Order| {
        let (year, month, day) = order.year_month_day(numbers);
        (year, month.value, day.value)
    };
    if first.digits == 4 {
        return Ok(by(Order::Ymd));
    }
    if let Some(order) = order {
        if last.digits == 4 && order == Order::Ymd {
            return Err(invalid(text, "it is not in the order YMD"));
        }
        return Ok(by(order));
    }
    match possible(numbers, years)[..] {
        [] => Err(invalid(text, "the calendar has no such day")),
        [only] => Ok(by(only)),
        [Order::Dmy, Order::Mdy] if by(Order::Dmy) == by(Order::Mdy) => Ok(by(Order::Dmy)),
        _ => Err(ambiguous(text)),
    }
}

/// The orders in which the numbers are a day of the calendar.
pub(super) fn possible(numbers: [Number; 3], years: Years) -> Vec<Order> {
    let fits = |order: &&Order| {
        let (year, month, day) = order.year_month_day(numbers);
        // A year whose century is open may still fit one of them; 2000 had a 29 February.
        let full = years.full(year).unwrap_or(2000);
        calendar(full, month.value, day.value).is_some()
    };
    candidates(numbers).iter().filter(fits).copied().collect()
}

/// The orders that three numbers can stand in, by where the year can be.
fn candidates(numbers: [Number; 3]) -> &'static [Order] {
    let [first, _, last] = numbers;
    if first.digits == 4 || first.value > 31 {
        &[Order::Ymd]
    } else if last.digits == 4 || last.value > 31 {
        &[Order::Dmy, Order::Mdy]
    } else {
        &[Order::Dmy, Order::Mdy, Order::Ymd]
    }
}

/// The day, if the calendar has it.
fn calendar(year: i16, month: i16, day: i16) -> Option<Date> {
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

impl Years {
    /// The year in full; `None` if it has three digits, is no year of history, or could be in two centuries.
    fn full(self, year: Number) -> Option<i16> {
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

fn year_error(text: &str, year: Number) -> Unreadable {
    match year.digits {
        2 => ambiguous(text),
        _ => invalid(text, "its year is none"),
    }
}

fn ambiguous(text: &str) -> Unreadable {
    Unreadable::new(
        "W_DATE_AMBIGUOUS",
        format!(
            "{} can be several dates; name the order with `--date-format DMY`, `MDY` or `YMD`, or write years in full",
            Shown(text)
        ),
    )
}

fn serial(text: &str, serial: i32) -> Unreadable {
    let epoch = jiff::civil::date(1899, 12, 30);
    let day = epoch.saturating_add(jiff::Span::new().days(serial));
    Unreadable::new(
        "W_DATE_SERIAL",
        format!(
            "{} looks like a spreadsheet's number for {day}; give the column a date format and export it again",
            Shown(text)
        ),
    )
}
