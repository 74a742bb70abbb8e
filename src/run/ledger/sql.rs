//! The ledger's tables, and the checks on their rows.
//!
//! `op` holds what was planned and never changes. `standing` holds where an op stands and how many
//! attempts it has had; an op without a row there is pending. `attempt` holds the intents and what came
//! of them. The count in `standing` and the numbers in `attempt` vouch for each other, so that a row
//! that went missing shows itself before anything is sent.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::db;
use super::super::error::RunError;
use super::{AttemptRecord, OpRecord, OpState, OutcomeRecord};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS op (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, row INTEGER NOT NULL, step INTEGER NOT NULL,
    lane INTEGER NOT NULL, class TEXT NOT NULL, bulk INTEGER NOT NULL, contact TEXT,
    body TEXT NOT NULL, sum BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS standing (
    op INTEGER PRIMARY KEY, state TEXT NOT NULL, attempts INTEGER NOT NULL, made TEXT, said TEXT,
    sum BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS attempt (
    op INTEGER NOT NULL, id INTEGER NOT NULL, at_ms INTEGER NOT NULL, line TEXT NOT NULL,
    body_sum TEXT NOT NULL, reference TEXT, state TEXT, how TEXT, status INTEGER, trace_id TEXT,
    made TEXT, said TEXT, sum BLOB NOT NULL,
    PRIMARY KEY (op, id)
) WITHOUT ROWID;
";

const INDEXES: &str = "
CREATE INDEX IF NOT EXISTS op_lane ON op (lane, bulk);
CREATE INDEX IF NOT EXISTS op_row ON op (row);
CREATE INDEX IF NOT EXISTS op_bulk ON op (id) WHERE bulk;
";

/// The columns of an op with its standing, as [`read_op`] reads them.
pub(super) const OP: &str = "o.id, o.key, o.row, o.step, o.lane, o.class, o.bulk, o.contact, o.body, \
     o.sum, s.state, s.attempts, s.made, s.said, s.sum \
     FROM op o LEFT JOIN standing s ON s.op = o.id";

/// Makes the tables where they are missing.
pub(super) fn create_tables(path: &Path, connection: &Connection) -> Result<(), RunError> {
    connection.execute_batch(TABLES).map_err(|source| RunError::from_sqlite(path, source))
}

/// Makes the indexes where they are missing.
fn create_indexes(path: &Path, connection: &Connection) -> Result<(), RunError> {
    connection.execute_batch(INDEXES).map_err(|source| RunError::from_sqlite(path, source))
}

/// Makes the indexes anew: an index has no checksums, and one that is damaged would hide ops.
pub(super) fn rebuild_indexes(path: &Path, connection: &Connection) -> Result<(), RunError> {
    create_indexes(path, connection)?;
    connection
        .execute_batch("REINDEX op_lane; REINDEX op_row; REINDEX op_bulk;")
        .map_err(|source| RunError::from_sqlite(path, source))
}

/// Stores a plan's ops, all or none, in the place of those of an earlier plan that was never carried out:
/// a process may have died between storing them and saying so. Other writers of this database wait until
/// it is done.
///
/// # Errors
/// When they cannot be stored, or anything of the plan that is there was sent.
pub fn store_ops<E: From<RunError>>(
    db: &Path,
    ops: impl Iterator<Item = Result<OpRecord, E>>,
) -> Result<(), E> {
    let fail = |source| RunError::from_sqlite(db, source);
    let mut connection = db::open_durable(db)?;
    create_tables(db, &connection)?;
    let transaction = connection.transaction().map_err(fail)?;
    delete_unsent_ops(db, &transaction)?;
    for op in ops {
        let op = op?;
        let sum = op_checksum(&op);
        transaction
            .prepare_cached("INSERT INTO op VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .and_then(|mut insert| {
                insert.execute(params![
                    to_sql_integer(op.id),
                    op.key,
                    to_sql_integer(op.row),
                    op.step,
                    to_sql_integer(op.lane),
                    op.class,
                    op.bulk,
                    op.contact,
                    op.body,
                    sum
                ])
            })
            .map_err(fail)?;
        if op.state != OpState::Pending || op.made.is_some() || op.said.is_some() {
            let standing =
                OpStatusRow { state: op.state, attempts: 0, made: op.made, said: op.said };
            standing.write(&transaction, op.id).map_err(fail)?;
        }
    }
    create_indexes(db, &transaction)?;
    Ok(transaction.commit().map_err(fail)?)
}

fn delete_unsent_ops(path: &Path, connection: &Connection) -> Result<(), RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let sent: Option<i64> = connection
        .query_row("SELECT op FROM attempt LIMIT 1", [], |row| row.get(0))
        .optional()
        .map_err(fail)?;
    match sent {
        Some(op) => Err(RunError::Misuse {
            op: from_sql_integer(op),
            why: "it was sent by an earlier plan",
        }),
        None => connection.execute_batch("DELETE FROM op; DELETE FROM standing;").map_err(fail),
    }
}

