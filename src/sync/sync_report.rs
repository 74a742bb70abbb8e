//! What a sync came to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::SyncError;
use super::extra_tables::ExtraTables;
use crate::event::SyncedEvent;
use crate::id::{LocationId, RunId};
use crate::mirror::{MirrorReader, RecordKind, RemovedCounts, SyncKind, SyncRecord};
use crate::pull::changes::{self, DeletionCheck};
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
    /// Whether everything that was asked for was read.
    #[serde(skip)]
    pub is_complete: bool,
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
    /// What the mirror and the spool say of a sync; the rest is that of a sync that took nothing. `asked` is which tables
    /// are kept up to date in addition to the usual ones.
    pub(super) fn describe(
        run: &Run,
        mirror: &MirrorReader,
        sync: &SyncRecord,
        asked: ExtraTables,
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
        let comparison = changes::read_comparison(&SpoolReader::open(&run.db_path())?)?;
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
            is_complete: failures.is_empty(),
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
