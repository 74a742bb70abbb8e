//! Reads dates and timestamps from texts, spreadsheet dates and their serial numbers.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use super::RowValidator;
use super::cleaned_value::CleanedValue;
use super::field_rule::FieldRule;
use super::value_type::TargetValueType;
use crate::choice::Choice;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::value::{self, ParsedValue};

/// The last day that spreadsheets support, 9999-12-31.
const LAST_SERIAL: f64 = 2_958_465.0;

impl RowValidator {
    /// Reads a value as a day; `None` for a placeholder.
    pub(super) fn read_date(
        &self,
        step: &FieldRule,
        value: CleanedValue,
    ) -> Result<ParsedValue<Option<Date>>, Diagnostic> {
        let read = match value {
            CleanedValue::Date(date) => ParsedValue::without_notices(Some(date.date())),
            CleanedValue::Number(number, text) => match datetime_from_serial(number) {
                Some(moment) => read_with_serial_notice(&text, moment).map_value(DateTime::date),
                None => return self.parse_date_text(step, &text),
            },
            CleanedValue::Bool(value) => return Err(not_a_date_error(value)),
            CleanedValue::Text(text) => return self.parse_date_text(step, &text),
        };
        match read.value {
            Some(day) if matches!(step.kind, TargetValueType::Birthday) && day > self.today => Err(
                Diagnostic::new(DiagnosticCode::W_DATE_FUTURE, format!("{day} is in the future")),
            ),
            _ => Ok(read),
        }
    }

    /// Reads a value as a timestamp in the API's form; `None` for a placeholder.
    pub(super) fn read_datetime(
        &self,
        step: &FieldRule,
        value: CleanedValue,
    ) -> Result<ParsedValue<Option<String>>, Diagnostic> {
        let read = match value {
            CleanedValue::Date(date) => ParsedValue::without_notices(Some(date)),
            CleanedValue::Number(number, text) => match datetime_from_serial(number) {
                Some(moment) => read_with_serial_notice(&text, moment),
                None => return self.parse_datetime_text(step, &text),
            },
            CleanedValue::Bool(value) => return Err(not_a_date_error(value)),
            CleanedValue::Text(text) => return self.parse_datetime_text(step, &text),
        };
        let mut notices = read.notices;
        let Some(local) = read.value else { return Ok(ParsedValue { value: None, notices }) };
        if local.time() == jiff::civil::Time::midnight() {
            let message = format!("{} has no time; midnight is used", local.date());
            notices.push(Diagnostic::new(DiagnosticCode::W_DUE_NO_TIME, message));
        }
        Ok(ParsedValue { value: Some(self.utc_timestamp(local)?), notices })
    }

    /// Midnight of the day this number of days from today.
    pub(super) fn midnight_days_from_today(&self, days: u32) -> Result<String, Diagnostic> {
        let day = self.today.checked_add(i64::from(days).days());
        let day = day.map_err(|_| {
            Diagnostic::new(DiagnosticCode::R_DATE_INVALID, format!("{days} days are too many"))
        })?;
        self.utc_timestamp(day.to_datetime(jiff::civil::Time::midnight()))
    }

    fn utc_timestamp(&self, local: DateTime) -> Result<String, Diagnostic> {
        let zoned = local.to_zoned(self.resolved.zone.clone());
        let zoned = zoned.map_err(|_| {
            Diagnostic::new(DiagnosticCode::W_DATE_INVALID, format!("{local} is not a valid time"))
        })?;
        let moment = zoned.timestamp();
        let whole = moment.round(jiff::Unit::Second).unwrap_or(moment);
        Ok(whole.to_string())
    }

    fn parse_date_text(
        &self,
        step: &FieldRule,
        text: &str,
    ) -> Result<ParsedValue<Option<Date>>, Diagnostic> {
        let locale = self.policy.date_locale.map(Choice::word);
        match step.kind {
            TargetValueType::Birthday => value::parse_date_of_birth(text, step.order, locale),
            _ => value::parse_date(text, step.order, locale),
        }
    }

    fn parse_datetime_text(
        &self,
        step: &FieldRule,
        text: &str,
    ) -> Result<ParsedValue<Option<String>>, Diagnostic> {
        value::parse_datetime(
            text,
            step.order,
            &self.resolved.zone,
            self.policy.date_locale.map(Choice::word),
        )
    }
}

/// Converts a serial number of a spreadsheet that counts days from 1900. A number that may be a year, or a date
/// without separators, is not treated as a count of days.
fn datetime_from_serial(number: f64) -> Option<DateTime> {
    let year = number.fract() == 0.0 && (1900.0..=2100.0).contains(&number);
    if year || !(1.0..=LAST_SERIAL).contains(&number) {
        return None;
    }
    // Day 60 is 29 February 1900, which never existed, so counting starts one day earlier after it.
    let epoch = if number < 60.0 {
        jiff::civil::date(1899, 12, 31)
    } else {
        jiff::civil::date(1899, 12, 30)
    };
    #[expect(clippy::cast_possible_truncation, reason = "it is between 1 and 2,958,465 days")]
    let (days, seconds) = (number.trunc() as i64, (number.fract() * 86_400.0).round() as i64);
    epoch.at(0, 0, 0, 0).checked_add(days.days().seconds(seconds)).ok()
}

fn read_with_serial_notice(text: &str, moment: DateTime) -> ParsedValue<Option<DateTime>> {
    let message = format!("{text} is a spreadsheet's number for {}", moment.date());
    let notice = Diagnostic::new(DiagnosticCode::W_DATE_SERIAL, message);
    ParsedValue { value: Some(moment), notices: vec![notice] }
}

fn not_a_date_error(value: bool) -> Diagnostic {
    Diagnostic::new(DiagnosticCode::W_DATE_INVALID, format!("`{value}` is not a date"))
}

trait OptionalReadExt<T> {
    fn map_value<U>(self, change: impl FnOnce(T) -> U) -> ParsedValue<Option<U>>;
}

impl<T> OptionalReadExt<T> for ParsedValue<Option<T>> {
    fn map_value<U>(self, change: impl FnOnce(T) -> U) -> ParsedValue<Option<U>> {
        ParsedValue { value: self.value.map(change), notices: self.notices }
    }
}
