//! The ledger's writer: one thread, one transaction after the other.
//!
//! It takes what has queued up together. Intents are waited for, so a group with intents goes at once;
//! outcomes alone wait for the next intents, for one second at most.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::super::db;
use super::super::error::Error;
use super::sql::{self, ATTEMPT, OP, Standing, damaged, number};
use super::{Attempt, AttemptRecord, Intent, OpRecord, OpState, OutcomeRecord, Settled};
use crate::failpoint::{self, Point};

/// How long outcomes may wait for company.
const LAZY: Duration = Duration::from_millis(800);
/// The longest that a few intents wait for more.
const COMPANY: Duration = Duration::from_millis(1);
/// Intents that need no company.
const FEW: usize = 8;
/// The most messages of one transaction.
const MOST: usize = 1024;

/// What those are told who intended.
type Intended = Result<Vec<Attempt>, Error>;

/// What the writer is asked to do.
#[derive(Debug)]
pub(super) enum Message {
    Intend(Vec<Intent>, oneshot::Sender<Intended>),
    Settle(Attempt, Settled),
    Set(u64, Settled),
    Flush(oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
}

/// A message, and its seat in the queue.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) message: Message,
    pub(super) seat: OwnedSemaphorePermit,
}

pub(super) struct Writer {
    path: PathBuf,
    connection: Connection,
    queue: Receiver<Queued>,
    /// How long a few intents wait for more: as long as a transaction takes, else waiting costs more than
    /// it saves.
    company: Duration,
    /// The messages of the transaction under way. Whoever waits for one that failed is told by its end.
    group: Vec<Message>,
}

impl Writer {
    pub(super) fn open(path: &Path, queue: Receiver<Queued>) -> Result<Self, Error> {
        let connection = db::open_durable(path)?;
        sql::prepare(path, &connection)?;
        sql::index_anew(path, &connection)?;
        check(path, &connection)?;
        let path = path.to_owned();
        Ok(Self { path, connection, queue, company: Duration::ZERO, group: Vec::new() })
    }

    /// Works until it is closed, or there is nobody left to work for.
    pub(super) fn run(&mut self) -> Result<(), Error> {
        let mut closed = false;
        while !closed {
            self.gather();
            if self.group.is_empty() {
                return Ok(());
            }
            let begun = Instant::now();
            let results = self.store()?;
            self.company = begun.elapsed().min(COMPANY);
            closed = self.answer(results);
        }
        Ok(())
    }

    /// Takes what goes into the next transaction; nothing when everybody is gone.
    fn gather(&mut self) {
        let mut next = self.queue.recv().ok();
        let begun = Instant::now();
        let (mut intents, mut urgent) = (0, false);
        while let Some(Queued { message, seat }) = next {
            drop(seat);
            match &message {
                Message::Intend(some, _) => intents += some.len(),
                Message::Flush(_) | Message::Close(_) => urgent = true,
                Message::Settle(..) | Message::Set(..) => {}
            }
            self.group.push(message);
            let patience = match intents {
                _ if urgent || intents >= FEW => Duration::ZERO,
                0 => LAZY,
                _ => self.company,
            };
            let left = patience.saturating_sub(begun.elapsed());
            let full = self.group.len() >= MOST;
            next = if full { None } else { self.queue.recv_timeout(left).ok() };
        }
    }

    /// One transaction over the group; what became of its intents, in their order.
    fn store(&mut self) -> Result<Vec<Intended>, Error> {
        let Self { path, connection, group, .. } = self;
        let fail = |source| Error::store(path, source);
        let mut transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        let (mut results, mut settles) = (Vec::new(), false);
        for message in group {
            match message {
                Message::Intend(intents, _) => {
                    let result = intend(path, &mut transaction, std::mem::take(intents));
                    match result {
                        Err(error) if !matches!(error, Error::Misuse { .. }) => return Err(error),
                        result => results.push(result),
                    }
                }
                Message::Settle(attempt, settled) => {
                    settles = true;
                    settle(path, &transaction, attempt, settled)?;
                }
                Message::Set(op, settled) => {
                    settles = true;
                    set(path, &transaction, *op, settled)?;
                }
                Message::Flush(_) | Message::Close(_) => {}
            }
        }
        if settles {
            failpoint::reach(Point::BeforeOutcome);
        }
        transaction.commit().map_err(fail)?;
        if results.iter().any(Result::is_ok) {
            failpoint::reach(Point::AfterIntent);
        }
        Ok(results)
    }

    /// Tells those who wait for the group. Whether somebody closed the ledger.
    fn answer(&mut self, results: Vec<Intended>) -> bool {
        let (mut results, mut closed) = (results.into_iter(), false);
        for message in self.group.drain(..) {
            // Who no longer waits need not know.
            match message {
                Message::Intend(_, done) => {
                    let result = results.next().expect("each has its result");
                    let _ = done.send(result);
                }
                Message::Flush(done) => drop(done.send(())),
                Message::Close(done) => {
                    closed = true;
                    let _ = done.send(());
                }
                Message::Settle(..) | Message::Set(..) => {}
            }
        }
        closed
    }
}

