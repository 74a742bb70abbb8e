//! Everything that one sandbox remembers, behind its one lock.
//!
//! Finds the location and the contact that a request is about, and says whether its token reaches
//! them. Knows no HTTP connection; the lock is taken by the door and never held across an await.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::contact::Row;
use super::location_store::{Shelf, Slot};
use crate::sandbox::faults::fault::Fault;
use crate::sandbox::http::auth::Grant;
use crate::sandbox::http::rate_limit::Limiter;
use crate::sandbox::http::request::Ask;
use crate::sandbox::http::request_log::Journal;
use crate::sandbox::http::response::Refusal;
use crate::sandbox::oauth::Book;
use crate::sandbox::sandbox_settings::{Quirk, Settings};
use crate::sandbox::seed::{self, Chance};

const OUT_OF_REACH: &str = "The token does not have access to this location.";

/// The memory of a sandbox.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) shelves: Vec<Shelf>,
    pub(crate) limiter: Limiter,
    pub(crate) faults: Vec<Fault>,
    pub(crate) journal: Journal,
    pub(crate) oauth: Book,
    pub(crate) started: Instant,
    chance: Chance,
}

/// A contact that a request is about: the number of its shelf, and its place there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) shelf: usize,
    pub(crate) slot: Slot,
}

impl State {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            shelves: seed::shelves(&settings),
            limiter: Limiter::new(settings.limit, settings.window, settings.daily_used),
            faults: settings.faults.clone(),
            journal: Journal::default(),
            oauth: Book::default(),
            started: Instant::now(),
            chance: Chance::new(settings.seed ^ 0x6d69_6e74),
            settings,
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The wall clock of this sandbox, which the settings may move, in milliseconds since 1970.
    pub(crate) fn clock(&self) -> i64 {
        let ahead = i64::try_from(self.settings.clock_ahead.as_millis()).unwrap_or_default();
        now().saturating_add(ahead)
    }

    /// The locations where the app is installed.
    pub(crate) fn installed(&self) -> impl Iterator<Item = &String> {
        let Settings { locations, not_installed, .. } = &self.settings;
        locations.iter().filter(|location| !not_installed.contains(location))
    }

    /// What the request's token may do.
    pub(crate) fn grant<'a>(&'a self, ask: &'a Ask) -> Result<Grant<'a>, Refusal> {
        let invalid = || Refusal::unauthorized("Invalid token: access token is invalid");
        let token = ask.token.as_deref().ok_or_else(invalid)?;
        if let Some(grant) = Grant::of_integration(token) {
            return grant;
        }
        let living = self.oauth.access(token).filter(|issued| issued.until > self.clock());
        match living {
            Some(issued) => Ok(Grant::Issued(issued)),
            None if token.split('.').count() == 3 => Err(Refusal::unauthorized("Invalid JWT")),
            None => Err(invalid()),
        }
    }

    /// A new id, twenty letters and digits long.
    pub(crate) fn mint(&mut self) -> String {
        self.chance.id()
    }

    /// A new text that nobody guesses: forty hexadecimal digits.
    pub(crate) fn mint_secret(&mut self) -> String {
        let parts = [self.chance.next(), self.chance.next(), self.chance.next() >> 32];
        format!("{:016x}{:016x}{:08x}", parts[0], parts[1], parts[2])
    }

    /// The shelf of the location that the request names; 403 when it names none, as the service does.
    pub(crate) fn named_shelf(&self, ask: &Ask) -> Result<usize, Refusal> {
        match ask.named_location() {
            Some(location) => self.shelf_of(ask, location),
            None => Err(Refusal::forbidden(OUT_OF_REACH)),
        }
    }

    /// The shelf of a location, when the request's token reaches it.
    pub(crate) fn shelf_of(&self, ask: &Ask, location: &str) -> Result<usize, Refusal> {
        let found = self.shelves.iter().position(|shelf| shelf.location == location);
        let reached = self.grant(ask)?.reaches(location);
        found.filter(|_| reached).ok_or_else(|| Refusal::forbidden(OUT_OF_REACH))
    }

    /// The contact named by the path's second segment.
    pub(crate) fn contact(&self, ask: &Ask) -> Result<Place, Refusal> {
        let id = ask.segment(1);
        let place = self
            .place(id)
            .ok_or_else(|| Refusal::bad_request(format!("Contact not found for id:{id}")))?;
        self.shelf_of(ask, &self.shelves[place.shelf].location)?;
        Ok(place)
    }

    pub(crate) fn place(&self, id: &str) -> Option<Place> {
        let holds = |(shelf, one): (usize, &Shelf)| Some(Place { shelf, slot: one.find(id)? });
        self.shelves.iter().enumerate().find_map(holds)
    }

    /// Whose allowance a request uses.
    pub(crate) fn bucket(&self, ask: &Ask) -> String {
        let first = || self.shelves.first().map_or("", |shelf| shelf.location.as_str());
        if let Some(named) = ask.named_location() {
            return named.to_owned();
        }
        if let Some(Place { shelf, .. }) = self.place(ask.segment(1)) {
            return self.shelves[shelf].location.clone();
        }
        let grant = self.grant(ask).ok();
        grant.as_ref().and_then(Grant::location).unwrap_or_else(first).to_owned()
    }

    /// Writes a contact's changed row, with a new `dateUpdated`.
    pub(crate) fn rewrite(&mut self, place: Place, row: &mut Row) {
        let now = now();
        row.insert("dateUpdated".to_owned(), Value::String(crate::sandbox::text::iso(now)));
        self.shelves[place.shelf].rewrite(place.slot, row, now);
    }

    /// Notes that a child of a contact was written, where that moves the contact's `dateUpdated`.
    pub(crate) fn child_written(&mut self, place: Place) {
        if self.settings.has(Quirk::ChildrenBump) {
            let mut row = self.shelves[place.shelf].contact(place.slot).row();
            self.rewrite(place, &mut row);
        }
    }
}

/// The time of a write. Only writes look at the clock; seeded data never does.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}
