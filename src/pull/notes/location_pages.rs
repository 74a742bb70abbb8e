//! The location's notes page by page, whichever contact they relate to.
//!
//! Pages are read by `skip`, which a note that is deleted meanwhile shifts, and which an unsorted index makes
//! meaningless. So the read is complete only if as many different notes were seen as the server counts, and the count
//! never fell; otherwise the notes are read in the other order, too, and then by contacts. Where an offset does not
//! reach all, they are read in parts (`partitions`).

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::{
    NoteSearchState, NoteStrategy, SEARCH_PAGE, SearchOutcome, SharedSampler, encode_state,
};
use crate::api::{self, ApiResponse, NOTE_SEARCH_LIMIT, NoteOrder, NotePage, NoteQuery, NoteRef};
use crate::concurrency;
use crate::id::SeenIds;
use crate::pull::{Pull, PullError, retry_failed};
use crate::run::{RunError, SpoolReader, SpoolWrite, StreamProgress, stream};

/// Most users who are remembered as authors. A location has far fewer.
const MAX_AUTHORS: usize = 1_000;

/// Which of the location's notes a pass reads: by default all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::pull) struct NotePart {
    /// Only notes of this source.
    pub(super) source: Option<String>,
    /// Only notes that this user wrote.
    pub(super) author: Option<String>,
}

impl NotePart {
    /// The query for its notes.
    pub(super) fn query(&self) -> NoteQuery<'_> {
        let (source, author) = (self.source.as_deref(), self.author.as_deref());
        NoteQuery { source, author, ..NoteQuery::default() }
    }

    /// Whether the rows of an answer are of its author.
    pub(super) fn has_all(&self, rows: &[Option<NoteRef>]) -> bool {
        let is_own = |note: &NoteRef| note.author.as_deref() == self.author.as_deref();
        self.author.is_none() || rows.iter().flatten().all(is_own)
    }
}

/// A pass over the location's notes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::pull) struct LocationPass {
    part: NotePart,
    order: NoteOrder,
    /// How many notes `skip` reaches; `None` for all.
    reach: Option<u64>,
    /// How many notes the part has, if they were counted.
    count: Option<u64>,
}

impl LocationPass {
    pub(super) fn new(part: &NotePart, order: NoteOrder, reach: Option<u64>) -> Self {
        Self { part: part.clone(), order, reach, count: None }
    }

    /// The same, of a part that has so many notes.
    pub(super) fn with_count(self, count: u64) -> Self {
        Self { count: Some(count), ..self }
    }

    /// From both ends, where one order does not reach all.
    pub(super) fn in_both_orders(part: &NotePart, reach: u64) -> Vec<Self> {
        [NoteOrder::Oldest, NoteOrder::Newest]
            .map(|order| Self::new(part, order, Some(reach)))
            .into()
    }

    fn is_of_whole_location(&self) -> bool {
        self.part == NotePart::default()
    }
}

/// What has been read of the location's notes.
#[derive(Debug, Default)]
struct LocationCount {
    /// The notes.
    seen: SeenIds,
    /// Rows without an id.
    unusable: u64,
    /// The latest total of all notes.
    total: Option<u64>,
    /// Whether that total ever fell: what was deleted shifts the pages.
    fell: bool,
    /// Rows that say which contact they relate to.
    related: u64,
    /// The users who wrote them, up to [`MAX_AUTHORS`].
    authors: BTreeSet<Box<str>>,
}

impl LocationCount {
    /// Counts the rows of a page; returns how many notes are new.
    fn add_page(&mut self, page: &NotePage) -> u64 {
        let before = self.seen.count();
        for row in &page.rows {
            match row {
                Some(note) => {
                    self.seen.insert(&note.id);
                    self.related += u64::from(!note.contacts.is_empty());
                    if let Some(author) = &note.author
                        && self.authors.len() < MAX_AUTHORS
                        && !self.authors.contains(author)
                    {
                        self.authors.insert(author.clone());
                    }
                }
                None => self.unusable += 1,
            }
        }
        self.seen.count() - before
    }

    fn notes(&self) -> u64 {
        self.seen.count() + self.unusable
    }

    fn set_total(&mut self, total: Option<u64>) {
        let total = api::believable_total(total, 0);
        self.fell |= matches!((self.total, total), (Some(before), Some(now)) if now < before);
        self.total = total.or(self.total);
    }

    /// Whether as many notes were seen as there are.
    fn is_complete(&self) -> bool {
        self.total.is_some_and(|total| self.notes() >= total)
    }
}

