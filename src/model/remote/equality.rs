//! When two values are equal for an import although they are spelled differently.
//!
//! The server lower-cases tags, writes dates with a time, turns epoch numbers into texts and back,
//! and may trim. A false difference would be sent again with every import; a false match would keep
//! a change from being sent. So each type of value has its own rule, and texts ignore only outer
//! blanks and line endings.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::model::target::Field;

/// Whether a value is null, an empty text or an empty list.
#[must_use]
pub fn is_null_or_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

/// Whether a note or task has this id.
#[must_use]
pub fn has_id(child: &Value, id: &str) -> bool {
    ["id", "_id"].iter().any(|key| child[*key] == id)
}

/// The id of a note or task; the task search writes `_id` (api.md §4).
#[must_use]
pub fn child_id(child: &Value) -> Option<&str> {
    ["id", "_id"].iter().find_map(|key| child[*key].as_str())
}

/// Whether two tags are equal: case and outer blanks do not count (api.md §5, tags).
#[must_use]
pub fn same_tag(one: &str, other: &str) -> bool {
    eq_ignore_case(one.trim(), other.trim())
}

/// The form in which tags are compared.
#[must_use]
pub fn tag_key(tag: &str) -> String {
    tag.trim().to_lowercase()
}

/// Whether two values of a native field are equal.
#[must_use]
pub fn same_field(field: Field, one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    match field {
        Field::Email | Field::Name | Field::Gender => eq_ignore_case(one.trim(), other.trim()),
        Field::Phone => same_phone(one, other),
        Field::DateOfBirth => match (leading_date(one), leading_date(other)) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        },
        _ => same_text(one, other),
    }
}

/// Whether two texts are equal except for outer blanks and line endings.
#[must_use]
pub fn same_text(one: &str, other: &str) -> bool {
    let lines = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
    let (one, other) = (one.trim(), other.trim());
    one == other || (one.contains('\r') || other.contains('\r')) && lines(one) == lines(other)
}

/// Whether two phone numbers have the same digits. A number without `+` equals one with `+` only if
/// it is written in full.
fn same_phone(one: &str, other: &str) -> bool {
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    let (one, other) = (digits(one), digits(other));
    !one.is_empty() && one == other
}

fn eq_ignore_case(one: &str, other: &str) -> bool {
    one == other
        || if one.is_ascii() && other.is_ascii() {
            one.eq_ignore_ascii_case(other)
        } else {
            one.to_lowercase() == other.to_lowercase()
        }
}

/// Whether two custom values are equal. `data_type` is the field's (`TEXT`, `DATE`, …); without it,
/// the values themselves determine the comparison.
#[must_use]
pub fn same_custom_value(data_type: Option<&str>, one: &Value, other: &Value) -> bool {
    if is_null_or_empty(one) || is_null_or_empty(other) {
        return is_null_or_empty(one) && is_null_or_empty(other);
    }
    match (data_type, one, other) {
        (_, Value::Array(one), Value::Array(other)) => same_value_set(one, other),
        // A single choice may be sent as a list of one item, and the other way round.
        (_, Value::Array(list), single) | (_, single, Value::Array(list)) => {
            matches!(list.as_slice(), [only] if same_custom_value(data_type, only, single))
        }
        (Some("DATE"), ..) => same_date(one, other),
        (Some("NUMERICAL" | "FLOAT" | "MONETORY"), ..) => same_number(one, other),
        (Some("TIME"), Value::String(one), Value::String(other)) => {
            same_text(one, other)
                || parse_epoch_millis(one).is_some()
                    && parse_epoch_millis(one) == parse_epoch_millis(other)
        }
        (_, Value::String(one), Value::String(other)) => {
            same_text(one, other) || data_type.is_none() && is_date_of_datetime(one, other)
        }
        (None, Value::String(text), Value::Number(_))
        | (None, Value::Number(_), Value::String(text))
            if leading_date(text).is_some() =>
        {
            same_date(one, other)
        }
        (_, Value::Number(_), _) | (_, _, Value::Number(_)) => same_number(one, other),
        _ => one == other,
    }
}

