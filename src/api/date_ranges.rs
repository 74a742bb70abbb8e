//! The ranges of dates in a filter of the contact search: in milliseconds, or as text.
//!
//! Working clients send milliseconds; some send ISO 8601, and it is not documented which of them every server takes
//! (api.md §2.6). Ranges of numbers, such as those of custom fields, are left alone.

use serde_json::Value;

/// The fields of a contact that hold a date (api.md §2.7).
const DATE_FIELDS: [&str; 6] = [
    "dateAdded",
    "dateUpdated",
    "dateOfBirth",
    "lastAppointment",
    "lastEmailClickedDate",
    "lastEmailOpenedDate",
];

/// The fields that are compared with milliseconds, in filters of any depth.
pub(super) fn find_numeric_fields(filters: &[Value]) -> Vec<String> {
    let mut fields = Vec::new();
    for filter in filters {
        if let Some((field, bounds)) = date_range(filter) {
            if bounds.values().any(Value::is_number) {
                fields.push(field.to_owned());
            }
        } else if let Some(inner) = filter["filters"].as_array() {
            fields.extend(find_numeric_fields(inner));
        }
    }
    fields
}

/// The same filters, with the dates of ranges as text.
pub(super) fn with_dates_as_text(filters: &[Value]) -> Vec<Value> {
    filters.iter().cloned().map(write_dates_as_text).collect()
}

fn write_dates_as_text(mut filter: Value) -> Value {
    if date_range(&filter).is_some() {
        for bound in filter["value"].as_object_mut().into_iter().flat_map(|it| it.values_mut()) {
            let date = bound.as_i64().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
            if let Some(date) = date {
                *bound = format!("{date:.3}").into();
            }
        }
    } else if let Some(inner) = filter.get_mut("filters").and_then(Value::as_array_mut) {
        *inner = inner.drain(..).map(write_dates_as_text).collect();
    }
    filter
}

/// The field and the bounds of a filter that is a range of dates.
fn date_range(filter: &Value) -> Option<(&str, &serde_json::Map<String, Value>)> {
    let field = filter["field"].as_str().filter(|field| DATE_FIELDS.contains(field))?;
    let is_range = filter["operator"] == "range";
    filter["value"].as_object().filter(|_| is_range).map(|bounds| (field, bounds))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dates_become_text_at_any_depth_and_numbers_stay() {
        let range = |field: &str, value: Value| json!({"field": field, "operator": "range", "value": value});
        let number = range("customFields.a", json!({"gt": 12}));
        let filters = [
            json!({"group": "OR", "filters": [range("dateAdded", json!({"gte": 1_750_000_000_123_i64}))]}),
            number.clone(),
        ];
        assert_eq!(find_numeric_fields(&filters), ["dateAdded"]);
        let text = with_dates_as_text(&filters);
        let date = &text[0]["filters"][0]["value"]["gte"];
        assert_eq!((date, &text[1]), (&json!("2025-06-15T15:06:40.123Z"), &number));
        assert!(find_numeric_fields(&text).is_empty());
    }
}
