//! Reads the ledger: for resumed imports and for result files.
//!
//! Every reader has its own connection and sees what is committed. Everything read is checked; a
//! mismatch is reported as damage and never used as data. References to created records are
//! resolved on the way.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Params, params};

use super::super::db;
use super::super::error::RunError;
use super::created_reference::resolve_references;
use super::sql::{self, ATTEMPT, OP, damaged_op_error, from_sql_integer, to_sql_integer};
use super::{AttemptRecord, OpRecord, OpState};
use crate::id::ContactId;

/// Ops that still have to be sent or looked up.
const OPEN: &str = "coalesce(s.state, 'pending') IN ('pending', 'sent')";

/// The read side: any number of readers, each with its own connection. Its methods block.
#[derive(Debug)]
pub struct LedgerReader {
    path: PathBuf,
    connection: Connection,
}

impl LedgerReader {
    /// Opens a ledger for reading; creates it if necessary.
    pub fn open(db: &Path) -> Result<Self, RunError> {
        let connection = db::open(db)?;
        sql::create_tables(db, &connection)?;
        Ok(Self { path: db.to_owned(), connection })
    }

    /// The serial groups after `after`, ascending, with an op that has to be sent alone or looked
    /// up.
    pub fn unfinished_serial_groups(&self, after: u64, limit: usize) -> Result<Vec<u64>, RunError> {
        let query = format!(
            "SELECT DISTINCT o.lane FROM op o LEFT JOIN standing s ON s.op = o.id
             WHERE o.lane > ? AND NOT o.bulk AND {OPEN} ORDER BY o.lane LIMIT ?"
        );
        self.query_numbers(
            &query,
            [to_sql_integer(after), i64::try_from(limit).unwrap_or(i64::MAX)],
        )
    }

    /// All ops of a serial group, including bulk ones, in the order of their numbers and in any
    /// state.
    pub fn ops_in_serial_group(&self, serial_group: u64) -> Result<Vec<OpRecord>, RunError> {
        let ops =
            self.query_ops("WHERE o.lane = ? ORDER BY o.id", [to_sql_integer(serial_group)])?;
        self.check_all_match(ops, |op| op.serial_group == serial_group)
    }

    /// The bulk ops after `after` that still have to be sent or looked up.
    pub fn unfinished_bulk_ops(&self, after: u64, limit: usize) -> Result<Vec<OpRecord>, RunError> {
        let rest = format!("WHERE o.bulk AND o.id > ? AND {OPEN} ORDER BY o.id LIMIT ?");
        self.query_ops(&rest, [to_sql_integer(after), i64::try_from(limit).unwrap_or(i64::MAX)])
    }

    /// The ops after `after` that were not sent, or are known not to have been applied.
    pub fn pending_ops(&self, after: u64, limit: usize) -> Result<Vec<OpRecord>, RunError> {
        let rest =
            "WHERE o.id > ? AND coalesce(s.state, 'pending') = 'pending' ORDER BY o.id LIMIT ?";
        self.query_ops(rest, [to_sql_integer(after), i64::try_from(limit).unwrap_or(i64::MAX)])
    }

    /// One op.
    ///
    /// # Errors
    /// When it does not exist, or is damaged.
    pub fn load_op(&self, id: u64) -> Result<OpRecord, RunError> {
        let op = self.query_ops("WHERE o.id = ?", [to_sql_integer(id)])?.pop();
        op.ok_or_else(|| RunError::damaged(&self.path, format!("op {id} is missing")))
    }

    /// The ops of a row, in order.
    pub fn ops_of_row(&self, row: u64) -> Result<Vec<OpRecord>, RunError> {
        let ops = self.query_ops("WHERE o.row = ? ORDER BY o.step, o.id", [to_sql_integer(row)])?;
        self.check_all_match(ops, |op| op.row == row)
    }

    /// Calls `f` with every op, in the order of their numbers.
    ///
    /// # Errors
    /// When what is stored is damaged, and the errors of `f`.
    pub fn for_each_op(
        &self,
        mut f: impl FnMut(OpRecord) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        self.for_each_row(&format!("SELECT {OP} ORDER BY o.id"), [], |row| f(self.read_op(row)?))
    }

    /// The attempts of an op, in order.
    pub fn load_attempts(&self, op: u64) -> Result<Vec<AttemptRecord>, RunError> {
        let mut attempts = Vec::new();
        let query = format!("SELECT {ATTEMPT} WHERE op = ? ORDER BY id");
        self.for_each_row(&query, [to_sql_integer(op)], |row| {
            attempts.push(sql::read_attempt(&self.path, row)?);
            Ok(())
        })?;
        let query = "SELECT attempts FROM standing WHERE op = ?";
        let recorded = self.query_numbers(query, [to_sql_integer(op)])?.pop().unwrap_or(0);
        if recorded != attempts.len() as u64 {
            return Err(damaged_op_error(&self.path, "standing", op));
        }
        Ok(attempts)
    }

    /// The last attempt of an op.
    pub fn last_attempt(&self, op: u64) -> Result<Option<AttemptRecord>, RunError> {
        Ok(self.load_attempts(op)?.pop())
    }

