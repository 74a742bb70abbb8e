//! The lock of a location's snapshots in a repository on this machine. Nothing depends on it: two writers fork, and both
//! their snapshots are whole. It saves the work of the second one.

use super::BackupError;
use crate::id::LocationId;
use crate::repository::Repository;
use crate::run::{FileLock, RunError, create_private_dir};

/// The lock, held while this value lives. A killed process leaves none.
#[derive(Debug)]
#[must_use]
pub struct LocationLock(#[expect(dead_code, reason = "held until it is dropped")] Option<FileLock>);

impl LocationLock {
    /// Locks the snapshots of a location, where the repository is a directory.
    ///
    /// # Errors
    /// [`BackupError::Locked`] when another process has locked them.
    pub fn acquire(repository: &Repository, location: &LocationId) -> Result<Self, BackupError> {
        let Some(dir) = repository.store().local_dir() else { return Ok(Self(None)) };
        let dir = dir.join(location.escaped_segment());
        create_private_dir(&dir).map_err(|source| RunError::from_io(&dir, source))?;
        let locked = || BackupError::Locked {
            location: location.clone(),
            place: repository.place().to_owned(),
        };
        FileLock::try_lock_directory(&dir)?.map(Some).map(Self).ok_or_else(locked)
    }
}
