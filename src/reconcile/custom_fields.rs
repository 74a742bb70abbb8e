//! Look-ups of custom fields: whether one was created, and whether a contact has a value of it.
//!
//! The list of fields is no search and does not lag. A contact with a value is found through the search, which lags,
//! and read again by its id; that the search shows none proves less.

use std::time::Duration;

use serde_json::json;

use super::{ReconcileError, Reconciler};
use crate::api::{ApiEndpoint, ApiError, ApiErrorKind};
use crate::id::ContactId;
use crate::model::CustomField;

/// The maximum number of pages of contacts whose values are read.
const PAGES: usize = 1;

impl Reconciler {
    /// The contacts' custom fields, as they are now.
    pub async fn list_custom_fields(&self) -> Result<Vec<CustomField>, ReconcileError> {
        let _seat = self.acquire_request_slot().await;
        let route = ApiEndpoint::CustomFields;
        let answer = self.client.list_custom_fields().await?.require_whole(route)?;
        let fields = CustomField::list_from_response(&answer.body);
        fields.map_err(|error| ReconcileError::Api(unreadable_list_error(&error)))
    }

    /// A contact that has a value of a custom field; `None` if the search finds none that still has one.
    pub async fn find_contact_with_field(
        &self,
        field: &str,
    ) -> Result<Option<ContactId>, ReconcileError> {
        let filter = json!({ "field": format!("customFields.{field}"), "operator": "exists" });
        for found in self.search_contacts(vec![filter], PAGES).await? {
            let Some(remote) = self.fetch_contact(&found.id).await? else { continue };
            if remote.custom.get(field).is_some_and(|value| !value.is_null()) {
                return Ok(Some(remote.id));
            }
        }
        Ok(None)
    }
}

fn unreadable_list_error(error: &serde_json::Error) -> ApiError {
    ApiError {
        kind: ApiErrorKind::Exhausted,
        route: ApiEndpoint::CustomFields,
        status: None,
        body: Box::default(),
        foreign: None,
        message: format!("the list of custom fields cannot be read: {error}"),
        trace_id: None,
        attempts: 1,
        elapsed: Duration::ZERO,
    }
}
