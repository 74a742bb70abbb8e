//! The spool: what the server sent, as it sent it, and how far the pull has come.
//!
//! Pages and the answers about their contacts' children are appended in the transaction that moves
//! the cursor behind them; so a killed pull goes on after the last one committed. Bodies are
//! compressed with a checksum. One thread writes; it commits whatever has queued up together. The
//! spool knows streams by name and does not look into bodies.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use rusqlite::{Connection, params};
use tokio::sync::{mpsc, oneshot, watch};

use super::db;
use super::error::RunError;

/// Writes that may wait for the writer. A page of contacts has about 1 MB.
const QUEUE: usize = 4;
/// zstd's level: the fastest; JSON shrinks to a tenth all the same.
const LEVEL: i32 = 1;

/// Something to store. Each is atomic.
#[derive(Debug)]
pub enum SpoolWrite {
    /// An answer, and where its stream stands after it.
    Entry {
        /// The stream.
        stream: String,
        /// Rows or answers in the body.
        rows: u32,
        /// The body as the server sent it, or packed answers.
        body: Bytes,
        /// Where the stream stands now.
        progress: StreamProgress,
    },
    /// A stream moved without an answer.
    Moved {
        /// The stream.
        stream: String,
        /// Where it stands now.
        progress: StreamProgress,
    },
    /// A record could not be read.
    Failed(FetchFailure),
    /// Nothing; the sender is told once everything before it is committed.
    Barrier(oneshot::Sender<()>),
    /// A record that could not be read was read after all.
    Mended {
        /// The stream.
        stream: String,
        /// Its subject.
        subject: String,
    },
}

/// Where a stream stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamProgress {
    /// Where to go on; nothing at the beginning.
    pub cursor: Option<String>,
    /// Rows stored so far.
    pub rows: u64,
    /// How many there are in all, where that is known.
    pub total: Option<u64>,
    /// Whether the stream has ended.
    pub done: bool,
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchFailure {
    /// The stream it belongs to.
    pub stream: String,
    /// What it is about: a contact's id, or a position.
    pub subject: String,
    /// A stable name of the reason, for scripts.
    pub code: String,
    /// What happened, for people.
    pub message: String,
    /// The last answer's status.
    pub status: Option<u16>,
    /// The server's name for the request.
    pub trace_id: Option<String>,
    /// Whether trying again could help.
    pub transient: bool,
}

/// An answer as stored.
#[derive(Debug, Clone)]
pub struct SpoolEntry {
    /// Its number: entries are numbered in the order of their commits.
    pub seq: i64,
    /// Its stream.
    pub stream: String,
    /// Rows or answers in the body.
    pub rows: u32,
    /// The body.
    pub body: Bytes,
}

/// The writing end, and reader of positions.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    writes: mpsc::Sender<SpoolWrite>,
    ended: oneshot::Receiver<Result<(), RunError>>,
    committed: watch::Receiver<i64>,
}

impl Spool {
    /// Opens a run's spool. The returned work is the writer; it must run on a blocking thread and ends
    /// when the spool is closed or a write fails.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub fn open(db: &Path) -> Result<(Self, impl FnOnce() + Send + 'static), RunError> {
        let connection = db::open(db)?;
        let (writes, queue) = mpsc::channel(QUEUE);
        let (end, ended) = oneshot::channel();
        let last = connection
            .query_row("SELECT coalesce(max(seq), 0) FROM entry", [], |row| row.get(0))
            .map_err(|source| RunError::from_sqlite(db, source))?;
        let (commit, committed) = watch::channel(last);
        let mut work_off =
            SpoolWriter { path: db.to_owned(), connection, queue, commit, next: last + 1 };
        let work = move || {
            let result = work_off.run();
            // Nobody listens when the spool was dropped because of another failure.
            let _ = end.send(result);
        };
        Ok((Self { path: db.to_owned(), writes, ended, committed }, work))
    }

    /// The number of the last entry committed, as it grows. It ends with the writer.
    #[must_use]
    pub fn watch_committed(&self) -> watch::Receiver<i64> {
        self.committed.clone()
    }

    /// The database.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A handle for storing. Clones write into the same queue.
    #[must_use]
    pub fn writer(&self) -> mpsc::Sender<SpoolWrite> {
        self.writes.clone()
    }

    /// Waits until everything is committed. All handles of [`Self::writer`] must be gone.
    ///
    /// # Errors
    /// What stopped the writer, if it did not come to its end.
    ///
    /// # Panics
    /// When the writer did.
    pub async fn close(self) -> Result<(), RunError> {
        drop(self.writes);
        self.ended.await.expect("the writer tells how it ended")
    }
}

struct SpoolWriter {
    path: PathBuf,
    connection: Connection,
    queue: mpsc::Receiver<SpoolWrite>,
    commit: watch::Sender<i64>,
    next: i64,
}

impl SpoolWriter {
    fn run(&mut self) -> Result<(), RunError> {
        while let Some(first) = self.queue.blocking_recv() {
            self.commit_batch(first)?;
            self.commit.send_replace(self.next - 1);
        }
        Ok(())
    }

    /// One transaction over everything that waits now.
    fn commit_batch(&mut self, first: SpoolWrite) -> Result<(), RunError> {
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let transaction = self.connection.transaction().map_err(fail)?;
        let mut next = Some(first);
        let mut left = QUEUE;
        let mut barriers = Vec::new();
        while let Some(write) = next {
            match write {
                SpoolWrite::Barrier(done) => barriers.push(done),
                write => apply_write(&self.path, &transaction, write, &mut self.next)?,
            }
            left -= 1;
            next = if left > 0 { self.queue.try_recv().ok() } else { None };
        }
        transaction.commit().map_err(fail)?;
        for done in barriers {
            // Who no longer waits need not know.
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
            upsert_progress(to, &stream, &progress).map_err(fail)
        }
        SpoolWrite::Barrier(_) => Ok(()),
        SpoolWrite::Moved { stream, progress } => {
            upsert_progress(to, &stream, &progress).map_err(fail)
        }
        SpoolWrite::Failed(f) => to
            .prepare_cached("INSERT OR REPLACE INTO failure VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
            .and_then(|mut insert| {
                let sum = failure_checksum(&f);
                insert.execute(params![
                    f.stream,
                    f.subject,
                    f.code,
                    f.message,
                    f.status,
                    f.trace_id,
                    f.transient,
                    sum
                ])
            })
            .map(drop)
            .map_err(fail),
        SpoolWrite::Mended { stream, subject } => to
            .execute("DELETE FROM failure WHERE stream = ? AND subject = ?", [stream, subject])
            .map(drop)
            .map_err(fail),
    }
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
    db::checksum(&[
        failure.stream.as_bytes(),
        failure.subject.as_bytes(),
        failure.code.as_bytes(),
        failure.message.as_bytes(),
        &db::optional_number(failure.status.map(u64::from)),
        &db::optional_text(failure.trace_id.as_deref()),
        &[u8::from(failure.transient)],
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
            code: "unreadable".to_owned(),
            message: "500: no".to_owned(),
            status: Some(500),
            trace_id: None,
            transient: true,
        };
        assert_eq!(failure_checksum(&failure), [98, 79, 188, 14, 126, 110, 77, 54]);
    }
}
