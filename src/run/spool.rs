//! The spool: the server's responses as they were sent, and the progress of the pull.
//!
//! Pages, and the responses about their contacts' children, are appended in the same transaction
//! that advances the cursor past them; so a killed pull resumes after the last commit. Bodies are
//! compressed and have a checksum. One thread writes and commits everything that is queued
//! together. The spool knows streams by name and does not look into bodies.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use rusqlite::{Connection, params};
use tokio::sync::{mpsc, oneshot, watch};

use super::db;
use super::error::RunError;
use super::spool_contents::SpoolContents;
use crate::diagnostic::FetchFailureCode;

/// Most writes that wait for the writer. A page of contacts has about 1 MB.
const QUEUE: usize = 4;
/// The zstd level: the fastest; JSON still shrinks to a tenth.
const LEVEL: i32 = 1;

/// A write to the spool. Each is atomic.
#[derive(Debug)]
pub enum SpoolWrite {
    /// A response, with the progress of its stream.
    Entry {
        /// The stream.
        stream: String,
        /// Rows or responses in the body.
        rows: u32,
        /// The body as the server sent it, or packed responses.
        body: Bytes,
        /// The progress of the stream after it.
        progress: StreamProgress,
    },
    /// The progress of a stream without a response.
    ProgressOnly {
        /// The stream.
        stream: String,
        /// Its new progress.
        progress: StreamProgress,
    },
    /// Removes the responses of a stream, which turned out to be wrong, and sets its progress.
    Discard {
        /// The stream.
        stream: String,
        /// Its new progress.
        progress: StreamProgress,
    },
    /// A record could not be read.
    Failed(FetchFailure),
    /// Nothing; the sender is notified once everything before it is committed.
    Barrier(oneshot::Sender<()>),
    /// A record that could not be read before has been read.
    FailureResolved {
        /// The stream.
        stream: String,
        /// Its subject.
        subject: String,
    },
}

/// The progress of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamProgress {
    /// The position to continue from; `None` at the beginning.
    pub cursor: Option<String>,
    /// Rows stored so far.
    pub rows: u64,
    /// The total number of rows, if known.
    pub total: Option<u64>,
    /// Whether the stream is complete.
    pub done: bool,
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchFailure {
    /// The stream it belongs to.
    pub stream: String,
    /// The subject: a contact's id, or a position.
    pub subject: String,
    /// A stable code of the reason, for scripts.
    pub code: FetchFailureCode,
    /// The message, for people.
    pub message: String,
    /// The status of the last response.
    pub status: Option<u16>,
    /// The server's trace id of the request.
    pub trace_id: Option<String>,
    /// Whether a retry could succeed.
    pub transient: bool,
    /// How many records are missing because of it.
    pub records: u64,
}

impl FetchFailure {
    /// The subject of a failure that is about a whole list.
    pub const WHOLE_LIST: &'static str = "*";

    /// Whether a whole list is missing.
    #[must_use]
    pub fn is_of_whole_list(&self) -> bool {
        self.subject == Self::WHOLE_LIST && self.code != FetchFailureCode::Incomplete
    }
}

/// A stored response.
#[derive(Debug, Clone)]
pub struct SpoolEntry {
    /// Its number: entries are numbered in commit order.
    pub seq: i64,
    /// Its stream.
    pub stream: String,
    /// Rows or responses in the body.
    pub rows: u32,
    /// The body.
    pub body: Bytes,
}

/// The write side, which also reports the last committed entry.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    writes: mpsc::Sender<SpoolWrite>,
    ended: oneshot::Receiver<Result<(), RunError>>,
    committed: watch::Receiver<i64>,
}

