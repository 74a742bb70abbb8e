//! The tables of the ledger, and the checks on their rows.
//!
//! `op` contains the plan and never changes. `standing` contains the state of each op and its number
//! of attempts. `attempt` contains the intents and their outcomes. The count in `standing` and the
//! numbers in `attempt` confirm each other, so that a missing row is detected before anything is sent.
//! `intent_mark` says where the intent log ends.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::db;
use super::super::error::RunError;
use super::{AttemptRecord, IdempotencyClass, OpRecord, OpState, OutcomeRecord, SettledBy};
use crate::id::ContactId;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS op (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, row INTEGER NOT NULL, step INTEGER NOT NULL,
    lane INTEGER NOT NULL, class TEXT NOT NULL, bulk INTEGER NOT NULL, contact TEXT,
    body TEXT NOT NULL, sum BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS standing (
    op INTEGER PRIMARY KEY, state TEXT NOT NULL, attempts INTEGER NOT NULL, made TEXT, details TEXT,
    sum BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS attempt (
    op INTEGER NOT NULL, id INTEGER NOT NULL, at_ms INTEGER NOT NULL, line TEXT NOT NULL,
    body_sum TEXT NOT NULL, reference TEXT, state TEXT, settled_by TEXT, status INTEGER, trace_id TEXT,
    made TEXT, details TEXT, sum BLOB NOT NULL,
    PRIMARY KEY (op, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intent_mark (
    id INTEGER PRIMARY KEY CHECK (id = 1), generation INTEGER NOT NULL, groups INTEGER NOT NULL,
    log_sum TEXT NOT NULL, last_group TEXT NOT NULL, sum BLOB NOT NULL
);
";

const INDEXES: &str = "
CREATE INDEX IF NOT EXISTS op_lane ON op (lane, bulk);
CREATE INDEX IF NOT EXISTS op_row ON op (row);
CREATE INDEX IF NOT EXISTS op_bulk ON op (id) WHERE bulk;
";

const CREATED_RECORDS_INDEX: &str =
    "CREATE INDEX IF NOT EXISTS standing_made ON standing (made) WHERE made IS NOT NULL;";

/// What creates every table and index of a ledger.
pub(in crate::run) const DEFINITIONS: [&str; 3] = [TABLES, INDEXES, CREATED_RECORDS_INDEX];

/// The columns of an op with its state, in the order of [`read_op`].
pub(super) const OP: &str = "o.id, o.key, o.row, o.step, o.lane, o.class, o.bulk, o.contact, o.body, \
     o.sum, s.state, s.attempts, s.made, s.details, s.sum \
     FROM op o LEFT JOIN standing s ON s.op = o.id";

/// Creates missing tables.
pub(super) fn create_tables(path: &Path, connection: &Connection) -> Result<(), RunError> {
    connection.execute_batch(TABLES).map_err(|source| RunError::from_sqlite(path, source))
}

/// Creates missing indexes.
fn create_indexes(path: &Path, connection: &Connection) -> Result<(), RunError> {
    connection.execute_batch(INDEXES).map_err(|source| RunError::from_sqlite(path, source))
}

/// Makes it fast to find which op has created a record: after a recovery, this is asked for every op.
pub(super) fn index_created_records(path: &Path, connection: &Connection) -> Result<(), RunError> {
    connection
        .execute_batch(CREATED_RECORDS_INDEX)
        .map_err(|source| RunError::from_sqlite(path, source))
}

/// Rebuilds the indexes: an index has no checksums, and a damaged one would hide ops.
pub(super) fn rebuild_indexes(path: &Path, connection: &Connection) -> Result<(), RunError> {
    create_indexes(path, connection)?;
    connection
        .execute_batch("REINDEX op; REINDEX standing;")
        .map_err(|source| RunError::from_sqlite(path, source))
}

/// Stores a plan's ops, all or none, replacing those of an earlier plan that was never applied: a
/// process may have died between storing them and recording that. Other writers of this database
/// wait until it is done.
///
/// # Errors
/// When they cannot be stored, or any stored op was sent.
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
                    to_sql_integer(op.serial_group),
                    op.class.letter(),
                    op.bulk,
                    op.contact.as_ref().map(ContactId::as_str),
                    op.body,
                    sum
                ])
            })
            .map_err(fail)?;
        // Also of a pending op: an op without a state has lost it.
        OpStatusRow { state: op.state, attempts: 0, made: op.made, details: op.details }
            .write(&transaction, op.id)
            .map_err(fail)?;
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

