//! The options of a search that a server may refuse, and what was learnt about them.
//!
//! The size of a page, the cursor of the task search and dates in milliseconds are what working clients send, but not
//! all of it is documented (api.md §2.1, §2.6, §4). A refusal that names such an option, or that does not come back
//! without it, changes how all further searches of the process ask, and for a day those of later ones. A refusal for
//! another reason changes nothing.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};

use super::endpoint::SEARCH_LIMIT;
use super::error::{ApiError, ApiErrorKind};
use crate::run::LocationFacts;

/// The sizes of a page that are tried after a refusal, where it does not say which are accepted.
const SMALLER_PAGES: [usize; 2] = [100, 20];
/// A smaller number in a refusal is not taken for the largest page.
const LEAST_PAGE: usize = 10;

/// What a refusal has that is about another part of a search.
const OTHER_PARTS: [&str; 8] =
    ["filter", "group", "field", "operator", "property", "sort", "location", "query"];

/// The name of the fact about a location.
const FACT: &str = "search_options";
/// For how long it counts, in milliseconds.
const REMEMBERED_FOR: i64 = 24 * 60 * 60 * 1_000;

/// How a search asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SearchDialect {
    /// Most rows of a page.
    pub(super) page_size: usize,
    /// Whether the dates of a range are texts instead of milliseconds.
    pub(super) dates_as_text: bool,
    /// Whether a page continues after a number of rows instead of after a cursor.
    pub(super) skips_rows: bool,
}

impl Default for SearchDialect {
    fn default() -> Self {
        Self { page_size: SEARCH_LIMIT, dates_as_text: false, skips_rows: false }
    }
}

/// What one request has that a server may refuse.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestedOptions {
    /// The rows of the page.
    pub(super) limit: usize,
    /// The fields with a range in milliseconds.
    pub(super) date_fields: Vec<String>,
    pub(super) has_cursor: bool,
}

/// The searches of a process.
#[derive(Debug, Default)]
pub(super) struct SearchOptions {
    pub(super) contacts: EndpointOptions,
    pub(super) tasks: EndpointOptions,
    facts: OnceLock<LocationFacts>,
}

/// What is known of one search.
#[derive(Debug, Default)]
pub(super) struct EndpointOptions(Mutex<KnownOptions>);

#[derive(Debug, Default)]
struct KnownOptions {
    dialect: SearchDialect,
    /// The largest page that the server has accepted.
    accepted_limit: usize,
    accepts_milliseconds: bool,
    accepts_cursor: bool,
    /// Whether a refusal without a name was not about an option; the next one is not tested.
    tested: bool,
}

/// The fact about a location.
#[derive(Debug, Serialize, Deserialize)]
struct RememberedOptions {
    learnt_at: i64,
    contacts: SearchDialect,
    tasks: SearchDialect,
}

/// One request that may be sent in several forms.
pub(super) struct Negotiation<'o> {
    known: &'o EndpointOptions,
    requested: RequestedOptions,
    pub(super) dialect: SearchDialect,
    /// The refusal that named no option, while forms without them are tested.
    unnamed: Option<ApiError>,
}

impl SearchOptions {
    /// Uses and keeps what is known of the location, from now on.
    pub(super) fn attach_facts(&self, facts: LocationFacts) {
        if let Some(known) = facts.read_fact::<RememberedOptions>(FACT) {
            let age = jiff::Timestamp::now().as_millisecond().saturating_sub(known.learnt_at);
            if (0..REMEMBERED_FOR).contains(&age) {
                self.contacts.lock().dialect = known.contacts;
                self.tasks.lock().dialect = known.tasks;
            }
        }
        // Another part of the process may have attached the same ones.
        let _ = self.facts.set(facts);
    }

    /// Keeps what was learnt for later processes.
    pub(super) fn remember(&self) {
        let Some(facts) = self.facts.get() else { return };
        let (contacts, tasks) = (self.contacts.lock().dialect, self.tasks.lock().dialect);
        let learnt_at = jiff::Timestamp::now().as_millisecond();
        facts.write_fact(FACT, &RememberedOptions { learnt_at, contacts, tasks });
    }
}

