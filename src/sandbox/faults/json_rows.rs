//! The records in a JSON answer: those of its list, or the one that it is about.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::sandbox::http::response::SandboxResponse;

/// Stands for text that JSON cannot hold, until the answer is bytes.
const MARK: &str = "\u{1}mark";
const WRITTEN_MARK: &[u8] = b"\\u0001mark";

/// The answer as a JSON object, if it is one.
pub(super) fn parse_body(answer: &SandboxResponse) -> Option<Map<String, Value>> {
    serde_json::from_slice(&answer.body).ok()
}

/// The list of records in a response.
pub(super) fn find_rows(body: &mut Map<String, Value>) -> Option<&mut Vec<Value>> {
    body.values_mut().find_map(Value::as_array_mut)
}

/// The key of the list of records.
pub(super) fn find_list_key(body: &Map<String, Value>) -> Option<String> {
    body.iter().find(|(_, value)| value.is_array()).map(|(key, _)| key.clone())
}

/// The records of an answer: of its list, or the single one.
pub(super) fn find_records(body: &mut Map<String, Value>) -> Vec<&mut Map<String, Value>> {
    let list = body.values().any(Value::is_array);
    let records: Vec<&mut Value> = if list {
        find_rows(body).into_iter().flatten().collect()
    } else {
        body.values_mut().find(|value| value.is_object()).into_iter().collect()
    };
    records.into_iter().filter_map(Value::as_object_mut).collect()
}

/// The id of a record, under either of its names.
pub(super) fn record_id(record: &Map<String, Value>) -> Option<&str> {
    record.get("id").or_else(|| record.get("_id")).and_then(Value::as_str)
}

pub(super) fn row_id(row: &Value) -> Option<&str> {
    row.as_object().and_then(record_id)
}

/// A place in a JSON text for bytes that are put there by [`fill_mark`].
pub(super) fn mark_text() -> &'static str {
    MARK
}

/// Replaces the mark in a JSON text; with `unquote` the quotes around it too.
pub(super) fn fill_mark(json: &[u8], bytes: &[u8], unquote: bool) -> Bytes {
    let found = json.windows(WRITTEN_MARK.len()).position(|part| part == WRITTEN_MARK);
    let Some(at) = found else { return json.to_vec().into() };
    let quotes = usize::from(unquote);
    let (before, after) = (&json[..at - quotes], &json[at + WRITTEN_MARK.len() + quotes..]);
    [before, bytes, after].concat().into()
}
