//! The tasks of a contact, and what lists and bodies of notes and tasks have in common.
//!
//! A task is stored as the JSON that is sent, and as its row in the location-wide search, which names
//! its fields differently.

use serde_json::{Map, Value, json};

use crate::sandbox::text::{format_iso, json_string};

/// One task.
#[derive(Debug)]
pub(crate) struct StoredTask {
    pub(crate) id: Box<str>,
    pub(crate) added: i64,
    pub(crate) json: Box<str>,
    /// The row of the task search, without its closing brace.
    pub(crate) found: Box<str>,
}

/// The names that a task's search row shows with the task.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskSearchNames<'a> {
    pub(crate) location: &'a str,
    pub(crate) first: &'a Value,
    pub(crate) last: &'a Value,
    /// The assigned user, as the search shows users.
    pub(crate) user: &'a Value,
}

impl StoredTask {
    /// Creates a task from its fields, as `GET /contacts/{id}/tasks` shows them.
    pub(crate) fn new(
        task: &Map<String, Value>,
        added: i64,
        updated: i64,
        names: TaskSearchNames<'_>,
    ) -> Self {
        let id = task.get("id").and_then(Value::as_str).unwrap_or_default();
        let field = |key: &str| task.get(key).cloned().unwrap_or(Value::Null);
        let done = task.get("completed").and_then(Value::as_bool).unwrap_or_default();
        let mut found = json!({
            "_id": id,
            "title": field("title"),
            "body": field("body"),
            "contactId": field("contactId"),
            "assignedTo": field("assignedTo"),
            "completed": done,
            "status": if done { "completed" } else { "incompleted" },
            "statusGroup": if done { "completed" } else { "to_do" },
            "deleted": false,
            "dueDate": field("dueDate"),
            "dateAdded": format_iso(added),
            "dateUpdated": format_iso(updated),
            "updatedAt": format_iso(updated),
            "locationId": names.location,
            "contactDetails": {
                "_id": field("contactId"), "firstName": names.first, "lastName": names.last,
            },
            "assignedToUserDetails": names.user,
        })
        .to_string();
        found.pop();
        let json = serde_json::to_string(task).expect("a task is JSON").into();
        Self { id: id.into(), added, json, found: found.into() }
    }

    /// The contact in its row of the search.
    pub(crate) fn shown_contact(&self) -> Option<String> {
        let row: Value = serde_json::from_str(&format!("{}}}", self.found)).ok()?;
        row["contactId"].as_str().map(str::to_owned)
    }

    /// A task that only the search shows, from its row there.
    pub(crate) fn from_search_row(row: &Map<String, Value>, id: &str, added: i64) -> Self {
        let mut found = serde_json::to_string(row).expect("a row is JSON");
        let json = found.clone().into();
        found.pop();
        Self { id: id.into(), added, json, found: found.into() }
    }

    /// The same task with other values in its row of the search.
    pub(crate) fn with_search_fields(mut self, changes: &Value) -> Self {
        let found = format!("{}}}", self.found);
        let mut row: Map<String, Value> =
            serde_json::from_str(&found).expect("a stored row was JSON when it was stored");
        row.extend(changes.as_object().cloned().unwrap_or_default());
        row.retain(|key, value| {
            !value.is_null() || !["contactId", "contactDetails"].contains(&key.as_str())
        });
        let mut found = serde_json::to_string(&row).expect("a row is JSON");
        found.pop();
        self.found = found.into();
        self
    }

    pub(crate) fn to_fields(&self) -> Map<String, Value> {
        serde_json::from_str(&self.json).expect("a task is a JSON object")
    }
}

/// A list of serialised records under a name, as the response to a request.
pub(crate) fn render_list<'a>(
    name: &str,
    records: impl Iterator<Item = &'a str>,
    trace: &str,
) -> String {
    let mut body = String::with_capacity(256);
    body.push_str("{\"");
    body.push_str(name);
    body.push_str("\":[");
    for (number, record) in records.enumerate() {
        if number > 0 {
            body.push(',');
        }
        body.push_str(record);
    }
    body.push_str("],\"traceId\":");
    body.push_str(&json_string(trace));
    body.push('}');
    body
}

/// Refuses properties other than `allowed`, and values of the wrong type.
///
/// The kinds are `s` for a string, `b` for a boolean and `t` for a time; an upper-case one is
/// required.
pub(crate) fn validate_fields(
    body: &Map<String, Value>,
    allowed: &[(&str, char)],
) -> Result<(), crate::sandbox::http::response::EndpointError> {
    let unknown = body.keys().filter(|key| !allowed.iter().any(|(name, _)| name == key));
    let mut wrong: Vec<String> =
        unknown.map(|key| format!("property {key} should not exist")).collect();
    for (name, kind) in allowed {
        let value = body.get(*name);
        if value.is_none() && kind.is_lowercase() {
            continue;
        }
        let text = value.and_then(Value::as_str);
        match kind.to_ascii_lowercase() {
            's' if text.is_none() => wrong.push(format!("{name} must be a string")),
            's' if kind.is_uppercase() && text == Some("") => {
                wrong.push(format!("{name} should not be empty"));
            }
            'b' if !value.is_some_and(Value::is_boolean) => {
                wrong.push(format!("{name} must be a boolean value"));
            }
            't' if text.and_then(crate::sandbox::text::parse_datetime).is_none() => {
                wrong.push(format!("{name} must be a valid ISO 8601 date string"));
            }
            _ => {}
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(crate::sandbox::http::response::EndpointError::validation_failed(wrong))
    }
}
