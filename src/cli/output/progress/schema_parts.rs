//! What the schemas of events are made of.

use serde_json::{Map, Value, json};

use crate::event::VERSION;

pub(super) type NamedSchema = (&'static str, Value);

/// An event: its own fields, all of which are always there unless `optional` names them, and those
/// of every line.
pub(super) fn event_schema(
    name: &'static str,
    description: &str,
    fields: &Value,
    optional: &[&str],
) -> NamedSchema {
    let mut properties = common_properties(name);
    let mut required = vec!["v", "at", "event"];
    for (field, schema) in fields.as_object().into_iter().flatten() {
        properties.insert(field.clone(), schema.clone());
        if !optional.contains(&field.as_str()) {
            required.push(field);
        }
    }
    let object = json!({
        "type": "object",
        "description": description,
        "properties": properties,
        "required": required,
    });
    (name, object)
}

pub(super) fn common_properties(name: &str) -> Map<String, Value> {
    let location = "The location's id. Missing only before the location's run has begun, in a \
        command for a single location.";
    let fields = json!({
        "v": { "const": VERSION, "description": "The version of this form." },
        "at": { "type": "string", "format": "date-time", "description": "When the line was written, in UTC." },
        "location": string_schema(location),
        "event": { "const": name, "description": "The kind of event." },
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

pub(super) fn string_schema(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

pub(super) fn nullable_string_schema(description: &str) -> Value {
    json!({ "type": ["string", "null"], "description": description })
}

pub(super) fn count_schema(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

pub(super) fn count_map_schema(description: &str) -> Value {
    let each = json!({ "type": "integer", "minimum": 0 });
    json!({ "type": "object", "additionalProperties": each, "description": description })
}

/// The fields that not every file has.
pub(super) const OPTIONAL_OF_FILES: &[&str] = &["flat"];

pub(super) fn file_properties() -> Value {
    json!({
        "table": string_schema("The table, such as `contacts`."),
        "format": string_schema("The format's name, such as `parquet`."),
        "file": string_schema("The file's name in the output directory."),
        "rows": count_schema("Rows."),
        "bytes": count_schema("Size in bytes."),
        "sha256": string_schema("SHA-256 of the file, in lower-case hex."),
        "flat": { "type": "boolean", "description": "True if lists and JSON are strings of JSON text in it (`--jsonl flat`); missing otherwise." },
    })
}

pub(super) fn synced_properties() -> Value {
    let changes = |what: &str| {
        json!({
            "type": "object",
            "properties": {
                "added": count_schema("New ones, and deleted ones that came back."),
                "changed": count_schema("Those with another content."),
                "deleted": count_schema("Those of which the server has said that they no longer exist."),
            },
            "required": ["added", "changed", "deleted"],
            "description": format!("The changes among the {what}."),
        })
    };
    json!({
        "mirror": string_schema("The mirror's id. A mirror that was lost and made again has another one."),
        "seq": count_schema("The number of the sync."),
        "changed_seq": count_schema("The number of the last sync that changed anything: what has this number is up to date."),
        "requests": count_schema("Requests sent, retries included."),
        "contacts": changes("contacts"),
        "tasks": changes("tasks"),
        "notes": changes("notes"),
        "appointments": changes("appointments; missing unless `--with appointments` is given"),
        "businesses": changes("businesses; missing unless `--with businesses` is given"),
    })
}
