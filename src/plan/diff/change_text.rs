//! Values as text, in the form of an export's cells.

use serde_json::Value;

/// A list as one cell: `a; b`, or a JSON array if an element is ambiguous.
pub(crate) fn format_list<T: AsRef<str>>(values: &[T]) -> String {
    let odd = |value: &T| {
        let text = value.as_ref();
        text.contains(';') || text.starts_with('[') || text.trim() != text || text.is_empty()
    };
    let texts: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
    if values.iter().any(odd) { Value::from(texts).to_string() } else { texts.join("; ") }
}

/// Any value as one cell; null is an empty cell.
pub(crate) fn format_value(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or_else(String::new, |number| number.to_string())
        }
        Value::Array(values) => {
            let texts: Vec<String> = values.iter().map(format_value).collect();
            format_list(&texts)
        }
        other => other.to_string(),
    }
}
