//! The writer of the ledger: one thread, one transaction after another.
//!
//! A transaction takes all queued commands. Senders wait for intents, so a group with intents is
//! committed immediately; outcomes alone wait for the next intents, for one second at most.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::super::db;
use super::super::error::RunError;
use super::intent_log::{IntentLog, LoggedIntent};
use super::lost_tail;
use super::sql::{self, ATTEMPT, OP, OpStatusRow, damaged_op_error, to_sql_integer};
use super::{
    AttemptHandle, AttemptOutcome, AttemptRecord, IdempotencyClass, Intent, OpRecord, OpState,
    OutcomeRecord,
};
use crate::failpoint::{self, FailPoint};

/// How long outcomes wait for other commands.
const OUTCOME_DELAY: Duration = Duration::from_millis(800);
/// The longest time that a few intents wait for more.
const MAX_INTENT_DELAY: Duration = Duration::from_millis(1);
/// From this many intents on, a transaction does not wait for more.
const FULL_BATCH: usize = 8;
/// Most commands in one transaction.
const MAX_BATCH: usize = 1024;

/// The reply to the sender of intents.
type IntentResult = Result<Vec<AttemptHandle>, RunError>;

/// A command for the writer.
#[derive(Debug)]
pub(super) enum LedgerCommand {
    Intend(Vec<Intent>, oneshot::Sender<IntentResult>),
    Settle(AttemptHandle, AttemptOutcome),
    Set(u64, AttemptOutcome),
    Flush(oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
}

/// A command with its permit for the queue.
#[derive(Debug)]
pub(super) struct QueuedCommand {
    pub(super) message: LedgerCommand,
    pub(super) permit: OwnedSemaphorePermit,
}

pub(super) struct LedgerWriter {
    path: PathBuf,
    connection: Connection,
    log: IntentLog,
    /// The number of the log.
    generation: u64,
    queue: Receiver<QueuedCommand>,
    /// How long a few intents wait for more: as long as a transaction takes, because longer waits
    /// would cost more than they save.
    intent_delay: Duration,
    /// The commands of the current transaction. If it fails, they are dropped, which notifies their
    /// senders.
    batch: Vec<LedgerCommand>,
}

impl LedgerWriter {
    pub(super) fn open(path: &Path, queue: Receiver<QueuedCommand>) -> Result<Self, RunError> {
        let connection = db::open_durable(path)?;
        sql::create_tables(path, &connection)?;
        let content = lost_tail::check_tail(path, &connection)?.into_content(path)?;
        sql::rebuild_indexes(path, &connection)?;
        check_consistency(path, &connection)?;
        let (log, generation) = lost_tail::open_log(path, &connection, &content)?;
        let (path, intent_delay, batch) = (path.to_owned(), Duration::ZERO, Vec::new());
        Ok(Self { path, connection, log, generation, queue, intent_delay, batch })
    }

    /// Runs until the ledger is closed, or all its clones are dropped.
    pub(super) fn run(&mut self) -> Result<(), RunError> {
        let mut closed = false;
        while !closed {
            self.collect_batch();
            if self.batch.is_empty() {
                return Ok(());
            }
            let begun = Instant::now();
            let results = self.commit_batch()?;
            self.intent_delay = begun.elapsed().min(MAX_INTENT_DELAY);
            closed = self.reply_to_senders(results);
        }
        Ok(())
    }

    /// Collects the commands of the next transaction; none if all senders are gone.
    fn collect_batch(&mut self) {
        let mut next = self.queue.recv().ok();
        let begun = Instant::now();
        let (mut intents, mut urgent) = (0, false);
        while let Some(QueuedCommand { message, permit }) = next {
            drop(permit);
            match &message {
                LedgerCommand::Intend(some, _) => intents += some.len(),
                LedgerCommand::Flush(_) | LedgerCommand::Close(_) => urgent = true,
                LedgerCommand::Settle(..) | LedgerCommand::Set(..) => {}
            }
            self.batch.push(message);
            let patience = match intents {
                _ if urgent || intents >= FULL_BATCH => Duration::ZERO,
                0 => OUTCOME_DELAY,
                _ => self.intent_delay,
            };
            let left = patience.saturating_sub(begun.elapsed());
            let full = self.batch.len() >= MAX_BATCH;
            next = if full { None } else { self.queue.recv_timeout(left).ok() };
        }
    }

