//! A draft: what one row asks for, validated and normalised, before its contact is identified.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::target::{Channel, Field};
use crate::diagnostic::{Diagnostic, DiagnosticSeverity};
use crate::id::ContactId;

/// The prefix of the priority line in a task's body.
const PRIORITY: &str = "Priority:";

/// What a row asks for. Stored as JSON in the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactDraft {
    /// The contact, if the row has its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
    /// The row's id in the source system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// Native fields, including e-mail and phone: a text as it goes into the request (E.164 phone,
    /// `YYYY-MM-DD`, ISO country), or null to clear. Absent fields are left alone.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Field, Value>,
    /// Custom fields by id: text, number, list of texts; null to clear.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, Value>,
    /// Tags as written, without duplicates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whether the tags replace the existing ones; without any, all existing tags are removed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replaces_tags: bool,
    /// Do not disturb, on all channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dnd: Option<bool>,
    /// Do not disturb by channel; true is "do not contact" (`active` in the API's words).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<Channel, bool>,
    /// The id of the user it is assigned to; null to clear.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "deserialize_some")]
    pub owner: Option<Value>,
    /// The business's id; empty to remove the contact from its business.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business: Option<String>,
    /// Notes to write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<NoteDraft>,
    /// Tasks to write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskDraft>,
    /// E-mail addresses that the API cannot write (api.md §5.13).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_emails: Vec<String>,
    /// Phone numbers that the API cannot write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_phones: Vec<String>,
    /// The literal text of cells that are interpreted as something else, by target name, or by id
    /// for a custom field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub written: BTreeMap<String, String>,
    /// The cells that could not be read. They are ignored where the account already has the same
    /// text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadableCell>,
}

/// An unreadable cell of a row that identifies its contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableCell {
    /// The target's name, or the id of a custom field.
    pub to: String,
    /// The cell's text.
    pub text: String,
    /// What is wrong with it.
    pub diagnostic: Diagnostic,
}

impl UnreadableCell {
    /// Whether it rejects the row; otherwise the field is left out.
    #[must_use]
    pub fn rejects_row(&self) -> bool {
        self.diagnostic.severity() == DiagnosticSeverity::Rejection
    }
}

impl ContactDraft {
    /// The e-mail address that identifies the contact, in lower case.
    #[must_use]
    pub fn email_key(&self) -> Option<String> {
        self.fields.get(&Field::Email)?.as_str().map(str::to_lowercase)
    }

    /// The phone number that identifies the contact.
    #[must_use]
    pub fn phone_key(&self) -> Option<&str> {
        self.fields.get(&Field::Phone)?.as_str()
    }

    /// Whether it changes the contact itself, in addition to identifying it.
    #[must_use]
    pub fn has_contact_changes(&self) -> bool {
        let identity = |field: &Field| matches!(field, Field::Email | Field::Phone);
        self.fields.keys().any(|field| !identity(field))
            || !self.custom.is_empty()
            || !self.tags.is_empty()
            || self.replaces_tags
            || self.dnd.is_some()
            || !self.channels.is_empty()
            || self.owner.is_some()
            || self.business.is_some()
    }
}

/// An explicit null is a value: without this it would be read as absent.
fn deserialize_some<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(input).map(Some)
}

/// A note to write. With an id, an existing one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteDraft {
    /// The id of an existing note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The properties, by their API names: `body`, `title`, `color`, `pinned`, `userId`.
    pub fields: BTreeMap<String, Value>,
}

/// A task to write. With an id, an existing one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDraft {
    /// The id of an existing task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The properties, by their API names: `title`, `body`, `dueDate`, `completed`, `assignedTo`.
    pub fields: BTreeMap<String, Value>,
    /// The priority of an existing task, in a row without a body to put it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
}

impl TaskDraft {
    /// The properties to write to an existing task with this body: a priority is put into that
    /// body.
    #[must_use]
    pub fn fields_with_priority(&self, text: Option<&str>) -> Cow<'_, BTreeMap<String, Value>> {
        let Some(priority) = &self.priority else { return Cow::Borrowed(&self.fields) };
        let mut fields = self.fields.clone();
        fields.insert(
            "body".to_owned(),
            set_priority_line(text.unwrap_or_default(), priority).into(),
        );
        Cow::Owned(fields)
    }
}

/// Puts a priority, for which the API has no field, into a task's body: in place of the existing one, or
/// on a line of its own. [`split_priority_line`] reads it back.
#[must_use]
pub fn set_priority_line(text: &str, priority: &str) -> String {
    let line = format!("{PRIORITY} {priority}");
    match text.split('\n').position(|it| parse_priority_line(it).is_some()) {
        Some(place) => {
            let mut lines: Vec<&str> = text.split('\n').collect();
            let tail = if lines[place].ends_with('\r') { "\r" } else { "" };
            let whole = line + tail;
            lines[place] = &whole;
            lines.join("\n")
        }
        None if text.is_empty() => line,
        None => format!("{text}\n{line}"),
    }
}

/// Splits a task's body into its priority and the body without the priority line: the inverse of
/// [`set_priority_line`].
#[must_use]
pub fn split_priority_line(text: &str) -> (Option<&str>, String) {
    let mut lines: Vec<&str> = text.split('\n').collect();
    let Some(place) = lines.iter().position(|line| parse_priority_line(line).is_some()) else {
        return (None, text.to_owned());
    };
    let line = lines.remove(place);
    (parse_priority_line(line), lines.join("\n"))
}

/// The priority in a line, if it is a priority line.
fn parse_priority_line(line: &str) -> Option<&str> {
    let (front, priority) = line.trim_start().split_at_checked(PRIORITY.len())?;
    front.eq_ignore_ascii_case(PRIORITY).then(|| priority.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_goes_into_a_text_and_comes_out_of_it() {
        for text in ["", "Bring the\ncontract", "a\r\nb"] {
            let whole = set_priority_line(text, "high");
            assert_eq!(split_priority_line(&whole), (Some("high"), text.to_owned()));
            assert_eq!(set_priority_line(&whole, "high"), whole);
        }
        assert_eq!(split_priority_line("no line\nof it"), (None, "no line\nof it".to_owned()));
        assert_eq!(split_priority_line("PRIORITY:low\r\nrest"), (Some("low"), "rest".to_owned()));
    }
}
