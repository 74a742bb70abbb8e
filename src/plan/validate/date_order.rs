//! Dates and moments from texts, spreadsheets' dates and their serial numbers.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use super::Checker;
use super::cell_value::Value;
use super::field_rule::Step;
use super::value_type::Kind;
use crate::value::{self, Notice, Read, Unreadable};

/// The last day that a spreadsheet knows, 9999-12-31.
const LAST_SERIAL: f64 = 2_958_465.0;

impl Checker {
    /// The day that a value names; nothing for what stands for no date.
    pub(super) fn day(&self, step: &Step, value: Value) -> Result<Read<Option<Date>>, Unreadable> {
        let read = match value {
            Value::Date(date) => Read::plain(Some(date.date())),
            Value::Number(number, text) => match serial(number) {
                Some(moment) => from_serial(&text, moment).map(DateTime::date),
                None => return self.day_of_text(step, &text),
            },
            Value::Bool(value) => return Err(no_date(value)),
            Value::Text(text) => return self.day_of_text(step, &text),
        };
        match read.value {
            Some(day) if matches!(step.kind, Kind::Birthday) && day > self.today => {
                Err(unreadable("W_DATE_FUTURE", format!("{day} is in the future")))
            }
            _ => Ok(read),
        }
    }

    /// The moment that a value names, as the API takes it; nothing for what stands for no date.
    pub(super) fn moment(
        &self,
        step: &Step,
        value: Value,
    ) -> Result<Read<Option<String>>, Unreadable> {
        let read = match value {
            Value::Date(date) => Read::plain(Some(date)),
            Value::Number(number, text) => match serial(number) {
                Some(moment) => from_serial(&text, moment),
                None => return self.moment_of_text(step, &text),
            },
            Value::Bool(value) => return Err(no_date(value)),
            Value::Text(text) => return self.moment_of_text(step, &text),
        };
        let mut notices = read.notices;
        let Some(local) = read.value else { return Ok(Read { value: None, notices }) };
        if local.time() == jiff::civil::Time::midnight() {
            let message = format!("{} has no time; midnight was taken", local.date());
            notices.push(Notice { code: "W_DUE_NO_TIME", message });
        }
        Ok(Read { value: Some(self.instant(local)?), notices })
    }

    /// Midnight of a day so many days from today.
    pub(super) fn days_from_today(&self, days: u32) -> Result<String, Unreadable> {
        let day = self.today.checked_add(i64::from(days).days());
        let day =
            day.map_err(|_| unreadable("R_DATE_INVALID", format!("{days} days are too many")))?;
        self.instant(day.to_datetime(jiff::civil::Time::midnight()))
    }

    fn instant(&self, local: DateTime) -> Result<String, Unreadable> {
        let zoned = local.to_zoned(self.resolved.zone.clone());
        let zoned =
            zoned.map_err(|_| unreadable("W_DATE_INVALID", format!("{local} is no time")))?;
        let moment = zoned.timestamp();
        let whole = moment.round(jiff::Unit::Second).unwrap_or(moment);
        Ok(whole.to_string())
    }

    fn day_of_text(&self, step: &Step, text: &str) -> Result<Read<Option<Date>>, Unreadable> {
        let locale = self.policy.date_locale.as_deref();
        match step.kind {
            Kind::Birthday => value::date_of_birth(text, step.order, locale),
            _ => value::date(text, step.order, locale),
        }
    }

    fn moment_of_text(&self, step: &Step, text: &str) -> Result<Read<Option<String>>, Unreadable> {
        value::moment(text, step.order, &self.resolved.zone, self.policy.date_locale.as_deref())
    }
}

/// What a spreadsheet that counts days from 1900 means by a number. A number that may be a year, or a
/// date written without separators, is not taken for a count of days.
fn serial(number: f64) -> Option<DateTime> {
    let year = number.fract() == 0.0 && (1900.0..=2100.0).contains(&number);
    if year || !(1.0..=LAST_SERIAL).contains(&number) {
        return None;
    }
    // Day 60 is the 29 February 1900 that never was: counting starts a day earlier behind it.
    let epoch = if number < 60.0 {
        jiff::civil::date(1899, 12, 31)
    } else {
        jiff::civil::date(1899, 12, 30)
    };
    #[expect(clippy::cast_possible_truncation, reason = "it is between 1 and 2,958,465 days")]
    let (days, seconds) = (number.trunc() as i64, (number.fract() * 86_400.0).round() as i64);
    epoch.at(0, 0, 0, 0).checked_add(days.days().seconds(seconds)).ok()
}

fn from_serial(text: &str, moment: DateTime) -> Read<Option<DateTime>> {
    let message = format!("{text} is a spreadsheet's number for {}", moment.date());
    let notice = Notice { code: "W_DATE_SERIAL", message };
    Read { value: Some(moment), notices: vec![notice] }
}

fn no_date(value: bool) -> Unreadable {
    unreadable("W_DATE_INVALID", format!("`{value}` is no date"))
}

pub(super) fn unreadable(code: &'static str, message: String) -> Unreadable {
    Unreadable { code, message }
}

trait Map<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Read<Option<U>>;
}

impl<T> Map<T> for Read<Option<T>> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Read<Option<U>> {
        Read { value: self.value.map(change), notices: self.notices }
    }
}
