//! The ledger: the ops of an import and their outcomes.
//!
//! An op is recorded before it is sent and again when there is a response. One thread writes.
//! Intents that are ready within a few milliseconds share one transaction, which is durable
//! (`synchronous=FULL`) and in the intent log before any of their senders is notified; outcomes are
//! committed with the next transaction, at most one second later. Every row has a checksum, so that a flipped bit is
//! reported as `Damaged` and never causes a wrong resend. The ledger identifies ops by number and
//! stores their content as JSON texts; it knows neither contacts nor HTTP.

mod created_reference;
mod idempotency;
mod intent_log;
mod ledger_reader;
mod ledger_writer;
mod lost_tail;
mod receipts;
mod recovery;
mod sql;

use std::path::Path;
use std::sync::{Arc, OnceLock, mpsc};

use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, oneshot};

pub use self::created_reference::{reference_to_created, referenced_op};
pub use self::idempotency::IdempotencyClass;
pub use self::ledger_reader::LedgerReader;
use self::ledger_writer::{LedgerCommand, LedgerWriter, QueuedCommand};
pub(in crate::run) use self::lost_tail::ensure_tail_complete;
pub use self::receipts::{for_each_op_in_state, last_unanswered_send, reverted_op_keys};
pub use self::recovery::{LedgerRecovery, recover_ledger};
pub(in crate::run) use self::sql::DEFINITIONS;
pub use self::sql::store_ops;
use super::error::RunError;
use crate::id::ContactId;

/// Most commands that wait for the writer.
const QUEUE: usize = 1024;

/// A stored op.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpRecord {
    /// Its number, from 1.
    pub id: u64,
    /// Its stable key.
    pub key: String,
    /// Its row.
    pub row: u64,
    /// Its index among the row's ops.
    pub step: u32,
    /// Its serial group.
    pub serial_group: u64,
    /// How it is kept from being applied twice.
    pub class: IdempotencyClass,
    /// Whether it shares a request with other ops.
    pub bulk: bool,
    /// The contact, if known.
    pub contact: Option<ContactId>,
    /// The op's change and before-image as JSON: `{"change":…,"before":…}`.
    pub body: String,
    /// Its state.
    pub state: OpState,
    /// The id of the contact, note or task that it created, once known.
    pub made: Option<String>,
    /// Details for reports, such as differences or the reason of a refusal; JSON.
    pub details: Option<String>,
}

/// The state of an op.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpState {
    /// No intent, or the last one is known not to have been applied.
    Pending,
    /// An intent without an outcome: it must be looked up and never blindly sent again.
    Sent,
    /// Applied.
    Applied,
    /// Applied, but the response differs from what was sent.
    Differs,
    /// Rejected by the server.
    Refused,
    /// The record was edited in the meantime: not overwritten.
    Conflict,
    /// The outcome cannot be determined: a person must decide.
    InDoubt,
    /// Not sent, because an earlier op of its row failed.
    Skipped,
}

impl OpState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Sent,
        Self::Applied,
        Self::Differs,
        Self::Refused,
        Self::Conflict,
        Self::InDoubt,
        Self::Skipped,
    ];

    /// The state's name, in the database and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Applied => "applied",
            Self::Differs => "differs",
            Self::Refused => "refused",
            Self::Conflict => "conflict",
            Self::InDoubt => "in_doubt",
            Self::Skipped => "skipped",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// How the state of an op is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettledBy {
    /// By the server's response.
    Answer,
    /// By a look-up.
    LookUp,
    /// The request was not sent.
    NotSent,
    /// By a person's decision.
    Decision,
}

impl SettledBy {
    /// All variants.
    pub const ALL: [Self; 4] = [Self::Answer, Self::LookUp, Self::NotSent, Self::Decision];

    /// The name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::LookUp => "look_up",
            Self::NotSent => "not_sent",
            Self::Decision => "decision",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }
}

/// An intent to be recorded before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The op.
    pub op: u64,
    /// Method and path.
    pub line: String,
    /// SHA-256 of the body, lower-case hex.
    pub body_sum: String,
    /// The baseline that a look-up compares with, such as the number of equal notes before; JSON.
    pub reference: Option<String>,
}

/// The proof of a durable intent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct AttemptHandle {
    /// Its number among the op's attempts, from 1.
    pub id: u64,
    /// The op.
    pub op: u64,
    /// When the intent was made, in milliseconds since 1970.
    pub at_ms: i64,
}

/// The outcome of an attempt, or the result of a look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptOutcome {
    /// The new state of the op.
    pub state: OpState,
    /// How the outcome is known.
    pub settled_by: SettledBy,
    /// The status of the last response.
    pub status: Option<u16>,
    /// The server's trace id of the request.
    pub trace_id: Option<String>,
    /// The contact, note or task that was created or found.
    pub made: Option<String>,
    /// Differences or reason; JSON.
    pub details: Option<String>,
}

/// A stored attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Its number among the op's attempts, from 1.
    pub id: u64,
    /// The op.
    pub op: u64,
    /// When the intent was made, in milliseconds since 1970.
    pub at_ms: i64,
    /// Method and path.
    pub line: String,
    /// SHA-256 of the body, lower-case hex.
    pub body_sum: String,
    /// The baseline that a look-up compares with; JSON.
    pub reference: Option<String>,
    /// The outcome; `None` while it is unknown.
    pub outcome: Option<OutcomeRecord>,
}

