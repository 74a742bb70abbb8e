//! All notes of some contacts, until they are proven to be all.
//!
//! A batch is complete when the server's count of its notes was read, or, without a count, when the page after the
//! first one is empty. Anything else is read again in halves, and a single contact by its own endpoint.

use std::collections::HashSet;

use super::batch_size::BatchSizer;
use super::{NoteSearchState, SEARCH_PAGE};
use crate::api::{
    self, ApiClient, ApiError, ApiErrorKind, ApiResponse, NotePage, NoteQuery, NoteRef,
    NoteSearchDialect,
};
use crate::id::ContactId;
use crate::pull::Pull;

/// Contacts of a batch whose notes the search cannot show, after which it is not asked for the others.
const MANY_LEFT: usize = 8;

/// What a batch brought.
#[derive(Default)]
pub(super) struct BatchResult {
    pub(super) pages: Vec<ApiResponse<NotePage>>,
    /// Contacts to be read by their own endpoint, because the search cannot show their notes completely.
    pub(super) left: Vec<ContactId>,
    /// Whether the server did not answer.
    pub(super) unanswered: bool,
}

/// Why a batch ends the search.
pub(super) enum BatchError {
    Api(ApiError),
    Rejected(String),
}

/// How the search for some contacts ended.
enum ContactsSearched {
    Complete(Vec<ApiResponse<NotePage>>),
    /// More notes than can be read for certain in one go, or the request was too large.
    TooMany,
    /// Such a request is refused.
    Refused(ApiError),
    /// The server keeps failing.
    Unanswered,
    /// The rows are of other contacts.
    Unrelated,
}

/// All notes of these contacts, in as many requests as it takes.
pub(super) async fn search_batch(
    client: &ApiClient,
    dialect: &NoteSearchDialect,
    sizer: &BatchSizer,
    contacts: Vec<ContactId>,
) -> Result<BatchResult, BatchError> {
    let (mut result, mut work) = (BatchResult::default(), vec![contacts]);
    while let Some(contacts) = work.pop() {
        if result.left.len() >= MANY_LEFT {
            result.left.extend(contacts);
            continue;
        }
        match search_contacts(client, dialect, &contacts).await.map_err(BatchError::Api)? {
            ContactsSearched::Complete(pages) => {
                let notes = pages.iter().map(|page| page.head.rows.len()).sum();
                sizer.grow(contacts.len(), notes, dialect.limit);
                result.pages.extend(pages);
            }
            ContactsSearched::Unanswered => {
                result.unanswered = true;
                result.left.extend(contacts);
            }
            ContactsSearched::Unrelated => {
                let reason =
                    "the notes search returns notes of other contacts than those asked for";
                return Err(BatchError::Rejected(reason.to_owned()));
            }
            ContactsSearched::Refused(error) if contacts.len() == 1 => {
                return Err(BatchError::Rejected(format!("the notes search is refused ({error})")));
            }
            ContactsSearched::TooMany if contacts.len() == 1 => result.left.extend(contacts),
            other => {
                if matches!(other, ContactsSearched::Refused(_)) {
                    sizer.shrink(contacts.len());
                }
                let (first, second) = contacts.split_at(contacts.len() / 2);
                work.extend([second.to_vec(), first.to_vec()]);
            }
        }
    }
    Ok(result)
}

/// The pages of the notes of these contacts, until they are proven to be all.
async fn search_contacts(
    client: &ApiClient,
    dialect: &NoteSearchDialect,
    contacts: &[ContactId],
) -> Result<ContactsSearched, ApiError> {
    let (mut pages, mut ids, mut read) = (Vec::new(), HashSet::new(), 0);
    let (asked_for, mut blank_pages) = (contacts.iter().collect::<HashSet<_>>(), 0);
    loop {
        let query = NoteQuery { contacts, skip: read, ..NoteQuery::default() };
        let response = match client.search_notes(dialect, &query, SEARCH_PAGE).await {
            Ok(response) => response,
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => {
                return Ok(match error.kind {
                    ApiErrorKind::TooLarge => ContactsSearched::TooMany,
                    ApiErrorKind::Exhausted => ContactsSearched::Unanswered,
                    // Behind the first page it is the offset that is refused.
                    _ if read > 0 => ContactsSearched::TooMany,
                    _ => ContactsSearched::Refused(error),
                });
            }
        };
        let page = &response.head;
        let is_related =
            |note: &NoteRef| note.contacts.iter().any(|contact| asked_for.contains(contact));
        if !page.rows.iter().flatten().all(is_related) {
            return Ok(ContactsSearched::Unrelated);
        }
        let (rows, known) = (page.rows.len(), ids.len());
        ids.extend(page.rows.iter().flatten().map(|note| note.id.clone()));
        let repeated = rows > 0 && ids.len() == known;
        read += rows as u64;
        let total = api::believable_total(page.total, read);
        if rows == 0 {
            blank_pages += 1;
        } else {
            pages.push(response);
        }
        let complete = match total {
            Some(total) => ids.len() as u64 >= total && (rows == 0 || rows < dialect.limit),
            None => rows == 0 && pages.len() + blank_pages == 2,
        };
        if complete {
            return Ok(ContactsSearched::Complete(pages));
        }
        // Without a total only one page can be proven to be all; with one, an empty or repeated page proves that the
        // server does not show what it counts.
        let stuck = repeated || (total.is_none() && pages.len() > 1) || blank_pages > 1;
        if stuck || (total.is_some() && rows == 0 && !pages.is_empty()) {
            return Ok(ContactsSearched::TooMany);
        }
    }
}

impl Pull {
    /// Searches for the notes of a few contacts at once.
    pub(super) async fn search_notes_of(
        &self,
        state: &NoteSearchState,
        contacts: &[ContactId],
    ) -> Result<BatchResult, BatchError> {
        let sizer = BatchSizer::new(&state.batch);
        let mut all = BatchResult::default();
        for batch in contacts.chunks(sizer.current().size) {
            let result = search_batch(&self.client, &state.dialect, &sizer, batch.to_vec()).await?;
            all.pages.extend(result.pages);
            all.left.extend(result.left);
        }
        Ok(all)
    }
}
