//! What a search of notes shows: the notes in order of their dates, and the writes that it does not
//! show yet.
//!
//! Knows the places of notes and what they were before a write, not what a search asks for.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use super::note::StoredNote;
use super::slots::NoteSlot;
use crate::sandbox::notes_search_behavior::NotesIndexLag;

/// Cached rankings; a client runs a few searches at a time, not many.
const KEPT: usize = 8;

/// The index of one location's notes.
#[derive(Debug, Default)]
pub(crate) struct NoteIndex {
    pending: HashMap<NoteSlot, PendingNote>,
    searches: u64,
    /// Changes with everything that a search could notice.
    generation: u64,
    rankings: VecDeque<(u64, String, Arc<[NoteSlot]>)>,
}

/// A write that searches do not show yet.
#[derive(Debug)]
struct PendingNote {
    /// The note as searches show it; `None` when it did not exist.
    shown: Option<StoredNote>,
    searches: u64,
    since: Instant,
}

impl NoteIndex {
    /// Records a write; `before` is the note as it was, if it existed.
    pub(crate) fn record_write(
        &mut self,
        slot: NoteSlot,
        before: Option<StoredNote>,
        lag: NotesIndexLag,
    ) {
        self.generation += 1;
        if lag == NotesIndexLag::None {
            return;
        }
        let (searches, since) = (self.searches, Instant::now());
        let entry = self.pending.entry(slot);
        let entry = entry.or_insert(PendingNote { shown: before, searches, since });
        (entry.searches, entry.since) = (searches, since);
    }

    /// Makes the writes whose lag is over visible, and counts a search.
    pub(crate) fn begin_search(&mut self, lag: NotesIndexLag) {
        let (searches, before) = (self.searches, self.pending.len());
        self.pending.retain(|_, write| match lag {
            NotesIndexLag::None => false,
            NotesIndexLag::Searches(count) => searches - write.searches < count,
            NotesIndexLag::Time(time) => write.since.elapsed() < time,
            NotesIndexLag::Held => true,
        });
        if self.pending.len() != before {
            self.generation += 1;
        }
        self.searches += 1;
    }

    /// Makes every write visible.
    pub(crate) fn catch_up(&mut self) {
        self.pending.clear();
        self.generation += 1;
    }

    /// The note as searches show it, if they do.
    pub(crate) fn indexed_view<'a>(
        &'a self,
        slot: NoteSlot,
        stored: &'a StoredNote,
    ) -> Option<&'a StoredNote> {
        match self.pending.get(&slot) {
            Some(write) => write.shown.as_ref(),
            None => Some(stored).filter(|note| !note.deleted),
        }
    }

    /// The notes with writes that searches do not show yet.
    pub(crate) fn pending_slots(&self) -> impl Iterator<Item = NoteSlot> {
        self.pending.keys().copied()
    }

    /// A ranking that was kept since the last write.
    pub(crate) fn kept_ranking(&self, key: &str) -> Option<Arc<[NoteSlot]>> {
        let kept = self.rankings.iter().find(|(at, own, _)| *at == self.generation && own == key);
        kept.map(|(_, _, ranking)| Arc::clone(ranking))
    }

    pub(crate) fn keep_ranking(&mut self, key: String, ranking: Arc<[NoteSlot]>) {
        if self.rankings.len() == KEPT {
            self.rankings.pop_front();
        }
        self.rankings.push_back((self.generation, key, ranking));
    }
}
