//! Mutations: requests that change the account, and what can become of one.
//!
//! A read may be repeated until it succeeds; a mutation may not. So the client sends one only as often
//! as it knows that nothing was applied (no connection, 429), and otherwise says what it knows: the
//! answer, or that nobody knows. What to do about that is the caller's business.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::client::ApiClient;
use super::endpoint::ApiEndpoint;
use super::error::ApiError;
use super::rate_limit::RateLimitPermit;
use crate::id::ContactId;

/// A request that changes the account, ready to be sent.
#[derive(Debug, Clone)]
pub struct WriteRequest {
    /// The endpoint.
    pub route: ApiEndpoint,
    /// Path and query, from the base URL on.
    pub(super) path: String,
    /// The JSON body; none for `DELETE` of a record.
    pub(super) body: Option<Bytes>,
}

/// A place in the limiter's window, for one mutation.
#[must_use]
pub struct WritePermit(pub(super) RateLimitPermit);

/// What became of a mutation.
#[derive(Debug)]
pub enum WriteOutcome {
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
    NotApplied(ApiError),
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

impl WriteRequest {
    /// Method and path, as the ledger keeps them: `PUT /contacts/abc`.
    #[must_use]
    pub fn request_line(&self) -> String {
        let method = self.route.method_and_path().split(' ').next().unwrap_or_default();
        format!("{method} {}", self.path)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }

    fn with_body(route: ApiEndpoint, path: String, body: Option<&impl Serialize>) -> Self {
        let body = body.map(|body| serde_json::to_vec(body).expect("a body is plain JSON").into());
        Self { route, path, body }
    }

    fn without_body(route: ApiEndpoint, path: String) -> Self {
        Self { route, path, body: None }
    }
}

/// The requests that change the account. None of these sends anything: [`ApiClient::send_write`] does.
impl ApiClient {
    /// Creates a contact. The location is added to the body.
    #[must_use]
    pub fn create_contact(&self, body: &Map<String, Value>) -> WriteRequest {
        WriteRequest::with_body(
            ApiEndpoint::CreateContact,
            "/contacts/".to_owned(),
            Some(&self.with_location_id(body)),
        )
    }

    /// Updates the contact that the location's own rule finds, or creates one (api.md §5.7, and its
    /// traps §5.8). The location is added to the body.
    #[must_use]
    pub fn upsert_contact(&self, body: &Map<String, Value>) -> WriteRequest {
        let path = "/contacts/upsert".to_owned();
        WriteRequest::with_body(
            ApiEndpoint::UpsertContact,
            path,
            Some(&self.with_location_id(body)),
        )
    }

    /// Updates a contact. What the body leaves out stays as it is (api.md §5.4), but `tags` replace all
    /// tags (§5.5).
    #[must_use]
    pub fn update_contact(&self, id: &ContactId, body: &Map<String, Value>) -> WriteRequest {
        WriteRequest::with_body(ApiEndpoint::UpdateContact, contact_path(id, ""), Some(body))
    }

    /// Deletes a contact, with its notes and tasks.
    #[must_use]
    pub fn delete_contact(&self, id: &ContactId) -> WriteRequest {
        WriteRequest::without_body(ApiEndpoint::DeleteContact, contact_path(id, ""))
    }

    /// Adds tags to many contacts. The answer has an outcome for each (api.md §5, tags).
    #[must_use]
    pub fn add_tags(&self, contacts: &[ContactId], tags: &[String]) -> WriteRequest {
        self.change_tags(ApiEndpoint::AddTags, "add", contacts, tags)
    }

    /// Takes tags from many contacts. The answer has an outcome for each.
    #[must_use]
    pub fn remove_tags(&self, contacts: &[ContactId], tags: &[String]) -> WriteRequest {
        self.change_tags(ApiEndpoint::RemoveTags, "remove", contacts, tags)
    }

    /// Puts many contacts, 50 at most (api.md §1, table), into a business, or takes them out of theirs.
    #[must_use]
    pub fn set_business(&self, contacts: &[ContactId], business: Option<&str>) -> WriteRequest {
        let body =
            json!({ "locationId": self.location_id(), "ids": contacts, "businessId": business });
        WriteRequest::with_body(
            ApiEndpoint::SetBusiness,
            "/contacts/bulk/business".to_owned(),
            Some(&body),
        )
    }