impl Pull {
    /// Reads all notes of the location page by page, if that is how notes are read.
    pub(in crate::pull) async fn pull_location_notes(
        &self,
        sampler: &SharedSampler,
    ) -> Result<(), PullError> {
        let Some(mut state) = self.note_search_state()? else { return Ok(()) };
        let progress = self.stream_progress(stream::NOTE_SEARCH)?;
        if !matches!(state.strategy, NoteStrategy::Location { .. }) || progress.done {
            return Ok(());
        }
        let count = self.count_stored_notes(&state).await?;
        let read = LocationRead { pull: self, sampler, progress, count };
        match Box::pin(read.run(&mut state)).await? {
            SearchOutcome::Complete | SearchOutcome::Restart => Ok(()),
            SearchOutcome::Rejected(reason) => self.reject_note_strategy(state, &reason).await,
        }
    }

    /// Counts the pages that an earlier process stored.
    async fn count_stored_notes(
        &self,
        state: &NoteSearchState,
    ) -> Result<LocationCount, PullError> {
        let (db, total) = (self.db.clone(), state.total);
        let count = concurrency::run_blocking(move || {
            let mut count = LocationCount { total, ..LocationCount::default() };
            let (reader, mut seq) = (SpoolReader::open(&db)?, 0);
            while let Some(entry) = reader.next_entry(stream::NOTE_SEARCH, seq)? {
                seq = entry.seq;
                count.add_page(&NotePage::from_json(&entry.body).unwrap_or_default());
            }
            Ok::<_, RunError>(count)
        });
        Ok(count.await?)
    }
}

struct LocationRead<'p> {
    pull: &'p Pull,
    sampler: &'p SharedSampler,
    progress: StreamProgress,
    count: LocationCount,
}

/// What is read next.
enum NextRead {
    Page,
    Pass,
    End,
}

