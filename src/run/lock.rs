//! Locks that end with their process.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::error::RunError;

/// A kernel lock, held while this value lives. A killed process leaves no lock.
#[derive(Debug)]
#[must_use]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Locks a file, which is created if necessary.
    ///
    /// # Errors
    /// [`RunError::Locked`] when another process has locked it.
    pub fn lock_file(path: &Path) -> Result<Self, RunError> {
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(path);
        Self::acquire_lock(open.map_err(|source| RunError::from_io(path, source))?, path)
    }

    /// Locks a directory without leaving a file in it.
    ///
    /// # Errors
    /// [`RunError::Locked`] when another process has locked it.
    #[cfg(unix)]
    pub fn lock_directory(path: &Path) -> Result<Self, RunError> {
        Self::acquire_lock(
            File::open(path).map_err(|source| RunError::from_io(path, source))?,
            path,
        )
    }

    /// Locks a directory with a hidden file in it, on systems that cannot lock directories.
    ///
    /// # Errors
    /// [`RunError::Locked`] when another process has locked it.
    #[cfg(not(unix))]
    pub fn lock_directory(path: &Path) -> Result<Self, RunError> {
        Self::file(&path.join(".ghl-bulk.lock"))
    }

    fn acquire_lock(file: File, path: &Path) -> Result<Self, RunError> {
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(RunError::Locked(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(RunError::from_io(path, source)),
        }
    }
}
