//! Notes: by search, many contacts per request, where that is proven to give the same notes; else contact by contact.
//!
//! There are three strategies. *Location*: pages of all notes of the location, where `skip` reaches all of them, in one
//! order, in both, or in parts by source or author.
//! *Contacts*: batches of contacts, a request or a few for each. *Per contact*: a request for each contact. The search
//! is young and its index may lag or lack notes, so a sample of contacts is also read one by one (`verify`). Any
//! difference that timing does not explain discards what the search returned, and the next strategy reads everything.

mod batch_search;
mod batch_size;
mod changed_contacts;
mod contact_batches;
mod estimate;
mod location_pages;
mod look_again;
mod negotiate;
mod partitions;
mod sample;
mod verify;

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::children::ChildKind;
use super::committed_page::ChildCursor;
use super::{NoteMethod, Pull, PullError};
use crate::api::{NotePage, NoteSearchDialect, RetryPolicy};
use crate::concurrency;
use crate::diagnostic::EventWarningCode;
use crate::run::{RunError, SpoolReader, SpoolWrite, StreamProgress, stream};
use batch_size::BatchSizes;
pub(super) use changed_contacts::SearchedNotes;
pub use estimate::{NoteCost, NoteStrategyCosts, estimate_note_cost};
use location_pages::LocationPass;
pub(super) use sample::NoteSampler;

/// Up to this many contacts a request for each takes less time than a search, its verification and the second look at
/// its index.
pub const FEW_CONTACTS: u64 = 100;

/// How long before the run a note or contact must have been changed to be in the index for certain, in milliseconds
/// (api.md §2.10: an index was seen to lag by 34 s).
pub const FRESH_MS: i64 = 10 * 60 * 1_000;

/// For a page of the notes search.
pub(super) const SEARCH_PAGE: RetryPolicy =
    RetryPolicy { attempts: 5, time: std::time::Duration::from_mins(1), bytes: 8 << 20 };

/// For a probe, which is not worth more patience: without an answer notes are read contact by contact.
const PROBE: RetryPolicy =
    RetryPolicy { attempts: 2, time: std::time::Duration::from_secs(20), bytes: 8 << 20 };

/// How a run reads notes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum NoteStrategy {
    /// Pages of the whole location: the passes, and how far they are.
    Location { passes: Vec<LocationPass>, pass: usize, skip: u64 },
    /// Batches of contacts: the position of the next contact.
    Contacts { next: ChildCursor },
    /// A request for each contact.
    PerContact,
}

/// The state of the notes search in a run, stored as the cursor of its stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NoteSearchState {
    pub(super) strategy: NoteStrategy,
    /// What the server accepts.
    pub(super) dialect: NoteSearchDialect,
    /// How many contacts a request may name.
    pub(super) batch: BatchSizes,
    /// The notes of the location as first counted, if the count can be believed.
    pub(super) total: Option<u64>,
    /// Why the other form of relations is not used, if it was tried.
    #[serde(default)]
    pub(super) first_refusal: Option<String>,
    /// Whether the sample showed the same notes.
    pub(super) verified: bool,
    /// Whether the lists of contacts are left to the caller.
    #[serde(default)]
    pub(super) left: bool,
}

/// How a spool has the notes of a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpooledNotes {
    /// All of them, by a search that was proven.
    Searched,
    /// The lists of contacts.
    Lists,
    /// They are left to the caller, because they take a request for each of many contacts.
    Left,
}

/// How a spool of a pull of everything has the notes.
///
/// # Errors
/// When the spool cannot be read.
pub fn find_spooled_notes(spool: &SpoolReader) -> Result<SpooledNotes, RunError> {
    let cursor = spool.stream_progress(stream::NOTE_SEARCH)?.cursor;
    let state = cursor.and_then(|cursor| serde_json::from_str::<NoteSearchState>(&cursor).ok());
    Ok(match state {
        Some(state) if state.left => SpooledNotes::Left,
        Some(state) if state.verified => SpooledNotes::Searched,
        _ => SpooledNotes::Lists,
    })
}