impl Spool {
    /// Opens a run's spool. The returned closure is the writer; it must run on a blocking thread
    /// and ends when the spool is closed or a write fails.
    pub fn open(db: &Path) -> Result<(Self, impl FnOnce() + Send + 'static), RunError> {
        let connection = db::open(db)?;
        let (writes, queue) = mpsc::channel(QUEUE);
        let (end, ended) = oneshot::channel();
        let last = connection
            .query_row("SELECT coalesce(max(seq), 0) FROM entry", [], |row| row.get(0))
            .map_err(|source| RunError::from_sqlite(db, source))?;
        let (commit, committed) = watch::channel(last);
        let contents = SpoolContents::count(&connection)
            .map_err(|source| RunError::from_sqlite(db, source))?;
        let path = db.to_owned();
        let mut work_off =
            SpoolWriter { path, connection, queue, commit, next: last + 1, contents };
        let work = move || {
            let result = work_off.run();
            // The receiver is gone if the spool was dropped because of another error.
            let _ = end.send(result);
        };
        Ok((Self { path: db.to_owned(), writes, ended, committed }, work))
    }

    /// The number of the last committed entry, as it grows. It ends with the writer.
    #[must_use]
    pub fn watch_committed(&self) -> watch::Receiver<i64> {
        self.committed.clone()
    }

    /// The database.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A handle for storing. Clones write to the same queue.
    #[must_use]
    pub fn writer(&self) -> mpsc::Sender<SpoolWrite> {
        self.writes.clone()
    }

    /// Waits until everything is committed. All handles from [`Self::writer`] must be dropped.
    ///
    /// # Errors
    /// The error that stopped the writer.
    ///
    /// # Panics
    /// When the writer panicked.
    pub async fn close(self) -> Result<(), RunError> {
        drop(self.writes);
        self.ended.await.expect("the writer reports how it ended")
    }
}

struct SpoolWriter {
    path: PathBuf,
    connection: Connection,
    queue: mpsc::Receiver<SpoolWrite>,
    commit: watch::Sender<i64>,
    next: i64,
    contents: SpoolContents,
}

impl SpoolWriter {
    fn run(&mut self) -> Result<(), RunError> {
        while let Some(first) = self.queue.blocking_recv() {
            self.commit_batch(first)?;
            self.commit.send_replace(self.next - 1);
        }
        Ok(())
    }

    /// Commits everything that is queued now in one transaction.
    fn commit_batch(&mut self, first: SpoolWrite) -> Result<(), RunError> {
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let transaction = self.connection.transaction().map_err(fail)?;
        let mut next = Some(first);
        let mut left = QUEUE;
        let mut barriers = Vec::new();
        while let Some(write) = next {
            match write {
                SpoolWrite::Barrier(done) => barriers.push(done),
                write => {
                    let (next, contents) = (&mut self.next, &mut self.contents);
                    apply_write(&self.path, &transaction, write, next, contents)?;
                }
            }
            left -= 1;
            next = if left > 0 { self.queue.try_recv().ok() } else { None };
        }
        self.contents.store(&self.path, &transaction)?;
        transaction.commit().map_err(fail)?;
        for done in barriers {
            // A sender that no longer waits does not need the reply.
            let _ = done.send(());
        }
        Ok(())
    }
}

fn apply_write(
    path: &Path,
    to: &Connection,
    write: SpoolWrite,
    next: &mut i64,
    contents: &mut SpoolContents,
) -> Result<(), RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    match write {
        SpoolWrite::Entry { stream, rows, body, progress } => {
            let packed = compress_body(&body);
            let sum = entry_checksum(*next, &stream, rows);
            to.prepare_cached("INSERT INTO entry VALUES (?, ?, ?, ?, ?)")
                .and_then(|mut insert| insert.execute(params![*next, stream, rows, packed, sum]))
                .map_err(fail)?;
            *next += 1;
            contents.entries += 1;
            upsert_progress(to, &stream, &progress).map_err(fail)
        }
        SpoolWrite::Barrier(_) => Ok(()),
        SpoolWrite::ProgressOnly { stream, progress } => {
            upsert_progress(to, &stream, &progress).map_err(fail)
        }
        SpoolWrite::Discard { stream, progress } => {
            let removed = to.execute("DELETE FROM entry WHERE stream = ?", [&stream]);
            contents.entries -= removed.map_err(fail)? as u64;
            upsert_progress(to, &stream, &progress).map_err(fail)
        }
        SpoolWrite::Failed(failure) => {
            contents.failures -=
                delete_failure(to, &failure.stream, &failure.subject).map_err(fail)?;
            contents.failures += 1;
            insert_failure(to, &failure).map_err(fail)
        }
        SpoolWrite::FailureResolved { stream, subject } => {
            contents.failures -= delete_failure(to, &stream, &subject).map_err(fail)?;
            Ok(())
        }
    }
}

