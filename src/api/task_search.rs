//! The task search.

use serde::Serialize;
use serde_json::value::RawValue;

use super::client::{ApiClient, json_body};
use super::decode;
use super::endpoint::{ApiEndpoint, SEARCH_LIMIT};
use super::error::ApiError;
use super::response::{ApiResponse, SearchCursor};
use super::search_options::RequestedOptions;
use super::task_page::{TaskPage, TaskSearchPosition};
use crate::id::ContactId;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskSearchPayload<'a> {
    limit: usize,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    contact_id: &'a [ContactId],
    #[serde(skip_serializing_if = "Option::is_none")]
    skip: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search_after: Option<Box<RawValue>>,
}

impl ApiClient {
    /// A page of the location's tasks, or of these contacts' tasks.
    pub async fn search_tasks(
        &self,
        contacts: &[ContactId],
        from: &TaskSearchPosition,
    ) -> Result<ApiResponse<TaskPage>, ApiError> {
        let cursor = from.cursor.as_deref().and_then(|cursor| SearchCursor::parse(cursor).ok());
        let requested = RequestedOptions {
            limit: SEARCH_LIMIT,
            has_cursor: cursor.is_some(),
            ..RequestedOptions::default()
        };
        let mut negotiation = self.options.tasks.negotiate(requested);
        let path = format!("/locations/{}/tasks/search", self.location_id().escaped_segment());
        loop {
            let cursor = cursor.as_ref().filter(|_| !negotiation.dialect.skips_rows);
            let body = TaskSearchPayload {
                limit: negotiation.limit(),
                contact_id: contacts,
                skip: Some(from.rows).filter(|rows| *rows > 0 && cursor.is_none()),
                search_after: cursor.map(SearchCursor::to_raw_value),
            };
            let (path, body) = (path.clone(), Some(json_body(&body)));
            let answer =
                self.send_request(ApiEndpoint::SearchTasks, path, body, decode::task_page).await;
            match answer {
                Ok(response) => {
                    if negotiation.accept() {
                        self.options.remember();
                    }
                    return Ok(response);
                }
                Err(error) => negotiation.reject(error)?,
            }
        }
    }
}
