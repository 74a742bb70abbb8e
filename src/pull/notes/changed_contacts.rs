//! The notes of contacts that have changed: the search that an earlier run has proven shows those of many contacts at
//! once. That it keeps to the contacts it is asked for is proven again each time.

use std::collections::HashSet;

use super::batch_search::{BatchError, search_batch};
use super::batch_size::BatchSizer;
use super::negotiate::KnownNoteSearch;
use crate::api::{ApiResponse, NotePage, RelationForm};
use crate::id::ContactId;
use crate::pull::{Pull, PullError};

/// For fewer contacts a request for each takes less than the search and its proof.
const FEWEST_CONTACTS: usize = 8;

/// What the search shows of some contacts.
#[derive(Default)]
pub(in crate::pull) struct SearchedNotes {
    /// The pages of their notes.
    pub(in crate::pull) pages: Vec<ApiResponse<NotePage>>,
    /// The contacts that the search cannot show completely.
    pub(in crate::pull) left: HashSet<ContactId>,
}

impl Pull {
    /// Searches for the notes of contacts; `None` where a request for each contact is needed.
    ///
    /// # Errors
    /// When the run has to stop.
    pub(in crate::pull) async fn search_notes_of_changed(
        &self,
        contacts: &[ContactId],
    ) -> Result<Option<SearchedNotes>, PullError> {
        let known = KnownNoteSearch::load(&self.location_facts);
        if contacts.len() < FEWEST_CONTACTS || known.distrust.is_some() || known.unrelated {
            return Ok(None);
        }
        let (mut result, mut known) = (self.search_and_prove(&known, contacts).await?, known);
        if matches!(result, SearchProof::Refuted)
            && known.dialect.relation_form == RelationForm::Object
        {
            known.dialect.relation_form = RelationForm::Id;
            result = self.search_and_prove(&known, contacts).await?;
        }
        match result {
            SearchProof::Proven(searched, sizes) => {
                self.remember_note_search(&known.dialect, &sizes);
                Ok(Some(searched))
            }
            SearchProof::Refuted => {
                self.remember_unrelated_notes();
                Ok(None)
            }
            SearchProof::Unanswered => Ok(None),
        }
    }

    async fn search_and_prove(
        &self,
        known: &KnownNoteSearch,
        contacts: &[ContactId],
    ) -> Result<SearchProof, PullError> {
        let sizer = BatchSizer::new(&known.batch);
        let (mut searched, mut proven_size, mut rest) = (SearchedNotes::default(), 0, contacts);
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(sizer.current().size.min(rest.len()));
            rest = after;
            let found = search_batch(&self.client, &known.dialect, &sizer, batch.to_vec()).await;
            let found = match found {
                Ok(found) if found.unanswered => return Ok(SearchProof::Unanswered),
                Ok(found) => found,
                Err(BatchError::Api(error)) => return Err(error.into()),
                Err(BatchError::Rejected(_)) => return Ok(SearchProof::Refuted),
            };
            if batch.len() > proven_size {
                if self.verify_batch(batch, &found).await?.is_some() {
                    return Ok(SearchProof::Refuted);
                }
                proven_size = batch.len();
            }
            searched.pages.extend(found.pages);
            searched.left.extend(found.left);
        }
        Ok(SearchProof::Proven(searched, sizer.current()))
    }
}

/// What a search and the contacts' own lists say together.
enum SearchProof {
    Proven(SearchedNotes, super::batch_size::BatchSizes),
    /// It shows other notes than the contacts have.
    Refuted,
    /// The server did not answer.
    Unanswered,
}
