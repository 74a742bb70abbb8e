//! What the repository remembers of checks: when its snapshots were last proven, and where the next check goes on.

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

/// A check that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationRecord {
    /// When.
    pub at: Timestamp,
    /// The files that were read and compared with their hashes.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The snapshots whose chains were merged and had their state.
    pub replayed: Vec<SnapshotId>,
    /// How much was damaged.
    pub damaged: u64,
    /// The file with which the next check begins, if this one ended early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Repository {
    /// The last check of a location's snapshots, if there was one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_verification(
        &self,
        location: &LocationId,
    ) -> Result<Option<VerificationRecord>, RepositoryError> {
        let prefix = layout::verified_prefix(location);
        let objects = self.store().list(&prefix);
        let objects = objects.map_err(|source| RepositoryError::from_io(&prefix, source))?;
        let is_record = |key: &str| {
            matches!(layout::read_location_key(location, key), LocationKey::Verified(_))
        };
        let Some(last) = objects.iter().rfind(|object| is_record(&object.key)) else {
            return Ok(None);
        };
        let from = match self.store().get(&last.key) {
            Ok(from) => from,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(RepositoryError::from_io(&last.key, source)),
        };
        // A record that cannot be read is no check.
        Ok(serde_json::from_slice(&read_bounded(from, &last.key)?).ok())
    }

    /// Remembers a check.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn record_verification(
        &self,
        location: &LocationId,
        record: &VerificationRecord,
    ) -> Result<(), RepositoryError> {
        let bytes = checked_json::to_plain_bytes(record);
        let key = layout::verified_key(location, &SnapshotId::new(record.at));
        let _ = self.put_bytes(&key, &bytes)?;
        Ok(())
    }
}
