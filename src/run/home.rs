//! The storage of runs: one directory each, in the program's home.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::db;
use super::error::RunError;
use super::lock::FileLock;
use super::metadata::{
    self, METADATA, RunFact, RunMetadata, RunState, RunStop, STATE, STOP, read_run_metadata,
    read_run_state,
};
use super::summary::{RunSummary, summarize_run};
use crate::id::{LocationId, RunId};

/// The directory of all runs.
#[derive(Debug, Clone)]
pub struct RunStore {
    runs: PathBuf,
    locations: PathBuf,
}

/// A run that this process has locked.
#[derive(Debug)]
pub struct Run {
    /// Its metadata.
    pub meta: RunMetadata,
    dir: PathBuf,
    _lock: FileLock,
}

/// What is left of a run, enough to see what it has done.
#[derive(Debug)]
pub struct RunReceipt {
    /// Its metadata.
    pub meta: RunMetadata,
    /// Its state.
    pub state: RunState,
    /// Its database.
    pub db: PathBuf,
}

impl RunStore {
    /// The run store at a path. Creates nothing yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { runs: path.join("runs"), locations: path.join("locations") }
    }

    /// Locks a location: only one process at a time writes to it.
    ///
    /// # Errors
    /// [`RunError::Locked`] when another process has locked it.
    pub fn lock_location(&self, location: &LocationId) -> Result<FileLock, RunError> {
        create_private_dir(&self.locations)
            .map_err(|source| RunError::from_io(&self.locations, source))?;
        FileLock::lock_file(&self.locations.join(format!("{}.lock", location.escaped_segment())))
    }

    /// The file of the rate-limit window that processes share for a location and a token. `create` creates its
    /// directory.
    ///
    /// # Errors
    /// When the directory cannot be created.
    pub fn shared_window_path(
        &self,
        location: &LocationId,
        identity: &str,
        create: bool,
    ) -> Result<PathBuf, RunError> {
        if create {
            create_private_dir(&self.locations)
                .map_err(|source| RunError::from_io(&self.locations, source))?;
        }
        Ok(self.locations.join(format!("{}.{identity}.window", location.escaped_segment())))
    }

    /// Creates a run.
    pub fn create_run(&self, meta: RunMetadata) -> Result<Run, RunError> {
        let dir = self.run_dir(&meta.run);
        create_private_dir(&dir).map_err(|source| RunError::from_io(&dir, source))?;
        let lock = FileLock::lock_file(&dir.join("lock"))?;
        let path = dir.join("run.db");
        let connection = db::create(&path)?;
        metadata::write_fact(&path, &connection, &METADATA, &meta)?;
        metadata::write_fact(&path, &connection, &STATE, &RunState::Running)?;
        Ok(Run { meta, dir, _lock: lock })
    }

    /// Opens a run after checking every page of its database.
    ///
    /// # Errors
    /// When it does not exist, another process has locked it, or it is damaged.
    pub fn open_run(&self, id: &RunId) -> Result<Run, RunError> {
        let dir = self.find_run_dir(id)?;
        let lock = FileLock::lock_file(&dir.join("lock"))?;
        let path = dir.join("run.db");
        let connection = db::open(&path)?;
        db::check_integrity(&path, &connection)?;
        let meta = read_run_metadata(&path, &connection)?;
        if meta.run != *id {
            return Err(RunError::damaged(&path, format!("it belongs to run `{}`", meta.run)));
        }
        Ok(Run { meta, dir, _lock: lock })
    }

    /// All runs, oldest first. A run that cannot be read is in the list with the reason.
    pub fn list_runs(&self) -> Result<Vec<RunSummary>, RunError> {
        let runs = self.list_run_dirs()?.into_iter().map(|(id, dir)| summarize_run(id, dir));
        Ok(runs.collect())
    }

    /// The directories of all runs, oldest first.
    fn list_run_dirs(&self) -> Result<Vec<(RunId, PathBuf)>, RunError> {
        let entries = match std::fs::read_dir(&self.runs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(RunError::from_io(&self.runs, source)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| RunError::from_io(&self.runs, source))?;
            let id = entry.file_name().to_str().and_then(|name| name.parse::<RunId>().ok());
            runs.extend(id.map(|id| (id, entry.path())));
        }
        runs.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(runs)
    }

    /// The runs with readable metadata, oldest first; including those of version 0.1.0.
    pub fn list_receipts(&self) -> Result<Vec<RunReceipt>, RunError> {
        let read = |(_, dir): (RunId, PathBuf)| {
            let db = dir.join("run.db");
            let (connection, _) = db::open_receipt(&db).ok()?;
            let meta = read_run_metadata(&db, &connection).ok()?;
            let state = read_run_state(&db, &connection).ok()?;
            Some(RunReceipt { meta, state, db })
        };
        Ok(self.list_run_dirs()?.into_iter().filter_map(read).collect())
    }

    /// One run, as in a list.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn run_summary(&self, id: &RunId) -> Result<RunSummary, RunError> {
        Ok(summarize_run(id.clone(), self.find_run_dir(id)?))
    }

    /// The latest run that matches.
    pub fn latest_run_id(
        &self,
        fits: impl Fn(&RunMetadata, RunState) -> bool,
    ) -> Result<Option<RunId>, RunError> {
        let fits = |summary: &RunSummary| match &summary.known {
            Ok((meta, state)) => fits(meta, *state),
            Err(_) => false,
        };
        Ok(self.list_runs()?.into_iter().rev().find(fits).map(|summary| summary.id))
    }

    /// Deletes a run.
    ///
    /// # Errors
    /// When it does not exist, or a process has locked it.
    pub fn remove_run(&self, id: &RunId) -> Result<(), RunError> {
        let dir = self.find_run_dir(id)?;
        let _lock = FileLock::lock_file(&dir.join("lock"))?;
        std::fs::remove_dir_all(&dir).map_err(|source| RunError::from_io(&dir, source))
    }

    fn run_dir(&self, id: &RunId) -> PathBuf {
        self.runs.join(id.escaped_segment())
    }

    fn find_run_dir(&self, id: &RunId) -> Result<PathBuf, RunError> {
        let dir = self.run_dir(id);
        if dir.join("run.db").is_file() { Ok(dir) } else { Err(RunError::Missing(id.to_string())) }
    }
}

