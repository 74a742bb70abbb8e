//! What one sandbox serves and how it behaves.
//!
//! Plain values with working defaults; nothing here changes once the sandbox runs, except the limit,
//! the faults, the clock and what concerns tokens, which the control routes replace.

use std::time::Duration;

use jiff::SignedDuration;

use super::{BurstWindow, FaultRule, LOCATION, LocationRateLimit};

/// What a sandbox serves and how it behaves.
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// How many contacts the first location starts with; the other locations start empty.
    pub contacts: usize,
    /// The seed of all data; equal seeds give equal bytes.
    pub seed: u64,
    /// Requests allowed per location.
    pub limit: LocationRateLimit,
    /// How the burst limit counts.
    pub window: BurstWindow,
    /// How much of each location's daily allowance is used up at the start.
    pub daily_used: u64,
    /// How long the search index lags behind a write.
    pub lag: Duration,
    /// Faults that are on from the start.
    pub faults: Vec<FaultRule>,
    /// The locations served; any other is out of reach for every token.
    pub locations: Vec<String>,
    /// Whether the locations allow two contacts with one e-mail address or phone number.
    pub allow_duplicates: bool,
    /// What makes a contact a duplicate, first match first.
    pub unique: Vec<UniqueIdentifier>,
    /// How many records page numbers reach in a contact search.
    pub page_window: usize,
    /// The longest span one request for calendar events may cover; `None` is no maximum.
    pub event_window: Option<Duration>,
    /// The largest number of contacts in one bulk tag request.
    pub bulk_tags: usize,
    /// How long an access token of OAuth lives.
    pub token_life: Duration,
    /// The locations where the registered app is not installed.
    pub not_installed: Vec<String>,
    /// How far the sandbox's clock is ahead: the `Date` of every answer, and what tokens live by.
    pub clock_ahead: SignedDuration,
    /// Where the real service's behaviour is unknown: answers other than the default ones.
    pub quirks: Vec<ServiceQuirk>,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self {
            contacts: 1000,
            seed: 1,
            limit: LocationRateLimit::default(),
            window: BurstWindow::Sliding,
            daily_used: 0,
            lag: Duration::ZERO,
            faults: Vec::new(),
            locations: vec![LOCATION.to_owned()],
            allow_duplicates: false,
            unique: vec![UniqueIdentifier::Email, UniqueIdentifier::Phone],
            page_window: 10_000,
            event_window: None,
            bulk_tags: 500,
            token_life: Duration::from_secs(86_399),
            not_installed: Vec::new(),
            clock_ahead: SignedDuration::ZERO,
            quirks: Vec::new(),
        }
    }
}

impl SandboxSettings {
    pub(super) fn has_quirk(&self, quirk: ServiceQuirk) -> bool {
        self.quirks.contains(&quirk)
    }
}

/// A value that tells contacts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UniqueIdentifier {
    /// The e-mail address, whatever its case.
    Email,
    /// The phone number in its international form.
    Phone,
}

impl UniqueIdentifier {
    pub(super) fn json_key(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
}

/// One point on which nobody outside knows what the service does; each switches to the rarer answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceQuirk {
    /// `GET /contacts/` answers under version `v3` too.
    ListOnV3,
    /// A `range` filter on a date refuses ISO texts.
    NumericRanges,
    /// Writing a note or a task moves its contact's `dateUpdated`.
    ChildrenBump,
    /// A custom field that does not exist is refused instead of ignored.
    RefuseUnknownFields,
    /// Search results name people in lower case, as the deprecated list does.
    LowerCaseNames,
    /// The task search is what the specification says: `skip` and `limit`, and no cursor.
    TasksBySkip,
    /// An authorisation for the whole agency comes back without its `state`.
    StateDropped,
}
