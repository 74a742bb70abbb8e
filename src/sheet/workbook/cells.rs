//! Converts a spreadsheet's values to cells.

use calamine::{DataRef, ExcelDateTime};
use jiff::civil::{Date, DateTime};

use super::number_format;
use crate::sheet::row::{SheetCell, is_blank_text};

/// Converts a value to a cell. `code` is that of its number format.
pub(super) fn convert_cell(value: DataRef<'_>, code: &str) -> SheetCell {
    match value {
        DataRef::Empty => SheetCell::Empty,
        DataRef::String(text) | DataRef::DurationIso(text) => text_cell(text),
        DataRef::SharedString(text) => text_cell(text.to_owned()),
        DataRef::DateTimeIso(text) => iso_date_cell(text),
        DataRef::Bool(value) => SheetCell::Bool(value),
        DataRef::Error(error) => SheetCell::Error(error.to_string()),
        DataRef::DateTime(date) => match date_cell(date) {
            SheetCell::Date(date) if number_format::says_utc(code) => {
                SheetCell::Text(format!("{date}Z"))
            }
            cell => cell,
        },
        DataRef::Int(value) => {
            // A spreadsheet's integers have 32 bits.
            #[expect(clippy::cast_precision_loss, reason = "a spreadsheet's numbers are doubles")]
            let value = value as f64;
            number_cell(value, code)
        }
        DataRef::Float(value) => number_cell(value, code),
    }
}

fn text_cell(text: String) -> SheetCell {
    if is_blank_text(&text) { SheetCell::Empty } else { SheetCell::Text(text) }
}

fn number_cell(value: f64, code: &str) -> SheetCell {
    // Zero is shown without a sign.
    let value = if value == 0.0 { 0.0 } else { value };
    // Never with an exponent, and without `.0`.
    let text = number_format::format_zero_padded(code, value).unwrap_or_else(|| value.to_string());
    SheetCell::Number(value, text)
}

fn iso_date_cell(text: String) -> SheetCell {
    let date = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(DateTime::from));
    date.map_or_else(|_| text_cell(text), SheetCell::Date)
}

fn date_cell(date: ExcelDateTime) -> SheetCell {
    let number = || number_cell(date.as_f64(), "");
    let (year, month, day, hour, minute, second, milli) = date.to_ymd_hms_milli();
    if date.is_duration() || date.as_f64() < 0.0 {
        return number();
    }
    // A value of less than one day after the epoch of 1900 is a time of day without a date.
    if date.as_f64() < 1.0 && year <= 1900 {
        return SheetCell::Text(format!("{hour:02}:{minute:02}:{second:02}"));
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
    // The 29 February 1900 of spreadsheets is not a date.
    made.map_or_else(|_| number(), SheetCell::Date)
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
            assert_eq!(convert_cell(DataRef::DateTime(date), "").to_text(), expected, "{value}");
        }
        let span = ExcelDateTime::new(1.5, TimeDelta, false);
        assert_eq!(convert_cell(DataRef::DateTime(span), "").to_text(), "1.5");
    }

    #[test]
    fn an_instant_whose_format_says_utc_keeps_its_zone() {
        let date = || DataRef::DateTime(ExcelDateTime::new(45943.5, Moment, false));
        let utc = convert_cell(date(), "yyyy-mm-dd hh:mm:ss\"Z\"");
        assert_eq!(utc.to_text(), "2025-10-13T12:00:00Z");
        let local = convert_cell(date(), "yyyy-mm-dd hh:mm:ss");
        assert_eq!(local.to_text(), "2025-10-13T12:00:00");
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
            assert_eq!(convert_cell(DataRef::Float(value), "General").to_text(), expected);
        }
    }

    #[test]
    fn dates_in_words_are_dates() {
        for (text, expected) in
            [("1990-02-03", "1990-02-03"), ("1990-02-03T10:00:00", "1990-02-03T10:00:00")]
        {
            assert!(matches!(
                convert_cell(DataRef::DateTimeIso(text.into()), ""),
                SheetCell::Date(_)
            ));
            assert_eq!(convert_cell(DataRef::DateTimeIso(text.into()), "").to_text(), expected);
        }
        assert_eq!(
            convert_cell(DataRef::DateTimeIso("soon".into()), ""),
            SheetCell::Text("soon".into())
        );
    }
}
