//! A run in the hands of the process that works on it: its facts and its state.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::db;
use super::error::RunError;
use super::lock::FileLock;
use super::metadata::{self, RunFact, RunMetadata, RunState, RunStop, STATE, STOP, read_run_state};
use super::place::{PLACE, RunPlace};
use super::plan_contents;

/// A run that this process has locked.
#[derive(Debug)]
pub struct Run {
    /// Its metadata.
    pub meta: RunMetadata,
    dir: PathBuf,
    _lock: FileLock,
}

impl Run {
    pub(super) fn new(meta: RunMetadata, dir: PathBuf, lock: FileLock) -> Self {
        Self { meta, dir, _lock: lock }
    }

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

    /// Checks that this is the run's own place, before it sends anything: a copy of a run would send everything a
    /// second time.
    ///
    /// # Errors
    /// [`RunError::Elsewhere`] when it was created elsewhere.
    pub fn ensure_own_place(&self) -> Result<(), RunError> {
        let path = self.db_path();
        let here =
            RunPlace::of_database(&path).map_err(|source| RunError::from_io(&path, source))?;
        let created = self.read_fact(&PLACE)?;
        match created.and_then(|created| here.difference_from(&created)) {
            Some(started) => Err(RunError::Elsewhere { run: self.meta.run.clone(), started }),
            None => Ok(()),
        }
    }

    /// Makes this place the run's own.
    pub fn adopt(&self) -> Result<(), RunError> {
        let path = self.db_path();
        let here =
            RunPlace::of_database(&path).map_err(|source| RunError::from_io(&path, source))?;
        self.write_fact(&PLACE, &here)
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

    /// Stores the fact that marks the plan as complete, together with what the plan consists of, and the state if it
    /// changes. From then on, whatever the plan loses is damage.
    pub fn complete_plan<T: Serialize>(
        &self,
        fact: &RunFact<T>,
        value: &T,
        state: Option<RunState>,
    ) -> Result<(), RunError> {
        let path = self.db_path();
        plan_contents::complete_plan(&path, |to| {
            state.map_or(Ok(()), |state| metadata::write_fact(&path, to, &STATE, &state))?;
            metadata::write_fact(&path, to, fact, value)
        })
    }

    /// What records facts about the run, when the run itself was handed on.
    #[must_use]
    pub fn new_recorder(&self) -> RunRecorder {
        RunRecorder { path: self.db_path() }
    }
}

/// Records how a run went, while something else has the run.
#[derive(Debug)]
pub struct RunRecorder {
    path: PathBuf,
}

impl RunRecorder {
    /// Writes a fact about the run.
    pub fn write_fact<T: Serialize>(&self, fact: &RunFact<T>, value: &T) -> Result<(), RunError> {
        metadata::write_fact(&self.path, &db::open(&self.path)?, fact, value)
    }

    /// Stores the state in which the run stopped, and why.
    pub fn record_stop(&self, state: RunState, reason: String) -> Result<(), RunError> {
        let connection = db::open(&self.path)?;
        let stop = RunStop { at: jiff::Timestamp::now(), reason };
        metadata::write_fact(&self.path, &connection, &STOP, &stop)?;
        metadata::write_fact(&self.path, &connection, &STATE, &state)
    }
}
