//! Compares what a drill has restored with the snapshot, field by field.
//!
//! It reads the texts of both sides and uses nothing of the restore that it checks, so that a mistake there shows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Native fields that are compared as texts, by their names in responses; the first that is there counts.
const FIELDS: [(&str, &[&str]); 14] = [
    ("firstName", &["firstNameRaw", "firstName"]),
    ("lastName", &["lastNameRaw", "lastName"]),
    ("email", &["email"]),
    ("phone", &["phone"]),
    ("companyName", &["companyName"]),
    ("address1", &["address1", "address"]),
    ("city", &["city"]),
    ("state", &["state"]),
    ("postalCode", &["postalCode"]),
    ("country", &["country"]),
    ("website", &["website"]),
    ("source", &["source"]),
    ("assignedTo", &["assignedTo"]),
    ("business", &["businessId"]),
];

/// The fields in which a restored contact differs from the snapshot's.
pub(super) fn differing_fields(snapshot: &Value, restored: &Value) -> Vec<String> {
    let mut differing = Vec::new();
    for (field, keys) in FIELDS {
        let (one, other) = (text_of(snapshot, keys), text_of(restored, keys));
        let is_same = match field {
            "email" => one.to_lowercase() == other.to_lowercase(),
            _ => one == other,
        };
        if !is_same {
            differing.push(field.to_owned());
        }
    }
    if birthday(snapshot) != birthday(restored) {
        differing.push("dateOfBirth".to_owned());
    }
    if tag_set(snapshot) != tag_set(restored) {
        differing.push("tags".to_owned());
    }
    if blocks(snapshot) != blocks(restored) {
        differing.push("dndSettings".to_owned());
    }
    let (one, other) = (custom_values(snapshot), custom_values(restored));
    let ids: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let changed = ids.into_iter().filter(|id| one.get(*id) != other.get(*id));
    differing.extend(changed.map(|id| format!("customFields.{id}")));
    differing
}

fn text_of(record: &Value, keys: &[&str]) -> String {
    let found = keys.iter().map(|key| plain_text(&record[*key])).find(|text| !text.is_empty());
    found.unwrap_or_default()
}

/// The day of birth, which is a text in some responses and a time in milliseconds in others.
fn birthday(contact: &Value) -> String {
    let text = text_of(contact, &["dateOfBirth"]);
    let time = text.parse().ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map_or_else(|| text.chars().take(10).collect(), |it| it.strftime("%Y-%m-%d").to_string())
}

fn plain_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.trim().replace("\r\n", "\n"),
        value => value.to_string(),
    }
}

fn tag_set(contact: &Value) -> BTreeSet<String> {
    let tags = contact["tags"].as_array().into_iter().flatten();
    tags.filter_map(|tag| Some(tag.as_str()?.trim().to_lowercase())).collect()
}

/// Whether everything is blocked, and the channels that are.
fn blocks(contact: &Value) -> (bool, BTreeSet<String>) {
    let channels = contact["dndSettings"].as_object().into_iter().flatten();
    let is_blocked = |state: &Value| {
        let status = state["status"].as_str().unwrap_or_default().to_lowercase();
        status == "active" || status == "permanent"
    };
    let blocked = channels.filter(|(_, state)| is_blocked(state));
    (contact["dnd"] == true, blocked.map(|(name, _)| name.to_lowercase()).collect())
}

/// The custom values that are not empty, as texts, by the ids of their fields.
fn custom_values(contact: &Value) -> BTreeMap<String, Vec<String>> {
    let entries = contact["customFields"].as_array().into_iter().flatten();
    let one = |entry: &Value| {
        let keys = ["value", "fieldValue", "field_value"];
        let value = keys.iter().map(|key| &entry[*key]).find(|value| !value.is_null())?;
        let mut texts: Vec<String> = match value {
            Value::Array(list) => list.iter().map(plain_text).collect(),
            value => vec![day_or_text(plain_text(value))],
        };
        texts.retain(|text| !text.is_empty());
        texts.sort_unstable();
        (!texts.is_empty()).then(|| Some((entry["id"].as_str()?.to_owned(), texts)))?
    };
    entries.filter_map(one).collect()
}

