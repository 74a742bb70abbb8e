//! The read side of a mirror: for a pull that looks for changes, and for publish.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Row, params};

use super::body_codec::BodyDecoder;
use super::error::MirrorError;
use super::failures;
use super::field_columns;
use super::mirror_db::{self, meta_key};
use super::record::RecordKind;
use super::stored_record::{self, COLUMNS, DELETED, LIVE, StoredRecord};
use super::sync_log::{self, SyncRecord};
use crate::choice::choice_enum;
use crate::id::RunId;
use crate::resource::{FieldColumn, UNDATED};
use crate::run::{FetchFailure, RunError};

/// Any number of readers may be open, each with its own connection.
#[derive(Debug)]
pub struct MirrorReader {
    path: PathBuf,
    connection: Connection,
    decoder: RefCell<BodyDecoder>,
}

/// What the mirror knows of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordVersion {
    /// Whether it exists.
    pub is_live: bool,
    /// The digest of what it says.
    pub digest: Vec<u8>,
    /// When it was added, in milliseconds since 1970; the minimum if that is unknown.
    pub added_ms: i64,
}

/// A record with its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorRow {
    /// When it was added, in milliseconds since 1970; the minimum if that is unknown.
    pub added_ms: i64,
    /// Its id.
    pub id: String,
    /// The contact that it belongs to.
    pub parent: Option<String>,
    /// The sync that last changed it.
    pub seq: i64,
    /// The sync that saw that it no longer exists, if it does not.
    pub deleted_seq: Option<i64>,
    /// When it was read, in milliseconds since 1970.
    pub read_at_ms: i64,
    /// The row, as the server sent it.
    pub body: String,
}

choice_enum! {
    /// Whether records that no longer exist count.
    pub enum DeletedRows = Drop {
        /// they are left out
        Drop = "drop",
        /// they stay, as they were last
        Keep = "keep",
    }
}

/// A record with its content, as a query finds it.
pub(super) struct FoundRecord {
    pub(super) record: StoredRecord,
    pub(super) read_at_ms: i64,
    pub(super) body: String,
}

impl FoundRecord {
    pub(super) fn into_row(self) -> MirrorRow {
        let Self { record, read_at_ms, body } = self;
        let StoredRecord { added_ms, id, parent, seq, state, deleted_seq, .. } = record;
        let deleted_seq = deleted_seq.filter(|_| state == DELETED);
        MirrorRow { added_ms, id, parent, seq, deleted_seq, read_at_ms, body }
    }
}

/// A range of the time at which records were added, in milliseconds; `None` leaves an end open.
type AddedRange = (Option<i64>, Option<i64>);

impl MirrorReader {
    /// Opens the mirror in a directory, if it has one.
    pub fn open(dir: &Path) -> Result<Option<Self>, MirrorError> {
        let path = super::database_path(dir);
        if !path.exists() {
            return Ok(None);
        }
        let connection = mirror_db::open(&path)?;
        Ok(Some(Self { path, connection, decoder: RefCell::default() }))
    }