impl EndpointOptions {
    /// Begins a request.
    pub(super) fn negotiate(&self, requested: RequestedOptions) -> Negotiation<'_> {
        let dialect = self.lock().dialect;
        Negotiation { known: self, requested, dialect, unnamed: None }
    }

    /// Most rows of a page, as far as is known.
    pub(super) fn page_size(&self) -> usize {
        self.lock().dialect.page_size
    }

    fn lock(&self) -> MutexGuard<'_, KnownOptions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An option of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SearchOption {
    Milliseconds,
    Cursor,
    PageSize,
}

impl Negotiation<'_> {
    /// The rows that the request asks for.
    pub(super) fn limit(&self) -> usize {
        self.requested.limit.min(self.dialect.page_size)
    }

    /// Notes that the request was answered. Returns whether anything was learnt that later processes should know: a
    /// refusal without a name may have passed by itself.
    pub(super) fn accept(&self) -> bool {
        let mut known = self.known.lock();
        known.accepted_limit = known.accepted_limit.max(self.limit());
        known.accepts_milliseconds |= self.has(SearchOption::Milliseconds);
        known.accepts_cursor |= self.has(SearchOption::Cursor);
        let before = known.dialect;
        known.dialect.page_size = before.page_size.min(self.dialect.page_size);
        known.dialect.dates_as_text |= self.dialect.dates_as_text;
        known.dialect.skips_rows |= self.dialect.skips_rows;
        known.dialect != before && self.unnamed.is_none()
    }

    /// Changes the form of the request after it was refused; an error if no other form is worth a request.
    pub(super) fn reject(&mut self, error: ApiError) -> Result<(), ApiError> {
        let is_refusal = error.kind == ApiErrorKind::Refused
            && matches!(error.status, Some(400 | 422))
            && error.foreign.is_none();
        if !is_refusal {
            return Err(error);
        }
        let message = error.message.to_lowercase();
        let options = [SearchOption::Milliseconds, SearchOption::Cursor, SearchOption::PageSize];
        let mut present = options.into_iter().filter(|option| self.has(*option));
        if let Some(named) = present.clone().find(|option| self.is_named(*option, &message)) {
            self.give_up(named, &message);
            return Ok(());
        }
        // Without a name, the same request in another form shows what the refusal is about.
        let is_of_other_part = OTHER_PARTS.into_iter().any(|part| message.contains(part));
        match present.find(|option| !is_of_other_part && self.is_untested(*option)) {
            Some(option) => {
                self.give_up(option, "");
                self.unnamed.get_or_insert(error);
                Ok(())
            }
            None if self.unnamed.is_some() => {
                self.known.lock().tested = true;
                Err(self.unnamed.take().unwrap_or(error))
            }
            None => Err(error),
        }
    }

    fn has(&self, option: SearchOption) -> bool {
        match option {
            SearchOption::Milliseconds => {
                !self.requested.date_fields.is_empty() && !self.dialect.dates_as_text
            }
            SearchOption::Cursor => self.requested.has_cursor && !self.dialect.skips_rows,
            SearchOption::PageSize => self.limit() > SMALLER_PAGES[1],
        }
    }

    fn is_named(&self, option: SearchOption, message: &str) -> bool {
        let named = |field: &String| message.contains(&field.to_lowercase());
        match option {
            SearchOption::Milliseconds => {
                message.contains("range") || self.requested.date_fields.iter().any(named)
            }
            SearchOption::Cursor => message.contains("searchafter"),
            SearchOption::PageSize => message.contains("limit"),
        }
    }

    /// Whether it is unknown that the server accepts the option.
    fn is_untested(&self, option: SearchOption) -> bool {
        let known = self.known.lock();
        !known.tested
            && match option {
                SearchOption::Milliseconds => !known.accepts_milliseconds,
                SearchOption::Cursor => !known.accepts_cursor,
                SearchOption::PageSize => known.accepted_limit < self.limit(),
            }
    }

    fn give_up(&mut self, option: SearchOption, message: &str) {
        match option {
            SearchOption::Milliseconds => self.dialect.dates_as_text = true,
            SearchOption::Cursor => self.dialect.skips_rows = true,
            SearchOption::PageSize => {
                let limit = self.limit();
                let smaller = SMALLER_PAGES.into_iter().find(|size| *size < limit);
                let named = named_page_size(message).filter(|size| *size < limit);
                self.dialect.page_size = named.or(smaller).unwrap_or(limit);
            }
        }
    }
}

