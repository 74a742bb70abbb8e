//! Probes: the cheapest request for each thing that may be wrong.
//!
//! A [`Knock`] goes without a token: it tells whether something answers, and what, before the token
//! leaves this machine. A [`Probe`] goes through the pace and the decision table like every other
//! request, so that what it meets is what an export or import would meet; but it is repeated only
//! once, for somebody waits.
//!
//! No probe changes the account. The one that asks for the right to write sends an update without any
//! field for a contact that cannot exist: contact ids are 20 letters and digits (api.md §16), and what an
//! update leaves out stays as it is (§5.4). A server that lets it through answers that there is no such
//! contact.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderValue};

use super::client::{Client, VERSION};
use super::connect_error::Obstacle;
use super::endpoint::Route;
use super::error::{Error, Kind};
use super::http::{Transport, TransportError};
use super::retry::Bounds;
use super::send::{Call, elsewhere};
use super::{clock, decode};
use crate::id::{CalendarId, LocationId};

/// Twice at most; lists come whole, and a location may have thousands of tags.
const BOUNDS: Bounds = Bounds { attempts: 2, time: Duration::from_secs(20), bytes: 16 << 20 };
/// The most of an answer to a knock that is read.
const GLANCE: usize = 64 << 10;
/// No contact: an id has no hyphens.
const NOBODY: &str = "ghl-bulk-doctor-nobody";
/// No calendar, for the same reason.
const NO_CALENDAR: &str = "ghl-bulk-doctor-none";

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// The location itself.
    Location,
    /// One contact of the search.
    Contacts,
    /// An update of no field of no contact.
    ContactsWrite,
    /// One task of the search.
    Tasks,
    /// The calendars.
    Calendars,
    /// The events of one millisecond in a calendar, or in none.
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

/// What answered a request without a token.
#[derive(Debug)]
pub struct Knock {
    /// The status.
    pub status: u16,
    /// What kind of answer it is.
    pub page: Page,
    /// By how many milliseconds the server's clock is ahead of this machine's, to a second or so.
    pub ahead: Option<i64>,
    /// From the first byte sent, making the connection included, to the end of the answer.
    pub took: Duration,
}

/// What kind of answer a body is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// JSON, as the API answers.
    Json,
    /// A page for people, with its title.
    Html(Option<String>),
    /// It sends elsewhere: a sentence about it.
    Redirect(String),
    /// Nothing, or something else.
    Other,
}

impl Transport {
    /// Asks for a location without a token. The API refuses that; what matters is that and how it answers.
    ///
    /// # Errors
    /// [`Obstacle`] when there is no answer; the outer error when no connection can be set up at all.
    pub async fn knock(
        &self,
        url: &str,
        location: Option<&LocationId>,
    ) -> Result<Result<Knock, Obstacle>, TransportError> {
        let http = self.open(url)?;
        let location = location.map_or_else(|| "none".to_owned(), LocationId::segment);
        let url = format!("{}/locations/{location}", url.trim_end_matches('/'));
        let begun = Instant::now();
        let request = http.get(url).header("version", HeaderValue::from_static(VERSION));
        Ok(match request.send().await {
            Ok(response) => Ok(read(response, begun).await),
            Err(error) => Err(Obstacle::of(&error)),
        })
    }
}

async fn read(mut response: reqwest::Response, begun: Instant) -> Knock {
    let ahead = clock::ahead(response.headers());
    let status = response.status();
    if status.is_redirection() {
        let page = Page::Redirect(elsewhere(&response));
        return Knock { status: status.as_u16(), page, ahead, took: begun.elapsed() };
    }
    let mut body = Vec::new();
    // What is cut is judged by its beginning.
    while let Ok(Some(part)) = response.chunk().await {
        body.extend_from_slice(&part);
        if body.len() > GLANCE {
            break;
        }
    }
    let page = page(response.headers(), &body);
    Knock { status: status.as_u16(), page, ahead, took: begun.elapsed() }
}

