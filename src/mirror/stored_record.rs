//! A record as the database has it, with the checksum of its row.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::MirrorError;
use super::record::RecordKind;
use crate::run::{self, RunError};

/// It exists, as far as the mirror knows.
pub(super) const LIVE: i64 = 1;
/// The server has said that it no longer exists.
pub(super) const DELETED: i64 = 3;

/// A record without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredRecord {
    pub(super) kind: RecordKind,
    pub(super) added_ms: i64,
    pub(super) id: String,
    pub(super) parent: Option<String>,
    /// The sync that first saw it.
    pub(super) first_seq: i64,
    /// The sync that last changed it.
    pub(super) seq: i64,
    pub(super) deleted_seq: Option<i64>,
    /// The sync that saw it again after it had been deleted.
    pub(super) returned_seq: Option<i64>,
    pub(super) state: i64,
    pub(super) digest: Vec<u8>,
}

impl StoredRecord {
    fn checksum(&self) -> [u8; 8] {
        let numbers = [
            self.kind.code(),
            self.added_ms,
            self.first_seq,
            self.seq,
            self.deleted_seq.unwrap_or(-1),
            self.returned_seq.unwrap_or(-1),
            self.state,
        ];
        let numbers: Vec<u8> = numbers.into_iter().flat_map(i64::to_le_bytes).collect();
        let parent = self.parent.as_deref().map(str::as_bytes).unwrap_or_default();
        run::checksum(&[&numbers, self.id.as_bytes(), parent, &self.digest])
    }

    /// Reads the columns that [`COLUMNS`] names, from the first one on.
    pub(super) fn from_row(kind: RecordKind, row: &Row<'_>) -> rusqlite::Result<(Self, Vec<u8>)> {
        let record = Self {
            kind,
            added_ms: row.get(0)?,
            id: row.get(1)?,
            parent: row.get(2)?,
            first_seq: row.get(3)?,
            seq: row.get(4)?,
            deleted_seq: row.get(5)?,
            returned_seq: row.get(6)?,
            state: row.get(7)?,
            digest: row.get(8)?,
        };
        Ok((record, row.get(9)?))
    }

    /// The record, if its checksum is right.
    pub(super) fn verify(self, sum: &[u8], path: &Path) -> Result<Self, MirrorError> {
        if self.checksum() == *sum {
            return Ok(self);
        }
        let why = format!("the checksum of {} `{}` is wrong", self.kind.table_name(), self.id);
        Err(MirrorError::Damaged { path: path.to_owned(), why })
    }
}

/// The columns of a [`StoredRecord`].
pub(super) const COLUMNS: &str =
    "added_ms, id, parent, first_seq, seq, deleted_seq, returned_seq, state, digest, sum";

/// The record with an id.
pub(super) fn find_record(
    path: &Path,
    connection: &Connection,
    kind: RecordKind,
    id: &str,
) -> Result<Option<StoredRecord>, MirrorError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let query = format!("SELECT {COLUMNS} FROM record WHERE kind = ? AND id = ?");
    let found = connection
        .prepare_cached(&query)
        .and_then(|mut query| {
            let read = |row: &Row<'_>| StoredRecord::from_row(kind, row);
            query.query_row(params![kind.code(), id], read).optional()
        })
        .map_err(fail)?;
    found.map(|(record, sum)| record.verify(&sum, path)).transpose()
}

/// Writes a new record with its body; false if there is one with its id.
pub(super) fn insert_record(
    path: &Path,
    connection: &Connection,
    record: &StoredRecord,
    (read_at_ms, body): (i64, &[u8]),
) -> Result<bool, RunError> {
    let insert =
        "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    connection
        .prepare_cached(insert)
        .and_then(|mut insert| {
            insert.execute(params![
                record.kind.code(),
                record.added_ms,
                record.id,
                record.parent,
                record.first_seq,
                record.seq,
                record.deleted_seq,
                record.returned_seq,
                record.state,
                record.digest,
                read_at_ms,
                body,
                record.checksum(),
            ])
        })
        .map(|inserted| inserted == 1)
        .map_err(|source| RunError::from_sqlite(path, source))
}

/// Keeps what a record says as a former version, before a sync changes it.
pub(super) fn keep_version(
    path: &Path,
    connection: &Connection,
    record: &StoredRecord,
) -> Result<(), RunError> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO version SELECT * FROM record WHERE kind = ? AND id = ?",
        )
        .and_then(|mut insert| insert.execute(params![record.kind.code(), record.id]))
        .map(drop)
        .map_err(|source| RunError::from_sqlite(path, source))
}

/// Replaces the body of a record that exists, and its digest. It counts as read when it was.
pub(super) fn replace_content(
    path: &Path,
    connection: &Connection,
    record: &StoredRecord,
    body: &[u8],
) -> Result<(), RunError> {
    let (kind, sum) = (record.kind.code(), record.checksum());
    connection
        .prepare_cached(
            "UPDATE record SET digest = ?3, sum = ?4, body = ?5 WHERE kind = ?1 AND id = ?2",
        )
        .and_then(|mut update| update.execute(params![kind, record.id, record.digest, sum, body]))
        .map(drop)
        .map_err(|source| RunError::from_sqlite(path, source))
}

/// Writes a record that exists. Without a body, it keeps its own.
pub(super) fn update_record(
    path: &Path,
    connection: &Connection,
    record: &StoredRecord,
    read: Option<(i64, &[u8])>,
) -> Result<(), RunError> {
    connection
        .prepare_cached(
            "UPDATE record SET added_ms = ?3, parent = ?4, seq = ?5, deleted_seq = ?6, returned_seq = ?7,
             state = ?8, digest = ?9, sum = ?10, read_at = coalesce(?11, read_at), body = coalesce(?12, body)
             WHERE kind = ?1 AND id = ?2",
        )
        .and_then(|mut update| {
            update.execute(params![
                record.kind.code(),
                record.id,
                record.added_ms,
                record.parent,
                record.seq,
                record.deleted_seq,
                record.returned_seq,
                record.state,
                record.digest,
                record.checksum(),
                read.map(|(read_at, _)| read_at),
                read.map(|(_, body)| body),
            ])
        })
        .map(drop)
        .map_err(|source| RunError::from_sqlite(path, source))
}
