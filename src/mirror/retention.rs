//! Removes from a mirror what is no longer current and old: what deleted records said, former versions of records, and the
//! entries of syncs that changed nothing.
//!
//! Numbers of syncs stay: a deleted record keeps its row, with its id and that of its contact, so that a reader of changes
//! later still hears of the deletion. Nothing is removed that a reader has not got. Times are the server's, because the
//! clock of this machine may be wrong.

use std::path::Path;

use rusqlite::{Connection, Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::body_codec::BodyEncoder;
use super::error::MirrorError;
use super::keep_time::RetentionRules;
use super::mirror_db::{self, meta_key};
use super::mirror_reader::MirrorReader;
use super::mirror_writer::MirrorWriter;
use super::record::RecordKind;
use super::stored_record::{self, DELETED, StoredRecord};
use super::sync_log;
use crate::failpoint::{self, FailPoint};
use crate::run::RunError;

/// Rows that are removed in one transaction.
const BATCH: i64 = 5_000;
/// How often old rows are looked for at least, in milliseconds: a day.
const LONGEST_PAUSE_MS: i64 = 24 * 3_600_000;

/// How long a mirror keeps what is no longer current, and when it last removed what is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionState {
    /// The rules.
    pub rules: RetentionRules,
    /// When old rows were last looked for, by the server's clock in milliseconds since 1970.
    pub applied_ms: i64,
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RemovedCounts {
    /// Deleted records whose contents were removed.
    pub deleted_contents: u64,
    /// Former versions of records.
    pub former_versions: u64,
}

impl RemovedCounts {
    /// Whether nothing was removed.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl RetentionState {
    /// Whether old rows have to be looked for.
    fn is_due(&self, rules: RetentionRules, now_ms: i64) -> bool {
        let tolerances = [rules.deleted.tolerance(), rules.history.tolerance()];
        let shortest = tolerances.into_iter().flatten().min();
        let pause_ms = shortest.and_then(|pause| i64::try_from(pause.as_millis()).ok());
        let pause_ms = pause_ms.unwrap_or(LONGEST_PAUSE_MS).min(LONGEST_PAUSE_MS);
        self.rules != rules || now_ms - self.applied_ms >= pause_ms || now_ms < self.applied_ms
    }
}

impl MirrorReader {
    /// How long the mirror keeps what is no longer current; `None` before the first sync has decided it.
    pub fn retention(&self) -> Result<Option<RetentionState>, MirrorError> {
        read_state(self.path(), self.connection())
    }
}

impl MirrorWriter {
    /// How long the mirror keeps what is no longer current; `None` before the first sync has decided it.
    pub fn retention(&self) -> Result<Option<RetentionState>, MirrorError> {
        read_state(self.path(), self.connection())
    }

    /// Removes what is older than the rules keep, if it is time to look for it. `now_ms` is the server's time in
    /// milliseconds since 1970; readers have got everything up to the sync `read_up_to`.
    ///
    /// # Errors
    /// When the mirror is damaged or cannot be written. Another call goes on.
    pub fn apply_retention(
        &mut self,
        rules: RetentionRules,
        now_ms: i64,
        read_up_to: i64,
    ) -> Result<RemovedCounts, MirrorError> {
        if self.retention()?.is_some_and(|state| !state.is_due(rules, now_ms)) {
            return Ok(RemovedCounts::default());
        }
        let path = self.path().to_owned();
        let fail = |source| RunError::from_sqlite(&path, source);
        let mut removed = RemovedCounts::default();
        let end = |old_ms: Option<i64>| -> Result<i64, MirrorError> {
            let Some(old_ms) = old_ms else { return Ok(0) };
            let last = sync_log::read_last_sync_until(&path, self.connection(), old_ms)?;
            Ok(last.map_or(0, |sync| sync.seq).min(read_up_to))
        };
        let deleted_end = end(rules.deleted.end_of_old(now_ms))?;
        let history_end = end(rules.history.end_of_old(now_ms))?;
        for kind in RecordKind::ALL {
            // The description of a column stays as long as the column.
            if kind != RecordKind::CustomField {
                removed.deleted_contents += self.remove_batches(|transaction| {
                    empty_deleted_records(&path, transaction, kind, deleted_end)
                })?;
            }
            removed.former_versions += self.remove_batches(|transaction| {
                delete_old_versions(transaction, kind, history_end).map_err(|it| fail(it).into())
            })?;
        }
        let syncs = self.remove_batches(|transaction| {
            delete_idle_syncs(transaction, history_end).map_err(|it| fail(it).into())
        })?;
        write_state(&path, self.connection(), RetentionState { rules, applied_ms: now_ms })?;
        if !removed.is_empty() || syncs > 0 {
            // The log of writes has the old pages until it is emptied. A reader may prevent that until the next time.
            let truncate = "PRAGMA wal_checkpoint(TRUNCATE)";
            self.connection().query_row(truncate, [], |_| Ok(())).map_err(fail)?;
        }
        Ok(removed)
    }

    /// Removes rows in transactions until one has found none.
    fn remove_batches(
        &mut self,
        remove: impl Fn(&Transaction<'_>) -> Result<u64, MirrorError>,
    ) -> Result<u64, MirrorError> {
        let path = self.path().to_owned();
        let fail = |source| RunError::from_sqlite(&path, source);
        let mut all = 0;
        loop {
            let transaction = self.connection_mut().transaction().map_err(fail)?;
            let removed = remove(&transaction)?;
            transaction.commit().map_err(fail)?;
            if removed == 0 {
                return Ok(all);
            }
            failpoint::kill_if_due(FailPoint::DuringRemoval);
            all += removed;
        }
    }
}

fn write_state(
    path: &Path,
    connection: &Connection,
    state: RetentionState,
) -> Result<(), RunError> {
    let text = serde_json::to_string(&state).expect("the state is plain JSON");
    mirror_db::write_meta(path, connection, meta_key::RETENTION, &text)
}

fn read_state(path: &Path, connection: &Connection) -> Result<Option<RetentionState>, MirrorError> {
    let Some(text) = mirror_db::read_meta(path, connection, meta_key::RETENTION)? else {
        return Ok(None);
    };
    let damaged = |error| {
        let why = format!("how long it keeps what: {error}");
        MirrorError::Damaged { path: path.to_owned(), why }
    };
    serde_json::from_str(&text).map(Some).map_err(damaged)
}

/// Removes what records of a kind said that were deleted up to a sync, with all their versions.
fn empty_deleted_records(
    path: &Path,
    transaction: &Transaction<'_>,
    kind: RecordKind,
    until_seq: i64,
) -> Result<u64, MirrorError> {
    let mut encoder = BodyEncoder::load(path, transaction)?;
    let fail = |source| RunError::from_sqlite(path, source);
    let query = "SELECT id FROM record WHERE kind = ? AND state = ? AND seq <= ? AND length(digest) > 0 LIMIT ?";
    let find = || {
        let mut query = transaction.prepare_cached(query)?;
        let found =
            query.query_map(params![kind.code(), DELETED, until_seq, BATCH], |row| row.get(0))?;
        found.collect::<rusqlite::Result<Vec<String>>>()
    };
    let ids = find().map_err(fail)?;
    for id in &ids {
        let record = stored_record::find_record(path, transaction, kind, id)?;
        let Some(mut record) = record else { continue };
        // No record has an empty digest that says anything.
        record.digest = Vec::new();
        let body = encoder.encode(path, kind, &empty_body(&record))?;
        stored_record::replace_content(path, transaction, &record, &body)?;
        transaction
            .prepare_cached("DELETE FROM version WHERE kind = ? AND id = ?")
            .and_then(|mut delete| delete.execute(params![kind.code(), id]))
            .map_err(fail)?;
    }
    Ok(ids.len() as u64)
}

/// The body of a record of which only is known that there was one: its id, and the contact that it belonged to.
fn empty_body(record: &StoredRecord) -> String {
    let mut body = Map::from_iter([("id".to_owned(), Value::from(record.id.as_str()))]);
    if let Some(contact) = &record.parent {
        body.insert("contactId".to_owned(), contact.as_str().into());
    }
    Value::Object(body).to_string()
}

/// Deletes the versions of a kind that were replaced by a later one up to a sync.
fn delete_old_versions(
    transaction: &Transaction<'_>,
    kind: RecordKind,
    until_seq: i64,
) -> rusqlite::Result<u64> {
    let delete = "DELETE FROM version WHERE (kind, id, seq) IN (
        SELECT kind, id, seq FROM version AS it WHERE kind = ?1 AND seq < ?2 AND coalesce(
            (SELECT min(seq) FROM version WHERE kind = ?1 AND id = it.id AND seq > it.seq),
            (SELECT seq FROM record WHERE kind = ?1 AND id = it.id)) <= ?2 LIMIT ?3)";
    let deleted =
        transaction.prepare_cached(delete)?.execute(params![kind.code(), until_seq, BATCH])?;
    Ok(deleted as u64)
}

/// Deletes the entries of syncs that read what was updated and changed nothing that is known of, except those right
/// before a change: they say since when it may have happened.
fn delete_idle_syncs(transaction: &Transaction<'_>, until_seq: i64) -> rusqlite::Result<u64> {
    let kinds = RecordKind::ALL.map(|kind| kind.code().to_string()).join(", ");
    let unused = |table: &str| {
        format!(
            "NOT EXISTS (SELECT 1 FROM {table} WHERE kind IN ({kinds}) AND seq IN (it.seq, it.seq + 1))"
        )
    };
    let delete = format!(
        "DELETE FROM sync WHERE seq IN (
            SELECT seq FROM sync AS it WHERE seq < ?1 AND state = 1 AND json_extract(facts, '$.kind') = 'newest'
            AND json_extract(facts, '$.readings') IS NULL
            AND {} AND {} LIMIT ?2)",
        unused("record"),
        unused("version")
    );
    Ok(transaction.prepare_cached(&delete)?.execute(params![until_seq, BATCH])? as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::KeepTime;

    fn state(deleted: KeepTime, history: KeepTime) -> RetentionState {
        RetentionState { rules: RetentionRules { deleted, history }, applied_ms: 1_000_000 }
    }

    #[track_caller]
    fn check_due(state: RetentionState, later_ms: i64, expected: bool) {
        assert_eq!(state.is_due(state.rules, state.applied_ms + later_ms), expected, "{state:?}");
    }

    #[test]
    fn old_rows_are_looked_for_as_often_as_the_shorter_time_needs() {
        let day_ms = 24 * 3_600_000;
        check_due(state(KeepTime::Seconds(0), KeepTime::Forever), 0, true);
        check_due(state(KeepTime::from_days(90), KeepTime::Forever), day_ms - 1, false);
        check_due(state(KeepTime::from_days(90), KeepTime::Forever), day_ms, true);
        check_due(state(KeepTime::from_days(1), KeepTime::from_days(365)), day_ms / 24, true);
        check_due(state(KeepTime::Forever, KeepTime::Forever), day_ms - 1, false);
        check_due(state(KeepTime::Forever, KeepTime::Forever), -1, true);
    }

    #[test]
    fn other_rules_are_applied_at_once() {
        let state = state(KeepTime::Forever, KeepTime::Forever);
        let rules = RetentionRules { deleted: KeepTime::Seconds(5), ..state.rules };
        assert!(state.is_due(rules, state.applied_ms));
    }
}