/// Deletes the record of a failure; returns how many there were.
fn delete_failure(to: &Connection, stream: &str, subject: &str) -> rusqlite::Result<u64> {
    to.prepare_cached("DELETE FROM failure WHERE stream = ? AND subject = ?")?
        .execute([stream, subject])
        .map(|removed| removed as u64)
}

fn insert_failure(to: &Connection, failure: &FetchFailure) -> rusqlite::Result<()> {
    let it = failure;
    to.prepare_cached("INSERT INTO failure VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            it.stream,
            it.subject,
            it.code.spelling(),
            it.message,
            it.status,
            it.trace_id,
            it.transient,
            it.records.cast_signed(),
            failure_checksum(it)
        ])
        .map(drop)
}

fn upsert_progress(to: &Connection, name: &str, progress: &StreamProgress) -> rusqlite::Result<()> {
    let sum = progress_checksum(name, progress);
    let StreamProgress { cursor, rows, total, done } = progress;
    to.prepare_cached("INSERT OR REPLACE INTO stream VALUES (?, ?, ?, ?, ?, ?)")?
        .execute(params![name, cursor, rows.cast_signed(), total.map(u64::cast_signed), done, sum])
        .map(drop)
}

pub(super) fn entry_checksum(seq: i64, stream: &str, rows: u32) -> [u8; 8] {
    db::checksum(&[&seq.to_le_bytes(), stream.as_bytes(), &rows.to_le_bytes()])
}

pub(super) fn progress_checksum(name: &str, progress: &StreamProgress) -> [u8; 8] {
    db::checksum(&[
        name.as_bytes(),
        &db::optional_text(progress.cursor.as_deref()),
        &progress.rows.to_le_bytes(),
        &db::optional_number(progress.total),
        &[u8::from(progress.done)],
    ])
}

pub(super) fn failure_checksum(failure: &FetchFailure) -> [u8; 8] {
    let mut rest = vec![u8::from(failure.transient)];
    // One record is the rule; its checksum is as it was before the number was stored.
    if failure.records != 1 {
        rest.extend(failure.records.to_le_bytes());
    }
    db::checksum(&[
        failure.stream.as_bytes(),
        failure.subject.as_bytes(),
        failure.code.spelling().as_bytes(),
        failure.message.as_bytes(),
        &db::optional_number(failure.status.map(u64::from)),
        &db::optional_text(failure.trace_id.as_deref()),
        &rest,
    ])
}

fn compress_body(body: &[u8]) -> Vec<u8> {
    let compress = || -> std::io::Result<Vec<u8>> {
        let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
        compressor.include_checksum(true)?;
        compressor.compress(body)
    };
    compress().expect("compressing into memory does not fail")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run that was written before a rename must be sound after it.
    #[test]
    fn the_checksums_are_those_of_every_run_of_this_format() {
        let progress = StreamProgress {
            cursor: Some("abc".to_owned()),
            rows: 500,
            total: Some(1_000),
            done: false,
        };
        assert_eq!(progress_checksum("contacts", &progress), [54, 17, 229, 136, 202, 78, 205, 74]);
        let failure = FetchFailure {
            stream: "notes".to_owned(),
            subject: "c1".to_owned(),
            code: FetchFailureCode::NoAnswer,
            message: "500: no".to_owned(),
            status: Some(500),
            trace_id: None,
            transient: true,
            records: 1,
        };
        assert_eq!(failure_checksum(&failure), [165, 191, 195, 124, 184, 105, 34, 166]);
        let hidden = FetchFailure { records: 2, ..failure.clone() };
        assert_ne!(failure_checksum(&hidden), failure_checksum(&failure));
    }
}
