//! The settings of one sandbox: what it serves and how it behaves.
//!
//! Plain values with working defaults. Nothing here changes once the sandbox runs, except the
//! limit, the faults, the clock and the token settings, which the control routes replace.

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;

use super::{BurstWindow, FaultRule, LOCATION, LocationRateLimit, NotesSearchBehavior};

/// What a sandbox serves and how it behaves.
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// How many contacts the first location starts with.
    pub contacts: usize,
    /// How many contacts every other location starts with.
    pub contacts_elsewhere: usize,
    /// Whether some values do not fit the type of their custom field, as in real accounts.
    pub awkward: bool,
    /// Whether there are also notes of two contacts or of an opportunity, and tasks that were deleted, that
    /// have no contact, or that relate to ten records.
    pub odd_records: bool,
    /// The seed of all data; equal seeds give equal bytes.
    pub seed: u64,
    /// Requests allowed per location.
    pub limit: LocationRateLimit,
    /// How the burst limit counts.
    pub window: BurstWindow,
    /// How much of each location's daily quota is used up at the start.
    pub daily_used: u64,
    /// How long the search index lags behind a write.
    pub lag: Duration,
    /// Faults that are active from the start.
    pub faults: Vec<FaultRule>,
    /// The locations served; tokens have no access to any other.
    pub locations: Vec<String>,
    /// Whether the locations allow two contacts with the same e-mail address or phone number.
    pub allow_duplicates: bool,
    /// What makes a contact a duplicate, in order of precedence.
    pub unique: Vec<UniqueIdentifier>,
    /// How many records can be reached with page numbers in a contact search.
    pub page_window: usize,
    /// The longest period that one request for calendar events may cover; `None` is unlimited.
    pub event_window: Option<Duration>,
    /// The largest number of contacts in one bulk tag request.
    pub bulk_tags: usize,
    /// How the search of notes behaves.
    pub notes_search: NotesSearchBehavior,
    /// Whose tokens may look contacts up by address or number.
    pub contact_lookup: ContactLookupAccess,
    /// How long an OAuth access token is valid.
    pub token_life: Duration,
    /// The locations where the registered app is not installed.
    pub not_installed: Vec<String>,
    /// How far the sandbox's clock is ahead: affects the `Date` of every response and the expiry of
    /// tokens.
    pub clock_ahead: SignedDuration,
    /// How often a minute something is changed at random, as the account's users would do.
    pub live: Option<NonZeroU32>,
    /// Where the real service's behavior is unknown: responses other than the default ones.
    pub quirks: Vec<ServiceQuirk>,
    /// The lists of the first location, instead of made-up ones.
    pub lists: Option<LocationLists>,
}

/// The lists of a location, as the service sends their entries.
#[derive(Debug, Clone, Default)]
pub struct LocationLists {
    /// The custom fields.
    pub custom_fields: Vec<Value>,
    /// The users.
    pub users: Vec<Value>,
    /// The businesses.
    pub businesses: Vec<Value>,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self {
            contacts: 1000,
            contacts_elsewhere: 0,
            awkward: true,
            odd_records: false,
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
            notes_search: NotesSearchBehavior::default(),
            contact_lookup: ContactLookupAccess::Apps(401),
            token_life: Duration::from_secs(86_399),
            not_installed: Vec::new(),
            clock_ahead: SignedDuration::ZERO,
            live: None,
            quirks: Vec::new(),
            lists: None,
        }
    }
}

impl SandboxSettings {
    pub(super) fn has_quirk(&self, quirk: ServiceQuirk) -> bool {
        self.quirks.contains(&quirk)
    }
}

/// A field that identifies contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UniqueIdentifier {
    /// The e-mail address, ignoring case.
    Email,
    /// The phone number in international format.
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

/// Whose tokens may use `GET /contacts/lookup`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactLookupAccess {
    /// All, private integrations too.
    Everyone,
    /// Those of OAuth apps, as documented; others are answered with this status.
    Apps(u16),
}

/// A point on which the service's behavior is not publicly known; each switches to the less likely
/// behavior.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceQuirk {
    /// `GET /contacts/` answers under version `v3` too.
    ListOnV3,
    /// A `range` filter on a date refuses ISO texts.
    NumericRanges,
    /// Creating a note or task updates its contact's `dateUpdated`.
    ChildrenBump,
    /// A custom field that does not exist is refused instead of ignored.
    RefuseUnknownFields,
    /// Search results show names in lower case, as the deprecated list does.
    LowerCaseNames,
    /// The task search follows the specification: `skip` and `limit`, and no cursor.
    TasksBySkip,
    /// Under `v3` the answers with tokens are in camel case, as before August 2026.
    CamelCaseTokens,
    /// The redirect after authorizing a whole agency lacks its `state`.
    StateDropped,
}
