//! The facts about a run: its metadata and its state.

use std::marker::PhantomData;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::db;
use super::error::RunError;
use crate::event::RunKind;
use crate::id::{LocationId, RunId};

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

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Not finished: it is running, paused, or was killed.
    Unfinished,
    /// Finished.
    Complete,
    /// Finished, but some records could not be read.
    Partial,
}

pub(super) fn write_fact<T: Serialize>(
    path: &Path,
    connection: &Connection,
    fact: &RunFact<T>,
    value: &T,
) -> Result<(), RunError> {
    let key = fact.name;
    let text = serde_json::to_string(value).expect("facts are plain JSON");
    let sum = db::checksum(&[key.as_bytes(), text.as_bytes()]);
    connection
        .execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", params![key, text, sum])
        .map(drop)
        .map_err(|source| RunError::from_sqlite(path, source))
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
