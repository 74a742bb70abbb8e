//! The notes of many contacts per request: batches of contacts in the order of the walk, a few in flight.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;

use futures::{Stream, StreamExt};
use tokio::sync::{mpsc, watch};

use super::batch_search::{BatchError, BatchResult, search_batch};
use super::batch_size::BatchSizer;
use super::{NoteSearchState, NoteStrategy, SearchOutcome, SharedSampler, encode_state};
use crate::api::{NoteSearchDialect, RelationForm};
use crate::concurrency::{self, ConcurrencyLimits};
use crate::id::ContactId;
use crate::pull::children::ChildKind;
use crate::pull::committed_page::{ChildCursor, CommittedPage};
use crate::pull::{Pull, PullError};
use crate::run::{SpoolWrite, StreamProgress, stream};

/// Most batches in flight: their answers may be large.
const BATCHES_IN_FLIGHT: usize = 12;
/// Contacts that were left for their own endpoint, after which the search is given up if they are a good part.
const MANY_LEFT: u64 = 40;
/// Batches without an answer, one after the other, after which the search is given up.
const MAX_UNANSWERED: u32 = 5;

/// Contacts whose notes are read together, and the position after them.
struct NoteBatch {
    contacts: Vec<ContactId>,
    next: ChildCursor,
    /// Whether it is the first one of this process: the others wait until it is proven.
    first: bool,
}

impl Pull {
    /// Reads the notes of the contacts on `pages` in batches, from the stored position on.
    pub(in crate::pull) async fn pull_note_batches(
        &self,
        pages: mpsc::Receiver<Arc<CommittedPage>>,
        sampler: &SharedSampler,
    ) -> Result<(), PullError> {
        let state = self.note_search_state()?;
        let pages = Arc::new(tokio::sync::Mutex::new(pages));
        let progress = self.stream_progress(stream::NOTE_SEARCH)?;
        if let Some(mut state) = state
            && matches!(state.strategy, NoteStrategy::Contacts { .. })
            && !progress.done
        {
            let outcome = self.read_batches(&pages, &mut state, progress, sampler).await?;
            match outcome {
                SearchOutcome::Complete => {}
                SearchOutcome::Rejected(reason) => {
                    self.reject_note_strategy(state, &reason).await?;
                }
                SearchOutcome::Restart => self.discard_note_search(&state, false).await?,
            }
        }
        // The walk must not wait for a reader that has ended.
        let mut pages = pages.lock().await;
        while let Some(page) = pages.recv().await {
            sampler.lock().expect("no panic while it is held").add_contacts(&page);
        }
        Ok(())
    }

    async fn read_batches(
        &self,
        pages: &SharedPages,
        state: &mut NoteSearchState,
        mut progress: StreamProgress,
        sampler: &SharedSampler,
    ) -> Result<SearchOutcome, PullError> {
        let NoteStrategy::Contacts { next: start } = state.strategy else {
            unreachable!("the strategy of this stage")
        };
        let sizer = Arc::new(BatchSizer::new(&state.batch));
        let batches = note_batches(Arc::clone(pages), start, &sizer, sampler);
        let (open, opened) = watch::channel(false);
        let results = self.search_batches(batches, &state.dialect, &sizer, opened);
        let mut results = pin!(results);
        let (mut unanswered, mut proven_size) = (0, 0);
        let (mut left, mut done) = (0, progress.rows);
        let untried_form =
            start == ChildCursor::default() && state.dialect.relation_form == RelationForm::Object;
        while let Some((batch, result)) = results.next().await {
            let result = match result {
                Ok(result) => result,
                Err(BatchError::Api(error)) => return Err(error.into()),
                Err(BatchError::Rejected(reason)) => {
                    return Ok(reject_or_restart(state, untried_form && proven_size == 0, reason));
                }
            };
            unanswered = if result.unanswered { unanswered + 1 } else { 0 };
            if unanswered >= MAX_UNANSWERED {
                return Ok(SearchOutcome::Rejected("the notes search keeps failing".to_owned()));
            }
            left += result.left.len() as u64;
            if left > MANY_LEFT && left * 4 > done + batch.contacts.len() as u64 {
                let reason = "the notes search counts other notes than it shows".to_owned();
                return Ok(SearchOutcome::Rejected(reason));
            }
            // The first batch of each size is proven at once, not only after a thousand of them.
            if batch.contacts.len() > proven_size {
                if let Some(reason) = self.verify_batch(&batch.contacts, &result).await? {
                    let other_form = untried_form && proven_size == 0 && result.pages.is_empty();
                    return Ok(reject_or_restart(state, other_form, reason));
                }
                proven_size = batch.contacts.len();
                open.send_replace(true);
            }
            done += batch.contacts.len() as u64;
            (state.strategy, state.batch) =
                (NoteStrategy::Contacts { next: batch.next }, sizer.current());
            progress = StreamProgress {
                rows: done,
                cursor: progress.cursor.take(),
                ..StreamProgress::default()
            };
            self.store_batch(state, &mut progress, result, sampler).await?;
            self.report_progress("contacts_done", done, None);
        }
        self.remember_note_search(&state.dialect, &sizer.current());
        let progress = StreamProgress { done: true, ..progress };
        self.store_note_search_state(state, progress).await?;
        Ok(SearchOutcome::Complete)
    }

