//! Creates the directory of a run: whole, or not at all.
//!
//! It is built under a name that no run has and then renamed. What a killed process has left is removed when the next
//! run is created.

use std::path::{Path, PathBuf};

use super::db;
use super::error::RunError;
use super::lock::FileLock;
use super::lock_holder::LockHolder;
use super::metadata::{self, METADATA, RunMetadata, RunState, STATE};
use super::place::{PLACE, RunPlace};
use super::private_dir::create_private_dir;
use crate::failpoint::{self, FailPoint};

/// The beginning of the name of a directory that is being built.
const PREFIX: &str = ".new-";

/// Creates a run's directory and locks it.
pub(super) fn create_run_dir(
    runs: &Path,
    dir: &Path,
    meta: &RunMetadata,
) -> Result<FileLock, RunError> {
    let fail = |source| RunError::from_io(dir, source);
    create_private_dir(runs).map_err(|source| RunError::from_io(runs, source))?;
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    let building = runs.join(format!("{PREFIX}{name}"));
    let lock = {
        // Held only until the directory itself is locked, so that no process takes it for what a killed one has left.
        let _creating = FileLock::wait_for_directory(runs)?;
        remove_unfinished_dirs(runs);
        create_private_dir(&building).map_err(fail)?;
        let holder = LockHolder::of_this_process(meta.run.clone(), &meta.kind.to_string());
        FileLock::try_lock_file(&building.join("lock"), &holder)?
    };
    let lock =
        lock.ok_or_else(|| RunError::from_io(&building, std::io::ErrorKind::WouldBlock.into()))?;
    let built = write_database(&building.join("run.db"), dir, meta).and_then(|()| {
        let is_new =
            if dir.exists() { Err(std::io::ErrorKind::AlreadyExists.into()) } else { Ok(()) };
        is_new.and_then(|()| std::fs::rename(&building, dir)).map_err(fail)
    });
    if built.is_err() {
        // The error itself matters more than what it leaves behind, which the next run removes.
        let _ = std::fs::remove_dir_all(&building);
    }
    built.map(|()| lock)
}

/// Writes the database, which will be in `dir`.
fn write_database(path: &Path, dir: &Path, meta: &RunMetadata) -> Result<(), RunError> {
    let connection = db::create(path)?;
    failpoint::kill_if_due(FailPoint::DuringCreation);
    metadata::write_fact(path, &connection, &METADATA, meta)?;
    metadata::write_fact(path, &connection, &STATE, &RunState::Running)?;
    let place = RunPlace::of_database(path).map(|place| place.renamed(dir));
    let place = place.map_err(|source| RunError::from_io(path, source))?;
    metadata::write_fact(path, &connection, &PLACE, &place)?;
    // Everything is in the file itself before it is renamed.
    connection.close().map_err(|(_, source)| RunError::from_sqlite(path, source))
}

/// Removes what killed processes have left. A directory that cannot be removed now is removed later.
fn remove_unfinished_dirs(runs: &Path) {
    for dir in unfinished_dirs(runs) {
        if !FileLock::is_locked(&dir.join("lock")) {
            let _ = std::fs::remove_dir_all(dir);
        }
    }
}

/// Whether this is the name of a directory that is being built.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.starts_with(PREFIX)
}

fn unfinished_dirs(runs: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(runs).into_iter().flatten().flatten();
    let unfinished = entries.filter(|entry| {
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        is_dir && is_unfinished(&entry.file_name().to_string_lossy())
    });
    unfinished.map(|entry| entry.path()).collect()
}
