//! The log of syncs: when each began, what it changed, and how far its merge is.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::error::MirrorError;
use super::note_facts::NoteFacts;
use crate::event::ChangeCounts;
use crate::id::RunId;
use crate::run::{self, RunError};

/// How a sync reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncKind {
    /// Everything.
    Walk,
    /// What was updated since the last sync, newest first.
    Newest,
    /// The notes of contacts whose turn it is.
    Notes,
}

/// How far a sync is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncState {
    /// Some of what it read is in the mirror.
    Merging,
    /// Everything is.
    Done,
}

/// What a sync changed, by the name of the table.
pub type SyncCounts = BTreeMap<String, ChangeCounts>;

/// A sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRecord {
    /// Its number.
    pub seq: i64,
    /// How far it is.
    pub state: SyncState,
    /// The last entry of the run's spool that is in the mirror.
    pub place: i64,
    /// Its other facts.
    pub facts: SyncFacts,
}

/// The facts of a sync that do not depend on how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncFacts {
    /// The run that read.
    pub run: RunId,
    /// How it read.
    pub kind: SyncKind,
    /// When it began, by this machine's clock.
    pub started: jiff::Timestamp,
    /// When it had read everything, by this machine's clock; syncs of earlier versions did not record it.
    #[serde(default)]
    pub read_until: Option<jiff::Timestamp>,
    /// The server's time when it began, in milliseconds since 1970: later updates may be missing.
    pub watermark_ms: i64,
    /// The time of what it changed, in milliseconds since 1970: the watermark, but never before an earlier sync's, since
    /// the clocks of a service's machines differ (two answers of one second can disagree about it).
    pub changes_ms: i64,
    /// Whether the search's count of contacts agreed with what the sync saw.
    pub counts_agree: bool,
    /// Requests sent.
    pub requests: u64,
    /// What it has changed so far.
    pub counts: SyncCounts,
    /// How many contacts had changed that said themselves that they had not.
    #[serde(default)]
    pub silent_changes: u64,
    /// What it knows of the notes.
    #[serde(default)]
    pub notes: NoteFacts,
    /// The server's time when all tasks of the location were last read, in milliseconds since 1970.
    #[serde(default)]
    pub tasks_ms: Option<i64>,
    /// The tables that are read only on request, by name, with whether they were read as a whole.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub readings: BTreeMap<String, bool>,
}

fn row_checksum(seq: i64, state: i64, place: i64, facts: &str) -> [u8; 8] {
    let numbers = [seq, state, place].map(i64::to_le_bytes);
    run::checksum(&[&numbers[0], &numbers[1], &numbers[2], facts.as_bytes()])
}

pub(super) fn write_sync(
    path: &Path,
    connection: &Connection,
    sync: &SyncRecord,
) -> Result<(), RunError> {
    let facts = serde_json::to_string(&sync.facts).expect("facts are plain JSON");
    let state = i64::from(sync.state == SyncState::Done);
    let sum = row_checksum(sync.seq, state, sync.place, &facts);
    connection
        .prepare_cached("INSERT OR REPLACE INTO sync VALUES (?, ?, ?, ?, ?, ?)")
        .and_then(|mut insert| {
            let run = sync.facts.run.as_str();
            insert.execute(params![sync.seq, run, state, sync.place, facts, sum])
        })
        .map(drop)
        .map_err(|source| RunError::from_sqlite(path, source))
}

/// Forgets syncs whose merge never ended.
pub(super) fn delete_unfinished(path: &Path, connection: &Connection) -> Result<(), RunError> {
    connection
        .execute("DELETE FROM sync WHERE state = 0", [])
        .map(drop)
        .map_err(|source| RunError::from_sqlite(path, source))
}

/// The last sync that is done whose changes are of this time or earlier, in milliseconds since 1970.
pub(super) fn read_last_sync_until(
    path: &Path,
    connection: &Connection,
    until_ms: i64,
) -> Result<Option<SyncRecord>, MirrorError> {
    let condition = "state = 1 AND json_extract(facts, '$.changes_ms') <= CAST(? AS INTEGER)";
    read_last_sync(path, connection, condition, &until_ms.to_string())
}

/// The last sync that satisfies an SQL condition.
pub(super) fn read_last_sync(
    path: &Path,
    connection: &Connection,
    condition: &str,
    parameter: &str,
) -> Result<Option<SyncRecord>, MirrorError> {
    let query = format!(
        "SELECT seq, state, place, facts, sum FROM sync WHERE {condition} ORDER BY seq DESC LIMIT 1"
    );
    let read = |row: &Row<'_>| {
        let numbers: [i64; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
        Ok((numbers, row.get::<_, String>(3)?, row.get::<_, Vec<u8>>(4)?))
    };
    let found = connection
        .query_row(&query, [parameter], read)
        .optional()
        .map_err(|source| RunError::from_sqlite(path, source))?;
    let Some(([seq, state, place], facts, sum)) = found else { return Ok(None) };
    let damaged = |why: String| MirrorError::Damaged { path: path.to_owned(), why };
    if row_checksum(seq, state, place, &facts) != sum[..] {
        return Err(damaged(format!("the checksum of sync {seq} is wrong")));
    }
    let facts =
        serde_json::from_str(&facts).map_err(|error| damaged(format!("sync {seq}: {error}")))?;
    let state = if state == 1 { SyncState::Done } else { SyncState::Merging };
    Ok(Some(SyncRecord { seq, state, place, facts }))
}
