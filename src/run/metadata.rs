//! The facts about a run: its metadata and its state.

use std::marker::PhantomData;
use std::path::Path;

use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::db;
use super::error::RunError;
use crate::event::RunKind;
use crate::id::{LocationId, RunId};
use crate::text::escape_for_terminal;

/// The metadata of a run. Written once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunMetadata {
    /// Its id.
    pub run: RunId,
    /// The location.
    pub location: LocationId,
    /// What it does.
    pub kind: RunKind,
    /// The program's version.
    pub tool: String,
    /// When it was created.
    pub created: jiff::Timestamp,
    /// The options of the command, in its own form. Never a secret.
    pub options: serde_json::Value,
}

/// A fact that a run stores: its name in the database, and the type of its value.
///
/// Each room that stores facts has one list of them, so that a name is defined once and always has
/// the same type.
#[derive(Debug)]
pub struct RunFact<T> {
    name: &'static str,
    value: PhantomData<fn() -> T>,
}

impl<T> RunFact<T> {
    /// The fact with this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, value: PhantomData }
    }
}

/// The facts that every run stores: its metadata and its state.
pub(super) const METADATA: RunFact<RunMetadata> = RunFact::new("run");
pub(super) const STATE: RunFact<RunState> = RunFact::new("state");

/// Why and when a run stopped before its end.
pub(super) const STOP: RunFact<RunStop> = RunFact::new("stop");

/// The names of all facts that were written, to notice one that has vanished.
const FACT_NAMES: RunFact<Vec<String>> = RunFact::new("facts");

/// The state of a run, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// A process works on it, or was killed while it did; the run's lock tells which.
    #[serde(alias = "unfinished")]
    Running,
    /// It was stopped by a signal or an error, and can go on.
    Interrupted,
    /// It stopped by itself and can go on: the daily quota, the deadline, `--max-errors`, a sample.
    Paused,
    /// An error stopped it before anything was read.
    Failed,
    /// A plan that was not applied: of a dry run, or waiting for the answer to a question.
    Planned,
    /// A plan that the user declined. It is not applied any more.
    Declined,
    /// A plan that cannot be applied any more, because the file or the account has changed.
    Refused,
    /// Finished.
    Complete,
    /// Finished, but some records could not be read or some rows were rejected.
    Partial,
}

impl RunState {
    /// Whether there is nothing left to do.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Complete | Self::Partial)
    }

    /// Whether the run began and can go on; a run that is [`Self::Running`] only if no process has locked it.
    #[must_use]
    pub fn is_resumable(self) -> bool {
        matches!(self, Self::Running | Self::Interrupted | Self::Paused)
    }

    /// The name of the state, in lists and events. `running` is whether a process has locked the run.
    #[must_use]
    pub fn name(self, running: bool) -> &'static str {
        match self {
            _ if running => "running",
            Self::Running | Self::Interrupted => "interrupted",
            Self::Paused => "paused",
            Self::Failed => "failed",
            Self::Planned => "planned",
            Self::Declined => "declined",
            Self::Refused => "refused",
            Self::Complete => "complete",
            Self::Partial => "partial",
        }
    }
}

/// Why a run stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStop {
    /// When.
    pub at: jiff::Timestamp,
    /// Why, in one sentence. May contain untrusted text.
    pub reason: String,
}

pub(super) fn write_fact<T: Serialize>(
    path: &Path,
    connection: &Connection,
    fact: &RunFact<T>,
    value: &T,
) -> Result<(), RunError> {
    let mut names = read_fact(path, connection, &FACT_NAMES)?.unwrap_or_default();
    let is_new = !names.iter().any(|name| name == fact.name);
    let [key, text, sum] = encode_fact(fact, value);
    let written = if is_new {
        names.push(fact.name.to_owned());
        let [names_key, names, names_sum] = encode_fact(&FACT_NAMES, &names);
        // In one statement, so that both are written or neither.
        connection.execute(
            "INSERT OR REPLACE INTO meta VALUES (?, ?, ?), (?, ?, ?)",
            params![key, text, sum, names_key, names, names_sum],
        )
    } else {
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", params![key, text, sum])
    };
    written.map(drop).map_err(|source| RunError::from_sqlite(path, source))
}

/// The name, text and checksum of a fact.
fn encode_fact<T: Serialize>(fact: &RunFact<T>, value: &T) -> [SqlValue; 3] {
    let text = serde_json::to_string(value).expect("facts are plain JSON");
    let sum = db::checksum(&[fact.name.as_bytes(), text.as_bytes()]).to_vec();
    [SqlValue::Text(fact.name.to_owned()), SqlValue::Text(text), SqlValue::Blob(sum)]
}

/// Checks that no fact has vanished: what reads one takes its absence for another meaning.
///
/// # Errors
/// [`RunError::Damaged`] when one has.
pub(super) fn check_facts(path: &Path, connection: &Connection) -> Result<(), RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let mut find = connection.prepare("SELECT 1 FROM meta WHERE key = ?").map_err(fail)?;
    for name in read_fact(path, connection, &FACT_NAMES)?.unwrap_or_default() {
        if !find.exists([&name]).map_err(fail)? {
            let name = escape_for_terminal(&name);
            return Err(RunError::damaged(path, format!("its fact `{name}` is missing")));
        }
    }
    Ok(())
}

pub(super) fn read_fact<T: for<'de> Deserialize<'de>>(
    path: &Path,
    connection: &Connection,
    fact: &RunFact<T>,
) -> Result<Option<T>, RunError> {
    let key = fact.name;
    let row: Option<(String, Vec<u8>)> = connection
        .query_row("SELECT value, sum FROM meta WHERE key = ?", [key], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .map_err(|source| RunError::from_sqlite(path, source))?;
    let Some((text, sum)) = row else { return Ok(None) };
    if db::checksum(&[key.as_bytes(), text.as_bytes()]) != sum[..] {
        return Err(RunError::damaged(path, format!("the checksum of `{key}` is wrong")));
    }
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| RunError::damaged(path, format!("`{key}`: {error}")))
}

pub(super) fn read_run_metadata(
    path: &Path,
    connection: &Connection,
) -> Result<RunMetadata, RunError> {
    read_fact(path, connection, &METADATA)?
        .ok_or_else(|| RunError::damaged(path, "it has no metadata"))
}

pub(super) fn read_run_state(path: &Path, connection: &Connection) -> Result<RunState, RunError> {
    read_fact(path, connection, &STATE)?.ok_or_else(|| RunError::damaged(path, "it has no state"))
}
