//! Locks that die with their process.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::error::Error;

/// A kernel lock, held while this value lives. A killed process leaves none behind.
#[derive(Debug)]
#[must_use]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Locks a file, made if need be.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process holds it.
    pub fn file(path: &Path) -> Result<Self, Error> {
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(path);
        Self::hold(open.map_err(|source| Error::file(path, source))?, path)
    }

    /// Locks a directory, which leaves no file in it.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process holds it.
    #[cfg(unix)]
    pub fn directory(path: &Path) -> Result<Self, Error> {
        Self::hold(File::open(path).map_err(|source| Error::file(path, source))?, path)
    }

    /// Locks a directory by a hidden file in it, where the system has no locks on directories.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process holds it.
    #[cfg(not(unix))]
    pub fn directory(path: &Path) -> Result<Self, Error> {
        Self::file(&path.join(".ghl-bulk.lock"))
    }

    fn hold(file: File, path: &Path) -> Result<Self, Error> {
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(Error::file(path, source)),
        }
    }
}