/// Looks at the ops that stand like this, in no order: by these a later run knows what it need not do
/// again. A run without a ledger has none.
///
/// # Errors
/// When the database cannot be read or is damaged.
pub fn for_each_op_in_state(
    db: &Path,
    states: &[OpState],
    mut look: impl FnMut(OpRecord),
) -> Result<(), RunError> {
    let fail = |source| RunError::from_sqlite(db, source);
    let connection = db::open(db)?;
    if !connection.table_exists(None, "op").map_err(fail)? {
        return Ok(());
    }
    let mut query = connection.prepare(&format!("SELECT {OP}")).map_err(fail)?;
    let mut rows = query.query([]).map_err(fail)?;
    while let Some(row) = rows.next().map_err(fail)? {
        let (op, _) = read_op(db, row)?;
        if states.contains(&op.state) {
            look(op);
        }
    }
    Ok(())
}

/// Where an op stands.
#[derive(Debug, Clone)]
pub(super) struct OpStatusRow {
    pub(super) state: OpState,
    pub(super) attempts: u64,
    pub(super) made: Option<String>,
    pub(super) said: Option<String>,
}

impl OpStatusRow {
    pub(super) fn write(&self, to: &Connection, op: u64) -> rusqlite::Result<()> {
        let Self { state, attempts, made, said } = self;
        to.prepare_cached("INSERT OR REPLACE INTO standing VALUES (?, ?, ?, ?, ?, ?)")?
            .execute(params![
                to_sql_integer(op),
                state.name(),
                to_sql_integer(*attempts),
                made,
                said,
                self.checksum(op)
            ])
            .map(drop)
    }

    fn checksum(&self, op: u64) -> [u8; 8] {
        db::checksum(&[
            &op.to_le_bytes(),
            self.state.name().as_bytes(),
            &self.attempts.to_le_bytes(),
            &encode_optional(self.made.as_deref()),
            &encode_optional(self.said.as_deref()),
        ])
    }
}

/// Reads a row of [`OP`]: the op, and how many attempts it has had.
pub(super) fn read_op(path: &Path, row: &Row<'_>) -> Result<(OpRecord, u64), RunError> {
    let read = || -> rusqlite::Result<(OpRecord, Vec<u8>)> {
        let op = OpRecord {
            id: from_sql_integer(row.get(0)?),
            key: row.get(1)?,
            row: from_sql_integer(row.get(2)?),
            step: row.get(3)?,
            lane: from_sql_integer(row.get(4)?),
            class: row.get(5)?,
            bulk: row.get(6)?,
            contact: row.get(7)?,
            body: row.get(8)?,
            state: OpState::Pending,
            made: None,
            said: None,
        };
        Ok((op, row.get(9)?))
    };
    let (mut op, sum) = read().map_err(|source| RunError::from_sqlite(path, source))?;
    if op_checksum(&op) != sum[..] {
        return Err(damaged_op_error(path, "plan", op.id));
    }
    let Some(standing) = read_op_status(path, row, op.id)? else { return Ok((op, 0)) };
    (op.state, op.made, op.said) = (standing.state, standing.made, standing.said);
    Ok((op, standing.attempts))
}

fn read_op_status(path: &Path, row: &Row<'_>, op: u64) -> Result<Option<OpStatusRow>, RunError> {
    let read = || -> rusqlite::Result<Option<(Option<OpStatusRow>, Vec<u8>)>> {
        let Some(state) = row.get::<_, Option<String>>(10)? else { return Ok(None) };
        let (attempts, made, said) = (from_sql_integer(row.get(11)?), row.get(12)?, row.get(13)?);
        let standing =
            OpState::from_name(&state).map(|state| OpStatusRow { state, attempts, made, said });
        Ok(Some((standing, row.get(14)?)))
    };
    match read().map_err(|source| RunError::from_sqlite(path, source))? {
        None => Ok(None),
        Some((Some(standing), sum)) if standing.checksum(op) == sum[..] => Ok(Some(standing)),
        Some(_) => Err(damaged_op_error(path, "standing", op)),
    }
}

