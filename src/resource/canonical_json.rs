//! JSON values in one canonical form: keys in order, no absent members, numbers by value, sets without an order.
//!
//! Most values are written in it already and copied. What may be written in several ways, such as a text with escapes
//! or a number with a fraction, is parsed; both ways give the same text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::json_scan;

/// Values that nest deeper are parsed, because a parser has its own limit.
const PLAIN_DEPTH: usize = 8;
/// Most digits of a whole number that is copied.
const PLAIN_DIGITS: usize = 15;

/// Appends a value; `None` if it cannot be parsed, such as one that is nested too deeply.
pub(super) fn append_json(text: &mut String, raw: &str) -> Option<()> {
    append_or_parse(text, raw, |text| append_plain(text, raw, PLAIN_DEPTH), append_value)
}

/// Appends a list whose order says nothing, and another value as it is.
pub(super) fn append_json_set(text: &mut String, raw: &str) -> Option<()> {
    let append = |text: &mut String| append_plain_set(text, raw, PLAIN_DEPTH);
    append_or_parse(text, raw, append, |text, value| match value {
        Value::Array(list) => append_set(text, list),
        value => append_value(text, value),
    })
}

/// Appends custom fields as a set, and the chosen options of each as a set. A field without a value is an absent one.
pub(super) fn append_json_custom_fields(text: &mut String, raw: &str) -> Option<()> {
    let append = |text: &mut String| append_plain_custom_fields(text, raw);
    append_or_parse(text, raw, append, |text, value| match value {
        Value::Array(list) => append_custom_fields(text, list),
        value => append_value(text, value),
    })
}

fn append_or_parse(
    text: &mut String,
    raw: &str,
    append_plain: impl FnOnce(&mut String) -> bool,
    append_parsed: impl FnOnce(&mut String, &Value),
) -> Option<()> {
    let start = text.len();
    if !append_plain(text) {
        text.truncate(start);
        append_parsed(text, &serde_json::from_str(raw).ok()?);
    }
    Some(())
}

/// The members of a row by key, the last one of each key.
pub(super) fn sorted_members(row: &str) -> Vec<(&str, &str)> {
    let mut members: Vec<(&str, &str)> = json_scan::object_members(row).collect();
    members.sort_by_key(|(key, _)| *key);
    members.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            *earlier = *later;
        }
        same
    });
    members
}

/// Appends a value that is written canonically but for the order of its keys; false if it is not, after any part of it.
fn append_plain(text: &mut String, raw: &str, depth: usize) -> bool {
    match raw.as_bytes().first() {
        Some(b'[' | b'{') if depth == 0 => return false,
        Some(b'[') => {
            text.push('[');
            for element in json_scan::array_elements(raw) {
                if !append_plain(text, element, depth - 1) {
                    return false;
                }
                text.push(',');
            }
            text.push(']');
        }
        Some(b'{') => {
            let append = |text: &mut String, raw: &str| append_plain(text, raw, depth - 1);
            return append_plain_object(text, raw, append);
        }
        _ if is_plain_scalar(raw) => text.push_str(raw),
        _ => return false,
    }
    true
}

fn append_plain_object(
    text: &mut String,
    raw: &str,
    append_member: impl Fn(&mut String, &str) -> bool,
) -> bool {
    text.push('{');
    for (key, raw) in sorted_members(raw) {
        if !is_plain_text(key) {
            return false;
        }
        if raw == "null" {
            continue;
        }
        text.push('"');
        text.push_str(key);
        text.push_str("\":");
        if !append_member(text, raw) {
            return false;
        }
        text.push(',');
    }
    text.push('}');
    true
}

fn append_plain_set(text: &mut String, raw: &str, depth: usize) -> bool {
    if !raw.starts_with('[') {
        return append_plain(text, raw, depth);
    }
    append_plain_sorted(text, json_scan::array_elements(raw), |text, raw| {
        append_plain(text, raw, depth - 1)
    })
}

fn append_plain_custom_fields(text: &mut String, raw: &str) -> bool {
    if !raw.starts_with('[') {
        return append_plain(text, raw, PLAIN_DEPTH);
    }
    let has_value = |entry: &&str| {
        let mut members = sorted_members(entry).into_iter();
        members.any(|(key, raw)| key != "id" && raw != "null")
    };
    let entries = json_scan::array_elements(raw).filter(has_value);
    append_plain_sorted(text, entries, |text, entry| {
        append_plain_object(text, entry, |text, raw| append_plain_set(text, raw, PLAIN_DEPTH - 2))
    })
}

fn append_plain_sorted<'r>(
    text: &mut String,
    elements: impl Iterator<Item = &'r str>,
    append: impl Fn(&mut String, &str) -> bool,
) -> bool {
    let (mut all, mut ends) = (String::new(), Vec::new());
    for element in elements {
        if !append(&mut all, element) {
            return false;
        }
        ends.push(all.len());
    }
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let mut values: Vec<&str> = starts.zip(&ends).map(|(start, end)| &all[start..*end]).collect();
    values.sort_unstable();
    values.dedup();
    text.push('[');
    for (at, value) in values.into_iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(value);
    }
    text.push(']');
    true
}

