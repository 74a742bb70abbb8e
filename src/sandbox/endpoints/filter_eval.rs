//! Evaluates one condition of a search on one value, and validates the condition's value.
//!
//! Strings are compared case-insensitively, lists by their elements, times as numbers. Null, empty
//! and absent values are the same.

use serde_json::Value;

use super::filter_field::{FilterField, FilterOperator};
use crate::sandbox::http::response::EndpointError;
use crate::sandbox::store::contact::SearchRow;
use crate::sandbox::text::parse_datetime;

const LONGEST_VALUE: usize = 75;

/// Refuses a value that its operator does not accept; `numeric` refuses dates given as strings.
pub(crate) fn validate_value(
    name: &str,
    operator: FilterOperator,
    value: &Value,
    numeric: bool,
) -> Result<(), EndpointError> {
    let wrong = |operator: &str| {
        Err(EndpointError::unprocessable(format!(
            "Invalid value for '{operator}' operator for '{name}' field"
        )))
    };
    match operator {
        FilterOperator::Exists | FilterOperator::NotExists if !value.is_null() => wrong("exists"),
        FilterOperator::Nested if !value.is_array() => wrong("nested"),
        FilterOperator::Exists | FilterOperator::NotExists | FilterOperator::Nested => Ok(()),
        FilterOperator::Range => {
            let Some(bounds) = value.as_object().filter(|bounds| !bounds.is_empty()) else {
                return wrong("range");
            };
            let known = |key: &String| ["gt", "gte", "lt", "lte"].contains(&key.as_str());
            let fits = |bound: &Value| match bound {
                Value::Number(_) => true,
                Value::String(text) => !numeric && parse_datetime(text).is_some(),
                _ => false,
            };
            if bounds.keys().all(known) && bounds.values().all(fits) {
                Ok(())
            } else {
                wrong("range")
            }
        }
        _ if value.is_null() || value.is_object() => wrong("eq"),
        _ if value.as_str().is_some_and(|text| text.chars().count() > LONGEST_VALUE) => Err(
            EndpointError::unprocessable("value must be shorter than or equal to 75 characters"),
        ),
        _ => Ok(()),
    }
}

pub(crate) fn find_value<'r>(field: &FilterField, row: &'r SearchRow) -> Option<&'r Value> {
    let found = match field {
        FilterField::Row(path) => {
            let (first, rest) = path.split_first()?;
            rest.iter().try_fold(row.get(first)?, |value, key| value.get(key))
        }
        FilterField::Custom(id, part) => {
            let fields = row.get("customFields")?.as_array()?;
            let value = fields.iter().find(|one| one["id"] == **id)?.get("value");
            match part {
                None => value,
                Some(part) => value?.get(part),
            }
        }
    };
    found.filter(|value| !is_blank(value))
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

pub(crate) fn evaluate_condition(
    found: Option<&Value>,
    operator: FilterOperator,
    wanted: &Value,
) -> bool {
    match operator {
        FilterOperator::Exists => found.is_some(),
        FilterOperator::NotExists => found.is_none(),
        FilterOperator::Eq => found.is_some_and(|found| matches_equal(found, wanted)),
        FilterOperator::NotEq => !found.is_some_and(|found| matches_equal(found, wanted)),
        FilterOperator::Contains => found.is_some_and(|found| matches_contains(found, wanted)),
        FilterOperator::NotContains => !found.is_some_and(|found| matches_contains(found, wanted)),
        FilterOperator::Nested => matches_nested(found, wanted),
        FilterOperator::Range => false,
    }
}

fn values_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::String(left), Value::String(right)) => left.to_lowercase() == right.to_lowercase(),
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        // Forms send booleans and numbers as strings.
        (Value::Bool(_) | Value::Number(_), Value::String(text)) => {
            serde_json::from_str::<Value>(text).is_ok_and(|right| *left == right)
        }
        _ => left == right,
    }
}

fn matches_equal(found: &Value, wanted: &Value) -> bool {
    match (found.as_array(), wanted.as_array()) {
        (Some(found), Some(wanted)) => {
            wanted.iter().all(|one| found.iter().any(|item| values_equal(item, one)))
        }
        (Some(found), None) => found.iter().any(|item| values_equal(item, wanted)),
        (None, Some(wanted)) => wanted.iter().any(|one| values_equal(found, one)),
        (None, None) => values_equal(found, wanted),
    }
}

fn matches_contains(found: &Value, wanted: &Value) -> bool {
    if let Some(wanted) = wanted.as_array() {
        return wanted.iter().any(|one| matches_contains(found, one));
    }
    match (found, wanted) {
        (Value::String(text), Value::String(part)) => {
            text.to_lowercase().contains(&part.to_lowercase())
        }
        _ => matches_equal(found, wanted),
    }
}

/// Whether one element of a list meets all conditions.
fn matches_nested(found: Option<&Value>, wanted: &Value) -> bool {
    let conditions = wanted.as_array().map(Vec::as_slice).unwrap_or_default();
    let fulfils = |item: &Value| {
        conditions.iter().all(|one| {
            let field = one["field"].as_str().unwrap_or_default();
            let operator = one["operator"].as_str().and_then(FilterOperator::parse);
            operator.is_some_and(|operator| {
                evaluate_condition(item.get(field), operator, &one["value"])
            })
        })
    };
    found.and_then(Value::as_array).is_some_and(|items| items.iter().any(fulfils))
}

pub(crate) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => parse_datetime(text).map(millis_to_f64),
        _ => value.as_f64(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "times in milliseconds are exact for 285,000 years")]
pub(crate) fn millis_to_f64(milliseconds: i64) -> f64 {
    milliseconds as f64
}

pub(crate) fn in_range(number: f64, bounds: &Value) -> bool {
    bounds.as_object().into_iter().flatten().all(|(key, bound)| {
        let Some(bound) = as_number(bound) else { return false };
        match key.as_str() {
            "gt" => number > bound,
            "gte" => number >= bound,
            "lt" => number < bound,
            _ => number <= bound,
        }
    })
}
