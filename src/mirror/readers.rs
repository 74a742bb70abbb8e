//! What has read the mirror, such as an output directory, and how far.

use rusqlite::{OptionalExtension, Row, params};

use super::error::MirrorError;
use super::mirror_reader::MirrorReader;
use crate::run::RunError;

/// How far a reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderPosition {
    /// The last sync of which it has everything.
    pub seq: i64,
    /// The changes that it was about to show to others when it was last heard of: those after a sync, up to another one.
    pub pending: Option<(i64, i64)>,
}

/// What reads a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReaderKind {
    /// An output directory. Its name is its path.
    OutputDir,
    /// A sink of events.
    Sink,
}

/// A reader, and up to where it has what has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderProgress {
    /// What it is.
    pub kind: ReaderKind,
    /// Its name.
    pub name: String,
    /// The last sync of which it certainly has everything.
    pub seq: i64,
}

impl MirrorReader {
    /// All readers, by name.
    pub fn list_reader_progress(&self) -> Result<Vec<ReaderProgress>, MirrorError> {
        // A sink's position is at the next change. What an output directory was about to show may have to be written again.
        let query = "SELECT 0, name, min(seq, coalesce(pending_from, seq)) FROM reader
             UNION ALL SELECT 1, name, seq - 1 FROM sink ORDER BY 1, 2";
        let read = |row: &Row<'_>| {
            let is_sink: bool = row.get(0)?;
            let kind = if is_sink { ReaderKind::Sink } else { ReaderKind::OutputDir };
            Ok(ReaderProgress { kind, name: row.get(1)?, seq: row.get(2)? })
        };
        self.connection()
            .prepare(query)
            .and_then(|mut query| query.query_map([], read)?.collect())
            .map_err(|source| RunError::from_sqlite(self.path(), source).into())
    }

    /// Forgets a reader, with the events that wait for it if it is a sink.
    pub fn forget_reader(&self, name: &str) -> Result<(), MirrorError> {
        let fail = |source| RunError::from_sqlite(self.path(), source);
        let transaction = self.connection().unchecked_transaction().map_err(fail)?;
        for delete in [
            "DELETE FROM outbox WHERE sink = ?",
            "DELETE FROM reminded WHERE sink = ?",
            "DELETE FROM sink WHERE name = ?",
            "DELETE FROM reader WHERE name = ?",
        ] {
            transaction.execute(delete, [name]).map_err(fail)?;
        }
        Ok(transaction.commit().map_err(fail)?)
    }

    /// How far a reader is, if it is known.
    pub fn find_reader(&self, name: &str) -> Result<Option<ReaderPosition>, MirrorError> {
        let query = "SELECT seq, pending_from, pending_to FROM reader WHERE name = ?";
        let read = |row: &Row<'_>| {
            let pending: (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
            Ok(ReaderPosition { seq: row.get(0)?, pending: pending.0.zip(pending.1) })
        };
        self.connection()
            .query_row(query, [name], read)
            .optional()
            .map_err(|source| RunError::from_sqlite(self.path(), source).into())
    }

    /// Records how far a reader is.
    pub fn record_reader(&self, name: &str, position: ReaderPosition) -> Result<(), MirrorError> {
        let now = jiff::Timestamp::now().as_millisecond();
        let (from, to) = position.pending.unzip();
        self.connection()
            .execute(
                "INSERT OR REPLACE INTO reader VALUES (?, ?, ?, ?, ?)",
                params![name, position.seq, now, from, to],
            )
            .map(drop)
            .map_err(|source| RunError::from_sqlite(self.path(), source).into())
    }
}
