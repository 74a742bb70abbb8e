//! What reading the notes will cost, by each strategy, as far as is known of the location.

use serde::Serialize;

use super::negotiate::{
    KnownNoteSearch, MAX_LOCATION_NOTES, MAX_REQUESTS, USUAL_REACH, missing_scope_reason,
    simpler_dialect,
};
use super::sample::sample_size;
use super::{FEW_CONTACTS, PROBE};
use crate::api::{self, ApiClient, ApiError, ApiErrorKind, NotePage, NoteQuery};
use crate::run::LocationFacts;
use crate::text::format_plural;

/// The expected cost of reading notes.
#[derive(Debug, Clone)]
pub struct NoteCost {
    /// Requests.
    pub requests: u64,
    /// What each way to read them would take; `None` where there is no choice.
    pub by_strategy: Option<NoteStrategyCosts>,
    /// What the number assumes, as a sentence without a full stop.
    pub assumption: Option<String>,
}

/// The requests that notes take by each strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteStrategyCosts {
    /// By pages of the whole location; `None` where they cannot show all of its notes.
    pub location: Option<u64>,
    /// By batches of contacts.
    pub contacts: u64,
    /// By a request for each contact.
    pub per_contact: u64,
}

impl NoteCost {
    /// Notes contact by contact, because that is asked for or because there are few contacts.
    #[must_use]
    pub fn per_contact(contacts: u64) -> Self {
        Self { requests: contacts, by_strategy: None, assumption: None }
    }

    fn without_search(contacts: u64, reason: &str) -> Self {
        let assumption = Some(format!("notes are read contact by contact: {reason}"));
        Self { assumption, ..Self::per_contact(contacts) }
    }
}

/// Estimates the requests for the notes of this many contacts, with a page of them and what earlier runs learnt.
///
/// # Errors
/// When every other request would fail, too.
pub async fn estimate_note_cost(
    client: &ApiClient,
    facts: &LocationFacts,
    contacts: u64,
    covers_all_contacts: bool,
) -> Result<NoteCost, ApiError> {
    if contacts <= FEW_CONTACTS {
        return Ok(NoteCost::per_contact(contacts));
    }
    let mut known = KnownNoteSearch::load(facts);
    let page = match find_first_page(client, &mut known).await {
        Ok(page) => page,
        Err(error) if error.is_fatal() => return Err(error),
        Err(error) if error.kind == ApiErrorKind::Scope => {
            let reason = missing_scope_reason(Some(contacts));
            return Ok(NoteCost::without_search(contacts, &reason));
        }
        Err(error) => {
            let reason = format!("the notes search cannot be used ({error})");
            return Ok(NoteCost::without_search(contacts, &reason));
        }
    };
    let total = api::believable_total(page.total, page.rows.len() as u64);
    let total = total.filter(|_| covers_all_contacts);
    let page_size = usual_page_size(&page, known.dialect.limit);
    let costs = NoteStrategyCosts {
        location: total.and_then(|total| count_location_pages(&known, total, page_size)),
        contacts: contacts
            .div_ceil(known.batch.usual_size())
            .max(total.unwrap_or(0).div_ceil(page_size)),
        per_contact: contacts,
    };
    Ok(cost_of_search(costs, &known))
}

/// The first page of notes, in a form that the server accepts.
async fn find_first_page(
    client: &ApiClient,
    known: &mut KnownNoteSearch,
) -> Result<NotePage, ApiError> {
    let mut requests = 0;
    loop {
        requests += 1;
        let error = match client.search_notes(&known.dialect, &NoteQuery::default(), PROBE).await {
            Ok(response) => return Ok(response.head),
            Err(error) => error,
        };
        match simpler_dialect(&known.dialect, &error) {
            Some(dialect) if requests < MAX_REQUESTS && error.kind != ApiErrorKind::Scope => {
                known.dialect = dialect;
            }
            _ => return Err(error),
        }
    }
}

/// The rows of a page: those of the first one, if there are more notes than it shows.
fn usual_page_size(page: &NotePage, limit: usize) -> u64 {
    let (rows, limit) = (page.rows.len() as u64, limit.max(1) as u64);
    if rows > 0 && page.total.is_some_and(|total| total > rows) { rows.min(limit) } else { limit }
}

/// The pages of the whole location; `None` where an offset does not reach all notes. Dividing them by author is left
/// out: what that takes depends on who wrote them.
fn count_location_pages(known: &KnownNoteSearch, total: u64, page_size: u64) -> Option<u64> {
    let reach = known.reach.unwrap_or(USUAL_REACH);
    let both_ends = if known.dialect.sorted { 2 * reach } else { reach };
    let reaches_all = reach == 0 || total <= both_ends;
    (reaches_all && total <= MAX_LOCATION_NOTES).then(|| total.div_ceil(page_size).max(1))
}

fn cost_of_search(costs: NoteStrategyCosts, known: &KnownNoteSearch) -> NoteCost {
    let per_contact = costs.per_contact;
    // The negotiation, and the second look at the newest notes.
    let searches = costs.location.unwrap_or(costs.contacts) + 2 + sample_size(per_contact) as u64;
    let count = |requests| format_plural(requests, "request");
    if let Some(distrust) = &known.distrust {
        let assumption = format!(
            "notes are read contact by contact, as in the last export, which could not trust the search: {distrust}; \
             with a search that can be trusted they take {}",
            count(searches)
        );
        let requests = searches + per_contact;
        return NoteCost { requests, by_strategy: Some(costs), assumption: Some(assumption) };
    }
    let (way, others) = match costs.location {
        Some(_) => (
            "page by page",
            format!(
                "by batches of contacts they take {}, contact by contact",
                count(costs.contacts)
            ),
        ),
        None => ("by batches of contacts", "contact by contact they take".to_owned()),
    };
    let assumption = format!(
        "notes are read by search, {way}, and a sample shows that it can be trusted; {others} {}",
        count(per_contact)
    );
    NoteCost { requests: searches, by_strategy: Some(costs), assumption: Some(assumption) }
}
