//! What people ask of a mirror: what it has, who has read it, and every version of a record.

use rusqlite::{Row, params};

use super::error::MirrorError;
use super::mirror_db::{self, meta_key};
use super::mirror_reader::MirrorReader;
use super::record::RecordKind;
use super::stored_record::{COLUMNS, DELETED, StoredRecord};
use super::sync_log::{self, SyncRecord};
use crate::id::LocationId;
use crate::run::RunError;

/// How many records of a kind a mirror has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordCounts {
    /// Those that exist.
    pub live: u64,
    /// Those that were deleted.
    pub deleted: u64,
    /// Those of the deleted ones whose contents are no longer kept.
    pub emptied: u64,
    /// Former versions of both.
    pub versions: u64,
    /// The bytes of the former versions, compressed.
    pub version_bytes: u64,
}

/// What has read a mirror, such as an output directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownReader {
    /// Its name: the path of an output directory.
    pub name: String,
    /// The last sync of which it has everything.
    pub seq: i64,
    /// When it has read last, in milliseconds since 1970.
    pub read_at_ms: i64,
}

/// One version of a record.
#[derive(Debug, Clone, Copy)]
pub struct RecordText<'a> {
    /// The record's id.
    pub id: &'a str,
    /// The sync that saw the version.
    pub seq: i64,
    /// Whether the record was deleted then.
    pub is_deleted: bool,
    /// The row, as the server sent it.
    pub body: &'a str,
}

impl MirrorReader {
    /// Reads the mirror as it is now from now on, whatever a sync does meanwhile.
    pub fn hold_snapshot(&self) -> Result<(), MirrorError> {
        // A transaction begins to see the database with its first read.
        self.connection()
            .execute_batch("BEGIN; SELECT count(*) FROM meta;")
            .map_err(|source| RunError::from_sqlite(self.path(), source).into())
    }

    /// The location.
    pub fn location(&self) -> Result<LocationId, MirrorError> {
        let location = mirror_db::read_meta(self.path(), self.connection(), meta_key::LOCATION)?;
        let damaged = || {
            let why = "it belongs to no location".to_owned();
            MirrorError::Damaged { path: self.path().to_owned(), why }
        };
        location.and_then(|location| location.parse().ok()).ok_or_else(damaged)
    }

    /// A sync that is done.
    pub fn find_sync(&self, seq: i64) -> Result<Option<SyncRecord>, MirrorError> {
        self.find_last_sync("state = 1 AND seq = ?", seq)
    }

    /// The last sync before another one that is done; with `walk`, the last that read everything.
    pub fn sync_before(&self, seq: i64, walk: bool) -> Result<Option<SyncRecord>, MirrorError> {
        let condition = if walk {
            "state = 1 AND json_extract(facts, '$.kind') = 'walk' AND seq < ?"
        } else {
            "state = 1 AND seq < ?"
        };
        self.find_last_sync(condition, seq)
    }

    fn find_last_sync(&self, condition: &str, seq: i64) -> Result<Option<SyncRecord>, MirrorError> {
        sync_log::read_last_sync(self.path(), self.connection(), condition, &seq.to_string())
    }

    /// Whether this sync or an earlier one was the first to see a record of a kind.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_records_until(&self, kind: RecordKind, seq: i64) -> Result<bool, MirrorError> {
        let query = "SELECT EXISTS (SELECT 1 FROM record WHERE kind = ?1 AND first_seq <= ?2)";
        self.connection()
            .query_row(query, params![kind.code(), seq], |row| row.get(0))
            .map_err(|source| RunError::from_sqlite(self.path(), source).into())
    }

    /// How many records of a kind there are.
    pub fn count_records(&self, kind: RecordKind) -> Result<RecordCounts, MirrorError> {
        let query = "SELECT (SELECT count(*) FROM record WHERE kind = ?1 AND state <> ?2),
             (SELECT count(*) FROM record WHERE kind = ?1 AND state = ?2),
             (SELECT count(*) FROM record WHERE kind = ?1 AND state = ?2 AND length(digest) = 0),
             count(*), coalesce(sum(length(body)), 0) FROM version WHERE kind = ?1";
        let count = |row: &Row<'_>, at| row.get(at).map(i64::cast_unsigned);
        let read = |row: &Row<'_>| {
            let (live, deleted, emptied) = (count(row, 0)?, count(row, 1)?, count(row, 2)?);
            let (versions, version_bytes) = (count(row, 3)?, count(row, 4)?);
            Ok(RecordCounts { live, deleted, emptied, versions, version_bytes })
        };
        self.connection()
            .query_row(query, params![kind.code(), DELETED], read)
            .map_err(|source| RunError::from_sqlite(self.path(), source).into())
    }

    /// When the oldest version was read that is kept, in milliseconds since 1970.
    pub fn oldest_read_ms(&self) -> Result<Option<i64>, MirrorError> {
        let query = "SELECT min(read_at) FROM (SELECT read_at FROM record UNION ALL SELECT read_at FROM version)";
        self.connection()
            .query_row(query, [], |row| row.get(0))
            .map_err(|source| RunError::from_sqlite(self.path(), source).into())
    }

    /// What has read the mirror, the latest first.
    pub fn list_readers(&self) -> Result<Vec<KnownReader>, MirrorError> {
        let read = |row: &Row<'_>| {
            Ok(KnownReader { name: row.get(0)?, seq: row.get(1)?, read_at_ms: row.get(2)? })
        };
        self.connection()
            .prepare("SELECT name, seq, read_at FROM reader ORDER BY read_at DESC, name")
            .and_then(|mut query| query.query_map([], read)?.collect())
            .map_err(|source| RunError::from_sqlite(self.path(), source).into())
    }

    /// The ids of all records of a kind that belong to a contact, also of those that were deleted.
    pub fn known_children(
        &self,
        kind: RecordKind,
        parent: &str,
    ) -> Result<Vec<String>, MirrorError> {
        self.connection()
            .prepare_cached(
                "SELECT id FROM record WHERE kind = ? AND parent = ? ORDER BY added_ms, id",
            )
            .and_then(|mut query| {
                query.query_map(params![kind.code(), parent], |row| row.get(0))?.collect()
            })
            .map_err(|source| RunError::from_sqlite(self.path(), source).into())
    }

    /// Shows every version of every record of a kind, the former ones first. Takes the memory of one.
    pub fn for_each_version(
        &self,
        kind: RecordKind,
        mut show: impl FnMut(RecordText<'_>),
    ) -> Result<(), MirrorError> {
        let fail = |source| RunError::from_sqlite(self.path(), source);
        for table in ["version", "record"] {
            let query = format!("SELECT {COLUMNS}, body FROM {table} WHERE kind = ?");
            let mut query = self.connection().prepare(&query).map_err(fail)?;
            let mut rows = query.query([kind.code()]).map_err(fail)?;
            while let Some(row) = rows.next().map_err(fail)? {
                let (record, sum) = StoredRecord::from_row(kind, row).map_err(fail)?;
                let record = record.verify(&sum, self.path())?;
                let body = row.get_ref(10).and_then(|body| Ok(body.as_blob()?)).map_err(fail)?;
                let body = self.decompress_body(&record, body)?;
                let is_deleted = record.state == DELETED;
                show(RecordText { id: &record.id, seq: record.seq, is_deleted, body: &body });
            }
        }
        Ok(())
    }
}