    /// The database.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks every page of the database for damage. Takes about a second per gigabyte.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn check_integrity(&self) -> Result<(), MirrorError> {
        mirror_db::check_integrity(&self.path, &self.connection)
    }

    /// The mirror's id.
    pub fn mirror_id(&self) -> Result<String, MirrorError> {
        let id = mirror_db::read_meta(&self.path, &self.connection, meta_key::ID)?;
        let damaged =
            || MirrorError::Damaged { path: self.path.clone(), why: "it has no id".to_owned() };
        id.ok_or_else(damaged)
    }

    /// The location's settings, as the server sent them.
    pub fn location_settings(&self) -> Result<Option<String>, MirrorError> {
        mirror_db::read_meta(&self.path, &self.connection, meta_key::SETTINGS)
    }

    /// The last sync that is done.
    pub fn last_sync(&self) -> Result<Option<SyncRecord>, MirrorError> {
        sync_log::read_last_sync(&self.path, &self.connection, "state = 1 AND '' = ?", "")
    }

    /// The last sync that is done and read everything.
    pub fn last_walk(&self) -> Result<Option<SyncRecord>, MirrorError> {
        let condition = "state = 1 AND json_extract(facts, '$.kind') = ?";
        sync_log::read_last_sync(&self.path, &self.connection, condition, "walk")
    }

    /// The last sync that read a table of those that are read only on request, or tried to.
    pub fn last_attempt_at(&self, kind: RecordKind) -> Result<Option<SyncRecord>, MirrorError> {
        self.last_reading_where(kind, "IS NOT NULL")
    }

    /// The last sync that read such a table as a whole.
    pub fn last_reading_of(&self, kind: RecordKind) -> Result<Option<SyncRecord>, MirrorError> {
        self.last_reading_where(kind, "= 1")
    }

    fn last_reading_where(
        &self,
        kind: RecordKind,
        is_whole: &str,
    ) -> Result<Option<SyncRecord>, MirrorError> {
        let table = kind.table_name();
        let condition = format!(
            "state = 1 AND json_extract(facts, '$.readings.{table}') {is_whole} AND '' = ?"
        );
        sync_log::read_last_sync(&self.path, &self.connection, &condition, "")
    }

    /// Whether a sync was killed while it changed the mirror, and nothing has gone on with it.
    pub fn is_merging(&self) -> Result<bool, MirrorError> {
        Ok(self.merging_run()?.is_some())
    }

    /// The run of a sync that was killed while it changed the mirror, if nothing has gone on with it.
    pub fn merging_run(&self) -> Result<Option<RunId>, MirrorError> {
        let condition = "state = 0 AND '' = ?";
        let merging = sync_log::read_last_sync(&self.path, &self.connection, condition, "")?;
        Ok(merging.map(|sync| sync.facts.run))
    }

    /// The number of the last sync that changed anything; 0 if none has.
    pub fn last_change(&self) -> Result<i64, MirrorError> {
        let mut last = 0;
        for kind in RecordKind::ALL {
            let query = "SELECT coalesce(max(seq), 0) FROM record WHERE kind = ?";
            last = last.max(self.query_number(query, &[kind.code()])?);
        }
        Ok(last)
    }

    /// The columns of custom fields that were known to a sync.
    pub fn load_field_columns(&self, until_seq: i64) -> Result<Vec<FieldColumn>, MirrorError> {
        field_columns::load_columns(&self.path, &self.connection, until_seq)
    }

    /// The records that could not be read.
    pub fn load_failures(&self) -> Result<Vec<FetchFailure>, MirrorError> {
        failures::load_failures(&self.path, &self.connection)
    }

    /// What is known of a record; `None` if it was never seen.
    pub fn find_version(
        &self,
        kind: RecordKind,
        id: &str,
    ) -> Result<Option<RecordVersion>, MirrorError> {
        let record = stored_record::find_record(&self.path, &self.connection, kind, id)?;
        Ok(record.map(|record| RecordVersion {
            is_live: record.state != DELETED,
            digest: record.digest,
            added_ms: record.added_ms,
        }))
    }

    /// How many records of a kind exist.
    pub fn count_live(&self, kind: RecordKind) -> Result<u64, MirrorError> {
        self.count_live_between(kind, (None, None))
    }

    /// How many records of a kind exist that were added in a range. Those without a date count only in the whole.
    pub fn count_live_between(
        &self,
        kind: RecordKind,
        (from, before): AddedRange,
    ) -> Result<u64, MirrorError> {
        let query = "SELECT count(*) FROM record WHERE kind = ? AND state = ? AND added_ms >= ? AND added_ms < ?";
        let (first, end) = range_bounds((from, before));
        let count = self.query_number(query, &[kind.code(), LIVE, first, end])?;
        Ok(count.cast_unsigned())
    }

    /// When the record in the middle of a range was added, if it has several dates.
    pub fn middle_date(
        &self,
        kind: RecordKind,
        range: AddedRange,
    ) -> Result<Option<i64>, MirrorError> {
        let count = self.count_live_between(kind, range)?;
        let (first, end) = range_bounds(range);
        let query = "SELECT coalesce((SELECT added_ms FROM record WHERE kind = ? AND state = ? AND added_ms >= ?
            AND added_ms < ? ORDER BY added_ms LIMIT 1 OFFSET ?), ?)";
        let parameters = [kind.code(), LIVE, first, end];
        let at = |offset: u64| {
            let offset = offset.cast_signed();
            self.query_number(query, &[&parameters[..], &[offset, UNDATED]].concat())
        };
        let (least, middle) = (at(0)?, at(count / 2)?);
        Ok(Some(middle).filter(|middle| *middle > least.max(first) && *middle > UNDATED))
    }

    /// The ids of the records of a kind that exist and were added in a range, in order.
    pub fn live_ids_between(
        &self,
        kind: RecordKind,
        range: AddedRange,
    ) -> Result<Vec<String>, MirrorError> {
        let (first, end) = range_bounds(range);
        let query =
            "SELECT id FROM record WHERE kind = ? AND state = ? AND added_ms >= ? AND added_ms < ?
            ORDER BY added_ms, id";
        self.query_texts(query, params![kind.code(), LIVE, first, end])
    }

    /// Shows every record of a kind that exists: its id and the contact that it belongs to.
    pub fn for_each_live(
        &self,
        kind: RecordKind,
        mut show: impl FnMut(&str, Option<&str>),
    ) -> Result<(), MirrorError> {
        let mut read = || {
            let mut query = self
                .connection
                .prepare("SELECT id, parent FROM record WHERE kind = ? AND state = ?")?;
            let mut rows = query.query([kind.code(), LIVE])?;
            while let Some(row) = rows.next()? {
                show(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str_or_null()?);
            }
            Ok(())
        };
        read().map_err(|source: rusqlite::Error| RunError::from_sqlite(&self.path, source).into())
    }

    /// The ids of the records of a kind that exist and belong to a contact.
    pub fn live_children(
        &self,
        kind: RecordKind,
        parent: &str,
    ) -> Result<Vec<String>, MirrorError> {
        let query = "SELECT id FROM record WHERE kind = ? AND parent = ? AND state = ?";
        self.query_texts(query, params![kind.code(), parent, LIVE])
    }

    /// The next records of a kind, after one of them, in the order of their dates and ids.
    pub fn load_rows(
        &self,
        kind: RecordKind,
        after: Option<(i64, &str)>,
        deleted: DeletedRows,
        limit: usize,
    ) -> Result<Vec<MirrorRow>, MirrorError> {
        let (added, id) = after.unwrap_or((UNDATED, ""));
        let last_state = if deleted == DeletedRows::Keep { DELETED } else { LIVE };
        let query = format!(
            "SELECT {COLUMNS}, read_at, body FROM record
             WHERE kind = ?1 AND (added_ms, id) > (?2, ?3) AND state <= ?4 ORDER BY added_ms, id LIMIT ?5"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let parameters = params![kind.code(), added, id, last_state, limit];
        let mut rows = Vec::new();
        self.for_each_record(kind, &query, parameters, |_, found| {
            rows.push(found.into_row());
            Ok(true)
        })?;
        Ok(rows)
    }

    /// Shows the records that a query of [`COLUMNS`], `read_at` and `body` finds, until one is refused.
    pub(super) fn for_each_record(
        &self,
        kind: RecordKind,
        query: &str,
        parameters: &[&dyn rusqlite::ToSql],
        mut show: impl FnMut(&Row<'_>, FoundRecord) -> rusqlite::Result<bool>,
    ) -> Result<(), MirrorError> {
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let mut query = self.connection.prepare_cached(query).map_err(fail)?;
        let mut rows = query.query(parameters).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            let (record, sum) = StoredRecord::from_row(kind, row).map_err(fail)?;
            let record = record.verify(&sum, &self.path)?;
            let read_at_ms = row.get(10).map_err(fail)?;
            let body = row.get_ref(11).and_then(|body| Ok(body.as_blob()?)).map_err(fail)?;
            let body = self.decompress_body(&record, body)?;
            if !show(row, FoundRecord { record, read_at_ms, body }).map_err(fail)? {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn decompress_body(
        &self,
        record: &StoredRecord,
        body: &[u8],
    ) -> Result<String, MirrorError> {
        let name = || format!("{} `{}`", record.kind.table_name(), record.id);
        self.decoder.borrow_mut().decode((&self.path, &self.connection), name, body)
    }

    fn query_number(&self, query: &str, parameters: &[i64]) -> Result<i64, MirrorError> {
        self.connection
            .prepare_cached(query)
            .and_then(|mut query| {
                query.query_row(rusqlite::params_from_iter(parameters), |row| row.get(0))
            })
            .map_err(|source| RunError::from_sqlite(&self.path, source).into())
    }

    fn query_texts(
        &self,
        query: &str,
        parameters: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<String>, MirrorError> {
        self.connection
            .prepare_cached(query)
            .and_then(|mut query| query.query_map(parameters, |row| row.get(0))?.collect())
            .map_err(|source| RunError::from_sqlite(&self.path, source).into())
    }
}

/// The first time in a range, and the one after the last. A range that is open at its beginning has no undated records,
/// unless it is the whole.
fn range_bounds((from, before): AddedRange) -> (i64, i64) {
    let undated = if before.is_some() { UNDATED + 1 } else { UNDATED };
    (from.unwrap_or(undated), before.unwrap_or(i64::MAX))
}
