//! An op: one planned write, with what is needed to apply it once and to revert it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::ContactId;
use crate::run::IdempotencyClass;

/// One planned write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Op {
    /// Its number in the plan, from 1; ops of one serial group are sent in this order.
    pub id: u64,
    /// A stable key: equal for the same step of the same row of the same source, in every import.
    pub key: String,
    /// For writes whose result cannot be found in the account: a key that ops of other files share
    /// if they write the same to the same contact.
    #[serde(default)]
    pub like: Option<String>,
    /// The row it comes from; 0 for what concerns the location and is sent apart from the rows.
    pub row: u64,
    /// Its index among the row's ops: the contact is 0.
    pub step: u32,
    /// The serial group. Its ops are sent one after the other, because they share an identity.
    pub serial_group: u64,
    /// How it is kept from being applied twice.
    pub class: IdempotencyClass,
    /// The contact; `None` while an earlier op of the same row has yet to create it.
    pub contact: Option<ContactId>,
    /// The rows that must have been written before, because they free an address or number that it needs.
    #[serde(default)]
    pub after: Vec<u64>,
    /// What to write.
    pub change: OpChange,
    /// What the change replaces, in the form in which it would be written back: for an update, the
    /// current values of the properties that it changes, and for missing ones the value that clears
    /// the property (null, or an empty text where the API does not accept null); for tags, the
    /// contact's tags; for a business, its id; for an existing child, the whole old child. Null for
    /// what is new.
    pub before: Value,
}

/// A write, in the API's terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum OpChange {
    /// `POST /contacts/`; the body without `locationId`.
    Create {
        /// The body.
        body: Map<String, Value>,
    },
    /// `POST /contacts/upsert`: for locations that allow duplicates, where only it is idempotent.
    Upsert {
        /// The body.
        body: Map<String, Value>,
    },
    /// `PUT /contacts/{id}` with only the changes.
    Update {
        /// The body.
        body: Map<String, Value>,
    },
    /// `DELETE /contacts/{id}`.
    Delete,
    /// `POST /contacts/bulk/tags/update/add`, many contacts per request.
    AddTags {
        /// The tags that the contact lacks.
        tags: Vec<String>,
    },
    /// `POST /contacts/bulk/tags/update/remove`, many contacts per request.
    RemoveTags {
        /// The tags that the contact has.
        tags: Vec<String>,
    },
    /// `POST /contacts/bulk/business`, many contacts per request.
    SetBusiness {
        /// The business's id; `None` to remove the contact from its business.
        business: Option<String>,
    },
    /// `POST /contacts/{id}/notes`.
    CreateNote {
        /// The body.
        body: Map<String, Value>,
    },
    /// `PUT /contacts/{id}/notes/{id}`.
    UpdateNote {
        /// The note.
        id: String,
        /// The body.
        body: Map<String, Value>,
    },
    /// `DELETE /contacts/{id}/notes/{id}`.
    DeleteNote {
        /// The note.
        id: String,
    },
    /// `POST /contacts/{id}/tasks`.
    CreateTask {
        /// The body.
        body: Map<String, Value>,
    },
    /// `PUT /contacts/{id}/tasks/{id}`.
    UpdateTask {
        /// The task.
        id: String,
        /// The body.
        body: Map<String, Value>,
    },
    /// `PUT /contacts/{id}/tasks/{id}/completed`.
    CompleteTask {
        /// The task.
        id: String,
        /// Whether it is done.
        completed: bool,
    },
    /// `DELETE /contacts/{id}/tasks/{id}`.
    DeleteTask {
        /// The task.
        id: String,
    },
    /// `POST /locations/{id}/customFields`.
    CreateField {
        /// The body.
        body: Map<String, Value>,
    },
    /// `DELETE /locations/{id}/customFields/{id}`, unless a contact has a value of the field.
    DeleteField {
        /// The field.
        id: String,
        /// Its name.
        name: String,
    },
}

impl OpChange {
    /// Whether many contacts go into one request.
    #[must_use]
    pub fn is_bulk(&self) -> bool {
        matches!(self, Self::AddTags { .. } | Self::RemoveTags { .. } | Self::SetBusiness { .. })
    }

    /// Whether it adds or removes tags.
    #[must_use]
    pub fn changes_tags(&self) -> bool {
        matches!(self, Self::AddTags { .. } | Self::RemoveTags { .. })
    }

    /// Whether it deletes something.
    #[must_use]
    pub fn is_deletion(&self) -> bool {
        matches!(self, Self::Delete | Self::DeleteNote { .. } | Self::DeleteTask { .. })
    }

    /// Whether it creates a record: a contact, a note or a task.
    #[must_use]
    pub fn creates_record(&self) -> bool {
        self.creates_contact() || matches!(self, Self::CreateNote { .. } | Self::CreateTask { .. })
    }

    /// Whether it is about the location itself, and neither a row nor a contact.
    #[must_use]
    pub fn is_of_location(&self) -> bool {
        matches!(self, Self::CreateField { .. } | Self::DeleteField { .. })
    }

    /// Whether it creates the contact.
    #[must_use]
    pub fn creates_contact(&self) -> bool {
        matches!(self, Self::Create { .. } | Self::Upsert { .. })
    }
}