    /// Writes a note.
    #[must_use]
    pub fn create_note(&self, id: &ContactId, body: &Map<String, Value>) -> WriteRequest {
        WriteRequest::with_body(ApiEndpoint::CreateNote, contact_path(id, "/notes"), Some(body))
    }

    /// Changes a note.
    #[must_use]
    pub fn update_note(
        &self,
        id: &ContactId,
        note: &str,
        body: &Map<String, Value>,
    ) -> WriteRequest {
        WriteRequest::with_body(ApiEndpoint::UpdateNote, child_path(id, "notes", note), Some(body))
    }

    /// Deletes a note.
    #[must_use]
    pub fn delete_note(&self, id: &ContactId, note: &str) -> WriteRequest {
        WriteRequest::without_body(ApiEndpoint::DeleteNote, child_path(id, "notes", note))
    }

    /// Writes a task.
    #[must_use]
    pub fn create_task(&self, id: &ContactId, body: &Map<String, Value>) -> WriteRequest {
        WriteRequest::with_body(ApiEndpoint::CreateTask, contact_path(id, "/tasks"), Some(body))
    }

    /// Changes a task.
    #[must_use]
    pub fn update_task(
        &self,
        id: &ContactId,
        task: &str,
        body: &Map<String, Value>,
    ) -> WriteRequest {
        WriteRequest::with_body(ApiEndpoint::UpdateTask, child_path(id, "tasks", task), Some(body))
    }

    /// Marks a task as done, or not done.
    #[must_use]
    pub fn complete_task(&self, id: &ContactId, task: &str, completed: bool) -> WriteRequest {
        let path = format!("{}/completed", child_path(id, "tasks", task));
        WriteRequest::with_body(
            ApiEndpoint::CompleteTask,
            path,
            Some(&json!({ "completed": completed })),
        )
    }

    /// Deletes a task.
    #[must_use]
    pub fn delete_task(&self, id: &ContactId, task: &str) -> WriteRequest {
        WriteRequest::without_body(ApiEndpoint::DeleteTask, child_path(id, "tasks", task))
    }

    /// Waits until a mutation may be sent. What is written down after this is sent at once, so that a
    /// crash leaves few requests of which nobody knows whether they were.
    ///
    /// # Errors
    /// When nothing may be sent any more: the tap is closed, or the day's budget is used up.
    pub async fn acquire_write_permit(
        &self,
        mutation: &WriteRequest,
    ) -> Result<WritePermit, ApiError> {
        self.sender.acquire_write_permit(mutation).await
    }

    /// Sends a mutation, once. It is sent again only while it is known that nothing was applied: the
    /// connection was not made, or the limiter refused. Whatever else happens is told.
    ///
    /// The future must be awaited to its end: dropped half-way, nobody knows what became of the request.
    pub async fn send_write(&self, mutation: &WriteRequest, turn: WritePermit) -> WriteOutcome {
        self.sender.send_write(mutation, turn).await
    }

    fn with_location_id(&self, body: &Map<String, Value>) -> Map<String, Value> {
        let mut body = body.clone();
        body.insert("locationId".to_owned(), self.location_id().as_str().into());
        body
    }

    fn change_tags(
        &self,
        route: ApiEndpoint,
        verb: &str,
        contacts: &[ContactId],
        tags: &[String],
    ) -> WriteRequest {
        let body = json!({ "contacts": contacts, "tags": tags, "locationId": self.location_id() });
        WriteRequest::with_body(route, format!("/contacts/bulk/tags/update/{verb}"), Some(&body))
    }
}

fn contact_path(id: &ContactId, rest: &str) -> String {
    format!("/contacts/{}{rest}", id.escaped_segment())
}

fn child_path(id: &ContactId, list: &str, child: &str) -> String {
    format!("/contacts/{}/{list}/{}", id.escaped_segment(), super::url::path_segment(child))
}
