//! Reads the spool: for publish while the pull is still writing, and for a resumed pull.
//!
//! Every reader has its own connection. Everything read is checked against its checksum; a mismatch
//! is reported as damage and never used as data.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::db;
use super::error::RunError;
use super::spool::{
    FetchFailure, SpoolEntry, StreamProgress, entry_checksum, failure_checksum, progress_checksum,
};
use crate::diagnostic::FetchFailureCode;

/// The read side: any number of readers, each with its own connection.
#[derive(Debug)]
pub struct SpoolReader {
    path: PathBuf,
    connection: Connection,
}

impl SpoolReader {
    /// Opens a spool for reading.
    pub fn open(db: &Path) -> Result<Self, RunError> {
        Ok(Self { path: db.to_owned(), connection: db::open(db)? })
    }

    /// The database.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next entry after `seq` of the streams whose name starts with `prefix`.
    pub fn next_entry(&self, prefix: &str, seq: i64) -> Result<Option<SpoolEntry>, RunError> {
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let mut query = self
            .connection
            .prepare_cached(
                "SELECT seq, stream, rows, body, sum FROM entry
                 WHERE seq > ?1 AND substr(stream, 1, length(?2)) = ?2 ORDER BY seq LIMIT 1",
            )
            .map_err(fail)?;
        let mut rows = query.query(params![seq, prefix]).map_err(fail)?;
        let entry = rows.next().map_err(fail)?.map(|row| self.read_entry(row)).transpose()?;
        // Damaged pages can lead in a circle, and a reader that follows them would never end.
        match entry {
            Some(entry) if entry.seq <= seq => {
                let why = format!("entry {} is in the wrong place", entry.seq);
                Err(RunError::damaged(&self.path, why))
            }
            entry => Ok(entry),
        }
    }

    fn read_entry(&self, row: &Row<'_>) -> Result<SpoolEntry, RunError> {
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let seq = row.get(0).map_err(fail)?;
        let stream: String = row.get(1).map_err(fail)?;
        let rows: u32 = row.get(2).map_err(fail)?;
        let sum: Vec<u8> = row.get(4).map_err(fail)?;
        if entry_checksum(seq, &stream, rows) != sum[..] {
            return Err(RunError::damaged(
                &self.path,
                format!("the checksum of entry {seq} is wrong"),
            ));
        }
        let body = row.get_ref(3).and_then(|body| Ok(body.as_blob()?)).map_err(fail)?;
        let body = zstd::stream::decode_all(body)
            .map_err(|error| RunError::damaged(&self.path, format!("entry {seq}: {error}")))?;
        Ok(SpoolEntry { seq, stream, rows, body: body.into() })
    }

    /// The number of the last entry; 0 if there is none.
    pub fn last_seq(&self) -> Result<i64, RunError> {
        self.connection
            .query_row("SELECT coalesce(max(seq), 0) FROM entry", [], |row| row.get(0))
            .map_err(|source| RunError::from_sqlite(&self.path, source))
    }

    /// How many entries the streams have whose names satisfy `is_wanted`.
    pub fn count_entries(&self, is_wanted: impl Fn(&str) -> bool) -> Result<u64, RunError> {
        let count = || {
            let mut query =
                self.connection.prepare("SELECT stream, count(*) FROM entry GROUP BY stream")?;
            let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
            let rows = query.query_map([], read)?;
            rows.filter(|row| row.as_ref().map_or(true, |(name, _)| is_wanted(name)))
                .try_fold(0, |sum, row| row.map(|(_, count)| sum + count.cast_unsigned()))
        };
        count().map_err(|source| RunError::from_sqlite(&self.path, source))
    }

    /// The progress of a stream; at its beginning if nothing of it is stored.
    pub fn stream_progress(&self, stream: &str) -> Result<StreamProgress, RunError> {
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let read = |row: &Row<'_>| {
            let progress = StreamProgress {
                cursor: row.get(0)?,
                rows: row.get::<_, i64>(1)?.cast_unsigned(),
                total: row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned),
                done: row.get(3)?,
            };
            Ok((progress, row.get::<_, Vec<u8>>(4)?))
        };
        let row = self
            .connection
            .query_row(
                "SELECT cursor, rows, total, done, sum FROM stream WHERE name = ?",
                [stream],
                read,
            )
            .optional()
            .map_err(fail)?;
        match row {
            None => Ok(StreamProgress::default()),
            Some((progress, sum)) if progress_checksum(stream, &progress) == sum[..] => {
                Ok(progress)
            }
            Some(_) => {
                Err(RunError::damaged(&self.path, format!("the place in `{stream}` is wrong")))
            }
        }
    }

    /// All streams and their progress.
    pub fn streams_with_progress(&self) -> Result<Vec<(String, StreamProgress)>, RunError> {
        let names = || {
            self.connection
                .prepare("SELECT name FROM stream ORDER BY name")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<String>>>()
        };
        let names = names().map_err(|source| RunError::from_sqlite(&self.path, source))?;
        names.into_iter().map(|name| Ok((name.clone(), self.stream_progress(&name)?))).collect()
    }

    /// The records that could not be read, by stream and subject.
    pub fn load_failures(&self) -> Result<Vec<FetchFailure>, RunError> {
        let read = |row: &Row<'_>| {
            let failure = FetchFailure {
                stream: row.get(0)?,
                subject: row.get(1)?,
                code: parse_failure_code(row)?,
                message: row.get(3)?,
                status: row.get(4)?,
                trace_id: row.get(5)?,
                transient: row.get(6)?,
                records: row.get::<_, i64>(7)?.cast_unsigned(),
            };
            Ok((failure, row.get::<_, Vec<u8>>(8)?))
        };
        let failures = || {
            self.connection
                .prepare("SELECT * FROM failure ORDER BY stream, subject")?
                .query_map([], read)?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        let failures = failures().map_err(|source| RunError::from_sqlite(&self.path, source))?;
        let checked = failures.into_iter().map(|(failure, sum)| {
            let why = "the record of what could not be read is wrong";
            let sound = failure_checksum(&failure) == sum[..];
            sound.then_some(failure).ok_or_else(|| RunError::damaged(&self.path, why))
        });
        checked.collect()
    }
}

/// The code of a stored failure: one that is not known is damage.
fn parse_failure_code(row: &Row<'_>) -> rusqlite::Result<FetchFailureCode> {
    let text: String = row.get(2)?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(error))
    })
}
