//! The values that the server stored instead of those that were sent.
//!
//! A value that the server reformats or drops never matches what was sent, although it was not
//! edited. So a change is reverted by comparing with what the server had after it was applied.

use serde_json::{Map, Value};

use crate::model::op::OpChange;
use crate::model::verify::PropertyMismatch;

/// The change with the values that the server stored.
#[must_use]
pub fn apply_server_values(mut change: OpChange, differences: &[PropertyMismatch]) -> OpChange {
    if let OpChange::Create { body }
    | OpChange::Upsert { body }
    | OpChange::Update { body }
    | OpChange::CreateNote { body }
    | OpChange::UpdateNote { body, .. }
    | OpChange::CreateTask { body }
    | OpChange::UpdateTask { body, .. } = &mut change
    {
        for difference in differences {
            replace_sent_value(body, &difference.field, &difference.got);
        }
    }
    change
}

/// Replaces a value that was sent. Tags and channels stay as they were sent: the server adds some
/// by itself.
fn replace_sent_value(body: &mut Map<String, Value>, field: &str, got: &Value) {
    if let Some(id) = field.strip_prefix("customFields.") {
        let entries = body.get_mut("customFields").and_then(Value::as_array_mut);
        for entry in entries.into_iter().flatten().filter(|entry| entry["id"] == id) {
            for key in ["field_value", "fieldValue"] {
                if entry.get(key).is_some() {
                    entry[key] = got.clone();
                }
            }
        }
    } else if field != "tags"
        && let Some(value) = body.get_mut(field)
    {
        *value = got.clone();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn differences(all: &[(&str, Value)]) -> Vec<PropertyMismatch> {
        let one = |(field, got): &(&str, Value)| PropertyMismatch {
            field: (*field).to_owned(),
            sent: Value::Null,
            got: got.clone(),
        };
        all.iter().map(one).collect()
    }

    #[test]
    fn a_change_is_what_the_server_made_of_it() {
        let sent = json!({
            "city": "rome", "tags": ["a"], "dnd": true,
            "customFields": [{"id": "x", "field_value": "1"}, {"id": "y", "field_value": "2"}],
        });
        let got = [
            ("city", json!("Rome")),
            ("customFields.y", json!("2.00")),
            ("tags", json!(["a", "b"])),
            ("state", json!("RM")),
            ("dndSettings.Email", json!({"status": "active"})),
        ];
        let taken = json!({
            "city": "Rome", "tags": ["a"], "dnd": true,
            "customFields": [{"id": "x", "field_value": "1"}, {"id": "y", "field_value": "2.00"}],
        });
        let change =
            apply_server_values(OpChange::Update { body: body(&sent) }, &differences(&got));
        assert_eq!(change, OpChange::Update { body: body(&taken) });
        let note = OpChange::CreateNote { body: body(&json!({"body": "a\r\nb"})) };
        let change = apply_server_values(note, &differences(&[("body", json!("a b"))]));
        assert_eq!(change, OpChange::CreateNote { body: body(&json!({"body": "a b"})) });
        assert_eq!(apply_server_values(OpChange::Delete, &differences(&got)), OpChange::Delete);
    }
}
