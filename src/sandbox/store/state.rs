//! The whole state of one sandbox, behind one lock.
//!
//! Finds the location and the contact that a request is about, and checks that its token has access
//! to them. Knows nothing of HTTP connections; the server takes the lock and never holds it across
//! an await.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::contact::SearchRow;
use super::location_store::LocationStore;
use super::slots::ContactSlot;
use crate::sandbox::faults::fault::FaultRule;
use crate::sandbox::http::auth::AccessGrant;
use crate::sandbox::http::rate_limit::LocationLimiter;
use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::request_log::RequestLog;
use crate::sandbox::http::response::EndpointError;
use crate::sandbox::notes_search_behavior::NotesSearchBehavior;
use crate::sandbox::oauth::IssuedTokenStore;
use crate::sandbox::sandbox_settings::{SandboxSettings, ServiceQuirk};
use crate::sandbox::seed::{self, SeededRng};

const OUT_OF_REACH: &str = "The token does not have access to this location.";

/// The state of a sandbox.
#[derive(Debug)]
pub(crate) struct SandboxState {
    pub(crate) settings: SandboxSettings,
    pub(crate) stores: Vec<LocationStore>,
    pub(crate) limiter: LocationLimiter,
    pub(crate) faults: Vec<FaultRule>,
    pub(crate) journal: RequestLog,
    pub(crate) oauth: IssuedTokenStore,
    pub(crate) started: Instant,
    rng: SeededRng,
}

/// The position of a contact: the number of its store, and its slot there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ContactPosition {
    pub(crate) store: usize,
    pub(crate) slot: ContactSlot,
}

impl SandboxState {
    pub(crate) fn new(settings: SandboxSettings) -> Self {
        let mut state = Self {
            stores: seed::seed_locations(&settings),
            limiter: LocationLimiter::new(settings.limit, settings.window, settings.daily_used),
            faults: settings.faults.clone(),
            journal: RequestLog::default(),
            oauth: IssuedTokenStore::default(),
            started: Instant::now(),
            rng: SeededRng::new(settings.seed ^ 0x6d69_6e74),
            settings,
        };
        let behavior = state.settings.notes_search.clone();
        state.set_notes_search(behavior);
        state
    }

    /// Changes how the search of notes behaves.
    pub(crate) fn set_notes_search(&mut self, behavior: NotesSearchBehavior) {
        for store in &mut self.stores {
            store.notes.lag = behavior.lag;
        }
        self.settings.notes_search = behavior;
    }

    pub(crate) fn elapsed_since_start(&self) -> Duration {
        self.started.elapsed()
    }

    /// The clock of this sandbox, which the settings may shift, in milliseconds since 1970.
    pub(crate) fn clock_millis(&self) -> i64 {
        let ahead = i64::try_from(self.settings.clock_ahead.as_millis()).unwrap_or_default();
        now_millis().saturating_add(ahead)
    }

    /// The locations where the app is installed.
    pub(crate) fn installed_locations(&self) -> impl Iterator<Item = &String> {
        let SandboxSettings { locations, not_installed, .. } = &self.settings;
        locations.iter().filter(|location| !not_installed.contains(location))
    }

    /// The permissions of the request's token.
    pub(crate) fn authenticate_request<'a>(
        &'a self,
        request: &'a SandboxRequest,
    ) -> Result<AccessGrant<'a>, EndpointError> {
        let invalid = || EndpointError::unauthorized("Invalid token: access token is invalid");
        let token = request.token.as_deref().ok_or_else(invalid)?;
        if let Some(grant) = AccessGrant::from_private_token(token) {
            return grant;
        }
        let living =
            self.oauth.find_access_token(token).filter(|issued| issued.until > self.clock_millis());
        match living {
            Some(issued) => Ok(AccessGrant::Issued(issued)),
            None if token.split('.').count() == 3 => {
                Err(EndpointError::unauthorized("Invalid JWT"))
            }
            None => Err(invalid()),
        }
    }

    /// A new id of twenty letters and digits.
    pub(crate) fn generate_id(&mut self) -> String {
        self.rng.random_id()
    }

    /// A new unguessable text of forty hexadecimal digits.
    pub(crate) fn generate_secret(&mut self) -> String {
        let parts = [self.rng.next_u64(), self.rng.next_u64(), self.rng.next_u64() >> 32];
        format!("{:016x}{:016x}{:08x}", parts[0], parts[1], parts[2])
    }

    /// The store of the location that the request names; 403 if it names none, as the service does.
    pub(crate) fn authorize_named_location(
        &self,
        request: &SandboxRequest,
    ) -> Result<usize, EndpointError> {
        match request.named_location() {
            Some(location) => self.authorize_location(request, location),
            None => Err(EndpointError::forbidden(OUT_OF_REACH)),
        }
    }

    /// The store of a location, if the request's token has access to it.
    pub(crate) fn authorize_location(
        &self,
        request: &SandboxRequest,
        location: &str,
    ) -> Result<usize, EndpointError> {
        let found = self.stores.iter().position(|store| store.location == location);
        let reached = self.authenticate_request(request)?.covers_location(location);
        found.filter(|_| reached).ok_or_else(|| EndpointError::forbidden(OUT_OF_REACH))
    }

    /// The contact in the path's second segment.
    pub(crate) fn authorize_contact(
        &self,
        request: &SandboxRequest,
    ) -> Result<ContactPosition, EndpointError> {
        let id = request.path_segment(1);
        let place = self
            .find_contact(id)
            .ok_or_else(|| EndpointError::bad_request(format!("Contact not found for id:{id}")))?;
        self.authorize_location(request, &self.stores[place.store].location)?;
        Ok(place)
    }

    pub(crate) fn find_contact(&self, id: &str) -> Option<ContactPosition> {
        let holds = |(store, one): (usize, &LocationStore)| {
            Some(ContactPosition { store, slot: one.find_by_id(id)? })
        };
        self.stores.iter().enumerate().find_map(holds)
    }

    /// The location whose quota a request uses.
    pub(crate) fn rate_limited_location(&self, request: &SandboxRequest) -> String {
        let first = || self.stores.first().map_or("", |store| store.location.as_str());
        if let Some(named) = request.named_location() {
            return named.to_owned();
        }
        if let Some(ContactPosition { store, .. }) = self.find_contact(request.path_segment(1)) {
            return self.stores[store].location.clone();
        }
        let grant = self.authenticate_request(request).ok();
        grant.as_ref().and_then(AccessGrant::bound_location).unwrap_or_else(first).to_owned()
    }

    /// Stores a contact's changed row with a new `dateUpdated`.
    pub(crate) fn rewrite_contact(&mut self, place: ContactPosition, row: &mut SearchRow) {
        let now = now_millis();
        row.insert("dateUpdated".to_owned(), Value::String(crate::sandbox::text::format_iso(now)));
        self.stores[place.store].update_row(place.slot, row, now);
    }

    /// Records that a child of a contact was written, if that updates the contact's `dateUpdated`.
    pub(crate) fn touch_after_child_write(&mut self, place: ContactPosition) {
        if self.settings.has_quirk(ServiceQuirk::ChildrenBump) {
            let mut row = self.stores[place.store].contact(place.slot).parse_row();
            self.rewrite_contact(place, &mut row);
        }
    }
}

/// The time of a write. Only writes read the clock; seeded data never does.
pub(crate) fn now_millis() -> i64 {
    Timestamp::now().as_millisecond()
}