/// Whether a text, a whole number, `true`, `false` or `null` is written as it is written canonically.
fn is_plain_scalar(raw: &str) -> bool {
    if let Some(inner) = json_scan::strip_quotes(raw) {
        return is_plain_text(inner);
    }
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    let is_whole = (1..=PLAIN_DIGITS).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    is_whole || matches!(raw, "0" | "true" | "false" | "null")
}

/// Whether a text has nothing that is escaped, or may be.
fn is_plain_text(inner: &str) -> bool {
    inner.bytes().all(|byte| byte >= b' ' && byte != b'\\' && byte != b'"')
}

fn append_value(text: &mut String, value: &Value) {
    match value {
        Value::Object(object) => append_object(text, object, append_value),
        Value::Array(list) => {
            text.push('[');
            for value in list {
                append_value(text, value);
                text.push(',');
            }
            text.push(']');
        }
        Value::Number(number) => append_number(text, number),
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

/// The members in the order of their keys, without those that are null.
fn append_object(
    text: &mut String,
    object: &Map<String, Value>,
    append_member: impl Fn(&mut String, &Value),
) {
    let members: BTreeMap<&String, &Value> =
        object.iter().filter(|(_, value)| !value.is_null()).collect();
    text.push('{');
    for (key, value) in members {
        let _ = write!(text, "{}:", Value::from(key.as_str()));
        append_member(text, value);
        text.push(',');
    }
    text.push('}');
}

/// A number by its value: `1`, `1.0` and `1e0` are one.
fn append_number(text: &mut String, number: &serde_json::Number) {
    /// Below this, every whole number is a double of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let _ = match number.as_f64().filter(|value| number.is_f64() && value.abs() < EXACT) {
        Some(value) if value.fract() == 0.0 => write!(text, "{}", value + 0.0),
        _ => write!(text, "{number}"),
    };
}

fn append_set(text: &mut String, list: &[Value]) {
    append_sorted(text, list, append_value);
}

fn append_sorted(text: &mut String, list: &[Value], append: impl Fn(&mut String, &Value)) {
    let mut values: Vec<String> = list
        .iter()
        .map(|value| {
            let mut one = String::new();
            append(&mut one, value);
            one
        })
        .collect();
    values.sort_unstable();
    values.dedup();
    let _ = write!(text, "[{}]", values.join(","));
}

/// The custom fields as a set, and the chosen options of each as a set. A field without a value is an absent one.
fn append_custom_fields(text: &mut String, list: &[Value]) {
    let has_value = |entry: &&Value| {
        let members = entry.as_object().into_iter().flatten();
        entry.is_object() && members.into_iter().any(|(key, value)| key != "id" && !value.is_null())
    };
    let with_value: Vec<Value> = list.iter().filter(has_value).cloned().collect();
    append_sorted(text, &with_value, |text, entry| match entry {
        Value::Object(object) => append_object(text, object, |text, value| match value {
            Value::Array(options) => append_set(text, options),
            value => append_value(text, value),
        }),
        other => append_value(text, other),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that the value is copied as it would be parsed.
    #[track_caller]
    fn check(raw: &str) {
        let value: Value = serde_json::from_str(raw).unwrap();
        let (mut one, mut other) = (String::new(), String::new());
        append_json(&mut one, raw).unwrap();
        append_value(&mut other, &value);
        assert_eq!(one, other, "{raw}");
        let Value::Array(list) = &value else { return };
        for (append, expected) in [
            (
                append_json_set as fn(&mut String, &str) -> Option<()>,
                append_set as fn(&mut String, &[Value]),
            ),
            (append_json_custom_fields, append_custom_fields),
        ] {
            let (mut one, mut other) = (String::new(), String::new());
            append(&mut one, raw).unwrap();
            expected(&mut other, list);
            assert_eq!(one, other, "{raw}");
        }
    }

    #[test]
    fn what_is_copied_is_what_would_be_parsed() {
        let scalars = [
            "0",
            "-0",
            "12",
            "-12",
            "1.0",
            "1e2",
            "0.5",
            "-0.0",
            "123456789012345",
            "12345678901234567890",
            "123456789012345678901234567890",
            "true",
            "false",
            "null",
            r#""""#,
            r#""a b""#,
            r#""\u00e9""#,
            r#""\/""#,
            r#""a\"b""#,
            "\"\u{7f}\u{e9}\u{1f600}\"",
            "[]",
            "{}",
            "[ ]",
            "{ }",
        ];
        for one in scalars {
            check(one);
            for other in scalars {
                check(&format!("[{one} , {other},{one}]"));
                check(&format!(r#"{{"b":{one}, "a" : {other},"id":1}}"#));
                check(&format!(r#"{{"a":{one},"a":{other}}}"#));
                check(&format!(r#"{{"\u0061":{one},"a":{other}}}"#));
                check(&format!(
                    r#"[{{"id":"f","value":{one}}},{{"value":[{other},{one}],"id":{one}}},{one}]"#
                ));
            }
        }
    }

    #[test]
    fn what_is_nested_is_what_would_be_parsed() {
        for depth in [1, PLAIN_DEPTH - 1, PLAIN_DEPTH, PLAIN_DEPTH + 1, 100] {
            check(&format!("{}1{}", "[".repeat(depth), "]".repeat(depth)));
            check(&format!("{}1{}", r#"[{"a":"#.repeat(depth / 2), "}]".repeat(depth / 2)));
        }
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        assert_eq!(append_json(&mut String::new(), &deep), None);
    }
}
