//! The client: one method per endpoint.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use super::clock::Clock;
use super::decode::{self, Read};
use super::endpoint::Route;
use super::error::Error;
use super::http::{Transport, TransportError};
use super::rate_limit::Pace;
use super::response::{
    Answer, CalendarPage, ChildPage, ContactHead, ContactPage, Cursor, ListPage, LocationHead,
    TaskPage, TaskPlace,
};
use super::retry::Bounds;
use super::send::{Call, Sender};
use super::token_provider::Credential;
use crate::event::Watcher;
use crate::id::{BusinessId, CalendarId, ContactId, LocationId};

/// The `Version` header of every route that has no other (api.md §1.10).
pub const VERSION: &str = "2021-07-28";

/// What a client needs to know.
#[derive(Clone)]
pub struct Config {
    /// The API's address without a final `/`, such as `https://services.leadconnectorhq.com`.
    pub url: String,
    /// Where tokens come from.
    pub credential: Arc<dyn Credential>,
    /// The location that all requests are about.
    pub location: LocationId,
    /// How connections are made.
    pub transport: Transport,
}

/// The API of one location. Clones share connections, pace and counts.
#[derive(Clone)]
pub struct Client {
    pub(super) sender: Arc<Sender>,
    location: LocationId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskBody<'a> {
    limit: usize,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    contact_id: &'a [ContactId],
    #[serde(skip_serializing_if = "Option::is_none")]
    skip: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search_after: Option<Box<RawValue>>,
}

impl Client {
    /// A client. Nothing is sent yet.
    ///
    /// # Errors
    /// When the certificates, the platform's TLS roots or the proxy settings cannot be read.
    pub fn new(config: &Config, pace: Pace, watcher: Watcher) -> Result<Self, TransportError> {
        let http = config.transport.open(&config.url)?;
        let sender = Sender {
            http,
            base: config.url.trim_end_matches('/').to_owned(),
            version: VERSION,
            credential: Arc::clone(&config.credential),
            pace,
            watcher,
            sent: [const { AtomicU64::new(0) }; super::endpoint::COUNT],
            large: Sender::large(),
            clock: Clock::default(),
        };
        Ok(Self { sender: Arc::new(sender), location: config.location.clone() })
    }

    /// The location that all requests are about.
    #[must_use]
    pub fn location(&self) -> &LocationId {
        &self.location
    }

    /// The limiter.
    #[must_use]
    pub fn pace(&self) -> &Pace {
        &self.sender.pace
    }

    /// Requests sent by this client, by route, retries included.
    #[must_use]
    pub fn sent(&self) -> BTreeMap<String, u64> {
        let counts = Route::ALL.iter().zip(&self.sender.sent);
        counts
            .map(|(route, sent)| (route.name().to_owned(), sent.load(Ordering::Relaxed)))
            .filter(|(_, sent)| *sent > 0)
            .collect()
    }

    /// By how many milliseconds the server's clock is ahead of this machine's, as its last answer told:
    /// to a second or so. Nothing before the first answer.
    #[must_use]
    pub fn server_time_offset(&self) -> Option<i64> {
        self.sender.clock.offset()
    }

    /// One contact, in the dialect of its own endpoint (api.md §2, table).
    pub async fn contact(&self, id: &ContactId) -> Result<Answer<Option<ContactHead>>, Error> {
        let path = format!("/contacts/{}", id.segment());
        self.call(Route::Contact, path, None, Bounds::PATIENT, decode::contact).await
    }

    /// One contact as its own endpoint shows it: what look-ups compare with, since no search is as fresh
    /// (api.md §2.10). Nothing where the answer says that there is none.
    pub async fn contact_raw(
        &self,
        id: &ContactId,
    ) -> Result<Answer<Option<Box<RawValue>>>, Error> {
        let path = format!("/contacts/{}", id.segment());
        self.call(Route::Contact, path, None, Bounds::PATIENT, decode::whole_contact).await
    }

    /// The contact with this e-mail address or phone number, as the server would find duplicates of it.
    /// One of them must be given; with both, the location's own order decides.
    pub async fn duplicate_contact(
        &self,
        email: Option<&str>,
        phone: Option<&str>,
    ) -> Result<Answer<Option<Box<RawValue>>>, Error> {
        let mut path = format!("/contacts/search/duplicate?locationId={}", self.location.segment());
        for (name, value) in [("email", email), ("number", phone)] {
            if let Some(value) = value {
                write!(path, "&{name}={}", super::url::escape(value)).expect("a string takes all");
            }
        }
        self.call(Route::DuplicateContact, path, None, Bounds::PATIENT, decode::whole_contact).await
    }

    /// A page of a business's contacts. Its rows are short: ids are what they are good for.
    pub async fn contacts_by_business(
        &self,
        id: &BusinessId,
        skip: usize,
    ) -> Result<Answer<ContactPage>, Error> {
        let location = self.location.segment();
        let path = format!(
            "/contacts/business/{}?locationId={location}&limit=100&skip={skip}",
            id.segment()
        );
        self.call(Route::ContactsByBusiness, path, None, Bounds::PATIENT, decode::contacts).await
    }