/// Stores intents, all or none.
fn intend(
    path: &Path,
    to: &mut Transaction<'_>,
    intents: Vec<Intent>,
) -> Result<Vec<Attempt>, Error> {
    let fail = |source| Error::store(path, source);
    let to = to.savepoint().map_err(fail)?;
    let at_ms = jiff::Timestamp::now().as_millisecond();
    let attempts: Result<Vec<_>, Error> =
        intents.into_iter().map(|intent| intend_one(path, &to, intent, at_ms)).collect();
    // Dropped without a commit, the savepoint is rolled back.
    let attempts = attempts?;
    to.commit().map_err(fail)?;
    Ok(attempts)
}

fn intend_one(path: &Path, to: &Connection, intent: Intent, at_ms: i64) -> Result<Attempt, Error> {
    let (op, attempts) = op(path, to, intent.op)?;
    let last = match attempts {
        0 => None,
        attempts => Some(attempt(path, to, op.id, attempts)?),
    };
    let unsettled = last.is_some_and(|last| last.outcome.is_none());
    match op.state {
        // The op says that nothing is outstanding, its attempt that something is.
        OpState::Pending if unsettled => return Err(damaged(path, "standing", op.id)),
        OpState::Sent if op.class != "I" => {
            return Err(Error::Misuse { op: op.id, why: "its last attempt is unsettled" });
        }
        OpState::Pending | OpState::Sent => {}
        _ => return Err(Error::Misuse { op: op.id, why: "it is done" }),
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
            damaged(path, "standing", op.id)
        }
        _ => Error::store(path, source),
    })?;
    Standing { state: OpState::Sent, attempts: id, made: op.made, said: op.said }
        .write(to, op.id)
        .map_err(|source| Error::store(path, source))?;
    Ok(Attempt { id, op: op.id, at_ms })
}

fn settle(path: &Path, to: &Connection, settles: &Attempt, settled: &Settled) -> Result<(), Error> {
    let (op, attempts) = op(path, to, settles.op)?;
    let mut record = attempt(path, to, settles.op, settles.id)?;
    record.outcome = Some(outcome(settled));
    sql::write_attempt(to, &record, false)
        .and_then(|()| stand(settled, attempts).write(to, op.id))
        .map_err(|source| Error::store(path, source))
}

fn set(path: &Path, to: &Connection, id: u64, settled: &Settled) -> Result<(), Error> {
    let (_, attempts) = op(path, to, id)?;
    if attempts > 0 {
        let mut last = attempt(path, to, id, attempts)?;
        if last.outcome.is_none() {
            last.outcome = Some(outcome(settled));
            sql::write_attempt(to, &last, false).map_err(|source| Error::store(path, source))?;
        }
    }
    stand(settled, attempts).write(to, id).map_err(|source| Error::store(path, source))
}

fn stand(settled: &Settled, attempts: u64) -> Standing {
    let (made, said) = (settled.made.clone(), settled.said.clone());
    Standing { state: settled.state, attempts, made, said }
}

fn outcome(settled: &Settled) -> OutcomeRecord {
    OutcomeRecord {
        state: settled.state,
        how: settled.how.to_owned(),
        status: settled.status,
        trace_id: settled.trace_id.clone(),
        made: settled.made.clone(),
        said: settled.said.clone(),
    }
}

fn op(path: &Path, from: &Connection, id: u64) -> Result<(OpRecord, u64), Error> {
    let fail = |source| Error::store(path, source);
    let mut query = from.prepare_cached(&format!("SELECT {OP} WHERE o.id = ?")).map_err(fail)?;
    let mut rows = query.query([number(id)]).map_err(fail)?;
    match rows.next().map_err(fail)? {
        Some(row) => sql::op(path, row),
        None => Err(Error::damaged(path, format!("op {id} is missing"))),
    }
}

fn attempt(path: &Path, from: &Connection, op: u64, id: u64) -> Result<AttemptRecord, Error> {
    let fail = |source| Error::store(path, source);
    let mut query =
        from.prepare_cached(&format!("SELECT {ATTEMPT} WHERE op = ? AND id = ?")).map_err(fail)?;
    let mut rows = query.query(params![number(op), number(id)]).map_err(fail)?;
    match rows.next().map_err(fail)? {
        Some(row) => sql::attempt(path, row),
        None => Err(Error::damaged(path, format!("attempt {id} of op {op} is missing"))),
    }
}

/// Every attempt must be one that its op knows of, and every op that was sent have its attempts.
fn check(path: &Path, connection: &Connection) -> Result<(), Error> {
    let lost = connection
        .query_row(
            "SELECT a.op FROM attempt a LEFT JOIN standing s ON s.op = a.op
             WHERE s.op IS NULL OR a.id > s.attempts LIMIT 1",
            [],
            |row| row.get::<_, i64>(0),
        )
        .optional()
        .map_err(|source| Error::store(path, source))?;
    match lost {
        None => Ok(()),
        Some(op) => Err(damaged(path, "standing", sql::unsigned(op))),
    }
}
