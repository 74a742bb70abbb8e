//! Masks the values of one column.

use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::mask_rule::MaskMethod;
use crate::run::MaskKey;

/// How many characters of a text stay.
const KEPT: usize = 4;

/// The masked values; `None` if the column is left out.
///
/// # Panics
/// If the method does not fit the column, or there is no key for a hash: rules are checked before they are used.
pub(super) fn mask_array(
    array: &ArrayRef,
    method: MaskMethod,
    key: Option<&MaskKey>,
) -> Option<ArrayRef> {
    let key = || key.expect("rules that hash have a key");
    Some(match method {
        MaskMethod::Drop => return None,
        MaskMethod::Hash => map_texts(array, |text| Some(key().hash_text(&normalize_text(text)))),
        MaskMethod::Last4 => map_texts(array, last_characters),
        MaskMethod::Domain => map_texts(array, domain),
        MaskMethod::Year => years(array),
    })
}

/// Applies a mask to every text. What is no text is masked as the text of its number.
fn map_texts(array: &ArrayRef, mask: impl Fn(&str) -> Option<String>) -> ArrayRef {
    if let DataType::List(_) = array.data_type() {
        return map_items(array, mask);
    }
    let mut masked = StringBuilder::new();
    for row in 0..array.len() {
        let text = if array.is_null(row) { None } else { mask(&text_of_cell(array, row)) };
        masked.append_option(text);
    }
    Arc::new(masked.finish())
}

/// Applies a mask to every item of lists of texts.
fn map_items(array: &ArrayRef, mask: impl Fn(&str) -> Option<String>) -> ArrayRef {
    let lists = array.as_list::<i32>();
    let mut masked = ListBuilder::new(StringBuilder::new());
    for row in 0..lists.len() {
        let is_valid = lists.is_valid(row);
        if is_valid {
            let items = lists.value(row);
            let items = items.as_string::<i32>();
            for item in 0..items.len() {
                let text = if items.is_null(item) { None } else { mask(items.value(item)) };
                masked.values().append_option(text);
            }
        }
        masked.append(is_valid);
    }
    Arc::new(masked.finish())
}

fn text_of_cell(array: &ArrayRef, row: usize) -> String {
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Date32 => array.as_primitive::<Date32Type>().value(row).to_string(),
        _ => array.as_primitive::<TimestampMillisecondType>().value(row).to_string(),
    }
}

/// E-mail addresses in any letter case are one person's.
fn normalize_text(text: &str) -> String {
    if text.contains('@') { text.trim().to_lowercase() } else { text.to_owned() }
}

/// The end of a text; nothing of one that has no more than that.
fn last_characters(text: &str) -> Option<String> {
    let text = text.trim();
    let count = text.chars().count();
    (count > KEPT).then(|| text.chars().skip(count - KEPT).collect())
}

fn domain(text: &str) -> Option<String> {
    let (_, domain) = text.rsplit_once('@')?;
    let domain = domain.trim().trim_end_matches('>').to_lowercase();
    // A domain has no blanks; what follows an `@` in a text may be anything.
    (!domain.is_empty() && !domain.contains(char::is_whitespace)).then_some(domain)
}

/// The years of days or instants, in UTC.
fn years(array: &ArrayRef) -> ArrayRef {
    let mut years = Int64Builder::new();
    for row in 0..array.len() {
        let instant = match array.data_type() {
            _ if array.is_null(row) => None,
            DataType::Date32 => {
                let day = i64::from(array.as_primitive::<Date32Type>().value(row));
                day.checked_mul(86_400).and_then(|second| jiff::Timestamp::from_second(second).ok())
            }
            _ => {
                let ms = array.as_primitive::<TimestampMillisecondType>().value(row);
                jiff::Timestamp::from_millisecond(ms).ok()
            }
        };
        let year = |instant: jiff::Timestamp| instant.to_zoned(jiff::tz::TimeZone::UTC).year();
        years.append_option(instant.map(|instant| i64::from(year(instant))));
    }
    Arc::new(years.finish())
}

#[cfg(test)]
mod tests {
    use arrow_array::{Date32Array, StringArray};

    use super::*;

    #[test]
    fn texts_are_shortened_and_short_ones_left_out() {
        let texts: ArrayRef =
            Arc::new(StringArray::from(vec![Some("+12025550143"), Some("0143"), Some(""), None]));
        let last = mask_array(&texts, MaskMethod::Last4, None).unwrap();
        let last: Vec<_> = last.as_string::<i32>().iter().collect();
        assert_eq!(last, [Some("0143"), None, None, None]);
        assert!(mask_array(&texts, MaskMethod::Drop, None).is_none());
    }

    #[test]
    fn a_domain_is_that_of_the_address() {
        for (text, expected) in [
            ("Ada@Example.COM", Some("example.com")),
            ("Ada <ada@example.com>", Some("example.com")),
            ("no address", None),
            ("ada@", None),
            ("call @ noon today", None),
        ] {
            assert_eq!(domain(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_year_is_that_of_the_day() {
        let days: ArrayRef = Arc::new(Date32Array::from(vec![Some(0), Some(-1), None]));
        let years = mask_array(&days, MaskMethod::Year, None).unwrap();
        let years: Vec<_> = years.as_primitive::<Int64Type>().iter().collect();
        assert_eq!(years, [Some(1970), Some(1969), None]);
    }
}