/// The largest page, where a refusal names it: the last number of what it says about the limit.
fn named_page_size(message: &str) -> Option<usize> {
    let part = message.split("; ").find(|part| part.contains("limit"))?;
    let mut numbers = part.split(|c: char| !c.is_ascii_digit());
    let last = numbers.rfind(|digits| !digits.is_empty())?;
    last.parse().ok().filter(|size| *size >= LEAST_PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ApiEndpoint;

    fn refusal(status: u16, message: &str) -> ApiError {
        let not_sent = ApiError::not_sent(ApiEndpoint::SearchContacts, ApiErrorKind::Refused);
        ApiError { status: Some(status), message: message.to_owned(), ..not_sent }
    }

    fn with_cursor(limit: usize) -> RequestedOptions {
        RequestedOptions { limit, date_fields: Vec::new(), has_cursor: true }
    }

    #[test]
    fn a_refusal_with_a_name_changes_that_option_alone() {
        let known = EndpointOptions::default();
        let mut request = known.negotiate(with_cursor(500));
        request.reject(refusal(422, "pageLimit must not be greater than 50")).unwrap();
        assert_eq!((request.limit(), request.dialect.skips_rows), (50, false));
        request.reject(refusal(400, "property searchAfter should not exist")).unwrap();
        assert!(request.dialect.skips_rows);
        assert_eq!(known.page_size(), 500, "nothing is learnt before an answer");
        assert!(request.accept());
        assert_eq!(known.negotiate(with_cursor(500)).dialect, request.dialect);
    }

    #[test]
    fn a_refusal_without_a_name_is_tested_once() {
        let known = EndpointOptions::default();
        let mut request = known.negotiate(with_cursor(500));
        let mut tests = 0;
        let error = loop {
            match request.reject(refusal(422, if tests == 0 { "no" } else { "still no" })) {
                Ok(()) => tests += 1,
                Err(error) => break error,
            }
        };
        assert_eq!((tests, error.message.as_str()), (3, "no"));
        let mut request = known.negotiate(with_cursor(500));
        assert_eq!(request.dialect, SearchDialect::default());
        assert!(request.reject(refusal(422, "no")).is_err());
    }

    #[test]
    fn what_was_accepted_once_is_not_doubted_without_its_name() {
        let known = EndpointOptions::default();
        assert!(!known.negotiate(with_cursor(500)).accept());
        assert!(known.negotiate(with_cursor(500)).reject(refusal(422, "no")).is_err());
        assert!(known.negotiate(with_cursor(500)).reject(refusal(422, "bad limit")).is_ok());
    }

    #[test]
    fn other_errors_change_nothing() {
        let known = EndpointOptions::default();
        for message in ["Invalid group", "property x should not exist"] {
            let mut request = known.negotiate(with_cursor(500));
            assert!(request.reject(refusal(422, message)).is_err(), "{message}");
        }
        for status in [401, 403, 404, 500] {
            let mut request = known.negotiate(with_cursor(500));
            assert!(request.reject(refusal(status, "pageLimit")).is_err(), "{status}");
        }
    }

    #[test]
    fn the_smallest_page_is_not_made_smaller() {
        let known = EndpointOptions::default();
        let mut request = known.negotiate(RequestedOptions { limit: 500, ..Default::default() });
        let named = || refusal(422, "pageLimit must be at least 1");
        let sizes: Vec<usize> =
            std::iter::from_fn(|| request.reject(named()).ok().map(|()| request.limit())).collect();
        assert_eq!(sizes, [100, 20]);
    }
}
