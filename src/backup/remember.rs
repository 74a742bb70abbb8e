//! Takes back that a snapshot was forgotten.

use std::time::Duration;

use jiff::Timestamp;

use super::{BackupError, LocationLock};
use crate::id::LocationId;
use crate::repository::{Repository, RepositoryError, SnapshotId};

/// Where no lock keeps `prune` away, a snapshot that was forgotten longer ago may be on its way out.
const UNLOCKED_LIMIT: Duration = Duration::from_hours(7 * 24);

/// Takes back that a snapshot was forgotten.
///
/// # Errors
/// When it was not forgotten, it is or may be pruned, or another process writes to the backups of the location.
pub fn remember_snapshot(
    repository: &Repository,
    location: &LocationId,
    id: &SnapshotId,
    now: Timestamp,
) -> Result<(), BackupError> {
    let _lock = LocationLock::acquire(repository, location)?;
    if repository.store().local_dir().is_none() {
        let list = repository.list_snapshots(location)?;
        let forgotten = list.find(id).and_then(|snapshot| snapshot.forgotten);
        let is_old = |at: Timestamp| now.duration_since(at).unsigned_abs() >= UNLOCKED_LIMIT;
        if forgotten.is_some_and(is_old) {
            return Err(RepositoryError::NoSuchSnapshot {
                named: id.to_string(),
                why: "it was forgotten more than 7 days ago, so its files may be gone".to_owned(),
            }
            .into());
        }
    }
    repository.remember_snapshot(location, id)?;
    Ok(())
}