impl Run {
    /// The run's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The run's database.
    #[must_use]
    pub fn db_path(&self) -> PathBuf {
        self.dir.join("run.db")
    }

    /// Writes a fact about the run.
    pub fn write_fact<T: Serialize>(&self, fact: &RunFact<T>, value: &T) -> Result<(), RunError> {
        let path = self.db_path();
        metadata::write_fact(&path, &db::open(&path)?, fact, value)
    }

    /// Reads a fact about the run.
    pub fn read_fact<T: DeserializeOwned>(&self, fact: &RunFact<T>) -> Result<Option<T>, RunError> {
        let path = self.db_path();
        metadata::read_fact(&path, &db::open(&path)?, fact)
    }

    /// The state of the run.
    pub fn state(&self) -> Result<RunState, RunError> {
        let path = self.db_path();
        read_run_state(&path, &db::open(&path)?)
    }

    /// Writes the state of the run.
    pub fn set_state(&self, state: RunState) -> Result<(), RunError> {
        let path = self.db_path();
        metadata::write_fact(&path, &db::open(&path)?, &STATE, &state)
    }

    /// What records that the run stopped, when the run itself was handed on.
    #[must_use]
    pub fn stop_recorder(&self) -> RunStopRecorder {
        RunStopRecorder { path: self.db_path() }
    }
}

/// Records that a run stopped before its end.
#[derive(Debug)]
pub struct RunStopRecorder {
    path: PathBuf,
}

impl RunStopRecorder {
    /// Stores the state in which the run stopped, and why.
    pub fn record_stop(&self, state: RunState, reason: String) -> Result<(), RunError> {
        let connection = db::open(&self.path)?;
        let stop = RunStop { at: jiff::Timestamp::now(), reason };
        metadata::write_fact(&self.path, &connection, &STOP, &stop)?;
        metadata::write_fact(&self.path, &connection, &STATE, &state)
    }
}

/// Creates a directory that only its owner can read: it will contain customer data.
fn create_private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir)
}
