//! What a snapshot is made from: the records as the last sync left them, and what changed since an earlier one.

use rusqlite::{Row, params};

use super::error::MirrorError;
use super::mirror_reader::{MirrorReader, MirrorRow};
use super::record::RecordKind;
use super::stored_record::{COLUMNS, DELETED, LIVE, StoredRecord};
use crate::event::ChangeCounts;
use crate::run::RunError;

/// The memory for one body that is decompressed; larger ones get memory of their own.
const BODY_BYTES: usize = 256 << 10;

/// A record for a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    /// The record. The content of one that was deleted is what it said last, or empty.
    pub row: MirrorRow,
    /// The digest of what it says.
    pub digest: Vec<u8>,
    /// The sync that first saw it.
    pub first_seq: i64,
}

impl MirrorReader {
    /// Shows the records of a kind that exist, in the order of their dates and ids: their ids and digests.
    pub fn for_each_digest(
        &self,
        kind: RecordKind,
        mut show: impl FnMut(&str, &[u8]),
    ) -> Result<(), MirrorError> {
        let query = format!(
            "SELECT {COLUMNS} FROM record WHERE kind = ? AND state = ? ORDER BY added_ms, id"
        );
        let fail = |source| RunError::from_sqlite(self.path(), source);
        let mut query = self.connection().prepare(&query).map_err(fail)?;
        let mut rows = query.query([kind.code(), LIVE]).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            let (record, sum) = StoredRecord::from_row(kind, row).map_err(fail)?;
            let record = record.verify(&sum, self.path())?;
            show(&record.id, &record.digest);
        }
        Ok(())
    }

    /// Shows the records of a kind in the order of their dates and ids: those that exist, or after a sync all that have
    /// changed or were deleted since. Takes the memory of one.
    ///
    /// # Errors
    /// When the mirror is damaged, or with the error of `show`.
    pub fn for_each_snapshot_row<E: From<MirrorError>>(
        &self,
        kind: RecordKind,
        after_seq: Option<i64>,
        mut show: impl FnMut(SnapshotRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let condition = if after_seq.is_some() { "seq > ?2" } else { "state = 1 AND ?2 IS NULL" };
        let query = format!(
            "SELECT {COLUMNS}, read_at, body FROM record WHERE kind = ?1 AND {condition} ORDER BY added_ms, id"
        );
        let fail = |source| MirrorError::from(RunError::from_sqlite(self.path(), source));
        let mut decompressor = zstd::bulk::Decompressor::new()
            .map_err(|source| MirrorError::from(RunError::from_io(self.path(), source)))?;
        let mut query = self.connection().prepare(&query).map_err(fail)?;
        let mut rows = query.query(params![kind.code(), after_seq]).map_err(fail)?;
        let mut buffer = Vec::with_capacity(BODY_BYTES);
        while let Some(row) = rows.next().map_err(fail)? {
            let (record, sum) = StoredRecord::from_row(kind, row).map_err(fail)?;
            let record = record.verify(&sum, self.path())?;
            let read_at_ms = row.get(10).map_err(fail)?;
            let stored = row.get_ref(11).and_then(|body| Ok(body.as_blob()?)).map_err(fail)?;
            buffer.clear();
            let is_read = decompressor.decompress_to_buffer(stored, &mut buffer).is_ok();
            let body = match std::str::from_utf8(&buffer) {
                Ok(body) if is_read => body.to_owned(),
                _ => self.decompress_body(&record, stored)?,
            };
            let StoredRecord { added_ms, id, parent, first_seq, seq, state, digest, .. } = record;
            let deleted_seq = record.deleted_seq.filter(|_| state == DELETED);
            let row = MirrorRow { added_ms, id, parent, seq, deleted_seq, read_at_ms, body };
            show(SnapshotRow { row, digest, first_seq })?;
        }
        Ok(())
    }

    /// How many records of a kind are new, changed or deleted since a sync.
    pub fn count_changes_since(
        &self,
        kind: RecordKind,
        seq: i64,
    ) -> Result<ChangeCounts, MirrorError> {
        let query = "SELECT
             count(*) FILTER (WHERE state <> ?3 AND (first_seq > ?2 OR coalesce(returned_seq, 0) > ?2)),
             count(*) FILTER (WHERE state <> ?3 AND first_seq <= ?2 AND coalesce(returned_seq, 0) <= ?2),
             count(*) FILTER (WHERE state = ?3 AND first_seq <= ?2)
             FROM record WHERE kind = ?1 AND seq > ?2";
        let count = |row: &Row<'_>, at| row.get(at).map(i64::cast_unsigned);
        let read = |row: &Row<'_>| {
            Ok(ChangeCounts {
                added: count(row, 0)?,
                changed: count(row, 1)?,
                deleted: count(row, 2)?,
            })
        };
        self.connection()
            .query_row(query, params![kind.code(), seq, DELETED], read)
            .map_err(|source| RunError::from_sqlite(self.path(), source).into())
    }
}
