//! Locks that end with their process.
//!
//! The kernel's lock decides who may work. A locked file also says who holds it, for messages only: that text
//! may be stale or damaged, and nothing depends on it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::error::RunError;
use super::lock_holder::LockHolder;

/// How often a lock that is held is tried again before it counts as held, 1 ms apart: [`FileLock::is_locked`]
/// holds a lock for an instant.
const ATTEMPTS: u32 = 20;

/// A kernel lock, held while this value lives. A killed process leaves no lock.
#[derive(Debug)]
#[must_use]
pub struct FileLock {
    file: File,
}

impl FileLock {
    /// Locks a file, which is created if necessary, and writes into it who holds it. `None` when another
    /// process has locked it.
    pub(super) fn try_lock_file(
        path: &Path,
        holder: &LockHolder,
    ) -> Result<Option<Self>, RunError> {
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(path);
        let file = open.map_err(|source| RunError::from_io(path, source))?;
        let lock = Self::try_acquire(file, path)?;
        if let Some(lock) = &lock {
            holder.write_to(&lock.file);
        }
        Ok(lock)
    }

    /// The same for the removal of the file, without a word in it.
    pub(super) fn try_lock_for_removal(path: &Path) -> Result<Option<Self>, RunError> {
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(path);
        Self::try_acquire(open.map_err(|source| RunError::from_io(path, source))?, path)
    }

    /// Whether the locked file still has this path: another process may have removed it before it was locked.
    #[cfg(unix)]
    pub(super) fn is_file_at(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let own = self.file.metadata().map(identity).ok();
        own.is_some() && own == std::fs::metadata(path).map(identity).ok()
    }

    /// An open file cannot be removed on other systems.
    #[cfg(not(unix))]
    pub(super) fn is_file_at(&self, path: &Path) -> bool {
        path.exists()
    }

    /// Locks a directory without leaving a file in it. `None` when another process has locked it.
    #[cfg(unix)]
    pub fn try_lock_directory(path: &Path) -> Result<Option<Self>, RunError> {
        Self::try_acquire(File::open(path).map_err(|source| RunError::from_io(path, source))?, path)
    }

    /// Locks a directory with a hidden file in it, on systems that cannot lock directories. `None` when
    /// another process has locked it.
    #[cfg(not(unix))]
    pub fn try_lock_directory(path: &Path) -> Result<Option<Self>, RunError> {
        let path = path.join(".ghl-bulk.lock");
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        Self::try_acquire(open.map_err(|source| RunError::from_io(&path, source))?, &path)
    }

    /// Whether a process has locked a file. Creates no file.
    pub(super) fn is_locked(path: &Path) -> bool {
        // Shared, so that two processes that ask at the same time do not take each other for the holder.
        File::open(path)
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    fn try_acquire(file: File, path: &Path) -> Result<Option<Self>, RunError> {
        for _ in 0..ATTEMPTS {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { file })),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
                Err(TryLockError::Error(source)) => return Err(RunError::from_io(path, source)),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_about_a_lock_neither_takes_nor_creates_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert!(!FileLock::is_locked(&path) && !path.exists());
        let holder = LockHolder::of_this_process("20261121-061512-k3f9".parse().unwrap(), "export");
        let lock = FileLock::try_lock_file(&path, &holder).unwrap().unwrap();
        assert!(FileLock::is_locked(&path));
        assert!(FileLock::try_lock_file(&path, &holder).unwrap().is_none());
        drop(lock);
        assert!(!FileLock::is_locked(&path));
        let asking = File::open(&path).unwrap();
        asking.try_lock_shared().unwrap();
        assert!(!FileLock::is_locked(&path), "another question is not a holder");
    }
}
