//! The shape of a date: what its numbers and words can mean, before the order is decided.

use super::month::{self, DateWord};

/// A number in a date, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::value) struct DateNumber {
    /// Its value.
    pub(in crate::value) value: i16,
    /// How many digits it was written with.
    pub(in crate::value) digits: usize,
}

/// The possible meaning of a text as a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::value) enum DateShape {
    /// No date: empty, or a placeholder.
    Nothing,
    /// Three numbers, in the order written.
    Numbers([DateNumber; 3]),
    /// The month is a word: year, month, day.
    Named(DateNumber, i8, i16),
    /// Day and month only.
    NoYear,
    /// A spreadsheet's serial number for a day.
    Serial(i32),
    /// Not a date, with the reason.
    Invalid(String),
}

/// The serial numbers that spreadsheets use for the years 1927 to 2119.
const SERIALS: std::ops::Range<i32> = 10_000..80_400;

impl DateShape {
    /// The shape of a date without a time.
    pub(super) fn from_text(text: &str, locale: Option<&str>) -> Self {
        if text.is_empty() {
            return Self::Nothing;
        }
        if text.contains(['年', '년']) {
            let dashed = text.replace(['年', '月', '년', '월'], "-").replace(['日', '일', ' '], "");
            return numeric_shape(&dashed);
        }
        if text.contains(char::is_alphabetic) {
            named_month_shape(text, locale)
        } else {
            numeric_shape(text)
        }
    }
}

fn invalid_shape(why: &str) -> DateShape {
    DateShape::Invalid(why.to_owned())
}

fn parse_number(digits: &str) -> Option<DateNumber> {
    let value = if digits.len() <= 4 { digits.parse().ok()? } else { return None };
    Some(DateNumber { value, digits: digits.len() })
}

/// The shape of numbers with the same separator between them.
fn numeric_shape(text: &str) -> DateShape {
    let is_digit = |c: char| c.is_ascii_digit();
    // Address books write `--09-01` for a day without a year.
    let text = text.trim_start_matches("--").trim_end_matches(['.', ' ']);
    let parts: Vec<_> = text.split(|c| !is_digit(c)).filter(|part| !part.is_empty()).collect();
    let mut separators: Vec<_> =
        text.split(is_digit).filter(|part| !part.is_empty()).map(separator_char).collect();
    separators.dedup();
    if let [only] = parts[..] {
        return single_number_shape(only, text);
    }
    if !matches!(separators[..], [Some(_)]) || !text.starts_with(is_digit) {
        return invalid_shape("it is not written like a date");
    }
    match parts[..] {
        [a, b, c] => match (parse_number(a), parse_number(b), parse_number(c)) {
            (Some(a), Some(b), Some(c)) => three_number_shape([a, b, c]),
            _ => invalid_shape("a number in it is too long"),
        },
        [a, b] if a.len() <= 2 && b.len() <= 2 => DateShape::NoYear,
        [_, _] => invalid_shape("the day is missing"),
        _ => invalid_shape("it is not written like a date"),
    }
}

fn separator_char(text: &str) -> Option<char> {
    let trimmed = text.trim();
    match trimmed.chars().next() {
        None => Some(' '),
        Some(c @ ('/' | '-' | '.' | '_')) if trimmed.len() == 1 => Some(c),
        Some(_) => None,
    }
}

/// The shape of digits alone.
fn single_number_shape(digits: &str, text: &str) -> DateShape {
    if digits.len() == 8 && digits == text {
        return eight_digit_shape(digits);
    }
    let whole = text.strip_prefix(digits).is_some_and(str::is_empty);
    match digits.parse::<i32>() {
        Ok(serial) if whole && SERIALS.contains(&serial) => DateShape::Serial(serial),
        _ if whole && digits.len() == 4 => invalid_shape("it is only a year"),
        _ => invalid_shape("it is only a number"),
    }
}

/// The shape of eight digits: the year is first if that gives a plausible year, otherwise last.
fn eight_digit_shape(digits: &str) -> DateShape {
    let of = |range: std::ops::Range<usize>| parse_number(&digits[range]).expect("all are digits");
    let first = [of(0..4), of(4..6), of(6..8)];
    let last = [of(0..2), of(2..4), of(4..8)];
    let is_year = |number: DateNumber| (1800..2200).contains(&number.value) || number.value == 0;
    if is_year(first[0]) && (is_month(first[1]) || !is_year(last[2])) {
        three_number_shape(first)
    } else {
        three_number_shape(last)
    }
}

fn is_month(number: DateNumber) -> bool {
    number.value <= 12
}

fn three_number_shape(numbers: [DateNumber; 3]) -> DateShape {
    let [a, b, c] = numbers.map(|number| number.value);
    let is_zero_day = |year: i16, x: i16, y: i16| {
        // The first days of spreadsheets and of .NET, which empty cells turn into.
        (year == 1900 && x <= 1 && y <= 1 && x + y < 2)
            || (year == 1899 && (x.max(y) == 30 || x.max(y) == 31) && x.min(y) == 12)
            || (year == 1 && x == 1 && y == 1)
    };
    let has_year = |number: DateNumber| number.digits == 4;
    let is_filler = (a, b, c) == (0, 0, 0)
        || (has_year(numbers[0]) && is_zero_day(a, b, c))
        || (has_year(numbers[2]) && is_zero_day(c, a, b));
    if is_filler { DateShape::Nothing } else { DateShape::Numbers(numbers) }
}

/// The shape of a month by name, with a day and a year as numbers.
fn named_month_shape(text: &str, locale: Option<&str>) -> DateShape {
    let mut month = None;
    let is_letter = |c: char| c.is_alphabetic() && !matches!(c, 'º' | 'ª');
    for word in text.split(|c| !is_letter(c)).filter(|word| !word.is_empty()) {
        match (month::classify_word(word, locale), month) {
            (DateWord::Month(first), None) => month = Some(first),
            // `mar` can also mean Tuesday, as in `mar 3 mars`.
            (DateWord::Month(_), Some(_)) => return invalid_shape("it names two months"),
            (DateWord::Filler, _) => {}
            (DateWord::MonthIn(language), _) => {
                return DateShape::Invalid(format!(
                    "the month is not in English; set its language with `--date-locale {language}`"
                ));
            }
            (DateWord::Unknown, _) => {
                return invalid_shape("it contains a word that is not a month");
            }
        }
    }
    let Some(month) = month else { return invalid_shape("it has no month") };
    let numbers: Vec<_> =
        text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    let with_year = |year: &str, day: &str| match (parse_number(year), parse_number(day)) {
        (Some(year), Some(day)) => DateShape::Named(year, month, day.value),
        _ => invalid_shape("a number in it is too long"),
    };
    match numbers[..] {
        [year, day] if year.len() == 4 && day.len() <= 2 => with_year(year, day),
        [day, year] if day.len() <= 2 => with_year(year, day),
        [day] if day.len() <= 2 => DateShape::NoYear,
        [_] => invalid_shape("the day is missing"),
        _ => invalid_shape("it is not written like a date"),
    }
}
