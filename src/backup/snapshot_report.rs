//! What became of a snapshot.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::id::LocationId;
use crate::repository::{Manifest, SnapshotAlert, SnapshotId, SnapshotKind, TableTotals};

/// What became of a snapshot.
#[derive(Debug, Clone, Serialize)]
pub struct SnapshotReport {
    /// The location.
    pub location: LocationId,
    /// The repository.
    pub repository: String,
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// What it has.
    #[serde(rename = "snapshot_kind")]
    pub kind: SnapshotKind,
    /// Why it is a full one.
    pub full_because: Option<String>,
    /// How many snapshots it is read from, itself included.
    pub chain: usize,
    /// The size of its files.
    pub bytes: u64,
    /// The lines of its files.
    pub lines: u64,
    /// The records of each table, and what has changed since the snapshot before.
    pub totals: BTreeMap<String, TableTotals>,
    /// What is unusual.
    pub alerts: Vec<SnapshotAlert>,
    /// Records that could not be read.
    pub unreadable: u64,
    /// Whether everything that was asked for was read.
    #[serde(skip)]
    pub is_complete: bool,
    /// Whether the files are encrypted.
    pub encrypted: bool,
    /// The requests of the sync, by endpoint.
    pub requests: BTreeMap<String, u64>,
    /// The time that writing took.
    #[serde(serialize_with = "as_millis", rename = "elapsed_ms")]
    pub elapsed: Duration,
}

impl SnapshotReport {
    /// Of a snapshot that was written.
    pub(super) fn of_manifest(manifest: &Manifest, repository: &str, elapsed: Duration) -> Self {
        Self {
            location: manifest.location.id.clone(),
            repository: repository.to_owned(),
            snapshot: manifest.snapshot.clone(),
            kind: manifest.kind,
            full_because: manifest.full_because.clone(),
            chain: manifest.chain.len(),
            bytes: manifest.file_bytes(),
            lines: manifest.file_rows(),
            totals: manifest.totals.clone(),
            alerts: manifest.alerts.clone(),
            unreadable: manifest.unreadable,
            is_complete: manifest.is_complete,
            encrypted: !manifest.recipients.is_empty(),
            requests: manifest.requests.clone(),
            elapsed,
        }
    }
}

fn as_millis<S: serde::Serializer>(elapsed: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}
