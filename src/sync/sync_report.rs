//! What a sync came to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::SyncError;
use super::extra_tables::ExtraTables;
use crate::event::SyncedEvent;
use crate::id::{LocationId, RunId};
use crate::mirror::{MirrorReader, NoteCoverage, RecordKind, RemovedCounts, SyncKind, SyncRecord};
use crate::pull::changes::{self, DeletionCheck, NoteListsEnd};
use crate::run::{Run, SpoolReader};

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
    /// What was removed because it is no longer current and old.
    pub removed: RemovedCounts,
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
        self.removed.deleted_contents += next.removed.deleted_contents;
        self.removed.former_versions += next.removed.former_versions;
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

    /// What the mirror and the spool say of a sync; the rest is that of a sync that took nothing. `asked` is which tables
    /// are kept up to date in addition to the usual ones, `now` the server's time.
    pub(super) fn describe(
        run: &Run,
        mirror: &MirrorReader,
        sync: &SyncRecord,
        asked: ExtraTables,
        now: jiff::Timestamp,
    ) -> Result<Self, SyncError> {
        let (failures, mut rows) = (mirror.load_failures()?, BTreeMap::new());
        for kind in RecordKind::ALL {
            let live = mirror.count_live(kind)?;
            if asked.includes(kind) || live > 0 {
                rows.insert(kind.table_name().to_owned(), live);
            }
        }
        let counts = |kind: RecordKind| {
            sync.facts.counts.get(kind.table_name()).copied().unwrap_or_default()
        };
        let extra = |kind| asked.includes(kind).then(|| counts(kind));
        let synced = SyncedEvent {
            mirror: mirror.mirror_id()?,
            seq: sync.seq,
            changed_seq: mirror.last_change()?,
            requests: sync.facts.requests,
            contacts: counts(RecordKind::Contact),
            tasks: counts(RecordKind::Task),
            notes: counts(RecordKind::Note),
            appointments: extra(RecordKind::Appointment),
            businesses: extra(RecordKind::Business),
        };
        let spool = SpoolReader::open(&run.db_path())?;
        let comparison = changes::read_comparison(&spool)?;
        let tasks_ms = sync.facts.tasks_ms;
        Ok(Self {
            run: run.meta.run.clone(),
            location: run.meta.location.clone(),
            export: None,
            kind: sync.facts.kind,
            synced,
            deletions: comparison.deletions,
            hidden: comparison.hidden,
            unconfirmed: comparison.unconfirmed,
            silent_changes: sync.facts.silent_changes,
            removed: RemovedCounts::default(),
            rows,
            tasks_read: tasks_ms.and_then(|at| jiff::Timestamp::from_millisecond(at).ok()),
            note_coverage: mirror.note_coverage(now)?,
            note_lists: changes::find_note_lists_end(&spool)?,
            is_first: sync.seq == 1,
            has_longer_bound: false,
            has_failures: !failures.is_empty(),
            unreadable: failures.iter().map(|failure| failure.records).sum(),
            requests: BTreeMap::new(),
            refused: 0,
            walk_due: sync.facts.started,
            elapsed: Duration::ZERO,
        })
    }
}

fn as_millis<S: serde::Serializer>(elapsed: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}
