//! Receipts: what earlier runs did, so that importing a file again applies nothing twice.
//!
//! A run of version 0.1.0 cannot be resumed or shown, but its ops are stored in the same form, and only
//! there it is recorded which notes and tasks it wrote. So both formats are read here.

use std::path::Path;

use rusqlite::Connection;

use super::super::db::{self, FORMAT};
use super::super::error::RunError;
use super::super::import_store::{RowMark, RowValueKind};
use super::super::plan_contents::{PlanPart, check_plan_contents};
use super::sql::{self, OP, from_sql_integer, read_op, to_sql_integer};
use super::{OpRecord, OpState};

/// Calls a function with all ops in these states, in no order: a later run uses them to skip what has
/// been done. A run without a ledger has none.
///
/// # Errors
/// When the database cannot be read or is damaged, and the errors of `look`.
pub fn for_each_op_in_state(
    db: &Path,
    states: &[OpState],
    mut look: impl FnMut(OpRecord) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let fail = |source| RunError::from_sqlite(db, source);
    let (connection, format) = db::open_receipt(db)?;
    if !connection.table_exists(None, "op").map_err(fail)? {
        return Ok(());
    }
    if format == FORMAT {
        check_plan_contents(db, &connection, &[PlanPart::Ops])?;
    }
    let mut query = connection.prepare(&format!("SELECT {}", op_columns(format))).map_err(fail)?;
    let mut rows = query.query([]).map_err(fail)?;
    while let Some(row) = rows.next().map_err(fail)? {
        let (op, _) = read_op(db, row)?;
        if states.contains(&op.state) {
            look(op)?;
        }
    }
    Ok(())
}

/// When a run last sent a request that got no answer and may still be applied, from `since_ms` on, in milliseconds since
/// 1970.
///
/// # Errors
/// When the database cannot be read.
pub fn last_unanswered_send(db: &Path, since_ms: i64) -> Result<Option<i64>, RunError> {
    let (connection, format) = db::open_receipt(db)?;
    let has_attempts = connection.table_exists(None, "attempt");
    if format != FORMAT || !has_attempts.map_err(|source| RunError::from_sqlite(db, source))? {
        return Ok(None);
    }
    sql::last_unanswered_send(db, &connection, since_ms)
}

/// The stable keys of the ops that an undo reverted completely.
///
/// # Errors
/// When the database cannot be read or is damaged.
pub fn reverted_op_keys(db: &Path) -> Result<Vec<String>, RunError> {
    let fail = |source| RunError::from_sqlite(db, source);
    let (connection, format) = db::open_receipt(db)?;
    let (table, kind) = match format {
        FORMAT => (RowMark::TABLE, RowMark::RevertedOp.name()),
        _ => ("identity", "undone"),
    };
    for table in [table, "op"] {
        if !connection.table_exists(None, table).map_err(fail)? {
            return Ok(Vec::new());
        }
    }
    if format == FORMAT {
        check_plan_contents(db, &connection, &[PlanPart::Marks, PlanPart::Ops])?;
    }
    let sql = format!("SELECT value, n FROM {table} WHERE kind = ?");
    let mut query = connection.prepare(&sql).map_err(fail)?;
    let marks = query
        .query_map([kind], |row| Ok((row.get(0)?, from_sql_integer(row.get(1)?))))
        .and_then(Iterator::collect::<rusqlite::Result<Vec<(String, u64)>>>)
        .map_err(fail)?;
    let mut keys = Vec::new();
    for (key, op) in marks {
        let state = load_op(db, &connection, format, op)?.state;
        if matches!(state, OpState::Applied | OpState::Differs) {
            keys.push(key);
        }
    }
    Ok(keys)
}

fn load_op(
    path: &Path,
    connection: &Connection,
    format: i64,
    id: u64,
) -> Result<OpRecord, RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let sql = format!("SELECT {} WHERE o.id = ?", op_columns(format));
    let mut query = connection.prepare_cached(&sql).map_err(fail)?;
    let mut rows = query.query([to_sql_integer(id)]).map_err(fail)?;
    match rows.next().map_err(fail)? {
        Some(row) => Ok(read_op(path, row)?.0),
        None => Err(RunError::damaged(path, format!("op {id} is missing"))),
    }
}

/// The columns of [`OP`]; version 0.1.0 had another name for one of them.
fn op_columns(format: i64) -> String {
    if format == FORMAT { OP.to_owned() } else { OP.replace("s.details", "s.said") }
}