/// What the stages of the notes search share within one process.
pub(super) type SharedSampler = Arc<Mutex<NoteSampler>>;

/// How a stage of the search ended.
#[derive(Debug)]
pub(super) enum SearchOutcome {
    /// Everything was read.
    Complete,
    /// The search cannot be used, and why.
    Rejected(String),
    /// It begins again in another form.
    Restart,
}

impl Pull {
    /// Decides how notes are read, unless an earlier process has: with at most three requests and the first page of
    /// contacts, or a request more per user where the notes may be divided by author.
    pub(super) async fn choose_note_strategy(&self) -> Result<(), PullError> {
        if !self.includes_child(ChildKind::Notes) || self.note_search_state()?.is_some() {
            return Ok(());
        }
        // A run of an earlier version began without a search.
        let began = self.stream_progress(stream::NOTES)?.cursor.is_some();
        if began
            || self.options.note_method == NoteMethod::EachContact
            || !self.has_many_contacts().await?
        {
            return self.read_notes_per_contact(None).await;
        }
        match Box::pin(self.negotiate_note_search()).await? {
            Ok(state) => self.store_note_search_state(&state, StreamProgress::default()).await?,
            Err(reason) => return self.read_notes_per_contact(Some(reason)).await,
        }
        self.flush_writes().await
    }

    /// Whether the export has so many contacts that a search pays. Reads the first page of contacts, where the
    /// contacts are not listed.
    async fn has_many_contacts(&self) -> Result<bool, PullError> {
        if self.options.selected_only {
            return Ok(self.count_selected_contacts()? > FEW_CONTACTS);
        }
        let Some(walk) = self.pull_first_page().await? else { return Ok(false) };
        Ok(if walk.done {
            walk.rows > FEW_CONTACTS
        } else {
            walk.rows.max(walk.total.unwrap_or(u64::MAX)) > FEW_CONTACTS
        })
    }

    /// Whether notes are read contact by contact.
    pub(super) fn reads_notes_per_contact(&self) -> Result<bool, PullError> {
        let state = self.note_search_state()?;
        Ok(state.is_none_or(|state| state.strategy == NoteStrategy::PerContact && !state.left))
    }

    /// Whether notes are left to the caller.
    pub(super) fn leaves_notes(&self) -> Result<bool, PullError> {
        Ok(self.note_search_state()?.is_some_and(|state| state.left))
    }

    /// The state of the search; `None` before the decision, and without notes.
    pub(super) fn note_search_state(&self) -> Result<Option<NoteSearchState>, PullError> {
        let cursor = self.stream_progress(stream::NOTE_SEARCH)?.cursor;
        Ok(cursor.and_then(|cursor| serde_json::from_str(&cursor).ok()))
    }

    /// The sampler, with the notes that an earlier process stored.
    pub(super) async fn create_note_sampler(&self) -> Result<SharedSampler, PullError> {
        let (db, fresh_since) = (self.db.clone(), self.fresh_since());
        let sampler = concurrency::run_blocking(move || {
            let mut sampler = NoteSampler::new(fresh_since);
            let (reader, mut seq) = (SpoolReader::open(&db)?, 0);
            while let Some(entry) = reader.next_entry(stream::NOTE_SEARCH, seq)? {
                seq = entry.seq;
                sampler.add_notes(&NotePage::from_json(&entry.body).unwrap_or_default());
            }
            Ok::<_, RunError>(sampler)
        });
        Ok(Arc::new(Mutex::new(sampler.await?)))
    }

    /// Since when the index may lack what was written: milliseconds since 1970 of the server's clock.
    pub(in crate::pull) fn fresh_since(&self) -> i64 {
        let now = jiff::Timestamp::now().as_millisecond();
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        now + self.client.server_time_offset().unwrap_or(0) - elapsed - FRESH_MS
    }

    /// How many contacts the export has, as far as the walk knows.
    fn count_contacts(&self) -> Result<Option<u64>, PullError> {
        if self.options.selected_only {
            return self.count_selected_contacts().map(Some);
        }
        let walk = self.stream_progress(stream::CONTACTS)?;
        Ok(walk.total.map(|total| total.max(walk.rows)))
    }

