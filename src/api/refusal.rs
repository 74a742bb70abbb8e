//! Decides what a refusal with 403 is about.
//!
//! The API answers 403 for a location that is out of reach, for a record of another location, and for what the user
//! behind the token may not see; often with the same words (api.md §7). Only the first ends a run, so the location is
//! asked once when a refusal may be about one record only.

use bytes::Bytes;

use super::decode;
use super::endpoint::ApiEndpoint;
use super::error::{ApiError, ApiErrorKind};
use super::retry::{self, RetryPolicy};
use super::send::{ApiRequest, RequestSender};
use crate::id::LocationId;

/// One attempt: the answer only sharpens an error.
const BOUNDS: RetryPolicy =
    RetryPolicy { attempts: 1, time: std::time::Duration::from_secs(20), bytes: 1 << 20 };

impl RequestSender {
    /// Decides whether a refusal with 403 is about the location or about the record of the request.
    pub(super) async fn judge_refusal(&self, error: ApiError) -> ApiError {
        if error.status != Some(403) || error.foreign.is_some() {
            return error;
        }
        if error.kind == ApiErrorKind::Location && error.route.names_location() {
            if retry::names_location(&error.message) {
                return error;
            }
        } else if !matches!(error.kind, ApiErrorKind::Location | ApiErrorKind::Refused) {
            return error;
        }
        let kind = match self.check_location_access(error.route).await {
            Some(false) => ApiErrorKind::Location,
            None if retry::names_location(&error.message) => ApiErrorKind::Location,
            Some(true) | None => ApiErrorKind::Refused,
        };
        ApiError { kind, ..error }
    }

    /// Whether the token reaches the location; `None` if that cannot be found out now. The endpoint that has just
    /// refused is not asked again.
    async fn check_location_access(&self, refused: ApiEndpoint) -> Option<bool> {
        let mut granted = self.access.granted.lock().await;
        if granted.is_some() {
            return *granted;
        }
        let mut refusals = usize::from(refused.names_location());
        for route in [ApiEndpoint::Location, ApiEndpoint::SearchContacts] {
            if route == refused {
                continue;
            }
            let request = probe_request(&self.access.location, route);
            let answer = self
                .send_attempts(&request, decode::any_object, retry::decide_read_retry, None)
                .await;
            match answer {
                Ok(_) => {
                    *granted = Some(true);
                    return *granted;
                }
                Err(error) if error.status == Some(403) && error.foreign.is_none() => refusals += 1,
                // Another scope, which says nothing about the location.
                Err(error) if error.kind == ApiErrorKind::Scope => {}
                Err(_) => return None,
            }
        }
        *granted = (refusals > 0).then_some(false);
        *granted
    }
}

/// The cheapest request for the location as a whole over one of two endpoints.
fn probe_request(location: &LocationId, route: ApiEndpoint) -> ApiRequest {
    if route == ApiEndpoint::Location {
        let path = format!("/locations/{}", location.escaped_segment());
        return ApiRequest { route, path, body: None, policy: BOUNDS };
    }
    let body = serde_json::json!({ "locationId": location, "pageLimit": 1 });
    let body = Some(Bytes::from(body.to_string()));
    ApiRequest { route, path: "/contacts/search".to_owned(), body, policy: BOUNDS }
}
