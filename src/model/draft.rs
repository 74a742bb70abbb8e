//! A draft: what one row asks for, checked and normalised, before anybody knows whom it is about.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::target::{Channel, Field};
use crate::diagnostic::{Diagnostic, DiagnosticSeverity};
use crate::id::ContactId;

/// What a priority's line in a task's text begins with.
const PRIORITY: &str = "Priority:";

/// What a row asks for. Stored as JSON in the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactDraft {
    /// The contact, where the row names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
    /// The row's id in the system it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// Native fields, e-mail and phone among them: a text as it goes into the request (E.164 phone,
    /// `YYYY-MM-DD`, ISO country), or null to clear. What is absent is left alone.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Field, Value>,
    /// Custom fields by id: text, number, list of texts; null to clear.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, Value>,
    /// Tags, without doubles, as written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whether the tags take the place of those that are there; without any, that takes all away.
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
    /// The business's id; an empty one to take the contact out of its business.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business: Option<String>,
    /// Notes to write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<NoteDraft>,
    /// Tasks to write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskDraft>,
    /// E-mail addresses that the API cannot take (api.md §5.13).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_emails: Vec<String>,
    /// Phone numbers that the API cannot take.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_phones: Vec<String>,
    /// What cells say literally, where it is read as something else; by the target's name, of a custom
    /// field by its id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub written: BTreeMap<String, String>,
    /// What of the row could not be read. It is nothing where the account has the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadableCell>,
}

/// A cell that could not be read, of a row that names its contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableCell {
    /// The target's name; of a custom field, by its id.
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
    /// The e-mail address to know the contact by, in lower case.
    #[must_use]
    pub fn email_key(&self) -> Option<String> {
        self.fields.get(&Field::Email)?.as_str().map(str::to_lowercase)
    }

    /// The phone number to know the contact by.
    #[must_use]
    pub fn phone_key(&self) -> Option<&str> {
        self.fields.get(&Field::Phone)?.as_str()
    }

    /// Whether it asks for anything of the contact itself, beside knowing it.
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

/// A null that is there is a value: without this it would be read as absent.
fn deserialize_some<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(input).map(Some)
}

/// A note to write. With an id it is one that exists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteDraft {
    /// The id of a note that exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The properties as the API names them: `body`, `title`, `color`, `pinned`, `userId`.
    pub fields: BTreeMap<String, Value>,
}

/// A task to write. With an id it is one that exists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDraft {
    /// The id of a task that exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The properties as the API names them: `title`, `body`, `dueDate`, `completed`, `assignedTo`.
    pub fields: BTreeMap<String, Value>,
    /// The priority of a task that exists, in a row without a text to hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
}

impl TaskDraft {
    /// The properties to write to a task that exists and has this text: a priority goes into the text
    /// that is there.
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

/// A task's text with its priority, for which the API has no field: in place of the priority that the text held,
/// or on a line of its own. `parse_priority_line` reads it back.
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

/// The priority that a task's text holds, and the text without its line: what [`set_priority_line`] makes one of.
#[must_use]
pub fn split_priority_line(text: &str) -> (Option<&str>, String) {
    let mut lines: Vec<&str> = text.split('\n').collect();
    let Some(place) = lines.iter().position(|line| parse_priority_line(line).is_some()) else {
        return (None, text.to_owned());
    };
    let line = lines.remove(place);
    (parse_priority_line(line), lines.join("\n"))
}

/// The priority that a line is about.
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
