//! Probes: the cheapest request for each thing that can be wrong.
//!
//! An [`UnauthenticatedResponse`] is for a request without a token: it shows whether something
//! answers, and what, before the token leaves this machine. An [`ApiProbe`] goes through the rate
//! limiter and the decision table like every other request, so it runs into the same errors as an
//! export or import; but it is retried only once, because a user is waiting.
//!
//! No probe changes the account. The probe for write access sends an update without any field for a
//! contact that cannot exist: contact ids are 20 letters and digits (api.md §16), and fields
//! missing from an update stay unchanged (§5.4). A server that grants access answers that there is
//! no such contact.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderValue};

use super::attempt::describe_redirect;
use super::client::{ApiClient, VERSION};
use super::connect_error::ConnectError;
use super::endpoint::ApiEndpoint;
use super::error::{ApiError, ApiErrorKind};
use super::foreign_response::{ForeignResponse, ResponseOrigin};
use super::http::{HttpOptions, HttpSetupError};
use super::retry::RetryPolicy;
use super::send::ApiRequest;
use super::{clock, decode};
use crate::id::{CalendarId, LocationId};

/// At most two attempts. Lists come whole, and a location may have thousands of tags.
const BOUNDS: RetryPolicy =
    RetryPolicy { attempts: 2, time: Duration::from_secs(20), bytes: 16 << 20 };
/// How much of the response to an unauthenticated request is read.
const GLANCE: usize = 64 << 10;
/// Not a contact id: ids have no hyphens.
const NO_CONTACT: &str = "ghl-bulk-doctor-no-contact";
/// Not a calendar id, for the same reason.
const NO_CALENDAR: &str = "ghl-bulk-doctor-no-calendar";

/// What to probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiProbe {
    /// The location itself.
    Location,
    /// One contact from the search.
    Contacts,
    /// An update without fields of a contact that does not exist.
    ContactsWrite,
    /// One task from the search.
    Tasks,
    /// One note from the search.
    Notes,
    /// The calendars.
    Calendars,
    /// The events of one millisecond in a calendar, or in one that does not exist.
    CalendarEvents(Option<CalendarId>),
    /// The custom fields.
    CustomFields,
    /// The tags.
    Tags,
    /// The users.
    Users,
    /// One business.
    Businesses,
}

/// The response to a request without a token.
#[derive(Debug)]
pub struct UnauthenticatedResponse {
    /// The status.
    pub status: u16,
    /// The kind of body.
    pub page: ResponseBodyKind,
    /// How many milliseconds the server's clock is ahead of this machine's, to about a second.
    pub ahead: Option<i64>,
    /// From the first byte sent, including connecting, to the end of the response.
    pub took: Duration,
}

/// The kind of body that a response has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseBodyKind {
    /// JSON, as the API sends it.
    Json,
    /// The API has not sent it; a sentence about it.
    Foreign(ForeignResponse, String),
    /// A redirect, with its description.
    Redirect(String),
    /// An empty body, or something else.
    Other,
}

impl HttpOptions {
    /// Requests a location without a token. The API refuses that; what matters is that it does, and
    /// how.
    ///
    /// # Errors
    /// [`ConnectError`] when there is no response; the outer error when the HTTP client cannot be
    /// set up.
    pub async fn send_unauthenticated(
        &self,
        url: &str,
        location: Option<&LocationId>,
    ) -> Result<Result<UnauthenticatedResponse, ConnectError>, HttpSetupError> {
        let http = self.build_client(url)?;
        let location = location.map_or_else(|| "none".to_owned(), LocationId::escaped_segment);
        let url = format!("{}/locations/{location}", url.trim_end_matches('/'));
        let started = Instant::now();
        let request = http.get(url).header("version", HeaderValue::from_static(VERSION));
        Ok(match request.send().await {
            Ok(response) => Ok(read_unauthenticated(response, started).await),
            Err(error) => Err(ConnectError::from_reqwest(&error)),
        })
    }
}

async fn read_unauthenticated(
    mut response: reqwest::Response,
    started: Instant,
) -> UnauthenticatedResponse {
    let ahead = clock::server_ahead_ms(response.headers());
    let status = response.status();
    if status.is_redirection() {
        let page = ResponseBodyKind::Redirect(describe_redirect(&response));
        return UnauthenticatedResponse {
            status: status.as_u16(),
            page,
            ahead,
            took: started.elapsed(),
        };
    }
    let mut body = Vec::new();
    // A truncated body is classified by its beginning.
    while let Ok(Some(part)) = response.chunk().await {
        body.extend_from_slice(&part);
        if body.len() > GLANCE {
            break;
        }
    }
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&body);
    let page = classify_body(status.as_u16(), response.headers(), body);
    UnauthenticatedResponse { status: status.as_u16(), page, ahead, took: started.elapsed() }
}