/// Whether one text is a plain day and the other the same day with a time.
fn is_date_of_datetime(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.len() == 10 && leading_date(text).is_some();
    (plain(one) || plain(other)) && leading_date(one) == leading_date(other)
}

fn same_value_set(one: &[Value], other: &[Value]) -> bool {
    let key = |value: &Value| match value {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    let sorted = |list: &[Value]| {
        let mut keys: Vec<String> = list.iter().map(key).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    };
    sorted(one) == sorted(other)
}

fn number_value(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

#[expect(clippy::float_cmp, reason = "the server returns exactly what was sent (api.md §5)")]
fn same_number(one: &Value, other: &Value) -> bool {
    match (number_value(one), number_value(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

fn date_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => leading_date(text).map(str::to_owned),
        Value::Number(number) => utc_date(number.as_i64()?).map(|day| day.to_string()),
        _ => None,
    }
}

fn same_date(one: &Value, other: &Value) -> bool {
    match (date_text(one), date_text(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

/// The day, in UTC, of an instant in milliseconds since 1970.
#[must_use]
pub fn utc_date(milliseconds: i64) -> Option<Date> {
    let time = Timestamp::from_millisecond(milliseconds).ok()?;
    Some(time.to_zoned(TimeZone::UTC).date())
}

/// The day at the beginning of a text: `YYYY-MM-DD`, alone or before a time.
#[must_use]
pub fn leading_date(text: &str) -> Option<&str> {
    let (day, rest) = text.split_at_checked(10)?;
    let shaped = day.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let ends = rest.is_empty() || rest.starts_with(['T', 't', ' ']);
    (shaped && ends).then_some(day)
}

/// The instant of a text, in milliseconds since 1970; a day is its midnight in UTC.
#[must_use]
pub fn parse_epoch_millis(text: &str) -> Option<i64> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_millisecond());
    }
    let day: Date = if text.len() == 10 { text.parse().ok()? } else { return None };
    let midnight = day.to_zoned(TimeZone::UTC).ok()?;
    Some(midnight.timestamp().as_millisecond())
}

/// The instant of a JSON value: a text, or milliseconds.
#[must_use]
pub fn value_epoch_millis(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => parse_epoch_millis(text),
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

/// A text without the mark-up that the server's editor adds and with single blanks, so that plain
/// text is recognised when it comes back as rich text (api.md §5, notes).
#[must_use]
pub fn strip_markup(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = markup_tag_length(rest);
        plain.push(if length.is_some() { ' ' } else { '<' });
        rest = &rest[length.unwrap_or(1)..];
    }
    plain.push_str(rest);
    let plain = unescape_html(plain);
    let mut words = String::with_capacity(plain.len());
    for word in plain.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words
}

/// The length of the tag at the beginning of a text, if it is one that editors write.
fn markup_tag_length(text: &str) -> Option<usize> {
    const NAMES: [&str; 22] = [
        "p",
        "br",
        "div",
        "span",
        "b",
        "i",
        "u",
        "s",
        "em",
        "strong",
        "a",
        "ul",
        "ol",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "blockquote",
        "pre",
        "code",
        "font",
    ];
    // Longer than any real tag: searching for its end must not scan the rest of the text each time.
    let end = text.bytes().take(2_000).position(|byte| byte == b'>')?;
    let inner = text[1..end].trim_start_matches('/');
    let name: &str = inner.split([' ', '/', '\n', '\t']).next().unwrap_or_default();
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)).then_some(end + 1)
}

fn unescape_html(text: String) -> String {
    if !text.contains('&') {
        return text;
    }
    let pairs = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'")];
    let text = pairs.iter().fold(text, |text, (from, to)| text.replace(from, to));
    text.replace("&amp;", "&")
}
