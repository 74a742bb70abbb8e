//! The type of a custom field to be created for a column: the narrowest that takes every value of the column.

use super::value_profile::ValueShape;
use crate::model::new_field::NewFieldType;
use crate::value::{parse_money, parse_number};

/// The most values that a pick list is expected to have.
const MOST_OPTIONS: usize = 20;
/// The longest option of a pick list, in characters.
const LONGEST_OPTION: usize = 40;
/// How often each option of a pick list occurs at least, on average.
const LEAST_REPEATED: usize = 3;
/// Longer texts than this, in characters, need a field for several lines.
const LONGEST_LINE: usize = 250;
/// The most digits that a number keeps.
const MOST_DIGITS: usize = 15;

/// What is known of a column's values. It does not grow with them.
#[derive(Debug, Default)]
pub(crate) struct FieldTypeProfile {
    filled: usize,
    dates: usize,
    phones: usize,
    /// Phone numbers that are written as such, and not only as digits.
    written_phones: usize,
    numbers: usize,
    amounts: usize,
    /// Amounts with a currency.
    written_amounts: usize,
    has_long_text: bool,
    /// The distinct values, while they may be the options of a pick list.
    options: Option<Vec<String>>,
}

impl FieldTypeProfile {
    /// Adds a value.
    pub(crate) fn add_value(&mut self, text: &str, decimal: Option<char>) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        if self.filled == 0 {
            self.options = Some(Vec::new());
        }
        self.filled += 1;
        self.add_option(text);
        if text.chars().count() > LONGEST_LINE || text.contains('\n') {
            self.has_long_text = true;
            return;
        }
        // A date field cuts off the time of day.
        let is_date = ValueShape::Date.matches_text(text) && !text.contains(':');
        let is_phone = ValueShape::Phone.matches_text(text);
        let is_written = is_phone && text.contains(['+', ' ', '-', '(', '/']);
        let is_number = !is_identifier(text) && parse_number(text, decimal).is_ok();
        let is_amount = !is_identifier(text) && parse_money(text, decimal).is_ok();
        self.dates += usize::from(is_date);
        self.phones += usize::from(is_phone);
        self.written_phones += usize::from(is_written);
        self.numbers += usize::from(is_number);
        self.amounts += usize::from(is_amount);
        self.written_amounts += usize::from(is_amount && !is_number);
    }

    fn add_option(&mut self, text: &str) {
        let Some(options) = &mut self.options else { return };
        if options.iter().any(|option| option == text) {
            return;
        }
        if options.len() == MOST_OPTIONS || text.chars().count() > LONGEST_OPTION {
            self.options = None;
        } else {
            options.push(text.to_owned());
        }
    }

    /// Whether there are no values.
    pub(crate) fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// The narrowest type that takes all values; text if there are none.
    pub(crate) fn propose_type(&self) -> NewFieldType {
        let all = |count: usize| self.filled > 0 && count == self.filled;
        if self.has_long_text {
            NewFieldType::LargeText
        } else if all(self.dates) {
            NewFieldType::Date
        } else if all(self.numbers) && self.written_phones == 0 {
            NewFieldType::Numerical
        } else if all(self.phones) && self.written_phones * 2 >= self.filled {
            NewFieldType::Phone
        } else if all(self.amounts) && self.written_amounts * 2 >= self.filled {
            NewFieldType::Monetory
        } else {
            NewFieldType::Text
        }
    }

    /// How many options the column would have as a pick list, if it looks like one.
    pub(crate) fn option_count(&self) -> Option<usize> {
        let options = self.options.as_ref()?.len();
        let is_repeated = options >= 2 && self.filled >= options * LEAST_REPEATED;
        (is_repeated && self.propose_type() == NewFieldType::Text).then_some(options)
    }
}

/// Whether a text has digits that a number would lose: leading zeros, or too many.
fn is_identifier(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let begins_with_zero =
        text.starts_with('0') && text.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    begins_with_zero || digits > MOST_DIGITS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(values: &[&str]) -> FieldTypeProfile {
        let mut profile = FieldTypeProfile::default();
        for value in values {
            profile.add_value(value, None);
        }
        profile
    }

    #[track_caller]
    fn check(values: &[&str], expected: NewFieldType) {
        assert_eq!(profile(values).propose_type(), expected, "{values:?}");
    }

    #[test]
    fn the_type_takes_every_value() {
        check(&["42", "43.5", " "], NewFieldType::Numerical);
        check(&["42", "43.5", "about 44"], NewFieldType::Text);
        check(&["2024-05-01", "2023-12-31"], NewFieldType::Date);
        check(&["2024-05-01", "2023-12-31 10:30"], NewFieldType::Text);
        check(&["+1 305 555 0101", "+13055550102"], NewFieldType::Phone);
        check(&["$1,200.50", "$7.00"], NewFieldType::Monetory);
        check(&["one\ntwo", "three"], NewFieldType::LargeText);
        check(&["red", "blue"], NewFieldType::Text);
        check(&[], NewFieldType::Text);
    }

    #[test]
    fn a_number_that_would_lose_digits_stays_text() {
        check(&["007", "042"], NewFieldType::Text);
        check(&["12345678901234567"], NewFieldType::Text);
        check(&["0", "0.5"], NewFieldType::Numerical);
    }

    #[test]
    fn a_few_repeated_words_look_like_a_pick_list() {
        let words = ["red", "blue", "red", "green", "blue", "red", "green", "red", "blue"];
        assert_eq!(profile(&words).option_count(), Some(3));
        assert_eq!(profile(&words[..5]).option_count(), None);
        assert_eq!(profile(&["1", "2", "1", "2", "1", "2"]).option_count(), None);
    }
}
