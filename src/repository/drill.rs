//! What the repository remembers of drills: when a snapshot was last restored for a trial, and how that went.

use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::checked_json;
use super::error::RepositoryError;
use super::layout::{self, LocationKey};
use super::manifest::read_bounded;
use super::open_repository::Repository;
use super::snapshot_id::SnapshotId;
use crate::id::LocationId;

/// A restore of a snapshot for a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillRecord {
    /// When.
    pub at: Timestamp,
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// The contacts that the snapshot has.
    pub contacts: u64,
    /// Those that were restored and compared.
    pub restored: u64,
    /// Those that a restore rejects, because others have their address or number.
    pub rejected: u64,
    /// The notes that were compared.
    pub notes: u64,
    /// The tasks that were compared.
    pub tasks: u64,
    /// The values that a restore names as lost.
    pub losses: u64,
    /// The values that differ and that no restore names as lost.
    pub differences: u64,
}

impl Repository {
    /// The last drill of a location's snapshots, if there was one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_drill(
        &self,
        location: &LocationId,
    ) -> Result<Option<DrillRecord>, RepositoryError> {
        let prefix = layout::drills_prefix(location);
        let objects = self.store().list(&prefix);
        let objects = objects.map_err(|source| RepositoryError::from_io(&prefix, source))?;
        let is_record =
            |key: &str| matches!(layout::read_location_key(location, key), LocationKey::Drill(_));
        let Some(last) = objects.iter().rfind(|object| is_record(&object.key)) else {
            return Ok(None);
        };
        let from = match self.store().get(&last.key) {
            Ok(from) => from,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(RepositoryError::from_io(&last.key, source)),
        };
        // A record that cannot be read is no drill.
        Ok(serde_json::from_slice(&read_bounded(from, &last.key)?).ok())
    }

    /// Remembers a drill.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn record_drill(
        &self,
        location: &LocationId,
        record: &DrillRecord,
    ) -> Result<(), RepositoryError> {
        let bytes = checked_json::to_plain_bytes(record);
        let key = layout::drill_key(location, &SnapshotId::new(record.at));
        let _ = self.put_bytes(&key, &bytes)?;
        Ok(())
    }
}
