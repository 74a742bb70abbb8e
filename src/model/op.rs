//! An op: one write that the plan wants, and what is needed to do it once and to take it back.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::ContactId;
use crate::run::IdempotencyClass;

/// One planned write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Op {
    /// Its number in the plan, from 1; the order in which ops of one lane are sent.
    pub id: u64,
    /// A stable name: equal for the same step of the same row of the same source, whenever it is fed.
    pub key: String,
    /// For what cannot be found in the account, a name that an op of any other file has that writes the same
    /// for the same contact.
    #[serde(default)]
    pub like: Option<String>,
    /// The row it comes from.
    pub row: u64,
    /// Its place among the row's ops: the contact is 0.
    pub step: u32,
    /// Ops of one lane are sent one after the other: they share an identity.
    pub lane: u64,
    /// How it is kept from happening twice.
    pub class: IdempotencyClass,
    /// The contact; nothing while an earlier op of the same row creates it.
    pub contact: Option<ContactId>,
    /// What to write.
    pub change: OpChange,
    /// What the change replaces, in the form in which it would be written back: for an update the live
    /// values of the properties that it touches, and where nothing was there what clears the property
    /// (null, or an empty text where the API takes no null); for tags the contact's tags; for a business
    /// its id; for a child that exists the whole old child. Null for what is new.
    pub before: Value,
}

/// A write, in the API's own words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum OpChange {
    /// `POST /contacts/`; the body without `locationId`.
    Create {
        /// The body.
        body: Map<String, Value>,
    },
    /// `POST /contacts/upsert`: for locations that allow duplicates, where it is the replay-safe way.
    Upsert {
        /// The body.
        body: Map<String, Value>,
    },
    /// `PUT /contacts/{id}` with just what changes.
    Update {
        /// The body.
        body: Map<String, Value>,
    },
    /// `DELETE /contacts/{id}`.
    Delete,
    /// `POST /contacts/bulk/tags/update/add`, many contacts a request.
    AddTags {
        /// The tags that the contact lacks.
        tags: Vec<String>,
    },
    /// `POST /contacts/bulk/tags/update/remove`, many contacts a request.
    RemoveTags {
        /// The tags that the contact has.
        tags: Vec<String>,
    },
    /// `POST /contacts/bulk/business`, many contacts a request.
    SetBusiness {
        /// The business's id; nothing to take the contact out of its business.
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
}

impl OpChange {
    /// Whether many contacts go into one request.
    #[must_use]
    pub fn is_bulk(&self) -> bool {
        matches!(self, Self::AddTags { .. } | Self::RemoveTags { .. } | Self::SetBusiness { .. })
    }

    /// Whether it deletes something.
    #[must_use]
    pub fn is_deletion(&self) -> bool {
        matches!(self, Self::Delete | Self::DeleteNote { .. } | Self::DeleteTask { .. })
    }

    /// Whether it makes something: a contact, a note or a task.
    #[must_use]
    pub fn creates_record(&self) -> bool {
        self.creates_contact() || matches!(self, Self::CreateNote { .. } | Self::CreateTask { .. })
    }

    /// Whether it makes the contact.
    #[must_use]
    pub fn creates_contact(&self) -> bool {
        matches!(self, Self::Create { .. } | Self::Upsert { .. })
    }
}