    /// Sends the requests of the batches, a few at a time; the results come in order.
    fn search_batches<B: Stream<Item = NoteBatch>>(
        &self,
        batches: B,
        dialect: &NoteSearchDialect,
        sizer: &Arc<BatchSizer>,
        opened: watch::Receiver<bool>,
    ) -> impl Stream<Item = (NoteBatch, Result<BatchResult, BatchError>)> + use<B> {
        let few = NonZeroUsize::new(BATCHES_IN_FLIGHT).expect("a constant");
        let few = few.min(self.options.concurrency);
        let limits = ConcurrencyLimits { workers: few, buffer: few };
        let shared = Arc::new((self.client.clone(), dialect.clone(), Arc::clone(sizer)));
        concurrency::run_in_order(batches, limits, move |batch: NoteBatch| {
            let (shared, mut opened) = (Arc::clone(&shared), opened.clone());
            async move {
                // If the first batch is not proven, the results are not read any more: nothing is sent.
                if !batch.first && opened.wait_for(|is_open| *is_open).await.is_err() {
                    return (batch, Ok(BatchResult::default()));
                }
                let (client, dialect, sizer) = &*shared;
                let result = search_batch(client, dialect, sizer, batch.contacts.clone()).await;
                (batch, result)
            }
        })
    }

    async fn store_batch(
        &self,
        state: &NoteSearchState,
        progress: &mut StreamProgress,
        result: BatchResult,
        sampler: &SharedSampler,
    ) -> Result<(), PullError> {
        for contact in &result.left {
            self.defer_child_request(ChildKind::Notes, contact).await?;
        }
        let (cursor, last) = (encode_state(state), result.pages.len());
        for (at, page) in result.pages.into_iter().enumerate() {
            self.record_broken_notes(&page).await?;
            sampler.lock().expect("no panic while it is held").add_notes(&page.head);
            // A batch counts as done with its last page.
            if at + 1 == last {
                progress.cursor = Some(cursor.clone());
            }
            let rows = u32::try_from(page.head.rows.len()).unwrap_or(u32::MAX);
            let (stream, progress) = (stream::NOTE_SEARCH.to_owned(), progress.clone());
            self.write_to_spool(SpoolWrite::Entry { stream, rows, body: page.body, progress })
                .await?;
        }
        if last == 0 {
            progress.cursor = Some(cursor);
            let (stream, progress) = (stream::NOTE_SEARCH.to_owned(), progress.clone());
            self.write_to_spool(SpoolWrite::ProgressOnly { stream, progress }).await?;
        }
        Ok(())
    }
}

/// A search that is not proven in its first form begins again in the other one.
fn reject_or_restart(
    state: &mut NoteSearchState,
    has_other_form: bool,
    reason: String,
) -> SearchOutcome {
    if !has_other_form {
        return SearchOutcome::Rejected(state.first_refusal.take().unwrap_or(reason));
    }
    state.first_refusal = Some(reason);
    state.dialect.relation_form = RelationForm::Id;
    SearchOutcome::Restart
}

type SharedPages = Arc<tokio::sync::Mutex<mpsc::Receiver<Arc<CommittedPage>>>>;

/// The contacts of the pages in batches, from a position on.
fn note_batches(
    pages: SharedPages,
    start: ChildCursor,
    sizer: &Arc<BatchSizer>,
    sampler: &SharedSampler,
) -> impl Stream<Item = NoteBatch> + use<> {
    let (sizer, sampler) = (Arc::clone(sizer), Arc::clone(sampler));
    let waiting = VecDeque::<(ContactId, ChildCursor)>::new();
    futures::stream::unfold((pages, waiting, true), move |(pages, mut waiting, first)| {
        let (sizer, sampler) = (Arc::clone(&sizer), Arc::clone(&sampler));
        async move {
            let size = sizer.current().size;
            while waiting.len() < size {
                let Some(page) = pages.lock().await.recv().await else { break };
                sampler.lock().expect("no panic while it is held").add_contacts(&page);
                waiting.extend(page.positions_from(start));
            }
            let batch: Vec<_> = waiting.drain(..size.min(waiting.len())).collect();
            let next = batch.last()?.1;
            let contacts = batch.into_iter().map(|(contact, _)| contact).collect();
            Some((NoteBatch { contacts, next, first }, (pages, waiting, false)))
        }
    })
}
