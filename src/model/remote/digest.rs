//! The digest of a remote contact: a short hash of everything that a plan depends on.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{RemoteContact, equality};
use crate::model::target::Field;

impl RemoteContact {
    /// A short hash that changes when anything changes that a plan for this contact depends on, and
    /// that is the same for every form in which the contact was read. What the forms spell
    /// differently or omit (display name, gender, case of names) is left out.
    #[must_use]
    pub fn content_digest(&self) -> String {
        let mut text = String::with_capacity(512);
        text.push_str(self.id.as_str());
        for (field, value) in &self.fields {
            let value = match field {
                Field::Name | Field::Gender => continue,
                // Some responses have these in lower case (api.md §3.6).
                Field::FirstName | Field::LastName | Field::Email => &value.to_lowercase(),
                _ => value,
            };
            append_part(&mut text, field.name(), value);
        }
        for (id, value) in &self.custom {
            append_part(&mut text, id, &custom_value_text(value));
        }
        append_list(&mut text, "tags", &self.tags);
        append_list(&mut text, "additionalEmails", &self.additional_emails);
        for (channel, state) in &self.channels {
            append_part(&mut text, channel.name(), &state.status.to_lowercase());
        }
        append_part(&mut text, "dnd", if self.dnd { "true" } else { "false" });
        append_part(&mut text, "assignedTo", self.owner.as_deref().unwrap_or_default());
        append_part(&mut text, "businessId", self.business.as_deref().unwrap_or_default());
        short_hash(&text)
    }
}

/// The first 16 bytes of a text's SHA-256, in lower-case hex.
pub(crate) fn short_hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let digits = digest.iter().take(16).flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
}

/// Each part has its length in front, so that no two contacts produce the same text.
fn append_part(text: &mut String, name: &str, value: &str) {
    let _ = write!(text, "\n{name}:{}:{value}", value.len());
}

fn append_list(text: &mut String, name: &str, values: &[String]) {
    let mut keys: Vec<String> = values.iter().map(|value| equality::tag_key(value)).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        append_part(text, name, &key);
    }
}

fn custom_value_text(value: &Value) -> String {
    match value {
        // A day with a time of day is the same day.
        Value::String(text) => equality::leading_date(text).unwrap_or(text).to_owned(),
        Value::Number(number) => number.as_f64().map_or_else(String::new, |n| n.to_string()),
        Value::Array(values) => {
            let mut keys: Vec<String> = values.iter().map(custom_value_text).collect();
            keys.sort_unstable();
            keys.join("\u{1f}")
        }
        other => other.to_string(),
    }
}