    /// A page of the location's tasks, or of these contacts' tasks.
    pub async fn search_tasks(
        &self,
        contacts: &[ContactId],
        limit: usize,
        from: &TaskPlace,
    ) -> Result<Answer<TaskPage>, Error> {
        let (skip, search_after) = match from {
            TaskPlace::Skip(0) => (None, None),
            TaskPlace::Skip(tasks) => (Some(*tasks), None),
            TaskPlace::After(cursor) => (None, Cursor::parse(cursor).ok().map(|it| it.raw())),
        };
        let body = TaskBody { limit, contact_id: contacts, skip, search_after };
        let path = format!("/locations/{}/tasks/search", self.location.segment());
        self.call(Route::SearchTasks, path, Some(json(&body)), Bounds::PATIENT, decode::tasks).await
    }

    /// A contact's tasks.
    pub async fn contact_tasks(
        &self,
        id: &ContactId,
        bounds: Bounds,
    ) -> Result<Answer<ChildPage>, Error> {
        self.child(Route::ContactTasks, id, "tasks", bounds, decode::contact_tasks).await
    }

    /// A contact's notes.
    pub async fn contact_notes(
        &self,
        id: &ContactId,
        bounds: Bounds,
    ) -> Result<Answer<ChildPage>, Error> {
        self.child(Route::ContactNotes, id, "notes", bounds, decode::notes).await
    }

    /// A contact's appointments. Their times have no zone (api.md §4).
    pub async fn contact_appointments(
        &self,
        id: &ContactId,
        bounds: Bounds,
    ) -> Result<Answer<ChildPage>, Error> {
        self.child(Route::ContactAppointments, id, "appointments", bounds, decode::events).await
    }

    /// The location's calendars.
    pub async fn calendars(&self) -> Result<Answer<CalendarPage>, Error> {
        let path = format!("/calendars/?locationId={}", self.location.segment());
        self.call(Route::Calendars, path, None, Bounds::PATIENT, decode::calendars).await
    }

    /// A calendar's events that begin in a window, given in milliseconds since 1970.
    pub async fn calendar_events(
        &self,
        id: &CalendarId,
        window: std::ops::Range<i64>,
    ) -> Result<Answer<ListPage>, Error> {
        let path = format!(
            "/calendars/events?locationId={}&calendarId={}&startTime={}&endTime={}",
            self.location.segment(),
            id.segment(),
            window.start,
            window.end
        );
        self.call(Route::CalendarEvents, path, None, Bounds::PATIENT, decode::events).await
    }

    /// The definitions of the contacts' custom fields.
    pub async fn custom_fields(&self) -> Result<Answer<ListPage>, Error> {
        let path = format!("/locations/{}/customFields?model=contact", self.location.segment());
        self.call(Route::CustomFields, path, None, Bounds::PATIENT, decode::fields).await
    }

    /// The location's tags.
    pub async fn tags(&self) -> Result<Answer<ListPage>, Error> {
        let path = format!("/locations/{}/tags", self.location.segment());
        self.call(Route::Tags, path, None, Bounds::PATIENT, decode::tags).await
    }

    /// The location's users.
    pub async fn users(&self) -> Result<Answer<ListPage>, Error> {
        let path = format!("/users/?locationId={}", self.location.segment());
        self.call(Route::Users, path, None, Bounds::PATIENT, decode::users).await
    }

    /// A page of the location's businesses, 100 at most.
    pub async fn businesses(&self, skip: usize) -> Result<Answer<ListPage>, Error> {
        let mut path = format!("/businesses/?locationId={}", self.location.segment());
        write!(path, "&limit=100&skip={skip}").expect("a string takes all");
        self.call(Route::Businesses, path, None, Bounds::PATIENT, decode::businesses).await
    }

    /// The location itself.
    pub async fn location_details(&self) -> Result<Answer<LocationHead>, Error> {
        let path = format!("/locations/{}", self.location.segment());
        self.call(Route::Location, path, None, Bounds::PATIENT, decode::location).await
    }

    async fn child(
        &self,
        route: Route,
        id: &ContactId,
        name: &str,
        bounds: Bounds,
        read: Read<ChildPage>,
    ) -> Result<Answer<ChildPage>, Error> {
        let path = format!("/contacts/{}/{name}", id.segment());
        self.call(route, path, None, bounds, read).await
    }

    pub(super) async fn call<T>(
        &self,
        route: Route,
        path: String,
        body: Option<Bytes>,
        bounds: Bounds,
        read: Read<T>,
    ) -> Result<Answer<T>, Error> {
        self.sender.send(&Call { route, path, body, bounds }, read).await
    }
}

pub(super) fn json(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).expect("a search body is plain JSON").into()
}
