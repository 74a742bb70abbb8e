//! A spreadsheet's values as cells.

use calamine::{DataRef, ExcelDateTime};
use jiff::civil::{Date, DateTime};

use super::number_format;
use crate::sheet::row::{Cell, is_blank};

/// A value as a cell. `code` is its number format's.
pub(super) fn cell(value: DataRef<'_>, code: &str) -> Cell {
    match value {
        DataRef::Empty => Cell::Empty,
        DataRef::String(text) | DataRef::DurationIso(text) => of_text(text),
        DataRef::SharedString(text) => of_text(text.to_owned()),
        DataRef::DateTimeIso(text) => of_iso(text),
        DataRef::Bool(value) => Cell::Bool(value),
        DataRef::Error(error) => Cell::Error(error.to_string()),
        DataRef::DateTime(date) => of_date(date),
        DataRef::Int(value) => {
            // A spreadsheet's integers have 32 bits.
            #[expect(clippy::cast_precision_loss, reason = "a spreadsheet's numbers are doubles")]
            let value = value as f64;
            of_number(value, code)
        }
        DataRef::Float(value) => of_number(value, code),
    }
}

fn of_text(text: String) -> Cell {
    if is_blank(&text) { Cell::Empty } else { Cell::Text(text) }
}

fn of_number(value: f64, code: &str) -> Cell {
    // Zero has no sign for people.
    let value = if value == 0.0 { 0.0 } else { value };
    // Never with an exponent, and without `.0`.
    let text = number_format::padded(code, value).unwrap_or_else(|| value.to_string());
    Cell::Number(value, text)
}

fn of_iso(text: String) -> Cell {
    let date = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(DateTime::from));
    date.map_or_else(|_| of_text(text), Cell::Date)
}

fn of_date(date: ExcelDateTime) -> Cell {
    let number = || of_number(date.as_f64(), "");
    let (year, month, day, hour, minute, second, milli) = date.to_ymd_hms_milli();
    if date.is_duration() || date.as_f64() < 0.0 {
        return number();
    }
    // Less than a day after the epoch of 1900 is a time of day, and the date before it is none.
    if date.as_f64() < 1.0 && year <= 1900 {
        return Cell::Text(format!("{hour:02}:{minute:02}:{second:02}"));
    }
    let small = |value: u8| i8::try_from(value).unwrap_or(-1);
    let made = DateTime::new(
        i16::try_from(year).unwrap_or(-1),
        small(month),
        small(day),
        small(hour),
        small(minute),
        small(second),
        i32::from(milli) * 1_000_000,
    );
    // The spreadsheet's 29 February 1900 is no date.
    made.map_or_else(|_| number(), Cell::Date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use calamine::ExcelDateTimeType::{DateTime as Moment, TimeDelta};

    #[test]
    fn dates_come_from_their_value_in_either_epoch() {
        let cases = [
            (32907.0, false, "1990-02-03"),
            (31445.0, true, "1990-02-03"),
            (45943.5, false, "2025-10-13T12:00:00"),
            (0.395_833_333_333_333_3, false, "09:30:00"),
            (60.0, false, "60"),
            (-1.0, false, "-1"),
            (2_958_465.0, false, "9999-12-31"),
        ];
        for (value, is_1904, expected) in cases {
            let date = ExcelDateTime::new(value, Moment, is_1904);
            assert_eq!(cell(DataRef::DateTime(date), "").text(), expected, "{value}");
        }
        let span = ExcelDateTime::new(1.5, TimeDelta, false);
        assert_eq!(cell(DataRef::DateTime(span), "").text(), "1.5");
    }

    #[test]
    fn numbers_have_neither_exponents_nor_empty_fractions() {
        let cases = [
            (12_025_550_143.0, "12025550143"),
            (1.202_555_014_3e10, "12025550143"),
            (12.5, "12.5"),
            (0.1, "0.1"),
            (-0.0, "0"),
            (1e21, "1000000000000000000000"),
            (-1000.0, "-1000"),
        ];
        for (value, expected) in cases {
            assert_eq!(cell(DataRef::Float(value), "General").text(), expected);
        }
    }

    #[test]
    fn dates_in_words_are_dates() {
        for (text, expected) in
            [("1990-02-03", "1990-02-03"), ("1990-02-03T10:00:00", "1990-02-03T10:00:00")]
        {
            assert!(matches!(cell(DataRef::DateTimeIso(text.into()), ""), Cell::Date(_)));
            assert_eq!(cell(DataRef::DateTimeIso(text.into()), "").text(), expected);
        }
        assert_eq!(cell(DataRef::DateTimeIso("soon".into()), ""), Cell::Text("soon".into()));
    }
}
