//! Writes: requests that change the account, and their possible outcomes.
//!
//! A read can be repeated until it succeeds; a write cannot. The client resends a write only when
//! it is certain that nothing was applied (no connection, 429). Otherwise it reports what it knows:
//! the response, or that the outcome is unknown. The caller decides what to do about it.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::client::ApiClient;
use super::endpoint::ApiEndpoint;
use super::error::ApiError;
use super::rate_limit::RateLimitPermit;
use crate::id::ContactId;

/// A request that changes the account, ready to send.
#[derive(Debug, Clone)]
pub struct WriteRequest {
    /// The endpoint.
    pub route: ApiEndpoint,
    /// Path and query, relative to the base URL.
    pub(super) path: String,
    /// The JSON body; none for `DELETE` of a record.
    pub(super) body: Option<Bytes>,
}

/// A permit from the rate limiter for one write.
#[must_use]
pub struct WritePermit(pub(super) RateLimitPermit);

/// The outcome of a write.
#[derive(Debug)]
pub enum WriteOutcome {
    /// A complete response: a 2xx with valid JSON, or a 4xx with a definite refusal.
    Answered {
        /// The status.
        status: u16,
        /// The body as the server sent it.
        body: Bytes,
        /// The server's trace id for the request.
        trace_id: Option<String>,
    },
    /// A 2xx whose body is truncated or unreadable: it was applied, but its details are unknown.
    AppliedUnreadable {
        /// The status.
        status: u16,
        /// Why it could not be read.
        message: String,
    },
    /// Nothing was applied, and neither resending it nor sending others would help: no connection,
    /// no token, no scope, no quota left, or the run was cancelled.
    NotApplied(ApiError),
    /// The request was or may have been delivered, and no usable response arrived: it may have been
    /// applied already, may still be applied, or never will be.
    Unknown {
        /// The status, if there was one: 408, 425, 5xx, a redirect, or that of a truncated
        /// response.
        status: Option<u16>,
        /// What the server or the transport reported. Untrusted text.
        message: String,
        /// The server's trace id for the request.
        trace_id: Option<String>,
    },
}

impl WriteRequest {
    /// Method and path as the ledger stores them: `PUT /contacts/abc`.
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

/// Builders for the requests that change the account. None of them sends anything:
/// [`ApiClient::send_write`] does.
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

    /// Updates the contact that the location's duplicate setting finds, or creates one (api.md
    /// §5.7, and its traps §5.8). The location is added to the body.
    #[must_use]
    pub fn upsert_contact(&self, body: &Map<String, Value>) -> WriteRequest {
        let path = "/contacts/upsert".to_owned();
        WriteRequest::with_body(
            ApiEndpoint::UpsertContact,
            path,
            Some(&self.with_location_id(body)),
        )
    }

    /// Updates a contact. Fields missing from the body stay unchanged (api.md §5.4), but `tags`
    /// replaces all tags (§5.5).
    #[must_use]
    pub fn update_contact(&self, id: &ContactId, body: &Map<String, Value>) -> WriteRequest {
        WriteRequest::with_body(ApiEndpoint::UpdateContact, contact_path(id, ""), Some(body))
    }

    /// Deletes a contact with its notes and tasks.
    #[must_use]
    pub fn delete_contact(&self, id: &ContactId) -> WriteRequest {
        WriteRequest::without_body(ApiEndpoint::DeleteContact, contact_path(id, ""))
    }

    /// Adds tags to many contacts. The response has an outcome for each (api.md §5, tags).
    #[must_use]
    pub fn add_tags(&self, contacts: &[ContactId], tags: &[String]) -> WriteRequest {
        self.change_tags(ApiEndpoint::AddTags, "add", contacts, tags)
    }

    /// Removes tags from many contacts. The response has an outcome for each.
    #[must_use]
    pub fn remove_tags(&self, contacts: &[ContactId], tags: &[String]) -> WriteRequest {
        self.change_tags(ApiEndpoint::RemoveTags, "remove", contacts, tags)
    }

    /// Adds tags to one contact, where many at once are refused.
    #[must_use]
    pub fn add_contact_tags(&self, id: &ContactId, tags: &[String]) -> WriteRequest {
        let body = json!({ "tags": tags });
        WriteRequest::with_body(ApiEndpoint::AddContactTags, contact_path(id, "/tags"), Some(&body))
    }

    /// Removes tags from one contact.
    #[must_use]
    pub fn remove_contact_tags(&self, id: &ContactId, tags: &[String]) -> WriteRequest {
        let route = ApiEndpoint::RemoveContactTags;
        WriteRequest::with_body(route, contact_path(id, "/tags"), Some(&json!({ "tags": tags })))
    }

    /// Assigns many contacts, at most 50 (api.md §1, table), to a business, or removes them from
    /// theirs.
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

    /// Creates a note.
    #[must_use]
    pub fn create_note(&self, id: &ContactId, body: &Map<String, Value>) -> WriteRequest {
        WriteRequest::with_body(ApiEndpoint::CreateNote, contact_path(id, "/notes"), Some(body))
    }

    /// Updates a note.
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

    /// Creates a task.
    #[must_use]
    pub fn create_task(&self, id: &ContactId, body: &Map<String, Value>) -> WriteRequest {
        WriteRequest::with_body(ApiEndpoint::CreateTask, contact_path(id, "/tasks"), Some(body))
    }

    /// Updates a task.
    #[must_use]
    pub fn update_task(
        &self,
        id: &ContactId,
        task: &str,
        body: &Map<String, Value>,
    ) -> WriteRequest {
        WriteRequest::with_body(ApiEndpoint::UpdateTask, child_path(id, "tasks", task), Some(body))
    }

    /// Marks a task as completed or not completed.
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

    /// Creates a custom field (api.md §6.6).
    #[must_use]
    pub fn create_custom_field(&self, body: &Map<String, Value>) -> WriteRequest {
        WriteRequest::with_body(ApiEndpoint::CreateCustomField, self.fields_path(""), Some(body))
    }

    /// Deletes a custom field, with its values in all contacts.
    #[must_use]
    pub fn delete_custom_field(&self, field: &str) -> WriteRequest {
        let segment = format!("/{}", super::url::path_segment(field));
        WriteRequest::without_body(ApiEndpoint::DeleteCustomField, self.fields_path(&segment))
    }

    /// Waits until a write may be sent. Callers log the intent after this and send at once, so that
    /// a crash leaves few writes with an unknown outcome. Fails when the run was cancelled or the
    /// daily quota is used up.
    pub async fn acquire_write_permit(
        &self,
        mutation: &WriteRequest,
    ) -> Result<WritePermit, ApiError> {
        self.sender.acquire_write_permit(mutation).await
    }

    /// Sends a write once. It is resent only if it is certain that nothing was applied: the
    /// connection was not made, or the rate limit refused it (429). Every other outcome is
    /// reported.
    ///
    /// The future must be awaited to its end; if it is dropped halfway, the outcome of the request
    /// is unknown.
    pub async fn send_write(&self, mutation: &WriteRequest, permit: WritePermit) -> WriteOutcome {
        self.sender.send_write(mutation, permit).await
    }

    fn fields_path(&self, rest: &str) -> String {
        format!("/locations/{}/customFields{rest}", self.location_id().escaped_segment())
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