    fn count_selected_contacts(&self) -> Result<u64, PullError> {
        Ok(self.stream_progress(stream::SELECTED_CONTACTS)?.rows)
    }

    fn covers_all_contacts(&self) -> bool {
        self.options.covers_all_contacts()
    }

    /// Reads what the stages beside the walk did not: after a strategy was rejected, and the verification.
    pub(super) async fn finish_notes(&self, sampler: &SharedSampler) -> Result<(), PullError> {
        if !self.includes_child(ChildKind::Notes) {
            return Ok(());
        }
        loop {
            self.flush_writes().await?;
            let Some(state) = self.note_search_state()? else { return Ok(()) };
            let done = self.stream_progress(stream::NOTE_SEARCH)?.done;
            match state.strategy {
                NoteStrategy::PerContact if state.left => return Ok(()),
                NoteStrategy::PerContact => {
                    if !self.stream_progress(stream::NOTES)?.done {
                        self.pull_contacts_and_children(&[ChildKind::Notes], None).await?;
                    }
                    return Ok(());
                }
                NoteStrategy::Location { .. } if !done => self.pull_location_notes(sampler).await?,
                NoteStrategy::Contacts { .. } if !done => {
                    self.pull_contacts_and_children(&[], Some(sampler)).await?;
                }
                _ if state.verified => return Ok(()),
                _ => self.verify_note_search(state, sampler).await?,
            }
        }
    }

    /// Discards what the search returned and goes to the next strategy.
    pub(super) async fn reject_note_strategy(
        &self,
        state: NoteSearchState,
        reason: &str,
    ) -> Result<(), PullError> {
        if !matches!(state.strategy, NoteStrategy::Location { .. }) {
            self.remember_note_distrust(Some(reason.to_owned()));
            return self.read_notes_per_contact(Some(reason.to_owned())).await;
        }
        let message = format!(
            "notes are read by searching for batches of contacts instead of page by page: {reason}"
        );
        self.report_warning(EventWarningCode::NotesByContacts, message);
        let strategy = NoteStrategy::Contacts { next: ChildCursor::default() };
        let state = NoteSearchState { strategy, ..state };
        self.discard_note_search(&state, false).await
    }

    /// From now on notes are read contact by contact. `reason` is why the search is not used, unless it is for the
    /// small number of contacts.
    async fn read_notes_per_contact(&self, reason: Option<String>) -> Result<(), PullError> {
        let left = self.options.note_method == NoteMethod::SearchOrLeave && reason.is_some();
        if let Some(reason) = reason {
            let how = if left { ", some contacts in each sync" } else { "" };
            let message =
                format!("notes are read contact by contact, one request each{how}: {reason}");
            self.report_warning(EventWarningCode::NotesPerContact, message);
        }
        let state = NoteSearchState {
            strategy: NoteStrategy::PerContact,
            dialect: NoteSearchDialect::default(),
            batch: BatchSizes::default(),
            total: None,
            first_refusal: None,
            verified: false,
            left,
        };
        self.discard_note_search(&state, true).await
    }

    async fn discard_note_search(
        &self,
        state: &NoteSearchState,
        done: bool,
    ) -> Result<(), PullError> {
        let cursor = Some(encode_state(state));
        let progress = StreamProgress { cursor, done, ..StreamProgress::default() };
        let stream = stream::NOTE_SEARCH.to_owned();
        self.write_to_spool(SpoolWrite::Discard { stream, progress }).await?;
        self.flush_writes().await
    }

    async fn store_note_search_state(
        &self,
        state: &NoteSearchState,
        progress: StreamProgress,
    ) -> Result<(), PullError> {
        let progress = StreamProgress { cursor: Some(encode_state(state)), ..progress };
        let stream = stream::NOTE_SEARCH.to_owned();
        self.write_to_spool(SpoolWrite::ProgressOnly { stream, progress }).await
    }
}

fn encode_state(state: &NoteSearchState) -> String {
    serde_json::to_string(state).expect("a state is plain JSON")
}
