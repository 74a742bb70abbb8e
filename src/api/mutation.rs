//! Mutations: requests that change the account, and what can become of one.
//!
//! A read may be repeated until it succeeds; a mutation may not. So the client sends one only as often
//! as it knows that nothing was applied (no connection, 429), and otherwise says what it knows: the
//! answer, or that nobody knows. What to do about that is the caller's business.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::client::Client;
use super::endpoint::Route;
use super::error::Error;
use super::rate_limit::Permit;
use crate::id::ContactId;

/// A request that changes the account, ready to be sent.
#[derive(Debug, Clone)]
pub struct Mutation {
    /// The endpoint.
    pub route: Route,
    /// Path and query, from the base URL on.
    pub(super) path: String,
    /// The JSON body; none for `DELETE` of a record.
    pub(super) body: Option<Bytes>,
}

/// A place in the limiter's window, for one mutation.
#[must_use]
pub struct Turn(pub(super) Permit);

/// What became of a mutation.
#[derive(Debug)]
pub enum Sent {
    /// A whole answer: a 2xx with readable JSON, or a 4xx that is a judgement.
    Answered {
        /// The status.
        status: u16,
        /// The body as the server sent it.
        body: Bytes,
        /// The server's name for the request.
        trace_id: Option<String>,
    },
    /// A 2xx whose body is cut or unreadable: it was applied, its particulars are unknown.
    Unread {
        /// The status.
        status: u16,
        /// Why it could not be read.
        said: String,
    },
    /// Nothing was applied, and neither sending it again nor sending others would help: no connection, no
    /// token, no scope, no budget, or the tap is closed.
    NotApplied(Error),
    /// The request was, or may have been, handed over, and no usable answer came: it may have been
    /// applied, may be applied still, or not.
    Doubt {
        /// The status, where there was one: 408, 425, 5xx, a redirect, or that of an answer that was cut.
        status: Option<u16>,
        /// What the server or the transport said. From outside.
        said: String,
        /// The server's name for the request.
        trace_id: Option<String>,
    },
}

impl Mutation {
    /// Method and path, as the ledger keeps them: `PUT /contacts/abc`.
    #[must_use]
    pub fn line(&self) -> String {
        let method = self.route.name().split(' ').next().unwrap_or_default();
        format!("{method} {}", self.path)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }

    fn new(route: Route, path: String, body: Option<&impl Serialize>) -> Self {
        let body = body.map(|body| serde_json::to_vec(body).expect("a body is plain JSON").into());
        Self { route, path, body }
    }

    fn bare(route: Route, path: String) -> Self {
        Self { route, path, body: None }
    }
}

/// The requests that change the account. None of these sends anything: [`Client::mutate`] does.
impl Client {
    /// Creates a contact. The location is added to the body.
    #[must_use]
    pub fn create_contact(&self, body: &Map<String, Value>) -> Mutation {
        Mutation::new(Route::CreateContact, "/contacts/".to_owned(), Some(&self.located(body)))
    }

    /// Updates the contact that the location's own rule finds, or creates one (api.md §5.7, and its
    /// traps §5.8). The location is added to the body.
    #[must_use]
    pub fn upsert_contact(&self, body: &Map<String, Value>) -> Mutation {
        let path = "/contacts/upsert".to_owned();
        Mutation::new(Route::UpsertContact, path, Some(&self.located(body)))
    }

    /// Updates a contact. What the body leaves out stays as it is (api.md §5.4), but `tags` replace all
    /// tags (§5.5).
    #[must_use]
    pub fn update_contact(&self, id: &ContactId, body: &Map<String, Value>) -> Mutation {
        Mutation::new(Route::UpdateContact, contact(id, ""), Some(body))
    }

    /// Deletes a contact, with its notes and tasks.
    #[must_use]
    pub fn delete_contact(&self, id: &ContactId) -> Mutation {
        Mutation::bare(Route::DeleteContact, contact(id, ""))
    }

    /// Adds tags to many contacts. The answer has an outcome for each (api.md §5, tags).
    #[must_use]
    pub fn add_tags(&self, contacts: &[ContactId], tags: &[String]) -> Mutation {
        self.change_tags(Route::AddTags, "add", contacts, tags)
    }

