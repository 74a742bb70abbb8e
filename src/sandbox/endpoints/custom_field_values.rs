//! Custom-field values: which values a write may contain, and their effect.
//!
//! The rules were measured by others on the live service and follow no pattern: what removes a
//! value depends on the type, some shapes are refused, and others are answered 200 and ignored.

use serde_json::{Value, json};

use crate::sandbox::http::response::EndpointError;
use crate::sandbox::store::contact::SearchRow;
use crate::sandbox::store::location_metadata::LocationMetadata;
use crate::sandbox::text;

/// The effect of a value on the existing one.
enum CustomValueEffect {
    Set(Value),
    Remove,
    Ignore,
}

/// Validates the shape of the list; the values are checked against the types when they are applied.
pub(crate) fn validate_list_shape(value: &Value, v3: bool, wrong: &mut Vec<String>) {
    let Some(fields) = value.as_array() else {
        wrong.push("customFields must be an array".to_owned());
        return;
    };
    for (number, field) in fields.iter().enumerate() {
        let Some(field) = field.as_object() else {
            wrong.push(format!("customFields.{number} must be an object"));
            continue;
        };
        for key in field.keys() {
            let known = ["id", "key", "field_value", "value"].contains(&key.as_str());
            if !(known || v3 && key == "fieldValue") {
                wrong.push(format!("customFields.{number}.property {key} should not exist"));
            }
        }
        let named = ["id", "key"].iter().any(|key| field.get(*key).is_some_and(Value::is_string));
        if !named {
            wrong.push(format!("customFields.{number}.id must be a string"));
        }
    }
}

/// Merges the values into a row, field by field; other fields stay unchanged.
pub(crate) fn merge_values(
    fields: &Value,
    row: &mut SearchRow,
    metadata: &LocationMetadata,
    strict: bool,
) -> Result<(), EndpointError> {
    let mut values = row.get("customFields").and_then(Value::as_array).cloned().unwrap_or_default();
    for field in fields.as_array().into_iter().flatten() {
        let text = |key: &str| field.get(key).and_then(Value::as_str);
        let Some(definition) = metadata.contact_field(text("id"), text("key")) else {
            if strict {
                let name = text("id").or(text("key")).unwrap_or_default();
                return Err(EndpointError::bad_request(format!("Invalid custom field \"{name}\"")));
            }
            continue;
        };
        let spellings = ["fieldValue", "field_value", "value"];
        let value = spellings.iter().find_map(|key| field.get(*key));
        let Some(value) = value else { continue };
        let id = definition["id"].as_str().unwrap_or_default();
        let there = values.iter().position(|one| one["id"] == id);
        let now = there.map(|place| &values[place]["value"]);
        match value_effect(definition, value, now)? {
            CustomValueEffect::Ignore => {}
            CustomValueEffect::Remove => {
                if let Some(place) = there {
                    values.remove(place);
                }
            }
            CustomValueEffect::Set(value) => {
                let value = json!({ "id": id, "value": value });
                match there {
                    Some(place) => values[place] = value,
                    None => values.push(value),
                }
            }
        }
    }
    row.insert("customFields".to_owned(), values.into());
    Ok(())
}

fn value_effect(
    definition: &Value,
    value: &Value,
    now: Option<&Value>,
) -> Result<CustomValueEffect, EndpointError> {
    let kind = definition["dataType"].as_str().unwrap_or_default();
    if value.is_null() {
        return Ok(CustomValueEffect::Remove);
    }
    if value == "" {
        // Measured: a date ignores an empty string and needs null.
        return Ok(if kind == "DATE" {
            CustomValueEffect::Ignore
        } else {
            CustomValueEffect::Remove
        });
    }
    let wrong = || {
        let id = definition["id"].as_str().unwrap_or_default();
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        EndpointError::bad_request(format!("Invalid Custom Field Value \"{shown}\" for \"{id}\""))
    };
    let set =
        |fits: bool| if fits { Ok(CustomValueEffect::Set(value.clone())) } else { Err(wrong()) };
    match kind {
        "NUMERICAL" | "FLOAT" | "MONETORY" => set(value.is_number()),
        "MULTIPLE_OPTIONS" | "CHECKBOX" => {
            set(value.as_array().is_some_and(|list| list.iter().all(Value::is_string)))
        }
        "DATE" => match normalize_date(value) {
            Some(day) => Ok(CustomValueEffect::Set(day.into())),
            None => Err(wrong()),
        },
        "TEXTBOX_LIST" => Ok(merge_textboxes(value, now)),
        "FILE_UPLOAD" | "SIGNATURE" if value.is_object() => {
            Ok(CustomValueEffect::Set(value.clone()))
        }
        "FILE_UPLOAD" | "SIGNATURE" => Ok(CustomValueEffect::Ignore),
        // Options too: the service accepts any string for them.
        _ => set(value.is_string()),
    }
}

/// A date as it is read back; the time of day is cut off.
fn normalize_date(value: &Value) -> Option<String> {
    let milliseconds = match value {
        Value::Number(number) => number.as_i64()?,
        Value::String(text) => text::parse_datetime(text)?,
        _ => return None,
    };
    text::format_iso(milliseconds).get(..10).map(str::to_owned)
}

/// Text box lists accept only boxes that already exist; the API cannot create the first ones.
fn merge_textboxes(value: &Value, now: Option<&Value>) -> CustomValueEffect {
    let (Some(changes), Some(now)) = (value.as_object(), now.and_then(Value::as_object)) else {
        return CustomValueEffect::Ignore;
    };
    let mut merged = now.clone();
    for (key, value) in changes {
        if let Some(place) = merged.get_mut(key) {
            *place = value.clone();
        }
    }
    CustomValueEffect::Set(Value::Object(merged))
}
