//! The API client: one method per endpoint.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use super::clock::ServerClockOffset;
use super::decode::{self, DecodeFn};
use super::endpoint::ApiEndpoint;
use super::endpoint_breaker::EndpointBreakers;
use super::error::ApiError;
use super::http::{HttpOptions, HttpSetupError};
use super::location_access::LocationAccess;
use super::lookup_access::LookupAccess;
use super::rate_limit::RateLimiter;
use super::response::{
    ApiResponse, BusinessPage, CalendarList, ChildList, ContactPage, ContactRef, ListPage,
    LocationDetails,
};
use super::retry::RetryPolicy;
use super::search_options::SearchOptions;
use super::send::{ApiRequest, RequestSender};
use super::token_provider::TokenProvider;
use crate::event::SharedObserver;
use crate::id::{BusinessId, CalendarId, ContactId, LocationId};

/// The `Version` header of every endpoint that has no version of its own (api.md §1.10).
pub const VERSION: &str = "2021-07-28";

/// What is needed to build a client.
#[derive(Clone)]
pub struct ApiClientConfig {
    /// The base URL without a trailing `/`, such as `https://services.leadconnectorhq.com`.
    pub url: String,
    /// The source of tokens.
    pub credential: Arc<dyn TokenProvider>,
    /// The location that all requests address.
    pub location: LocationId,
    /// For how long a server that cannot be reached is tried again.
    pub unreachable_for: Duration,
    /// The connection settings.
    pub transport: HttpOptions,
}

/// The API of one location. Clones share connections, rate limiter and counters.
#[derive(Clone)]
pub struct ApiClient {
    pub(super) sender: Arc<RequestSender>,
    location: LocationId,
    pub(super) lookup: Arc<LookupAccess>,
    pub(super) options: Arc<SearchOptions>,
    policy: RetryPolicy,
}

impl ApiClient {
    /// Creates a client. No request is sent yet.
    pub fn new(
        config: &ApiClientConfig,
        limiter: RateLimiter,
        observer: SharedObserver,
    ) -> Result<Self, HttpSetupError> {
        let http = config.transport.build_client(&config.url)?;
        let total_sent = Arc::new(AtomicU64::new(0));
        observer.watch_requests(Arc::clone(&total_sent));
        let sender = RequestSender {
            http,
            total_sent,
            unreachable_for: config.unreachable_for,
            unreachable_reported: AtomicBool::new(false),
            token_accepted: AtomicBool::new(false),
            base: config.url.trim_end_matches('/').to_owned(),
            version: VERSION,
            credential: Arc::clone(&config.credential),
            limiter,
            access: LocationAccess::new(config.location.clone()),
            breakers: EndpointBreakers::new(),
            observer,
            sent: [const { AtomicU64::new(0) }; super::endpoint::COUNT],
            large: RequestSender::large_body_semaphore(),
            clock: ServerClockOffset::default(),
        };
        Ok(Self {
            sender: Arc::new(sender),
            location: config.location.clone(),
            lookup: Arc::default(),
            options: Arc::default(),
            policy: RetryPolicy::PERSISTENT,
        })
    }

    /// The same client, whose requests are tried for as long as this.
    #[must_use]
    pub fn with_retry_policy(&self, policy: RetryPolicy) -> Self {
        Self { policy, ..self.clone() }
    }

    /// The location that all requests address.
    #[must_use]
    pub fn location_id(&self) -> &LocationId {
        &self.location
    }

    /// The rate limiter.
    #[must_use]
    pub fn rate_limiter(&self) -> &RateLimiter {
        &self.sender.limiter
    }

    /// Requests sent by this client, by endpoint, retries included.
    #[must_use]
    pub fn request_counts(&self) -> BTreeMap<String, u64> {
        let counts = ApiEndpoint::ALL.iter().zip(&self.sender.sent);
        let mut by_name = BTreeMap::new();
        for (route, sent) in counts {
            *by_name.entry(route.method_and_path().to_owned()).or_default() +=
                sent.load(Ordering::Relaxed);
        }
        by_name.retain(|_, sent| *sent > 0);
        by_name
    }

    /// How many milliseconds the server's clock is ahead of this machine's, according to the latest
    /// response; accurate to about a second. None before the first response.
    #[must_use]
    pub fn server_time_offset(&self) -> Option<i64> {
        self.sender.clock.offset_ms()
    }

    /// One contact, in the dialect of its own endpoint (api.md §2, table).
    pub async fn get_contact(
        &self,
        id: &ContactId,
    ) -> Result<ApiResponse<Option<ContactRef>>, ApiError> {
        let path = format!("/contacts/{}", id.escaped_segment());
        self.send_request(ApiEndpoint::Contact, path, None, decode::contact_ref).await
    }

    /// One contact as its own endpoint returns it. Look-ups compare with this, because every search
    /// lags behind it (api.md §2.10). None if the server says that there is no such contact.
    pub async fn get_raw_contact(
        &self,
        id: &ContactId,
    ) -> Result<ApiResponse<Option<Box<RawValue>>>, ApiError> {
        let path = format!("/contacts/{}", id.escaped_segment());
        self.send_request(ApiEndpoint::Contact, path, None, decode::raw_contact).await
    }

