//! The rows of an import: their content, the decisions about them, and the state of the account
//! that the decisions are based on.
//!
//! A sheet is validated into this store once. Afterwards the plan, its result files and a resumed
//! run are functions of the store, and the sheet itself is only needed to check that it is
//! unchanged. Rows, decisions and remote contacts are stored as JSON texts with a checksum: this
//! room knows numbers, names and texts, but neither drafts nor contacts.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Row, params};

use super::db;
use super::error::RunError;
use super::row_action::RowAction;
use crate::diagnostic::Diagnostic;

mod remote_contacts;
mod row_values;
mod warnings;

pub use remote_contacts::ContactPart;
pub use row_values::{IdentityKind, RowMark, RowValueKind};

/// What creates every table and index of the store.
pub(in crate::run) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS row (
    n INTEGER PRIMARY KEY, line INTEGER NOT NULL, place TEXT NOT NULL, cells TEXT NOT NULL,
    draft TEXT, sum BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS decision (
    n INTEGER PRIMARY KEY, action TEXT NOT NULL, contact TEXT, merged_into INTEGER, changes TEXT,
    rejections TEXT, reason TEXT, sum BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS warning (
    id INTEGER PRIMARY KEY, n INTEGER NOT NULL, code TEXT NOT NULL, field TEXT NOT NULL,
    message TEXT NOT NULL, hint TEXT, col INTEGER, cell TEXT
);
CREATE INDEX IF NOT EXISTS warning_by_row ON warning (n);
CREATE TABLE IF NOT EXISTS identity (
    kind TEXT NOT NULL, value TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (kind, value, n)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS row_mark (
    kind TEXT NOT NULL, value TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (kind, value, n)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS live (
    contact TEXT PRIMARY KEY, body TEXT NOT NULL, digest TEXT NOT NULL, sum BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS match (
    kind TEXT NOT NULL, value TEXT NOT NULL, contact TEXT NOT NULL,
    PRIMARY KEY (kind, value, contact)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS child (
    kind TEXT NOT NULL, contact TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, contact, id)
) WITHOUT ROWID;
";

/// SQLite's page cache, in KiB (a negative number means KiB, not pages): the index of identities is
/// searched in random order.
const CACHE: i64 = -32_768;

const TABLES: [&str; 8] =
    ["row", "decision", "warning", "identity", "row_mark", "live", "match", "child"];

/// A validated row of the sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// Its number among the rows, from 1.
    pub n: u64,
    /// The line or sheet row it begins on.
    pub line: u64,
    /// Its position, for display.
    pub place: String,
    /// Its cells as a JSON list of texts.
    pub cells: String,
    /// The draft as JSON; `None` if the row was rejected.
    pub draft: Option<String>,
}

/// The decision about a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowDecision {
    /// What the plan does with the row.
    pub action: RowAction,
    /// The contact, if known.
    pub contact: Option<String>,
    /// The row into which this row was merged.
    pub merged_into: Option<u64>,
    /// The fields that change, as JSON.
    pub changes: Option<String>,
    /// Why the row is rejected: all reasons, in the order of the columns. Empty for other rows.
    pub rejections: Vec<Diagnostic>,
    /// Why nothing is done with a row that is not rejected, as the result files show it.
    pub reason: Option<String>,
}

impl RowDecision {
    /// The rejections as JSON; `None` if there are none.
    fn rejections_json(&self) -> Option<String> {
        let json = || serde_json::to_string(&self.rejections).expect("texts and numbers are JSON");
        (!self.rejections.is_empty()).then(json)
    }
}

/// The store. Blocking: for blocking threads only.
#[derive(Debug)]
pub struct ImportStore {
    path: PathBuf,
    connection: Connection,
}

impl ImportStore {
    /// Opens the rows of a run; creates the tables if necessary.
    pub fn open(db: &Path) -> Result<Self, RunError> {
        let connection = db::open(db)?;
        connection.execute_batch(SCHEMA).map_err(|source| RunError::from_sqlite(db, source))?;
        connection.set_prepared_statement_cache_capacity(64);
        connection
            .pragma_update(None, "cache_size", CACHE)
            .map_err(|source| RunError::from_sqlite(db, source))?;
        Ok(Self { path: db.to_owned(), connection })
    }

    /// Deletes everything: a plan that was not finished is made again from the start.
    pub fn clear(&self) -> Result<(), RunError> {
        TABLES.iter().try_for_each(|table| self.execute_batch(&format!("DELETE FROM {table}")))
    }

    /// Runs many writes in one transaction: all of them are stored, or none.
    pub fn in_transaction<T, E: From<RunError>>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.execute_batch("BEGIN IMMEDIATE")?;
        match work(self) {
            Ok(value) => {
                self.execute_batch("COMMIT")?;
                Ok(value)
            }
            Err(error) => {
                // The error of the work matters more than one of the rollback.
                let _ = self.execute_batch("ROLLBACK");
                Err(error)
            }
        }
    }

    /// Stores a row.
    pub fn insert_row(&self, row: &StoredRow) -> Result<(), RunError> {
        self.execute(
            "INSERT INTO row VALUES (?, ?, ?, ?, ?, ?)",
            params![
                row.n.cast_signed(),
                row.line.cast_signed(),
                row.place,
                row.cells,
                row.draft,
                row_checksum(row)
            ],
        )
    }

    /// Deletes rows, and everything that planning has stored about them.
    pub fn remove_rows(&self, rows: &[u64]) -> Result<(), RunError> {
        for n in rows {
            self.execute("DELETE FROM row WHERE n = ?", params![n.cast_signed()])?;
        }
        // One pass for all: these tables have no index by row.
        ["decision", "warning", "identity", "row_mark"].iter().try_for_each(|table| {
            let sql = "WHERE n <> 0 AND n NOT IN (SELECT n FROM row)";
            self.execute_batch(&format!("DELETE FROM {table} {sql}"))
        })
    }

    /// Replaces a row's draft.
    ///
    /// # Errors
    /// When there is no such row.
    pub fn replace_draft(&self, n: u64, draft: &str) -> Result<(), RunError> {
        let row = self.find_row(n)?;
        let mut row = row.ok_or_else(|| self.damaged_error(&format!("row {n} is missing")))?;
        row.draft = Some(draft.to_owned());
        self.execute(
            "UPDATE row SET draft = ?, sum = ? WHERE n = ?",
            params![row.draft, row_checksum(&row), n.cast_signed()],
        )
    }

    /// The rows after number `after`, in order, at most `limit`.
    pub fn rows_after(&self, after: u64, limit: usize) -> Result<Vec<StoredRow>, RunError> {
        let read = |row: &Row<'_>| {
            let judged = StoredRow {
                n: row.get::<_, i64>(0)?.cast_unsigned(),
                line: row.get::<_, i64>(1)?.cast_unsigned(),
                place: row.get(2)?,
                cells: row.get(3)?,
                draft: row.get(4)?,
            };
            Ok((judged, row.get::<_, Vec<u8>>(5)?))
        };
        let sql =
            "SELECT n, line, place, cells, draft, sum FROM row WHERE n > ? ORDER BY n LIMIT ?";
        let found = self.query_all(sql, params![after.cast_signed(), sql_limit(limit)], read)?;
        let check = |(row, sum): (StoredRow, Vec<u8>)| {
            let sound = row_checksum(&row) == sum[..];
            let wrong = || self.damaged_error(&format!("the checksum of row {} is wrong", row.n));
            if sound { Ok(row) } else { Err(wrong()) }
        };
        found.into_iter().map(check).collect()
    }

    /// One row.
    pub fn find_row(&self, n: u64) -> Result<Option<StoredRow>, RunError> {
        let found = self.rows_after(n.saturating_sub(1), 1)?;
        Ok(found.into_iter().next().filter(|row| row.n == n))
    }

    /// The number of rows.
    pub fn row_count(&self) -> Result<u64, RunError> {
        self.query_number("SELECT count(*) FROM row")
    }

    /// The largest number of cells in a row.
    pub fn max_cell_count(&self) -> Result<usize, RunError> {
        let widest =
            self.query_number("SELECT coalesce(max(json_array_length(cells)), 0) FROM row")?;
        Ok(usize::try_from(widest).unwrap_or(usize::MAX))
    }

    /// The number of the last row; 0 if there is none.
    pub fn last_row_number(&self) -> Result<u64, RunError> {
        self.query_number("SELECT coalesce(max(n), 0) FROM row")
    }

    /// Stores the decision about a row.
    pub fn put_decision(&self, n: u64, decision: &RowDecision) -> Result<(), RunError> {
        let it = decision;
        self.execute(
            "INSERT OR REPLACE INTO decision VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                n.cast_signed(),
                it.action.name(),
                it.contact,
                it.merged_into.map(u64::cast_signed),
                it.changes,
                it.rejections_json(),
                it.reason,
                decision_checksum(n, it)
            ],
        )
    }

    /// The decisions about the rows after number `after`, in order, at most `limit`.
    pub fn decisions_after(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, RowDecision)>, RunError> {
        let read = |row: &Row<'_>| {
            let action = RowAction::from_name(row.get_ref(1)?.as_str()?);
            let rejections = row.get::<_, Option<String>>(5)?.unwrap_or_else(|| "[]".to_owned());
            let rejections = serde_json::from_str(&rejections).ok();
            let known = action.is_some() && rejections.is_some();
            let decision = RowDecision {
                action: action.unwrap_or_default(),
                contact: row.get(2)?,
                merged_into: row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
                changes: row.get(4)?,
                rejections: rejections.unwrap_or_default(),
                reason: row.get(6)?,
            };
            let sum = row.get::<_, Vec<u8>>(7)?;
            Ok((row.get::<_, i64>(0)?.cast_unsigned(), known.then_some(decision), sum))
        };
        let sql =
            "SELECT n, action, contact, merged_into, changes, rejections, reason, sum FROM decision
                   WHERE n > ? ORDER BY n LIMIT ?";
        let found = self.query_all(sql, params![after.cast_signed(), sql_limit(limit)], read)?;
        let check = |(n, decision, sum): (u64, Option<RowDecision>, Vec<u8>)| {
            let sound = decision.filter(|decision| decision_checksum(n, decision) == sum[..]);
            sound.map(|decision| (n, decision)).ok_or_else(|| {
                self.damaged_error(&format!("the checksum of the decision on row {n} is wrong"))
            })
        };
        found.into_iter().map(check).collect()
    }

    /// The decision about a row.
    pub fn find_decision(&self, n: u64) -> Result<Option<RowDecision>, RunError> {
        let found = self.decisions_after(n.saturating_sub(1), 1)?;
        Ok(found.into_iter().next().filter(|(found, _)| *found == n).map(|(_, decision)| decision))
    }

    fn execute_batch(&self, sql: &str) -> Result<(), RunError> {
        self.connection
            .execute_batch(sql)
            .map_err(|source| RunError::from_sqlite(&self.path, source))
    }

    fn execute(&self, sql: &str, with: impl rusqlite::Params) -> Result<(), RunError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(with))
            .map(drop)
            .map_err(|source| RunError::from_sqlite(&self.path, source))
    }

    fn query_number(&self, sql: &str) -> Result<u64, RunError> {
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let value: i64 = self.connection.query_row(sql, [], |row| row.get(0)).map_err(fail)?;
        Ok(value.cast_unsigned())
    }

    fn query_all<T>(
        &self,
        sql: &str,
        with: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, RunError> {
        let found = || {
            self.connection.prepare_cached(sql)?.query_map(with, read)?.collect::<Result<_, _>>()
        };
        found().map_err(|source| RunError::from_sqlite(&self.path, source))
    }

    fn damaged_error(&self, why: &str) -> RunError {
        RunError::damaged(&self.path, why)
    }
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn row_checksum(row: &StoredRow) -> [u8; 8] {
    let draft = db::optional_text(row.draft.as_deref());
    let (n, line) = (row.n.to_le_bytes(), row.line.to_le_bytes());
    db::checksum(&[&n, &line, row.place.as_bytes(), row.cells.as_bytes(), &draft])
}

fn decision_checksum(n: u64, decision: &RowDecision) -> [u8; 8] {
    let rejections = decision.rejections_json();
    let texts = [
        decision.contact.as_deref(),
        decision.changes.as_deref(),
        rejections.as_deref(),
        decision.reason.as_deref(),
    ];
    let texts = texts.map(db::optional_text);
    let [contact, changes, rejections, reason] = texts.each_ref().map(Vec::as_slice);
    let (n, leader) = (n.to_le_bytes(), db::optional_number(decision.merged_into));
    let action = decision.action.name().as_bytes();
    db::checksum(&[&n, action, contact, &leader, changes, rejections, reason])
}
