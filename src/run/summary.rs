//! A run in a list: what can be read of it without locking it.

use std::path::PathBuf;

use serde::de::DeserializeOwned;

use super::db;
use super::error::RunError;
use super::lock::FileLock;
use super::metadata::{
    self, RunFact, RunMetadata, RunState, RunStop, STOP, read_run_metadata, read_run_state,
};
use super::plan_contents::{self, PlanPart};
use super::schema_check;
use super::spool_contents;
use crate::id::RunId;

/// A run in a list.
#[derive(Debug)]
pub struct RunSummary {
    /// Its id.
    pub id: RunId,
    /// Its directory.
    pub dir: PathBuf,
    /// Its metadata and state, or why they cannot be read.
    pub known: Result<(RunMetadata, RunState), RunError>,
    /// Whether a process has locked it.
    pub running: bool,
}

impl RunSummary {
    /// When it was created; of a run that cannot be read, as its id says it.
    #[must_use]
    pub fn created(&self) -> Option<jiff::Timestamp> {
        match &self.known {
            Ok((meta, _)) => Some(meta.created),
            Err(_) => self.id.created(),
        }
    }

    /// Why the run stopped before its end, if it did. What a killed run recorded earlier is not the reason of
    /// its end.
    pub fn stop(&self) -> Result<Option<RunStop>, RunError> {
        match &self.known {
            Ok((_, state)) if !self.running && !matches!(state, RunState::Running) => {
                Ok(self.read_fact(&STOP)?.filter(|_| !state.is_finished()))
            }
            _ => Ok(None),
        }
    }

    /// The bytes that its directory takes. What disappears or cannot be read while they are counted counts as 0.
    #[must_use]
    pub fn size_on_disk(&self) -> u64 {
        let files = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
        files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
    }

    /// Checks that no row of the run has vanished. Reads the whole plan of an import or undo.
    ///
    /// # Errors
    /// When a row is missing.
    pub fn check_contents(&self) -> Result<(), RunError> {
        let path = self.dir.join("run.db");
        let connection = db::open(&path)?;
        metadata::check_facts(&path, &connection)?;
        plan_contents::check_plan_contents(&path, &connection, &PlanPart::ALL)?;
        spool_contents::check_spool_contents(&path, &connection)
    }

    /// Reads a fact about the run.
    pub fn read_fact<T: DeserializeOwned>(&self, fact: &RunFact<T>) -> Result<Option<T>, RunError> {
        let path = self.dir.join("run.db");
        metadata::read_fact(&path, &db::open(&path)?, fact)
    }
}

/// Reads what a list shows of a run.
pub(super) fn summarize_run(id: RunId, dir: PathBuf) -> RunSummary {
    let path = dir.join("run.db");
    let known = db::open(&path).and_then(|connection| {
        schema_check::check_definitions(&path, &connection)?;
        Ok((read_run_metadata(&path, &connection)?, read_run_state(&path, &connection)?))
    });
    let running = FileLock::is_locked(&dir.join("lock"));
    RunSummary { id, dir, known, running }
}