fn page(headers: &HeaderMap, body: &[u8]) -> Page {
    let kind = headers.get(reqwest::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'{') if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() => Page::Json,
        Some(b'<') => Page::Html(title(body)),
        _ if kind.is_some_and(|kind| kind.contains("html")) => Page::Html(title(body)),
        _ => Page::Other,
    }
}

/// What stands between `<title>` and its end, cut to a readable length. From outside.
fn title(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let begin = text.to_ascii_lowercase().find("<title>")? + "<title>".len();
    let rest = text.get(begin..)?;
    let title = rest.split('<').next()?.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then(|| title.chars().take(60).collect())
}

impl Client {
    /// Asks for one thing.
    ///
    /// # Errors
    /// As every request. [`Probe::ContactsWrite`] and events of no calendar are answered well when the
    /// server says that there is no such record, or that the request is empty.
    pub async fn probe(&self, probe: &Probe) -> Result<Bytes, Error> {
        let (route, path, body) = self.request_of(probe);
        let call = Call { route, path, body, bounds: BOUNDS };
        match self.sender.send(&call, decode::object).await {
            Ok(answer) => Ok(answer.body),
            Err(error) if let_through(probe, &error) => Ok(Bytes::new()),
            Err(error) => Err(error),
        }
    }

    fn request_of(&self, probe: &Probe) -> (Route, String, Option<Bytes>) {
        let location = self.location().segment();
        let get = |route, path| (route, path, None);
        match probe {
            Probe::Location => get(Route::Location, format!("/locations/{location}")),
            Probe::Contacts => {
                let body = serde_json::json!({ "locationId": self.location(), "pageLimit": 1 });
                (
                    Route::SearchContacts,
                    "/contacts/search".to_owned(),
                    Some(super::client::json(&body)),
                )
            }
            Probe::ContactsWrite => {
                let body = Bytes::from_static(b"{}");
                (Route::UpdateContact, format!("/contacts/{NOBODY}"), Some(body))
            }
            Probe::Tasks => {
                let body = Bytes::from_static(br#"{"limit":1}"#);
                (Route::SearchTasks, format!("/locations/{location}/tasks/search"), Some(body))
            }
            Probe::Calendars => get(Route::Calendars, format!("/calendars/?locationId={location}")),
            Probe::CalendarEvents(id) => {
                let id = id.as_ref().map_or_else(|| NO_CALENDAR.to_owned(), CalendarId::segment);
                let query = format!("locationId={location}&calendarId={id}");
                get(
                    Route::CalendarEvents,
                    format!(
                        "/calendars/events?{query}&startTime=1700000000000&endTime=1700000000001"
                    ),
                )
            }
            Probe::CustomFields => get(
                Route::CustomFields,
                format!("/locations/{location}/customFields?model=contact"),
            ),
            Probe::Tags => get(Route::Tags, format!("/locations/{location}/tags")),
            Probe::Users => get(Route::Users, format!("/users/?locationId={location}")),
            Probe::Businesses => {
                get(Route::Businesses, format!("/businesses/?locationId={location}&limit=1&skip=0"))
            }
        }
    }
}

/// Whether a refusal says that the request came past the guard and met what it could not find: 400, 404
/// or 422, but not a path that the server does not know.
fn let_through(probe: &Probe, error: &Error) -> bool {
    let of_nothing = matches!(probe, Probe::ContactsWrite | Probe::CalendarEvents(None));
    let judged = matches!(error.kind, Kind::Gone | Kind::Refused);
    let path = error.said.starts_with("Cannot ");
    of_nothing && judged && !path && matches!(error.status, Some(400 | 404 | 422))
}

impl Probe {
    /// The scope that is asked for (api.md §9).
    #[must_use]
    pub fn scope(&self) -> &'static str {
        match self {
            Self::Location => Route::Location,
            Self::Contacts => Route::SearchContacts,
            Self::ContactsWrite => Route::UpdateContact,
            Self::Tasks => Route::SearchTasks,
            Self::Calendars => Route::Calendars,
            Self::CalendarEvents(_) => Route::CalendarEvents,
            Self::CustomFields => Route::CustomFields,
            Self::Tags => Route::Tags,
            Self::Users => Route::Users,
            Self::Businesses => Route::Businesses,
        }
        .scope()
    }
}