impl LocationRead<'_> {
    async fn run(mut self, state: &mut NoteSearchState) -> Result<SearchOutcome, PullError> {
        let mut blank = false;
        loop {
            let NoteStrategy::Location { passes, pass, skip } = &mut state.strategy else {
                unreachable!("the strategy of this stage")
            };
            let Some(current) = passes.get(*pass).cloned() else {
                if let Some(outcome) = self.finish(state).await? {
                    return Ok(outcome);
                }
                continue;
            };
            let response = match self.fetch_page(&state.dialect, &current, *skip).await? {
                Ok(response) => response,
                Err(reason) => return Ok(SearchOutcome::Rejected(reason)),
            };
            if !current.part.has_all(&response.head.rows) {
                let reason = "the search shows notes of other users than the one asked for";
                return Ok(SearchOutcome::Rejected(reason.to_owned()));
            }
            if current.is_of_whole_location() {
                self.count.set_total(response.head.total);
            }
            let rows = response.head.rows.len();
            let fresh = self.count.add_page(&response.head);
            *skip += rows as u64;
            let full = rows >= state.dialect.limit;
            match self.decide_next(&current, *skip, rows, full, fresh, &mut blank) {
                NextRead::Page => {}
                NextRead::Pass => (*pass, *skip) = (*pass + 1, 0),
                NextRead::End => *pass = passes.len(),
            }
            self.store_page(state, response).await?;
        }
    }

    /// What is read after a page. A full page never ends a pass, and an empty one only if it comes twice or all notes
    /// were seen.
    fn decide_next(
        &self,
        pass: &LocationPass,
        skip: u64,
        rows: usize,
        full: bool,
        fresh: u64,
        blank: &mut bool,
    ) -> NextRead {
        let complete = self.count.is_complete();
        if pass.reach.is_some_and(|reach| skip >= reach) || self.is_beyond_total(skip) {
            return NextRead::Pass;
        }
        if !full && pass.count.is_some_and(|count| skip >= count) {
            return NextRead::Pass;
        }
        if rows == 0 {
            let again = !complete && !*blank;
            *blank = again;
            return if again { NextRead::Page } else { NextRead::Pass };
        }
        *blank = false;
        match (complete, pass.order) {
            // The other end: everything was seen, and this page shows nothing else.
            (true, NoteOrder::Newest) if fresh == 0 => NextRead::End,
            (true, NoteOrder::Oldest) if !full && pass.is_of_whole_location() => NextRead::Pass,
            _ => NextRead::Page,
        }
    }

    /// Whether far more rows were read than there are notes: the server shows the same ones again and again.
    fn is_beyond_total(&self, skip: u64) -> bool {
        let total = self.count.total.unwrap_or(0);
        skip > 2 * total + NOTE_SEARCH_LIMIT as u64
    }

    async fn fetch_page(
        &self,
        dialect: &crate::api::NoteSearchDialect,
        pass: &LocationPass,
        skip: u64,
    ) -> Result<Result<ApiResponse<NotePage>, String>, PullError> {
        let left = pass.reach.map(|reach| usize::try_from(reach - skip).unwrap_or(usize::MAX));
        let query = NoteQuery { order: pass.order, skip, limit: left, ..pass.part.query() };
        match self.pull.client.search_notes(dialect, &query, SEARCH_PAGE).await {
            Ok(response) => Ok(Ok(response)),
            Err(error) if error.is_fatal() => Err(error.into()),
            Err(error) => {
                if skip > 0 && pass.reach.is_none() && retry_failed::is_query_rejected(error.kind) {
                    self.pull.remember_note_reach(skip);
                }
                Ok(Err(format!("a page of the location's notes cannot be read ({error})")))
            }
        }
    }

    /// Stores a page with the position after it.
    async fn store_page(
        &mut self,
        state: &NoteSearchState,
        response: ApiResponse<NotePage>,
    ) -> Result<(), PullError> {
        self.pull.record_broken_notes(&response).await?;
        let ApiResponse { body, head, .. } = response;
        self.progress.rows = self.count.notes();
        self.progress.cursor = Some(encode_state(state));
        let (stream, progress) = (stream::NOTE_SEARCH.to_owned(), self.progress.clone());
        let total = self.count.total.map(|total| total.max(progress.rows));
        self.pull.report_progress("notes", progress.rows, total);
        if head.rows.is_empty() {
            return self.pull.write_to_spool(SpoolWrite::ProgressOnly { stream, progress }).await;
        }
        self.sampler.lock().expect("no panic while it is held").add_notes(&head);
        let rows = u32::try_from(head.rows.len()).unwrap_or(u32::MAX);
        self.pull.write_to_spool(SpoolWrite::Entry { stream, rows, body, progress }).await
    }

    /// After the last pass: complete, another pass, or rejected.
    async fn finish(
        &mut self,
        state: &mut NoteSearchState,
    ) -> Result<Option<SearchOutcome>, PullError> {
        let NoteStrategy::Location { passes, .. } = &mut state.strategy else {
            unreachable!("the strategy of this stage")
        };
        let (seen, total) = (self.count.notes(), self.count.total);
        if self.count.is_complete() && !self.count.fell {
            if self.count.related == 0 && seen > 0 {
                let reason = "its rows do not say which contact a note is about".to_owned();
                return Ok(Some(SearchOutcome::Rejected(reason)));
            }
            self.progress.done = true;
            self.progress.cursor = Some(encode_state(state));
            let (stream, progress) = (stream::NOTE_SEARCH.to_owned(), self.progress.clone());
            self.pull.write_to_spool(SpoolWrite::ProgressOnly { stream, progress }).await?;
            return Ok(Some(SearchOutcome::Complete));
        }
        let unread = find_unread_authors(passes, &self.count);
        if !self.count.is_complete() && !unread.is_empty() {
            passes.extend(unread);
            return Ok(None);
        }
        let from_both_ends = passes.iter().any(|pass| pass.order == NoteOrder::Newest);
        if state.dialect.sorted && !from_both_ends {
            passes.push(LocationPass::new(&NotePart::default(), NoteOrder::Newest, None));
            // What was deleted during the first pass cannot shift the pages of the second.
            self.count.fell = false;
            return Ok(None);
        }
        let counted = total.map_or_else(|| "an unknown number of".to_owned(), |n| n.to_string());
        let reason = format!("the search counts {counted} notes and shows {seen}");
        Ok(Some(SearchOutcome::Rejected(reason)))
    }
}

/// The passes over the notes of authors that were seen and have no part of their own: users who were deleted.
fn find_unread_authors(passes: &[LocationPass], count: &LocationCount) -> Vec<LocationPass> {
    let divided = passes.iter().filter_map(|pass| Some((pass.part.author.as_deref()?, pass.reach)));
    let (known, reaches): (HashSet<&str>, Vec<Option<u64>>) = divided.unzip();
    let Some(reach) = reaches.into_iter().flatten().max() else { return Vec::new() };
    let unread = count.authors.iter().filter(|author| !known.contains(&***author));
    let parts = unread.map(|author| NotePart { source: None, author: Some(author.to_string()) });
    parts.flat_map(|part| LocationPass::in_both_orders(&part, reach)).collect()
}