/// The columns of an attempt, as [`read_attempt`] reads them.
pub(super) const ATTEMPT: &str = "op, id, at_ms, line, body_sum, reference, state, how, status, \
     trace_id, made, said, sum FROM attempt";

/// Reads a row of [`ATTEMPT`].
pub(super) fn read_attempt(path: &Path, row: &Row<'_>) -> Result<AttemptRecord, RunError> {
    let read = || -> rusqlite::Result<(AttemptRecord, Vec<u8>, bool)> {
        let mut attempt = AttemptRecord {
            op: from_sql_integer(row.get(0)?),
            id: from_sql_integer(row.get(1)?),
            at_ms: row.get(2)?,
            line: row.get(3)?,
            body_sum: row.get(4)?,
            reference: row.get(5)?,
            outcome: None,
        };
        let state: Option<String> = row.get(6)?;
        let known = state.as_deref().map(OpState::from_name);
        if let Some(Some(state)) = known {
            attempt.outcome = Some(OutcomeRecord {
                state,
                how: row.get(7)?,
                status: row.get(8)?,
                trace_id: row.get(9)?,
                made: row.get(10)?,
                said: row.get(11)?,
            });
        }
        Ok((attempt, row.get(12)?, known == Some(None)))
    };
    let (attempt, sum, unknown) = read().map_err(|source| RunError::from_sqlite(path, source))?;
    if unknown || attempt_checksum(&attempt) != sum[..] {
        return Err(damaged_op_error(path, "attempt", attempt.op));
    }
    Ok(attempt)
}

/// Writes an attempt, in the place of what was known of it before.
pub(super) fn write_attempt(
    to: &Connection,
    attempt: &AttemptRecord,
    new: bool,
) -> rusqlite::Result<()> {
    let a = attempt;
    let o = a.outcome.as_ref();
    let verb = if new { "INSERT" } else { "REPLACE" };
    to.prepare_cached(&format!(
        "{verb} INTO attempt VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ))?
    .execute(params![
        to_sql_integer(a.op),
        to_sql_integer(a.id),
        a.at_ms,
        a.line,
        a.body_sum,
        a.reference,
        o.map(|o| o.state.name()),
        o.map(|o| &o.how),
        o.and_then(|o| o.status),
        o.and_then(|o| o.trace_id.as_ref()),
        o.and_then(|o| o.made.as_ref()),
        o.and_then(|o| o.said.as_ref()),
        attempt_checksum(a)
    ])
    .map(drop)
}

/// An error about a row whose checksum is wrong or whose words are none of ours.
pub(super) fn damaged_op_error(path: &Path, what: &str, op: u64) -> RunError {
    RunError::damaged(path, format!("the {what} of op {op} is not what was stored"))
}

/// A number as SQLite keeps it.
pub(super) fn to_sql_integer(number: u64) -> i64 {
    number.cast_signed()
}

/// A number as SQLite has kept it.
pub(super) fn from_sql_integer(number: i64) -> u64 {
    number.cast_unsigned()
}

fn op_checksum(op: &OpRecord) -> [u8; 8] {
    db::checksum(&[
        &op.id.to_le_bytes(),
        op.key.as_bytes(),
        &op.row.to_le_bytes(),
        &op.step.to_le_bytes(),
        &op.lane.to_le_bytes(),
        op.class.as_bytes(),
        &[u8::from(op.bulk)],
        &encode_optional(op.contact.as_deref()),
        op.body.as_bytes(),
    ])
}

fn attempt_checksum(attempt: &AttemptRecord) -> [u8; 8] {
    db::checksum(&[format!("{attempt:?}").as_bytes()])
}

/// A text that may be missing, so that missing and empty differ.
fn encode_optional(text: Option<&str>) -> Vec<u8> {
    match text {
        None => Vec::new(),
        Some(text) => [b"=", text.as_bytes()].concat(),
    }
}