    /// The contact that a row's first op has created or found.
    pub fn contact_id_of_row(&self, row: u64) -> Result<Option<ContactId>, RunError> {
        let ops = self.ops_of_row(row)?;
        let done =
            |op: &OpRecord| op.step == 0 && matches!(op.state, OpState::Applied | OpState::Differs);
        let Some(op) =
            ops.into_iter().filter(done).find(|op| op.made.is_some() || op.contact.is_some())
        else {
            return Ok(None);
        };
        match op.made.as_deref().map(str::parse) {
            Some(Ok(made)) => Ok(Some(made)),
            Some(Err(_)) => Err(damaged_op_error(&self.path, "contact", op.id)),
            None => Ok(op.contact),
        }
    }

    /// Whether another op than this one has created a record.
    pub fn is_made_by_other_op(&self, made: &str, op: u64) -> Result<bool, RunError> {
        let query = "SELECT op FROM standing WHERE made = ?1 AND op <> ?2 LIMIT 1";
        Ok(!self.query_numbers(query, params![made, to_sql_integer(op)])?.is_empty())
    }

    /// The number of ops by state. States without ops are left out.
    pub fn count_by_state(&self) -> Result<BTreeMap<OpState, u64>, RunError> {
        let query = "SELECT coalesce(s.state, 'pending'), count(*)
                     FROM op o LEFT JOIN standing s ON s.op = o.id GROUP BY 1";
        let mut counts = BTreeMap::new();
        self.for_each_row(query, [], |row| {
            let read = || Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
            let (name, count) =
                read().map_err(|source| RunError::from_sqlite(&self.path, source))?;
            let state = OpState::from_name(&name)
                .ok_or_else(|| RunError::damaged(&self.path, "an op has an unknown state"))?;
            counts.insert(state, from_sql_integer(count));
            Ok(())
        })?;
        Ok(counts)
    }

    /// When an op was last sent, in milliseconds since 1970; `None` if none was.
    pub fn last_sent_at(&self) -> Result<Option<i64>, RunError> {
        let query = "SELECT max(at_ms) FROM attempt";
        let last = self.connection.query_row(query, [], |row| row.get(0));
        last.map_err(|source| RunError::from_sqlite(&self.path, source))
    }

    /// When a request was last sent that got no answer and may still be applied, from `since_ms` on, in milliseconds
    /// since 1970.
    pub fn last_unanswered_send(&self, since_ms: i64) -> Result<Option<i64>, RunError> {
        sql::last_unanswered_send(&self.path, &self.connection, since_ms)
    }

    /// The ops with more than one attempt, ascending.
    pub fn retried_op_ids(&self) -> Result<Vec<u64>, RunError> {
        self.query_numbers("SELECT op FROM attempt WHERE id = 2 ORDER BY op", [])
    }

    fn query_ops(&self, rest: &str, params: impl Params) -> Result<Vec<OpRecord>, RunError> {
        let mut ops = Vec::new();
        self.for_each_row(&format!("SELECT {OP} {rest}"), params, |row| {
            ops.push(self.read_op(row)?);
            Ok(())
        })?;
        Ok(ops)
    }

    /// Reads an op, with the ids of what other ops have created instead of references.
    fn read_op(&self, row: &rusqlite::Row<'_>) -> Result<OpRecord, RunError> {
        let mut op = sql::read_op(&self.path, row)?.0;
        if let Cow::Owned(body) = resolve_references(&op.body, |op| self.created_record(op))? {
            op.body = body;
        }
        Ok(op)
    }

    /// The id of what an op has created, if it has.
    pub fn created_record(&self, op: u64) -> Result<Option<String>, RunError> {
        let query = format!("SELECT {OP} WHERE o.id = ?");
        let mut found = None;
        self.for_each_row(&query, [to_sql_integer(op)], |row| {
            found = Some(sql::read_op(&self.path, row)?.0);
            Ok(())
        })?;
        let applied = found.filter(|op| matches!(op.state, OpState::Applied | OpState::Differs));
        Ok(applied.and_then(|op| op.made))
    }

    /// Checks that an index led to rows that match the query.
    fn check_all_match(
        &self,
        ops: Vec<OpRecord>,
        asked: impl Fn(&OpRecord) -> bool,
    ) -> Result<Vec<OpRecord>, RunError> {
        match ops.iter().find(|op| !asked(op)) {
            None => Ok(ops),
            Some(op) => Err(damaged_op_error(&self.path, "index entry", op.id)),
        }
    }

    fn query_numbers(&self, query: &str, params: impl Params) -> Result<Vec<u64>, RunError> {
        let mut numbers = Vec::new();
        self.for_each_row(query, params, |row| {
            let read = row.get(0).map(from_sql_integer);
            numbers.push(read.map_err(|source| RunError::from_sqlite(&self.path, source))?);
            Ok(())
        })?;
        Ok(numbers)
    }

    fn for_each_row(
        &self,
        query: &str,
        params: impl Params,
        mut f: impl FnMut(&rusqlite::Row<'_>) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let mut query = self.connection.prepare_cached(query).map_err(fail)?;
        let mut rows = query.query(params).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            f(row)?;
        }
        Ok(())
    }
}