fn classify_body(status: u16, headers: &HeaderMap, body: &[u8]) -> ResponseBodyKind {
    if let Some((foreign, message)) = ResponseOrigin::from_headers(headers).identify(status, body) {
        return ResponseBodyKind::Foreign(foreign, message);
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
        Ok(_) if body.trim_ascii_start().starts_with(b"{") => ResponseBodyKind::Json,
        _ => ResponseBodyKind::Other,
    }
}

impl ApiClient {
    /// Sends one probe. [`ApiProbe::ContactsWrite`] and events of a missing calendar also succeed
    /// when the server says that there is no such record, or that the request is empty.
    pub async fn send_probe(&self, probe: &ApiProbe) -> Result<Bytes, ApiError> {
        let (route, path, body) = self.probe_request(probe);
        let request = ApiRequest { route, path, body, policy: BOUNDS };
        match self.sender.send_read(&request, decode::any_object).await {
            Ok(answer) => Ok(answer.body),
            Err(error) if passed_authorization(probe, &error) => Ok(Bytes::new()),
            Err(error) => Err(error),
        }
    }

    fn probe_request(&self, probe: &ApiProbe) -> (ApiEndpoint, String, Option<Bytes>) {
        let location = self.location_id().escaped_segment();
        let get = |route, path| (route, path, None);
        match probe {
            ApiProbe::Location => get(ApiEndpoint::Location, format!("/locations/{location}")),
            ApiProbe::Contacts => {
                let body = serde_json::json!({ "locationId": self.location_id(), "pageLimit": 1 });
                (
                    ApiEndpoint::SearchContacts,
                    "/contacts/search".to_owned(),
                    Some(super::client::json_body(&body)),
                )
            }
            ApiProbe::ContactsWrite => {
                let body = Bytes::from_static(b"{}");
                (ApiEndpoint::UpdateContact, format!("/contacts/{NO_CONTACT}"), Some(body))
            }
            ApiProbe::Tasks => {
                let body = Bytes::from_static(br#"{"limit":1}"#);
                (
                    ApiEndpoint::SearchTasks,
                    format!("/locations/{location}/tasks/search"),
                    Some(body),
                )
            }
            ApiProbe::Notes => {
                let body = serde_json::json!({ "locationId": self.location_id(), "limit": 1 });
                (
                    ApiEndpoint::SearchNotes,
                    "/notes/search".to_owned(),
                    Some(super::client::json_body(&body)),
                )
            }
            ApiProbe::Calendars => {
                get(ApiEndpoint::Calendars, format!("/calendars/?locationId={location}"))
            }
            ApiProbe::CalendarEvents(id) => {
                let id =
                    id.as_ref().map_or_else(|| NO_CALENDAR.to_owned(), CalendarId::escaped_segment);
                let query = format!("locationId={location}&calendarId={id}");
                get(
                    ApiEndpoint::CalendarEvents,
                    format!(
                        "/calendars/events?{query}&startTime=1700000000000&endTime=1700000000001"
                    ),
                )
            }
            ApiProbe::CustomFields => get(
                ApiEndpoint::CustomFields,
                format!("/locations/{location}/customFields?model=contact"),
            ),
            ApiProbe::Tags => get(ApiEndpoint::Tags, format!("/locations/{location}/tags")),
            ApiProbe::Users => get(ApiEndpoint::Users, format!("/users/?locationId={location}")),
            ApiProbe::Businesses => get(
                ApiEndpoint::Businesses,
                format!("/businesses/?locationId={location}&limit=1&skip=0"),
            ),
        }
    }
}

/// Whether a refusal shows that the request passed authorization and failed on the missing record:
/// 400, 404 or 422, but not a path that the server does not know.
fn passed_authorization(probe: &ApiProbe, error: &ApiError) -> bool {
    let of_nothing = matches!(probe, ApiProbe::ContactsWrite | ApiProbe::CalendarEvents(None));
    let judged = matches!(error.kind, ApiErrorKind::Gone | ApiErrorKind::Refused);
    let path = error.message.starts_with("Cannot ");
    of_nothing && judged && !path && matches!(error.status, Some(400 | 404 | 422))
}

impl ApiProbe {
    /// The scope that is probed (api.md §9).
    #[must_use]
    pub fn required_scope(&self) -> &'static str {
        match self {
            Self::Location => ApiEndpoint::Location,
            Self::Contacts => ApiEndpoint::SearchContacts,
            Self::ContactsWrite => ApiEndpoint::UpdateContact,
            Self::Tasks => ApiEndpoint::SearchTasks,
            Self::Notes => ApiEndpoint::SearchNotes,
            Self::Calendars => ApiEndpoint::Calendars,
            Self::CalendarEvents(_) => ApiEndpoint::CalendarEvents,
            Self::CustomFields => ApiEndpoint::CustomFields,
            Self::Tags => ApiEndpoint::Tags,
            Self::Users => ApiEndpoint::Users,
            Self::Businesses => ApiEndpoint::Businesses,
        }
        .required_scope()
    }
}