    /// The contact with this e-mail address or phone number, found the way the server detects
    /// duplicates. At least one of the two is required; with both, the location's setting decides
    /// which goes first.
    pub async fn find_duplicate_contact(
        &self,
        email: Option<&str>,
        phone: Option<&str>,
    ) -> Result<ApiResponse<Option<Box<RawValue>>>, ApiError> {
        let mut path =
            format!("/contacts/search/duplicate?locationId={}", self.location.escaped_segment());
        for (name, value) in [("email", email), ("number", phone)] {
            if let Some(value) = value {
                write!(path, "&{name}={}", crate::text::percent_encode(value))
                    .expect("writing to a String cannot fail");
            }
        }
        self.send_request(ApiEndpoint::DuplicateContact, path, None, decode::raw_contact).await
    }

    /// A page of a business's contacts. The rows are abbreviated: only their ids are reliable.
    pub async fn list_business_contacts(
        &self,
        id: &BusinessId,
        skip: usize,
    ) -> Result<ApiResponse<ContactPage>, ApiError> {
        let location = self.location.escaped_segment();
        let path = format!(
            "/contacts/business/{}?locationId={location}&limit=100&skip={skip}",
            id.escaped_segment()
        );
        self.send_request(ApiEndpoint::ContactsByBusiness, path, None, decode::contact_page).await
    }

    /// A contact's tasks.
    pub async fn list_contact_tasks(
        &self,
        id: &ContactId,
        policy: RetryPolicy,
    ) -> Result<ApiResponse<ChildList>, ApiError> {
        self.list_contact_children(
            ApiEndpoint::ContactTasks,
            id,
            "tasks",
            policy,
            decode::contact_tasks,
        )
        .await
    }

    /// A contact's notes.
    pub async fn list_contact_notes(
        &self,
        id: &ContactId,
        policy: RetryPolicy,
    ) -> Result<ApiResponse<ChildList>, ApiError> {
        self.list_contact_children(ApiEndpoint::ContactNotes, id, "notes", policy, decode::notes)
            .await
    }

    /// A contact's appointments. Their times have no time zone (api.md §4).
    pub async fn list_contact_appointments(
        &self,
        id: &ContactId,
        policy: RetryPolicy,
    ) -> Result<ApiResponse<ChildList>, ApiError> {
        self.list_contact_children(
            ApiEndpoint::ContactAppointments,
            id,
            "appointments",
            policy,
            decode::events,
        )
        .await
    }

    /// The location's calendars.
    pub async fn list_calendars(&self) -> Result<ApiResponse<CalendarList>, ApiError> {
        let path = format!("/calendars/?locationId={}", self.location.escaped_segment());
        self.send_request(ApiEndpoint::Calendars, path, None, decode::calendar_list).await
    }

    /// A calendar's events that start in a window, given in milliseconds since 1970.
    pub async fn list_calendar_events(
        &self,
        id: &CalendarId,
        window: std::ops::Range<i64>,
    ) -> Result<ApiResponse<ListPage>, ApiError> {
        let path = format!(
            "/calendars/events?locationId={}&calendarId={}&startTime={}&endTime={}",
            self.location.escaped_segment(),
            id.escaped_segment(),
            window.start,
            window.end
        );
        self.send_request(ApiEndpoint::CalendarEvents, path, None, decode::events).await
    }

    /// The definitions of the contact custom fields.
    pub async fn list_custom_fields(&self) -> Result<ApiResponse<ListPage>, ApiError> {
        let path =
            format!("/locations/{}/customFields?model=contact", self.location.escaped_segment());
        self.send_request(ApiEndpoint::CustomFields, path, None, decode::fields).await
    }

    /// The location's tags.
    pub async fn list_tags(&self) -> Result<ApiResponse<ListPage>, ApiError> {
        let path = format!("/locations/{}/tags", self.location.escaped_segment());
        self.send_request(ApiEndpoint::Tags, path, None, decode::tags).await
    }

    /// The location's users.
    pub async fn list_users(&self) -> Result<ApiResponse<ListPage>, ApiError> {
        let path = format!("/users/?locationId={}", self.location.escaped_segment());
        self.send_request(ApiEndpoint::Users, path, None, decode::users).await
    }

    /// A page of the location's businesses, at most 100.
    pub async fn list_businesses(
        &self,
        skip: usize,
    ) -> Result<ApiResponse<BusinessPage>, ApiError> {
        let mut path = format!("/businesses/?locationId={}", self.location.escaped_segment());
        write!(path, "&limit=100&skip={skip}").expect("writing to a String cannot fail");
        self.send_request(ApiEndpoint::Businesses, path, None, decode::business_page).await
    }

    /// The location itself.
    pub async fn get_location(&self) -> Result<ApiResponse<LocationDetails>, ApiError> {
        let path = format!("/locations/{}", self.location.escaped_segment());
        self.send_request(ApiEndpoint::Location, path, None, decode::location_details).await
    }

    async fn list_contact_children(
        &self,
        route: ApiEndpoint,
        id: &ContactId,
        name: &str,
        policy: RetryPolicy,
        read: DecodeFn<ChildList>,
    ) -> Result<ApiResponse<ChildList>, ApiError> {
        let path = format!("/contacts/{}/{name}", id.escaped_segment());
        self.with_retry_policy(policy).send_request(route, path, None, read).await
    }

    pub(super) async fn send_request<T>(
        &self,
        route: ApiEndpoint,
        path: String,
        body: Option<Bytes>,
        read: DecodeFn<T>,
    ) -> Result<ApiResponse<T>, ApiError> {
        let request = ApiRequest { route, path, body, policy: self.policy };
        self.sender.send_read(&request, read).await
    }
}

pub(super) fn json_body(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).expect("a search body is plain JSON").into()
}
