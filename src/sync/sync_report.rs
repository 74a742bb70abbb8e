//! What a sync came to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::event::SyncedEvent;
use crate::id::{LocationId, RunId};
use crate::mirror::{NoteCoverage, SyncKind};
use crate::pull::changes::{DeletionCheck, NoteListsEnd};

/// The result of a finished sync.
#[derive(Debug, Clone, Serialize)]
pub struct SyncReport {
    /// The run, which is removed when nothing is left of it that the mirror does not have.
    pub run: RunId,
    /// The location.
    pub location: LocationId,
    /// The export whose run a first sync began with, instead of reading everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export: Option<RunId>,
    /// How it read.
    #[serde(rename = "read")]
    pub kind: SyncKind,
    /// What has changed.
    #[serde(rename = "changes")]
    pub synced: SyncedEvent,
    /// How the deletions of contacts were looked for.
    pub deletions: DeletionCheck,
    /// Contacts that the search does not show although they exist.
    pub hidden: u64,
    /// Contacts of which their own endpoint could not say whether they exist.
    pub unconfirmed: u64,
    /// Contacts that had changed although they say themselves that they had not, so that only a walk finds them.
    pub silent_changes: u64,
    /// How many records of each table exist.
    pub rows: BTreeMap<String, u64>,
    /// When all tasks were last read, by the server's clock.
    pub tasks_read: Option<jiff::Timestamp>,
    /// How old what the mirror says of notes may be.
    pub note_coverage: NoteCoverage,
    /// How far the notes were read of contacts whose turn it was.
    pub note_lists: NoteListsEnd,
    /// Whether no sync of the location was before it.
    #[serde(skip)]
    pub is_first: bool,
    /// Whether the bound of notes is longer than usual because they would take too large a part of the day's requests.
    #[serde(skip)]
    pub has_longer_bound: bool,
    /// Whether something could not be read.
    #[serde(skip)]
    pub has_failures: bool,
    /// Records that could not be read.
    pub unreadable: u64,
    /// Requests sent, by endpoint, retries included.
    pub requests: BTreeMap<String, u64>,
    /// The number of 429 responses among them.
    pub refused: u64,
    /// When everything is read again at the latest.
    pub walk_due: jiff::Timestamp,
    /// The time this process spent on the run.
    #[serde(serialize_with = "as_millis", rename = "elapsed_ms")]
    pub elapsed: Duration,
}

impl SyncReport {
    /// Whether everything that was asked for was read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.has_failures && self.note_coverage.keeps_bound()
    }

    /// Adds what a run came to that has read the notes of contacts after this one.
    pub(super) fn add_notes(mut self, next: Self) -> Self {
        let (counts, added) = (&mut self.synced.notes, next.synced.notes);
        counts.added += added.added;
        counts.changed += added.changed;
        counts.deleted += added.deleted;
        (self.synced.seq, self.synced.changed_seq) = (next.synced.seq, next.synced.changed_seq);
        self.synced.requests += next.synced.requests;
        for (route, sent) in next.requests {
            *self.requests.entry(route).or_default() += sent;
        }
        self.elapsed += next.elapsed;
        Self {
            rows: next.rows,
            note_coverage: next.note_coverage,
            note_lists: next.note_lists,
            has_failures: next.has_failures,
            unreadable: next.unreadable,
            refused: next.refused,
            ..self
        }
    }
}

fn as_millis<S: serde::Serializer>(elapsed: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}