/// The day of a time, which is a text in some responses and a number of milliseconds in others; else the text as it is.
fn day_or_text(text: String) -> String {
    let time = text.parse().ok().filter(|ms: &i64| *ms > 100_000_000_000);
    let time = time.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let time = time.or_else(|| text.parse::<jiff::Timestamp>().ok());
    time.map_or(text, |time| time.strftime("%Y-%m-%d").to_string())
}

/// How many notes of the snapshot have no counterpart among the restored ones, whose texts may begin with their days.
pub(super) fn count_missing_notes(snapshot: &[Value], restored: &[Value]) -> u64 {
    let texts = restored.iter().map(|note| plain_text(&note["body"]));
    let mut left: Vec<String> = texts.collect();
    let mut missing = 0;
    for note in snapshot {
        let text = plain_text(&note["body"]);
        let is_it = |other: &String| {
            let undated = other.split_once("] ").filter(|_| other.starts_with('['));
            *other == text || undated.is_some_and(|(_, rest)| rest == text)
        };
        match left.iter().position(is_it) {
            Some(at) => drop(left.swap_remove(at)),
            // The API requires a text.
            None if text.is_empty() => {}
            None => missing += 1,
        }
    }
    missing + left.len() as u64
}

/// How many tasks of the snapshot have no counterpart among the restored ones.
pub(super) fn count_missing_tasks(snapshot: &[Value], restored: &[Value]) -> u64 {
    let key = |task: &Value| {
        let due = task["dueDate"].as_str().and_then(|due| due.parse::<jiff::Timestamp>().ok());
        let text = |key: &str| plain_text(&task[key]);
        (
            text("title"),
            text("body"),
            due.map(jiff::Timestamp::as_second),
            task["completed"] == true,
        )
    };
    let mut left: Vec<_> = restored.iter().map(key).collect();
    let mut missing = 0;
    for task in snapshot {
        let wanted = key(task);
        match left.iter().position(|other| *other == wanted) {
            Some(at) => drop(left.swap_remove(at)),
            None if wanted.0.is_empty() => {}
            None => missing += 1,
        }
    }
    missing + left.len() as u64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_of_difference_is_found_and_other_spellings_are_none() {
        let one = json!({"firstNameRaw": "Ada", "firstName": "ada", "email": "A@x.org", "tags": ["B", "a"],
            "dnd": true, "dndSettings": {"SMS": {"status": "active"}}, "dateOfBirth": "1990-01-02T00:00:00Z",
            "customFields": [{"id": "f", "value": ["y", "x"]}, {"id": "g", "value": ""}]});
        let same = json!({"firstName": "Ada", "email": "a@x.org", "tags": ["a", "b"], "dnd": true,
            "dndSettings": {"sms": {"status": "active"}}, "dateOfBirth": "1990-01-02",
            "customFields": [{"id": "f", "value": ["x", "y"]}]});
        assert_eq!(differing_fields(&one, &same), [""; 0]);
        for (key, value, field) in [
            ("firstName", json!("Eda"), "firstName"),
            ("tags", json!(["a"]), "tags"),
            ("dnd", json!(false), "dndSettings"),
            ("dateOfBirth", json!("1990-01-03"), "dateOfBirth"),
            ("customFields", json!([{"id": "f", "value": ["x"]}]), "customFields.f"),
        ] {
            let mut other = same.clone();
            other[key] = value;
            assert_eq!(differing_fields(&one, &other), [field]);
        }
    }

    #[test]
    fn notes_and_tasks_are_counted_with_their_repetitions() {
        let notes = [json!({"body": "call"}), json!({"body": "call"}), json!({"body": " "})];
        let restored = [json!({"body": "[2026-01-01] call"}), json!({"body": "call"})];
        assert_eq!(count_missing_notes(&notes, &restored), 0);
        assert_eq!(count_missing_notes(&notes, &restored[..1]), 1);
        assert_eq!(count_missing_notes(&notes[..1], &restored), 1);
        let task = json!({"title": "t", "dueDate": "2026-01-01T00:00:00.123Z", "completed": false});
        let same = json!({"title": "t", "dueDate": "2026-01-01T00:00:00Z", "completed": false, "body": ""});
        assert_eq!(count_missing_tasks(std::slice::from_ref(&task), &[same]), 0);
        assert_eq!(count_missing_tasks(&[task], &[]), 1);
    }
}
