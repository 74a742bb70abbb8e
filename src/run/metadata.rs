//! The facts about a run: what it is, and where it stands.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::db;
use super::error::RunError;
use crate::id::{LocationId, RunId};

/// What a run is. Written once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunMetadata {
    /// Its id.
    pub run: RunId,
    /// The location.
    pub location: LocationId,
    /// What it does: `export`.
    pub kind: String,
    /// The program's version.
    pub tool: String,
    /// When it was made.
    pub created: jiff::Timestamp,
    /// The verb's options, in the verb's own form. Never a secret.
    pub options: serde_json::Value,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Begun and not finished: it is going on, paused, or was killed.
    Unfinished,
    /// Finished.
    Complete,
    /// Finished, but some records could not be read.
    Partial,
}

pub(super) fn write_value<T: Serialize>(
    path: &Path,
    connection: &Connection,
    key: &str,
    value: &T,
) -> Result<(), RunError> {
    let text = serde_json::to_string(value).expect("facts are plain JSON");
    let sum = db::checksum(&[key.as_bytes(), text.as_bytes()]);
    connection
        .execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", params![key, text, sum])
        .map(drop)
        .map_err(|source| RunError::from_sqlite(path, source))
}

pub(super) fn read_value<T: for<'de> Deserialize<'de>>(
    path: &Path,
    connection: &Connection,
    key: &str,
) -> Result<Option<T>, RunError> {
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
