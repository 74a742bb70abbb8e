//! How many rows the spool has, so that one that has vanished is noticed.
//!
//! The checksum of a row shows that it was altered, not that it is gone: damage can hide rows in a page that SQLite
//! finds sound. So each transaction of the spool also stores how many rows its tables have.

use std::path::Path;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::error::RunError;
use super::metadata::{self, RunFact};
use crate::text::{format_count, format_plural};

/// What the spool consists of. A run that has stored no response has none.
const SPOOL_CONTENTS: RunFact<SpoolContents> = RunFact::new("spool_contents");

/// How many rows the spool's tables have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SpoolContents {
    /// Responses.
    pub(super) entries: u64,
    /// Records that could not be read.
    pub(super) failures: u64,
    /// Streams with a progress.
    streams: u64,
}

impl SpoolContents {
    /// Counts the rows of all tables.
    pub(super) fn count(connection: &Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            entries: count_rows(connection, "entry")?,
            failures: count_rows(connection, "failure")?,
            streams: count_rows(connection, "stream")?,
        })
    }

    /// Stores the counts, in the transaction that changed them. There are few streams: they are counted again.
    pub(super) fn store(&mut self, path: &Path, to: &Connection) -> Result<(), RunError> {
        let streams = count_rows(to, "stream");
        self.streams = streams.map_err(|source| RunError::from_sqlite(path, source))?;
        metadata::write_fact(path, to, &SPOOL_CONTENTS, self)
    }

    /// What is missing compared with what was stored, or too much.
    fn describe_difference(&self, now: &Self) -> Option<String> {
        let counts = [
            (self.entries, now.entries, "response"),
            (self.failures, now.failures, "unreadable record"),
            (self.streams, now.streams, "list"),
        ];
        let (stored, found, noun) =
            counts.into_iter().find(|(stored, found, _)| stored != found)?;
        Some(format!("it has {} of its {}", format_count(found), format_plural(stored, noun)))
    }
}

fn count_rows(connection: &Connection, table: &str) -> rusqlite::Result<u64> {
    let query = format!("SELECT count(*) FROM {table}");
    connection.query_row(&query, [], |row| row.get::<_, i64>(0)).map(i64::cast_unsigned)
}

/// Checks that the spool has as many rows as were stored in it.
///
/// # Errors
/// [`RunError::Damaged`] when it has not.
pub(super) fn check_spool_contents(path: &Path, connection: &Connection) -> Result<(), RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    // One view of everything: another process may be storing responses.
    let view = connection.unchecked_transaction().map_err(fail)?;
    let Some(stored) = metadata::read_fact(path, &view, &SPOOL_CONTENTS)? else { return Ok(()) };
    match stored.describe_difference(&SpoolContents::count(&view).map_err(fail)?) {
        None => Ok(()),
        Some(difference) => Err(RunError::damaged(path, difference)),
    }
}