/// When a request was last sent that got no answer, from `since_ms` on. What a look-up has found applied cannot be
/// applied later.
pub(super) fn last_unanswered_send(
    path: &Path,
    connection: &Connection,
    since_ms: i64,
) -> Result<Option<i64>, RunError> {
    let unanswered = "state IS NULL OR (settled_by = ?2 AND state NOT IN (?3, ?4))";
    let query = format!("SELECT max(at_ms) FROM attempt WHERE at_ms >= ?1 AND ({unanswered})");
    let (applied, differs) = (OpState::Applied.name(), OpState::Differs.name());
    let last = connection.query_row(
        &query,
        params![since_ms, SettledBy::LookUp.name(), applied, differs],
        |row| row.get(0),
    );
    last.map_err(|source| RunError::from_sqlite(path, source))
}

/// The state of an op.
#[derive(Debug, Clone)]
pub(super) struct OpStatusRow {
    pub(super) state: OpState,
    pub(super) attempts: u64,
    pub(super) made: Option<String>,
    pub(super) details: Option<String>,
}

impl OpStatusRow {
    pub(super) fn write(&self, to: &Connection, op: u64) -> rusqlite::Result<()> {
        let Self { state, attempts, made, details } = self;
        to.prepare_cached("INSERT OR REPLACE INTO standing VALUES (?, ?, ?, ?, ?, ?)")?
            .execute(params![
                to_sql_integer(op),
                state.name(),
                to_sql_integer(*attempts),
                made,
                details,
                self.checksum(op)
            ])
            .map(drop)
    }

    fn checksum(&self, op: u64) -> [u8; 8] {
        db::checksum(&[
            &op.to_le_bytes(),
            self.state.name().as_bytes(),
            &self.attempts.to_le_bytes(),
            &db::optional_text(self.made.as_deref()),
            &db::optional_text(self.details.as_deref()),
        ])
    }
}

/// Reads a row of [`OP`]: the op, and its number of attempts.
pub(super) fn read_op(path: &Path, row: &Row<'_>) -> Result<(OpRecord, u64), RunError> {
    let read = || -> rusqlite::Result<(OpRecord, Vec<u8>, bool)> {
        let class = IdempotencyClass::from_letter(row.get_ref(5)?.as_str()?);
        let contact = row.get_ref(7)?.as_str_or_null()?.map(str::parse);
        let sound = class.is_some() && !matches!(contact, Some(Err(_)));
        let op = OpRecord {
            id: from_sql_integer(row.get(0)?),
            key: row.get(1)?,
            row: from_sql_integer(row.get(2)?),
            step: row.get(3)?,
            serial_group: from_sql_integer(row.get(4)?),
            class: class.unwrap_or(IdempotencyClass::Once),
            bulk: row.get(6)?,
            contact: contact.and_then(Result::ok),
            body: row.get(8)?,
            state: OpState::Pending,
            made: None,
            details: None,
        };
        Ok((op, row.get(9)?, sound))
    };
    let (mut op, sum, sound) = read().map_err(|source| RunError::from_sqlite(path, source))?;
    if !sound || op_checksum(&op) != sum[..] {
        return Err(damaged_op_error(path, "plan", op.id));
    }
    let Some(standing) = read_op_status(path, row, op.id)? else { return Ok((op, 0)) };
    (op.state, op.made, op.details) = (standing.state, standing.made, standing.details);
    Ok((op, standing.attempts))
}

fn read_op_status(path: &Path, row: &Row<'_>, op: u64) -> Result<Option<OpStatusRow>, RunError> {
    let read = || -> rusqlite::Result<Option<(Option<OpStatusRow>, Vec<u8>)>> {
        let Some(state) = row.get::<_, Option<String>>(10)? else { return Ok(None) };
        let (attempts, made, details) =
            (from_sql_integer(row.get(11)?), row.get(12)?, row.get(13)?);
        let standing =
            OpState::from_name(&state).map(|state| OpStatusRow { state, attempts, made, details });
        Ok(Some((standing, row.get(14)?)))
    };
    match read().map_err(|source| RunError::from_sqlite(path, source))? {
        None => Ok(None),
        Some((Some(standing), sum)) if standing.checksum(op) == sum[..] => Ok(Some(standing)),
        Some(_) => Err(damaged_op_error(path, "standing", op)),
    }
}

