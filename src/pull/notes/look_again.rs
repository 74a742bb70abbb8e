//! A second look at the notes of the last minutes, once the index had time to follow.

use std::collections::HashSet;

use super::batch_search::BatchError;
use super::{NoteSearchState, NoteStrategy, SEARCH_PAGE, SharedSampler, encode_state};
use crate::api::{ApiResponse, NoteOrder, NotePage, NoteQuery};
use crate::concurrency;
use crate::id::ContactId;
use crate::pull::children::ChildKind;
use crate::pull::{Pull, PullError};
use crate::run::{RunError, SpoolReader, SpoolWrite, StreamProgress, stream};

/// Most pages of new notes that are read.
const MAX_PAGES: usize = 40;

impl Pull {
    /// Waits until the index must show what was written before the run, and reads the newest notes. Returns why the
    /// search cannot be trusted.
    pub(super) async fn look_again(
        &self,
        state: &NoteSearchState,
        sampler: &SharedSampler,
    ) -> Result<Option<String>, PullError> {
        let remaining = self.options.settle.saturating_sub(self.started.elapsed());
        if !remaining.is_zero() {
            self.wait_for_index(remaining).await;
        }
        let pages = match self.fetch_newest_notes(state).await? {
            Ok(pages) => pages,
            Err(reason) => return Ok(Some(reason)),
        };
        if matches!(state.strategy, NoteStrategy::Location { .. }) {
            return self.store_pages(state, pages, sampler).await.map(|()| None);
        }
        let since = self.fresh_since();
        let rows = pages.iter().flat_map(|page| page.head.rows.iter().flatten());
        let rows = rows.filter(|note| note.added.is_none_or(|added| added >= since));
        let contacts: HashSet<ContactId> = rows.flat_map(|note| note.contacts.clone()).collect();
        let contacts = self.keep_exported_contacts(contacts).await?;
        match self.search_notes_of(state, &contacts).await {
            Ok(result) => {
                for contact in &result.left {
                    self.defer_child_request(ChildKind::Notes, contact).await?;
                }
                self.store_pages(state, result.pages, sampler).await.map(|()| None)
            }
            Err(BatchError::Api(error)) => Err(error.into()),
            Err(BatchError::Rejected(reason)) => Ok(Some(reason)),
        }
    }

    /// The pages of the newest notes, back to what must have been in the index all along.
    async fn fetch_newest_notes(
        &self,
        state: &NoteSearchState,
    ) -> Result<Result<Vec<ApiResponse<NotePage>>, String>, PullError> {
        let (mut pages, mut skip) = (Vec::new(), 0);
        while pages.len() < MAX_PAGES {
            let query = NoteQuery { order: NoteOrder::Newest, skip, ..NoteQuery::default() };
            let page = match self.client.search_notes(&state.dialect, &query, SEARCH_PAGE).await {
                Ok(page) => page,
                Err(error) if error.is_fatal() => return Err(error.into()),
                Err(error) => {
                    return Ok(Err(format!("the newest notes cannot be read ({error})")));
                }
            };
            let rows = page.head.rows.len();
            let since = self.fresh_since();
            let is_old = |added: Option<i64>| added.is_some_and(|added| added < since);
            // Without an order every page has to be read.
            let old = state.dialect.sorted
                && page.head.rows.iter().flatten().any(|note| is_old(note.added));
            skip += rows as u64;
            if rows > 0 {
                pages.push(page);
            }
            if rows == 0 || old {
                break;
            }
        }
        Ok(Ok(pages))
    }

    async fn store_pages(
        &self,
        state: &NoteSearchState,
        pages: Vec<ApiResponse<NotePage>>,
        sampler: &SharedSampler,
    ) -> Result<(), PullError> {
        let stored = self.stream_progress(stream::NOTE_SEARCH)?;
        for page in pages {
            self.record_broken_notes(&page).await?;
            sampler.lock().expect("no panic while it is held").add_notes(&page.head);
            let progress = StreamProgress { cursor: Some(encode_state(state)), ..stored.clone() };
            let rows = u32::try_from(page.head.rows.len()).unwrap_or(u32::MAX);
            let stream = stream::NOTE_SEARCH.to_owned();
            self.write_to_spool(SpoolWrite::Entry { stream, rows, body: page.body, progress })
                .await?;
        }
        self.flush_writes().await
    }

    /// Those of the contacts that the export has.
    async fn keep_exported_contacts(
        &self,
        contacts: HashSet<ContactId>,
    ) -> Result<Vec<ContactId>, PullError> {
        if self.options.covers_all_contacts() || contacts.is_empty() {
            return Ok(contacts.into_iter().collect());
        }
        let db = self.db.clone();
        let kept = concurrency::run_blocking(move || {
            let (reader, mut seq, mut kept) = (SpoolReader::open(&db)?, 0, Vec::new());
            while let Some(entry) = reader.next_entry(stream::CONTACTS, seq)? {
                seq = entry.seq;
                let page = crate::api::ContactPage::from_json(&entry.body).unwrap_or_default();
                let rows = page.rows.into_iter().flatten().map(|row| row.id);
                kept.extend(rows.filter(|id| contacts.contains(id)));
            }
            Ok::<_, RunError>(kept)
        });
        Ok(kept.await?)
    }
}