    /// Commits the group in one transaction. Returns the results of its intents, in order.
    fn commit_batch(&mut self) -> Result<Vec<IntentResult>, RunError> {
        let Self { path, connection, batch, log, generation, .. } = self;
        let fail = |source| RunError::from_sqlite(path, source);
        let mut transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        let (mut results, mut settles, mut logged) = (Vec::new(), false, Vec::new());
        for message in batch {
            match message {
                LedgerCommand::Intend(intents, _) => {
                    let intents = std::mem::take(intents);
                    let result = insert_intents(path, &mut transaction, intents, &mut logged);
                    match result {
                        Err(error) if !matches!(error, RunError::Misuse { .. }) => {
                            return Err(error);
                        }
                        result => results.push(result),
                    }
                }
                LedgerCommand::Settle(attempt, settled) => {
                    settles = true;
                    write_outcome(path, &transaction, attempt, settled)?;
                }
                LedgerCommand::Set(op, settled) => {
                    settles = true;
                    write_op_state(path, &transaction, *op, settled)?;
                }
                LedgerCommand::Flush(_) | LedgerCommand::Close(_) => {}
            }
        }
        if settles {
            failpoint::kill_if_due(FailPoint::BeforeOutcome);
        }
        let group = (!logged.is_empty()).then(|| log.next_group(&logged));
        if let Some(group) = &group {
            lost_tail::write_group_mark(&transaction, *generation, group).map_err(fail)?;
        }
        transaction.commit().map_err(fail)?;
        if let Some(group) = &group {
            failpoint::kill_if_due(FailPoint::BeforeIntentLog);
            log.append(group)?;
            failpoint::kill_if_due(FailPoint::AfterIntent);
        }
        Ok(results)
    }

    /// Replies to the senders of the group. Returns whether one of them closed the ledger.
    fn reply_to_senders(&mut self, results: Vec<IntentResult>) -> bool {
        let (mut results, mut closed) = (results.into_iter(), false);
        for message in self.batch.drain(..) {
            // A sender that no longer waits does not need the reply.
            match message {
                LedgerCommand::Intend(_, done) => {
                    let result = results.next().expect("each has its result");
                    let _ = done.send(result);
                }
                LedgerCommand::Flush(done) => drop(done.send(())),
                LedgerCommand::Close(done) => {
                    closed = true;
                    let _ = done.send(());
                }
                LedgerCommand::Settle(..) | LedgerCommand::Set(..) => {}
            }
        }
        closed
    }
}

/// Stores intents, all or none, and adds them to what is logged.
fn insert_intents(
    path: &Path,
    to: &mut Transaction<'_>,
    intents: Vec<Intent>,
    logged: &mut Vec<LoggedIntent>,
) -> Result<Vec<AttemptHandle>, RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let to = to.savepoint().map_err(fail)?;
    let at_ms = jiff::Timestamp::now().as_millisecond();
    let attempts: Result<Vec<_>, RunError> =
        intents.into_iter().map(|intent| insert_intent(path, &to, intent, at_ms)).collect();
    // Dropped without a commit, the savepoint is rolled back.
    let attempts = attempts?;
    to.commit().map_err(fail)?;
    logged.extend(attempts.iter().map(LoggedIntent::from_attempt));
    Ok(attempts.iter().map(AttemptRecord::attempt_handle).collect())
}

fn insert_intent(
    path: &Path,
    to: &Connection,
    intent: Intent,
    at_ms: i64,
) -> Result<AttemptRecord, RunError> {
    let (op, attempts) = load_op(path, to, intent.op)?;
    let last = match attempts {
        0 => None,
        attempts => Some(load_attempt(path, to, op.id, attempts)?),
    };
    let unsettled = last.is_some_and(|last| last.outcome.is_none());
    match op.state {
        // The op says that nothing is outstanding, but its attempt says the opposite.
        OpState::Pending if unsettled => return Err(damaged_op_error(path, "standing", op.id)),
        OpState::Sent if op.class != IdempotencyClass::Replayable => {
            return Err(RunError::Misuse { op: op.id, why: "its last attempt is unsettled" });
        }
        OpState::Pending | OpState::Sent => {}
        _ => return Err(RunError::Misuse { op: op.id, why: "it is done" }),
    }
    let id = attempts + 1;
    let record = AttemptRecord {
        id,
        op: op.id,
        at_ms,
        line: intent.line,
        body_sum: intent.body_sum,
        reference: intent.reference,
        outcome: None,
    };
    sql::write_attempt(to, &record, true).map_err(|source| match &source {
        rusqlite::Error::SqliteFailure(failure, _)
            if failure.code == rusqlite::ErrorCode::ConstraintViolation =>
        {
            damaged_op_error(path, "standing", op.id)
        }
        _ => RunError::from_sqlite(path, source),
    })?;
    OpStatusRow { state: OpState::Sent, attempts: id, made: op.made, details: op.details }
        .write(to, op.id)
        .map_err(|source| RunError::from_sqlite(path, source))?;
    Ok(record)
}