    /// Takes tags from many contacts. The answer has an outcome for each.
    #[must_use]
    pub fn remove_tags(&self, contacts: &[ContactId], tags: &[String]) -> Mutation {
        self.change_tags(Route::RemoveTags, "remove", contacts, tags)
    }

    /// Puts many contacts, 50 at most (api.md §1, table), into a business, or takes them out of theirs.
    #[must_use]
    pub fn set_business(&self, contacts: &[ContactId], business: Option<&str>) -> Mutation {
        let body =
            json!({ "locationId": self.location(), "ids": contacts, "businessId": business });
        Mutation::new(Route::SetBusiness, "/contacts/bulk/business".to_owned(), Some(&body))
    }

    /// Writes a note.
    #[must_use]
    pub fn create_note(&self, id: &ContactId, body: &Map<String, Value>) -> Mutation {
        Mutation::new(Route::CreateNote, contact(id, "/notes"), Some(body))
    }

    /// Changes a note.
    #[must_use]
    pub fn update_note(&self, id: &ContactId, note: &str, body: &Map<String, Value>) -> Mutation {
        Mutation::new(Route::UpdateNote, child(id, "notes", note), Some(body))
    }

    /// Deletes a note.
    #[must_use]
    pub fn delete_note(&self, id: &ContactId, note: &str) -> Mutation {
        Mutation::bare(Route::DeleteNote, child(id, "notes", note))
    }

    /// Writes a task.
    #[must_use]
    pub fn create_task(&self, id: &ContactId, body: &Map<String, Value>) -> Mutation {
        Mutation::new(Route::CreateTask, contact(id, "/tasks"), Some(body))
    }

    /// Changes a task.
    #[must_use]
    pub fn update_task(&self, id: &ContactId, task: &str, body: &Map<String, Value>) -> Mutation {
        Mutation::new(Route::UpdateTask, child(id, "tasks", task), Some(body))
    }

    /// Marks a task as done, or not done.
    #[must_use]
    pub fn complete_task(&self, id: &ContactId, task: &str, completed: bool) -> Mutation {
        let path = format!("{}/completed", child(id, "tasks", task));
        Mutation::new(Route::CompleteTask, path, Some(&json!({ "completed": completed })))
    }

    /// Deletes a task.
    #[must_use]
    pub fn delete_task(&self, id: &ContactId, task: &str) -> Mutation {
        Mutation::bare(Route::DeleteTask, child(id, "tasks", task))
    }

    /// Waits until a mutation may be sent. What is written down after this is sent at once, so that a
    /// crash leaves few requests of which nobody knows whether they were.
    ///
    /// # Errors
    /// When nothing may be sent any more: the tap is closed, or the day's budget is used up.
    pub async fn turn(&self, mutation: &Mutation) -> Result<Turn, Error> {
        self.sender.turn(mutation).await
    }

    /// Sends a mutation, once. It is sent again only while it is known that nothing was applied: the
    /// connection was not made, or the limiter refused. Whatever else happens is told.
    ///
    /// The future must be awaited to its end: dropped half-way, nobody knows what became of the request.
    pub async fn mutate(&self, mutation: &Mutation, turn: Turn) -> Sent {
        self.sender.mutate(mutation, turn).await
    }

    fn located(&self, body: &Map<String, Value>) -> Map<String, Value> {
        let mut body = body.clone();
        body.insert("locationId".to_owned(), self.location().as_str().into());
        body
    }

    fn change_tags(
        &self,
        route: Route,
        verb: &str,
        contacts: &[ContactId],
        tags: &[String],
    ) -> Mutation {
        let body = json!({ "contacts": contacts, "tags": tags, "locationId": self.location() });
        Mutation::new(route, format!("/contacts/bulk/tags/update/{verb}"), Some(&body))
    }
}

fn contact(id: &ContactId, rest: &str) -> String {
    format!("/contacts/{}{rest}", id.segment())
}

fn child(id: &ContactId, list: &str, child: &str) -> String {
    format!("/contacts/{}/{list}/{}", id.segment(), super::url::segment(child))
}
