//! What reading the notes will cost.

use super::FEW_CONTACTS;
use super::negotiate::{PROBE, USUAL_REACH, missing_scope_reason};
use super::sample::sample_size;
use crate::api::{
    self, ApiClient, ApiError, ApiErrorKind, NOTE_SEARCH_LIMIT, NoteQuery, NoteSearchDialect,
};
use crate::text::format_count;

/// The number of contacts that a request names on average.
const CONTACTS_PER_REQUEST: u64 = 75;

/// The expected cost of reading notes.
#[derive(Debug, Clone)]
pub struct NoteCost {
    /// Requests.
    pub requests: u64,
    /// What the number assumes, as a sentence without a full stop.
    pub assumption: Option<String>,
}

/// Estimates the requests for the notes of this many contacts, with one request for many of them.
///
/// # Errors
/// When every other request would fail, too.
pub async fn estimate_note_cost(
    client: &ApiClient,
    contacts: u64,
    covers_all_contacts: bool,
) -> Result<NoteCost, ApiError> {
    let per_contact = |reason: String| {
        let assumption = format!("notes are read contact by contact: {reason}");
        Ok(NoteCost { requests: contacts, assumption: Some(assumption) })
    };
    if contacts <= FEW_CONTACTS {
        return Ok(NoteCost { requests: contacts, assumption: None });
    }
    let query = NoteQuery { limit: Some(1), ..NoteQuery::default() };
    let page = match client.search_notes(&NoteSearchDialect::default(), &query, PROBE).await {
        Ok(response) => response.head,
        Err(error) if error.is_fatal() => return Err(error),
        Err(error) if error.kind == ApiErrorKind::Scope => {
            return per_contact(missing_scope_reason(Some(contacts)));
        }
        Err(error) => return per_contact(format!("the notes search cannot be used ({error})")),
    };
    let total = api::believable_total(page.total, page.rows.len() as u64);
    let pages = total.filter(|total| covers_all_contacts && *total <= 2 * USUAL_REACH);
    let searches = match pages {
        Some(total) => total.div_ceil(NOTE_SEARCH_LIMIT as u64),
        None => contacts.div_ceil(CONTACTS_PER_REQUEST),
    };
    // The negotiation, and the second look at the newest notes.
    let requests = searches + 2 + sample_size(contacts) as u64;
    let assumption = format!(
        "notes are read by search, and a sample shows that it can be trusted; contact by contact they take {} requests",
        format_count(contacts)
    );
    Ok(NoteCost { requests, assumption: Some(assumption) })
}
