//! Creates the directory of a run: a run exists whole, or not at all.
//!
//! The database is built under another name and renamed when it is complete. What a killed process has left is removed
//! when the next run is created.

use std::io::ErrorKind;
use std::path::Path;

use super::db;
use super::error::RunError;
use super::lock::FileLock;
use super::lock_holder::LockHolder;
use super::metadata::{self, METADATA, RunMetadata, RunState, STATE};
use super::place::{PLACE, RunPlace};
use super::private_dir::create_private_dir;
use crate::failpoint::{self, FailPoint};
use crate::id::RunId;

/// The name of a database that is being built.
const UNFINISHED: &str = "run.db.new";
/// What the name of a directory ends with that is being removed.
const REMOVED: &str = ".removed";
/// How often a directory is made that other processes take for what a killed one has left: it has no lock for an instant.
const ATTEMPTS: u32 = 100;

/// Creates a run's directory and locks it.
pub(super) fn create_run_dir(
    runs: &Path,
    dir: &Path,
    meta: &RunMetadata,
) -> Result<FileLock, RunError> {
    let fail = |source| RunError::from_io(dir, source);
    remove_unfinished_runs(runs);
    let lock = make_locked_dir(dir, meta)?;
    let (unfinished, path) = (dir.join(UNFINISHED), dir.join("run.db"));
    if path.exists() {
        return Err(fail(ErrorKind::AlreadyExists.into()));
    }
    let built = write_database(&unfinished, meta)
        .and_then(|()| std::fs::rename(&unfinished, &path).map_err(fail));
    if built.is_err() {
        // The error itself matters more than what it leaves behind, which the next run removes.
        let _ = std::fs::remove_dir_all(dir);
    }
    built.map(|()| lock)
}

fn make_locked_dir(dir: &Path, meta: &RunMetadata) -> Result<FileLock, RunError> {
    let holder = LockHolder::of_this_process(meta.run.clone(), &meta.kind.to_string());
    let mut last = RunError::from_io(dir, ErrorKind::WouldBlock.into());
    for _ in 0..ATTEMPTS {
        create_private_dir(dir).map_err(|source| RunError::from_io(dir, source))?;
        let path = dir.join("lock");
        match FileLock::try_lock_file(&path, &holder) {
            Ok(Some(lock)) if lock.is_file_at(&path) => return Ok(lock),
            Ok(_) => {}
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn write_database(path: &Path, meta: &RunMetadata) -> Result<(), RunError> {
    let connection = db::create(path)?;
    failpoint::kill_if_due(FailPoint::DuringCreation);
    metadata::write_fact(path, &connection, &METADATA, meta)?;
    metadata::write_fact(path, &connection, &STATE, &RunState::Running)?;
    let place = RunPlace::of_database(path).map_err(|source| RunError::from_io(path, source))?;
    metadata::write_fact(path, &connection, &PLACE, &place)?;
    // Everything is in the file itself before it is renamed.
    connection.close().map_err(|(_, source)| RunError::from_sqlite(path, source))
}

/// Removes what killed processes have left. A directory that cannot be removed now is removed later.
fn remove_unfinished_runs(runs: &Path) {
    for entry in std::fs::read_dir(runs).into_iter().flatten().flatten() {
        let (name, dir) = (entry.file_name(), entry.path());
        if name.to_str().is_some_and(|name| name.ends_with(REMOVED)) {
            let _ = std::fs::remove_dir_all(dir);
            continue;
        }
        let id = name.to_str().and_then(|name| name.parse::<RunId>().ok());
        let is_abandoned = id.is_some_and(|id| id.created().is_some()) && is_unfinished(&dir);
        // The lock is held until the directory is gone: a process that creates a run in it would lock a removed file.
        if is_abandoned
            && let Ok(Some(_lock)) = FileLock::try_lock_for_removal(&dir.join("lock"))
            && is_unfinished(&dir)
        {
            // Removing it under its name would also remove what another process puts into it meanwhile.
            let mut removed = name;
            removed.push(REMOVED);
            let removed = runs.join(removed);
            if std::fs::rename(&dir, &removed).is_ok() {
                let _ = std::fs::remove_dir_all(removed);
            }
        }
    }
}

/// Whether a directory has nothing but what the creation of a run makes before the run exists.
pub(super) fn is_unfinished(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else { return false };
    let is_expected = |name: &str| name == "lock" || name.starts_with(UNFINISHED);
    entries.flatten().all(|entry| entry.file_name().to_str().is_some_and(is_expected))
}