/// The stored outcome of an attempt: an [`AttemptOutcome`] of an earlier process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRecord {
    /// The state of the op after it; [`OpState::Pending`] if it was not applied.
    pub state: OpState,
    /// How the outcome is known.
    pub settled_by: SettledBy,
    /// The status of the last response.
    pub status: Option<u16>,
    /// The server's trace id of the request.
    pub trace_id: Option<String>,
    /// The contact, note or task that was created or found.
    pub made: Option<String>,
    /// Differences or reason; JSON.
    pub details: Option<String>,
}

impl AttemptRecord {
    /// The handle with which the attempt is settled once its outcome is known.
    pub fn attempt_handle(&self) -> AttemptHandle {
        AttemptHandle { id: self.id, op: self.op, at_ms: self.at_ms }
    }

    /// An attempt that is not recorded and that may have been made.
    fn assumed(op: u64, id: u64, at_ms: i64) -> Self {
        let (line, body_sum) = (String::new(), String::new());
        Self { id, op, at_ms, line, body_sum, reference: None, outcome: None }
    }

    /// Whether it was not recorded: it may have been made, by another copy of the run or before its ledger lost it.
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        self.body_sum.is_empty()
    }
}

/// The write side. Clones write to the same queue.
#[derive(Debug, Clone)]
pub struct Ledger {
    queue: mpsc::Sender<QueuedCommand>,
    seats: Arc<Semaphore>,
    ended: Arc<OnceLock<Result<(), RunError>>>,
}

impl Ledger {
    /// Opens a run's ledger; creates it if necessary. The returned closure is the writer; it must
    /// run on a blocking thread and ends when the ledger is closed, all its clones are dropped, or
    /// a write fails.
    ///
    /// # Errors
    /// When the database cannot be opened, or attempts and ops contradict each other.
    pub fn open(db: &Path) -> Result<(Self, impl FnOnce() + Send + 'static), RunError> {
        let (queue, messages) = mpsc::channel();
        let mut writer = LedgerWriter::open(db, messages)?;
        let ended = Arc::new(OnceLock::new());
        let seats = Arc::new(Semaphore::new(QUEUE));
        let end = Arc::clone(&ended);
        let work = move || {
            // Only set here.
            let _ = end.set(writer.run());
            // Senders are notified only now that there is no reply: they read the reason from
            // `ended`.
            drop(writer);
        };
        Ok((Self { queue, seats, ended }, work))
    }

    /// Records intents. Returns when they are durable: no byte may be sent before that.
    ///
    /// # Errors
    /// When they could not be stored; then nothing may be sent. [`RunError::Misuse`] when an op is done or
    /// its last attempt is unsettled, unless it is replayable; then none of these intents is stored.
    pub async fn record_intents(
        &self,
        intents: Vec<Intent>,
    ) -> Result<Vec<AttemptHandle>, RunError> {
        let (done, waiting) = oneshot::channel();
        self.send_command(LedgerCommand::Intend(intents, done)).await?;
        waiting.await.unwrap_or_else(|_| Err(self.writer_error()))
    }

    /// Stores the outcome of an attempt, with the next transaction and at most one second later.
    ///
    /// # Errors
    /// When the writer has ended.
    pub async fn record_outcome(
        &self,
        attempt: AttemptHandle,
        settled: AttemptOutcome,
    ) -> Result<(), RunError> {
        self.send_command(LedgerCommand::Settle(attempt, settled)).await
    }

    /// Stores the state of an op without a new attempt: it is skipped, or a person has decided. An
    /// unsettled attempt is settled with it.
    ///
    /// # Errors
    /// When the writer has ended.
    pub async fn set_op_state(&self, op: u64, settled: AttemptOutcome) -> Result<(), RunError> {
        self.send_command(LedgerCommand::Set(op, settled)).await
    }

    /// Waits until all earlier commands are durable.
    ///
    /// # Errors
    /// The error that stopped the writer.
    pub async fn flush(&self) -> Result<(), RunError> {
        let (done, waiting) = oneshot::channel();
        self.send_command(LedgerCommand::Flush(done)).await?;
        waiting.await.map_err(|_| self.writer_error())
    }

    /// Ends the writer, for all clones, once all earlier commands are durable.
    ///
    /// # Errors
    /// The error that stopped the writer, if it failed.
    pub async fn close(self) -> Result<(), RunError> {
        let (done, waiting) = oneshot::channel();
        self.send_command(LedgerCommand::Close(done)).await?;
        waiting.await.map_err(|_| self.writer_error())
    }

    async fn send_command(&self, message: LedgerCommand) -> Result<(), RunError> {
        let permit = Arc::clone(&self.seats).acquire_owned().await;
        let permit = permit.expect("the queue is never closed");
        self.queue.send(QueuedCommand { message, permit }).map_err(|_| self.writer_error())
    }

    /// Why the writer has ended.
    fn writer_error(&self) -> RunError {
        match self.ended.get().expect("the writer reports how it ended") {
            Err(error) => error.copy_error(),
            Ok(()) => RunError::Misuse { op: 0, why: "the ledger is closed" },
        }
    }
}

#[cfg(test)]
mod tests;
