//! Makes a ledger whole again that has lost intents, or that another copy of the run may have gone on from.
//!
//! What the intent log proves is restored exactly. Where nothing is proven, every op that was not sent counts as sent:
//! it gets attempts that were not recorded, from the creation of the run until now, and is looked up before anything is
//! sent.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::super::db;
use super::super::error::RunError;
use super::intent_log::LoggedIntent;
use super::ledger_writer::{load_attempt, load_op};
use super::lost_tail::{self, IntentMark, TailState};
use super::sql::{self, OpStatusRow};
use super::{AttemptRecord, LedgerReader, OpRecord, OpState, OutcomeRecord, SettledBy};

/// Ops read at once.
const LOT: usize = 1_000;

/// What was restored in a ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LedgerRecovery {
    /// Intents that were in the intent log only.
    pub restored: u64,
    /// Ops that count as sent, because nothing proves that they were not.
    pub assumed: u64,
}

/// Recovers a ledger, so that every write that may have been sent is looked up before anything is sent. `assume` also
/// makes every op count as sent that a copy of the run may have sent. `is_harmful` says which ops must not be sent
/// twice unseen; `created_ms` is when the run was created, in milliseconds since 1970.
///
/// # Errors
/// When the ledger is damaged, and the errors of `is_harmful`.
pub fn recover_ledger<E: From<RunError>>(
    path: &Path,
    created_ms: i64,
    assume: bool,
    is_harmful: impl Fn(&OpRecord) -> Result<bool, E>,
) -> Result<LedgerRecovery, E> {
    let mut connection = db::open_durable(path)?;
    sql::create_tables(path, &connection)?;
    let mut recovery = LedgerRecovery::default();
    let is_proven = match lost_tail::check_tail(path, &connection)? {
        TailState::Complete(_) => true,
        TailState::Lost { intents, end } => {
            let count = intents.len() as u64;
            let is_restored = restore_intents(path, &mut connection, intents, &end)?;
            recovery.restored = if is_restored { count } else { 0 };
            is_restored
        }
        TailState::Unproven(_) => false,
    };
    if assume || !is_proven {
        recovery.assumed = assume_sent(path, &mut connection, created_ms, is_harmful)?;
    }
    Ok(recovery)
}

/// Stores intents that the database has lost. False, and nothing is stored, if they contradict it.
fn restore_intents(
    path: &Path,
    connection: &mut Connection,
    intents: Vec<LoggedIntent>,
    end: &IntentMark,
) -> Result<bool, RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    for intent in intents {
        if !restore_intent(path, &transaction, intent)? {
            // Dropped without a commit, the transaction is rolled back.
            return Ok(false);
        }
    }
    lost_tail::write_mark(&transaction, end).map_err(fail)?;
    transaction.commit().map_err(fail)?;
    Ok(true)
}

fn restore_intent(path: &Path, to: &Connection, intent: LoggedIntent) -> Result<bool, RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let (op, attempts) = load_op(path, to, intent.op)?;
    let is_open = matches!(op.state, OpState::Pending | OpState::Sent);
    if !is_open || intent.attempt != attempts + 1 {
        return Ok(false);
    }
    if attempts > 0 {
        let mut before = load_attempt(path, to, op.id, attempts)?;
        if before.outcome.is_none() {
            // It was settled in what is lost: otherwise there would be no later intent.
            before.outcome = Some(not_applied(SettledBy::LookUp));
            sql::write_attempt(to, &before, false).map_err(fail)?;
        }
    }
    let attempt = intent.into_attempt();
    sql::write_attempt(to, &attempt, true).map_err(fail)?;
    OpStatusRow { state: OpState::Sent, attempts: attempt.id, made: op.made, details: op.details }
        .write(to, op.id)
        .map_err(fail)?;
    Ok(true)
}

fn not_applied(settled_by: SettledBy) -> OutcomeRecord {
    OutcomeRecord {
        state: OpState::Pending,
        settled_by,
        status: None,
        trace_id: None,
        made: None,
        details: None,
    }
}

/// Makes every op that was not sent, as far as is known, count as sent. Begins a new intent log.
fn assume_sent<E: From<RunError>>(
    path: &Path,
    connection: &mut Connection,
    created_ms: i64,
    is_harmful: impl Fn(&OpRecord) -> Result<bool, E>,
) -> Result<u64, E> {
    let fail = |source| RunError::from_sqlite(path, source);
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let mark = IntentMark::next_generation(path, connection)?;
    let reader = LedgerReader::open(path)?;
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    let (mut after, mut count) = (0, 0);
    loop {
        let pending = reader.pending_ops(after, LOT)?;
        let Some(last) = pending.last() else { break };
        after = last.id;
        for op in pending {
            if is_harmful(&op)? {
                assume_op_sent(path, &transaction, op, [created_ms, now_ms])?;
                count += 1;
            }
        }
    }
    lost_tail::write_mark(&transaction, &mark).map_err(fail)?;
    sql::index_created_records(path, &transaction)?;
    transaction.commit().map_err(fail)?;
    Ok(count)
}

/// Gives an op two attempts that were not recorded: it was sent at some time between them, or never.
fn assume_op_sent(
    path: &Path,
    to: &Connection,
    op: OpRecord,
    times: [i64; 2],
) -> Result<(), RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let (_, mut attempts) = load_op(path, to, op.id)?;
    // Only the last one is unsettled, as always; the first says since when.
    for (at_ms, outcome) in times.into_iter().zip([Some(not_applied(SettledBy::NotSent)), None]) {
        attempts += 1;
        let attempt = AttemptRecord { outcome, ..AttemptRecord::assumed(op.id, attempts, at_ms) };
        sql::write_attempt(to, &attempt, true).map_err(fail)?;
    }
    OpStatusRow { state: OpState::Sent, attempts, made: op.made, details: op.details }
        .write(to, op.id)
        .map_err(fail)
}