/// The columns of an attempt, in the order of [`read_attempt`].
pub(super) const ATTEMPT: &str = "op, id, at_ms, line, body_sum, reference, state, settled_by, status, \
     trace_id, made, details, sum FROM attempt";

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
        let (state, settled_by): (Option<String>, Option<String>) = (row.get(6)?, row.get(7)?);
        let words = state.zip(settled_by);
        let known = words.as_ref().map(|(state, settled_by)| {
            OpState::from_name(state).zip(SettledBy::from_name(settled_by))
        });
        if let Some(Some((state, settled_by))) = known {
            attempt.outcome = Some(OutcomeRecord {
                state,
                settled_by,
                status: row.get(8)?,
                trace_id: row.get(9)?,
                made: row.get(10)?,
                details: row.get(11)?,
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

/// Writes an attempt, replacing an earlier version.
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
        o.map(|o| o.settled_by.name()),
        o.and_then(|o| o.status),
        o.and_then(|o| o.trace_id.as_ref()),
        o.and_then(|o| o.made.as_ref()),
        o.and_then(|o| o.details.as_ref()),
        attempt_checksum(a)
    ])
    .map(drop)
}

/// The error for a row whose checksum is wrong or that has unknown words.
pub(super) fn damaged_op_error(path: &Path, what: &str, op: u64) -> RunError {
    RunError::damaged(path, format!("the {what} of op {op} is not what was stored"))
}

/// Converts a number to SQLite's integer.
pub(super) fn to_sql_integer(number: u64) -> i64 {
    number.cast_signed()
}

/// Converts SQLite's integer to a number.
pub(super) fn from_sql_integer(number: i64) -> u64 {
    number.cast_unsigned()
}

fn op_checksum(op: &OpRecord) -> [u8; 8] {
    db::checksum(&[
        &op.id.to_le_bytes(),
        op.key.as_bytes(),
        &op.row.to_le_bytes(),
        &op.step.to_le_bytes(),
        &op.serial_group.to_le_bytes(),
        op.class.letter().as_bytes(),
        &[u8::from(op.bulk)],
        &db::optional_text(op.contact.as_ref().map(ContactId::as_str)),
        op.body.as_bytes(),
    ])
}

fn attempt_checksum(attempt: &AttemptRecord) -> [u8; 8] {
    let outcome = attempt.outcome.as_ref();
    let text = |text: Option<&String>| db::optional_text(text.map(String::as_str));
    db::checksum(&[
        &attempt.op.to_le_bytes(),
        &attempt.id.to_le_bytes(),
        &attempt.at_ms.to_le_bytes(),
        attempt.line.as_bytes(),
        attempt.body_sum.as_bytes(),
        &text(attempt.reference.as_ref()),
        &db::optional_text(outcome.map(|it| it.state.name())),
        &db::optional_text(outcome.map(|it| it.settled_by.name())),
        &db::optional_number(outcome.and_then(|it| it.status).map(u64::from)),
        &text(outcome.and_then(|it| it.trace_id.as_ref())),
        &text(outcome.and_then(|it| it.made.as_ref())),
        &text(outcome.and_then(|it| it.details.as_ref())),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run that was written before a rename must be sound after it.
    #[test]
    fn the_checksum_of_an_attempt_is_that_of_every_run_of_this_format() {
        let outcome = OutcomeRecord {
            state: OpState::Applied,
            settled_by: SettledBy::LookUp,
            status: Some(201),
            trace_id: Some("t".to_owned()),
            made: Some("c".to_owned()),
            details: None,
        };
        let attempt = AttemptRecord {
            id: 2,
            op: 7,
            at_ms: 1_700_000_000_000,
            line: "POST /contacts/".to_owned(),
            body_sum: "00".to_owned(),
            reference: None,
            outcome: Some(outcome),
        };
        assert_eq!(attempt_checksum(&attempt), [145, 167, 194, 176, 10, 31, 184, 212]);
    }
}