fn write_outcome(
    path: &Path,
    to: &Connection,
    settles: &AttemptHandle,
    settled: &AttemptOutcome,
) -> Result<(), RunError> {
    let (op, attempts) = load_op(path, to, settles.op)?;
    let mut record = load_attempt(path, to, settles.op, settles.id)?;
    record.outcome = Some(outcome_record(settled));
    sql::write_attempt(to, &record, false)
        .and_then(|()| op_status_row(settled, attempts).write(to, op.id))
        .map_err(|source| RunError::from_sqlite(path, source))
}

fn write_op_state(
    path: &Path,
    to: &Connection,
    id: u64,
    settled: &AttemptOutcome,
) -> Result<(), RunError> {
    let (_, attempts) = load_op(path, to, id)?;
    if attempts > 0 {
        let mut last = load_attempt(path, to, id, attempts)?;
        if last.outcome.is_none() {
            last.outcome = Some(outcome_record(settled));
            sql::write_attempt(to, &last, false)
                .map_err(|source| RunError::from_sqlite(path, source))?;
        }
    }
    op_status_row(settled, attempts)
        .write(to, id)
        .map_err(|source| RunError::from_sqlite(path, source))
}

fn op_status_row(settled: &AttemptOutcome, attempts: u64) -> OpStatusRow {
    let (made, details) = (settled.made.clone(), settled.details.clone());
    OpStatusRow { state: settled.state, attempts, made, details }
}

fn outcome_record(settled: &AttemptOutcome) -> OutcomeRecord {
    OutcomeRecord {
        state: settled.state,
        settled_by: settled.settled_by,
        status: settled.status,
        trace_id: settled.trace_id.clone(),
        made: settled.made.clone(),
        details: settled.details.clone(),
    }
}

pub(super) fn load_op(
    path: &Path,
    from: &Connection,
    id: u64,
) -> Result<(OpRecord, u64), RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let mut query = from.prepare_cached(&format!("SELECT {OP} WHERE o.id = ?")).map_err(fail)?;
    let mut rows = query.query([to_sql_integer(id)]).map_err(fail)?;
    match rows.next().map_err(fail)? {
        Some(row) => sql::read_op(path, row),
        None => Err(RunError::damaged(path, format!("op {id} is missing"))),
    }
}

pub(super) fn load_attempt(
    path: &Path,
    from: &Connection,
    op: u64,
    id: u64,
) -> Result<AttemptRecord, RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let mut query =
        from.prepare_cached(&format!("SELECT {ATTEMPT} WHERE op = ? AND id = ?")).map_err(fail)?;
    let mut rows = query.query(params![to_sql_integer(op), to_sql_integer(id)]).map_err(fail)?;
    match rows.next().map_err(fail)? {
        Some(row) => sql::read_attempt(path, row),
        None => Err(RunError::damaged(path, format!("attempt {id} of op {op} is missing"))),
    }
}

/// Checks that every attempt is known to its op, and that every op that was sent has its attempts.
fn check_consistency(path: &Path, connection: &Connection) -> Result<(), RunError> {
    let lost = connection
        .query_row(
            "SELECT a.op FROM attempt a LEFT JOIN standing s ON s.op = a.op
             WHERE s.op IS NULL OR a.id > s.attempts LIMIT 1",
            [],
            |row| row.get::<_, i64>(0),
        )
        .optional()
        .map_err(|source| RunError::from_sqlite(path, source))?;
    match lost {
        None => Ok(()),
        Some(op) => Err(damaged_op_error(path, "standing", sql::from_sql_integer(op))),
    }
}
