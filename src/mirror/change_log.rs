//! What has changed: every version of every record, with the sync that saw it.

use rusqlite::params;

use super::error::MirrorError;
use super::mirror_reader::{FoundRecord, MirrorReader, MirrorRow};
use super::record::RecordKind;
use super::stored_record::{COLUMNS, DELETED, StoredRecord};

/// What a sync saw of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was there for the first time.
    Insert,
    /// It said something else than before.
    Update,
    /// It no longer existed.
    Delete,
    /// It was there again after it had been deleted.
    Return,
}

impl serde::Serialize for ChangeKind {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.spelling())
    }
}

impl ChangeKind {
    /// Its name in files and events.
    #[must_use]
    pub fn spelling(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Return => "return",
        }
    }
}

/// A record as a sync left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// The number of the sync.
    pub seq: i64,
    /// What it saw.
    pub change: ChangeKind,
    /// When the record was added, in milliseconds since 1970; the minimum if that is unknown.
    pub added_ms: i64,
    /// Its id.
    pub id: String,
    /// The contact that it belongs to.
    pub parent: Option<String>,
    /// When it was read, in milliseconds since 1970.
    pub read_at_ms: i64,
    /// The row, as the server sent it; of a deleted record, what it said last.
    pub body: String,
}

/// A record that has changed between two syncs, as the later one left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetChange {
    /// What has changed, all in all.
    pub change: ChangeKind,
    /// The record.
    pub row: MirrorRow,
}

impl MirrorReader {
    /// Shows what has changed after a sync and up to another one, in the order of the records' dates and ids, each record
    /// once, until one is refused. A record that came and went in between is not shown. Later syncs make no difference.
    pub fn for_each_net_change(
        &self,
        kind: RecordKind,
        (after, until): (i64, i64),
        mut show: impl FnMut(NetChange) -> bool,
    ) -> Result<(), MirrorError> {
        // Everything is read in the order of the table instead of being sorted.
        let by_seq = if after == 0 { "+seq" } else { "seq" };
        let columns = |of: &str| {
            format!(
                "{COLUMNS}, read_at, body, (SELECT before.state FROM version before WHERE before.kind = {of}.kind
                 AND before.id = {of}.id AND before.seq <= ?2 ORDER BY before.seq DESC LIMIT 1), first_seq <= ?2"
            )
        };
        let query = format!(
            "SELECT {} FROM record WHERE kind = ?1 AND {by_seq} > ?2 AND {by_seq} <= ?3
             UNION ALL SELECT {} FROM version WHERE kind = ?1 AND seq > ?2 AND seq <= ?3
             AND NOT EXISTS (SELECT 1 FROM version later WHERE later.kind = version.kind AND later.id = version.id
                             AND later.seq > version.seq AND later.seq <= ?3)
             AND NOT EXISTS (SELECT 1 FROM record WHERE record.kind = version.kind AND record.id = version.id
                             AND record.seq <= ?3)
             ORDER BY added_ms, id",
            columns("record"),
            columns("version")
        );
        let parameters = params![kind.code(), after, until];
        self.for_each_record(kind, &query, parameters, |columns, found| {
            let row = found.into_row();
            let change = net_change(columns.get(13)?, columns.get(12)?, &row);
            Ok(change.is_none_or(|change| show(NetChange { change, row })))
        })
    }

    /// The next changes of a kind after a sync and an id, up to another sync, in the order of syncs and ids. A record that
    /// changed in several syncs comes once for each.
    pub fn load_changes(
        &self,
        kind: RecordKind,
        after: (i64, &str),
        until_seq: i64,
        limit: usize,
    ) -> Result<Vec<RecordChange>, MirrorError> {
        let columns = format!("{COLUMNS}, read_at, body");
        let condition = "kind = ?1 AND seq >= ?2 AND (seq, id) > (?2, ?3) AND seq <= ?4";
        let query = format!(
            "SELECT {columns} FROM record WHERE {condition}
             UNION ALL SELECT {columns} FROM version WHERE {condition} ORDER BY seq, id LIMIT ?5"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.query_changes(kind, &query, params![kind.code(), after.0, after.1, until_seq, limit])
    }

    /// Every version of a record, oldest first.
    pub fn load_history(
        &self,
        kind: RecordKind,
        id: &str,
    ) -> Result<Vec<RecordChange>, MirrorError> {
        let columns = format!("{COLUMNS}, read_at, body");
        let query = format!(
            "SELECT {columns} FROM record WHERE kind = ?1 AND id = ?2
             UNION ALL SELECT {columns} FROM version WHERE kind = ?1 AND id = ?2 ORDER BY seq"
        );
        self.query_changes(kind, &query, params![kind.code(), id])
    }

    /// What a record said before a sync changed it; `None` if it was not known.
    pub fn find_former_version(
        &self,
        kind: RecordKind,
        id: &str,
        seq: i64,
    ) -> Result<Option<RecordChange>, MirrorError> {
        let query = format!(
            "SELECT {COLUMNS}, read_at, body FROM version WHERE kind = ?1 AND id = ?2 AND seq < ?3
             ORDER BY seq DESC LIMIT 1"
        );
        Ok(self.query_changes(kind, &query, params![kind.code(), id, seq])?.pop())
    }

    /// The record of a kind with this id, as the last sync left it.
    pub fn find_latest_version(
        &self,
        kind: RecordKind,
        id: &str,
    ) -> Result<Option<RecordChange>, MirrorError> {
        let query =
            format!("SELECT {COLUMNS}, read_at, body FROM record WHERE kind = ?1 AND id = ?2");
        Ok(self.query_changes(kind, &query, params![kind.code(), id])?.pop())
    }

    fn query_changes(
        &self,
        kind: RecordKind,
        query: &str,
        parameters: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<RecordChange>, MirrorError> {
        let mut changes = Vec::new();
        self.for_each_record(kind, query, parameters, |_, found| {
            let FoundRecord { record, read_at_ms, body } = found;
            changes.push(RecordChange {
                seq: record.seq,
                change: change_of(&record),
                added_ms: record.added_ms,
                id: record.id,
                parent: record.parent,
                read_at_ms,
                body,
            });
            Ok(true)
        })?;
        Ok(changes)
    }
}

/// What has become of a record. `state` is that of the last version before; one that has been removed was of a record
/// that existed.
fn net_change(was_known: bool, state: Option<i64>, now: &MirrorRow) -> Option<ChangeKind> {
    let was_live = was_known && state != Some(DELETED);
    match (was_live, now.deleted_seq.is_none()) {
        (true, true) => Some(ChangeKind::Update),
        (true, false) => Some(ChangeKind::Delete),
        (false, true) if was_known => Some(ChangeKind::Return),
        (false, true) => Some(ChangeKind::Insert),
        (false, false) => None,
    }
}

/// What the sync that last changed a record saw.
fn change_of(record: &StoredRecord) -> ChangeKind {
    if record.state == DELETED {
        ChangeKind::Delete
    } else if record.seq == record.first_seq {
        ChangeKind::Insert
    } else if record.returned_seq == Some(record.seq) {
        ChangeKind::Return
    } else {
        ChangeKind::Update
    }
}
