//! Builds the text of an `extra` cell.
//!
//! It is one JSON object under the server's keys. Values are added as the text that the server
//! sent; the buffer is reused for every row.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::json_scan;

/// A JSON object under construction.
#[derive(Debug, Default)]
pub(super) struct ExtraBuilder {
    text: String,
}

impl ExtraBuilder {
    /// Adds a member; the value is JSON text.
    pub(super) fn push_member(&mut self, key: &str, raw: &str) {
        self.begin_member(key);
        self.text.push_str(raw);
    }

    /// Adds a member that is an array of these JSON texts, unless there are none.
    pub(super) fn push_array(&mut self, key: &str, raws: &[&str]) {
        for (index, raw) in raws.iter().enumerate() {
            if index == 0 {
                self.begin_member(key);
            }
            self.text.push(if index == 0 { '[' } else { ',' });
            self.text.push_str(raw);
        }
        if !raws.is_empty() {
            self.text.push(']');
        }
    }

    /// The complete object; `None` if it has no members.
    pub(super) fn finish_object(&mut self) -> Option<&str> {
        if self.text.is_empty() {
            return None;
        }
        self.text.push('}');
        Some(&self.text)
    }

    /// Resets the buffer for the next row.
    pub(super) fn clear(&mut self) {
        self.text.clear();
    }

    fn begin_member(&mut self, key: &str) {
        let first = self.text.is_empty();
        self.text.push(if first { '{' } else { ',' });
        let plain = |b: u8| b >= b' ' && b != b'"' && b != b'\\';
        if key.bytes().all(plain) {
            self.text.push('"');
            self.text.push_str(key);
            self.text.push('"');
        } else {
            self.text.push_str(&Value::from(key).to_string());
        }
        self.text.push(':');
    }
}

/// The members of an `extra` cell.
pub(super) fn parse_extra(text: Option<&str>) -> Map<String, Value> {
    let members = text.into_iter().flat_map(json_scan::object_members);
    members
        .map(|(key, raw)| {
            let key = json_scan::unescape_text(key).unwrap_or(Cow::Borrowed(key));
            (key.into_owned(), parse_json_or_text(raw))
        })
        .collect()
}

/// Parses JSON text, or returns the text itself if it cannot be represented.
pub(super) fn parse_json_or_text(raw: &str) -> Value {
    serde_json::from_str(raw).unwrap_or_else(|_| {
        let text = json_scan::decode_string(raw);
        Value::from(text.as_deref().unwrap_or(raw))
    })
}
