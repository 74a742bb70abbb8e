//! One note as it is stored, and the records that it relates to.
//!
//! Stored as the JSON that a contact's list of notes sends. What only the routes below `/notes` show
//! (relations, source, attachments) is kept apart from it.

use serde_json::{Map, Value};

use super::slots::ContactSlot;
use crate::sandbox::text::parse_datetime;

/// One note.
#[derive(Debug, Clone)]
pub(crate) struct StoredNote {
    pub(crate) id: Box<str>,
    /// When it was added, in milliseconds since 1970.
    pub(crate) added: i64,
    pub(crate) json: Box<str>,
    pub(crate) source: NoteSource,
    pub(crate) relations: Vec<NoteRelation>,
    /// A JSON array, unless there are no attachments.
    pub(crate) attachments: Option<Box<str>>,
    pub(crate) deleted: bool,
}

/// What created a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoteSource {
    /// A user of the web application.
    WebUser,
    /// A workflow.
    Workflow,
    /// A client of the API; the documented filter by source has no word for it.
    Integration,
}

/// A record that a note relates to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoteRelation {
    Contact(ContactSlot),
    /// The object and the id of another record, such as an opportunity.
    Other(Box<(String, String)>),
}

impl NoteSource {
    pub(crate) fn json_word(self) -> &'static str {
        match self {
            Self::WebUser => "WEB_USER",
            Self::Workflow => "WORKFLOW",
            Self::Integration => "INTEGRATION",
        }
    }

    pub(crate) fn from_json_word(word: &str) -> Option<Self> {
        [Self::WebUser, Self::Workflow, Self::Integration]
            .into_iter()
            .find(|source| source.json_word() == word)
    }
}

impl StoredNote {
    /// A note from its fields, as a contact's list shows them.
    pub(crate) fn new(
        note: &Map<String, Value>,
        source: NoteSource,
        relations: Vec<NoteRelation>,
    ) -> Self {
        let text = |key: &str| note.get(key).and_then(Value::as_str);
        Self {
            id: text("id").unwrap_or_default().into(),
            added: text("dateAdded").and_then(parse_datetime).unwrap_or_default(),
            json: serde_json::to_string(note).expect("a note is JSON").into(),
            source,
            relations,
            attachments: None,
            deleted: false,
        }
    }

    /// The same note with other fields.
    pub(crate) fn with_fields(&self, fields: &Map<String, Value>) -> Self {
        Self {
            attachments: self.attachments.clone(),
            ..Self::new(fields, self.source, self.relations.clone())
        }
    }

    pub(crate) fn to_fields(&self) -> Map<String, Value> {
        serde_json::from_str(&self.json).expect("a note is a JSON object")
    }

    pub(crate) fn relates_to(&self, contact: ContactSlot) -> bool {
        self.relations.contains(&NoteRelation::Contact(contact))
    }

    /// The contacts it relates to, in the order of its relations.
    pub(crate) fn contacts(&self) -> impl Iterator<Item = ContactSlot> {
        self.relations.iter().filter_map(|relation| match relation {
            NoteRelation::Contact(slot) => Some(*slot),
            NoteRelation::Other(_) => None,
        })
    }
}
