//! The ledger: what an import set out to do, and what came of it.
//!
//! An op is written down before it is sent and again when it is answered. One thread writes. Intents
//! that are ready within a few milliseconds share one transaction, which is durable (`synchronous=FULL`)
//! before any of their senders hears of it; outcomes are committed with the next transaction, one second
//! later at most. Every row has a checksum, so that a flipped bit ends in `Damaged` and never in a wrong
//! resend. The ledger knows ops by number and keeps what they say as JSON texts; it knows neither
//! contacts nor HTTP.

mod idempotency;
mod ledger_reader;
mod ledger_writer;
mod receipts;
mod sql;

use std::path::Path;
use std::sync::{Arc, OnceLock, mpsc};

use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, oneshot};

pub use self::idempotency::IdempotencyClass;
pub use self::ledger_reader::LedgerReader;
use self::ledger_writer::{LedgerCommand, LedgerWriter, QueuedCommand};
pub use self::receipts::{for_each_op_in_state, reverted_op_keys};
pub use self::sql::store_ops;
use super::error::RunError;
use crate::id::ContactId;

/// Messages that may wait for the writer.
const QUEUE: usize = 1024;

/// An op as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpRecord {
    /// Its number, from 1.
    pub id: u64,
    /// Its stable name.
    pub key: String,
    /// Its row.
    pub row: u64,
    /// Its place among the row's ops.
    pub step: u32,
    /// Its lane.
    pub lane: u64,
    /// How it is kept from happening twice.
    pub class: IdempotencyClass,
    /// Whether it goes into a request with others.
    pub bulk: bool,
    /// The contact, where it is known.
    pub contact: Option<ContactId>,
    /// The op's change and before-image as JSON: `{"change":…,"before":…}`.
    pub body: String,
    /// Where it stands.
    pub state: OpState,
    /// What it made (a contact's, note's or task's id), once known.
    pub made: Option<String>,
    /// What a report says about it, such as differences or the reason of a refusal; JSON.
    pub details: Option<String>,
}

/// Where an op stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpState {
    /// No intent, or the last one is known not to have been applied.
    Pending,
    /// An intent without an outcome: it must be looked up, never blindly sent again.
    Sent,
    /// Applied.
    Applied,
    /// Applied, and the answer differs from what was sent.
    Differs,
    /// Refused by the server.
    Refused,
    /// Somebody edited the record in between: not overwritten.
    Conflict,
    /// Nobody can find out: a person must decide.
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

/// How it is known where an op stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettledBy {
    /// By the server's answer.
    Answer,
    /// By a look-up.
    LookUp,
    /// The request was not sent.
    NotSent,
    /// By a person's decision.
    Decision,
}

impl SettledBy {
    /// Every way.
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

/// An intent to write down before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The op.
    pub op: u64,
    /// Method and path.
    pub line: String,
    /// SHA-256 of the body, lower-case hex.
    pub body_sum: String,
    /// What a look-up compares with, such as the number of equal notes before; JSON.
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

/// What came of an attempt, or what a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptOutcome {
    /// Where the op stands now.
    pub state: OpState,
    /// How that is known.
    pub settled_by: SettledBy,
    /// The last answer's status.
    pub status: Option<u16>,
    /// The server's name for the request.
    pub trace_id: Option<String>,
    /// The contact, note or task that was made or found.
    pub made: Option<String>,
    /// Differences or reason; JSON.
    pub details: Option<String>,
}

/// An attempt as the ledger keeps it.
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
    /// What a look-up compares with; JSON.
    pub reference: Option<String>,
    /// What came of it; nothing while that is unknown.
    pub outcome: Option<OutcomeRecord>,
}

/// What came of an attempt, as the ledger keeps it: a [`AttemptOutcome`] of an earlier process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRecord {
    /// Where the op stood after it; [`OpState::Pending`] when it was not applied.
    pub state: OpState,
    /// How that is known.
    pub settled_by: SettledBy,
    /// The last answer's status.
    pub status: Option<u16>,
    /// The server's name for the request.
    pub trace_id: Option<String>,
    /// The contact, note or task that was made or found.
    pub made: Option<String>,
    /// Differences or reason; JSON.
    pub details: Option<String>,
}

impl AttemptRecord {
    /// The attempt, to be settled by whoever has found out what came of it.
    pub fn attempt_handle(&self) -> AttemptHandle {
        AttemptHandle { id: self.id, op: self.op, at_ms: self.at_ms }
    }
}

/// The writing end. Clones write into the same queue.
#[derive(Debug, Clone)]
pub struct Ledger {
    queue: mpsc::Sender<QueuedCommand>,
    seats: Arc<Semaphore>,
    ended: Arc<OnceLock<Result<(), RunError>>>,
}

impl Ledger {
    /// Opens a run's ledger, made if need be. The returned work is the writer; it must run on a blocking
    /// thread and ends when the ledger is closed, all its clones are dropped, or a write fails.
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
            // The one place that sets it.
            let _ = end.set(writer.run());
            // Only now do those who wait learn that there is no answer: they ask `ended` why.
            drop(writer);
        };
        Ok((Self { queue, seats, ended }, work))
    }

    /// Writes intents down. Returns when they are durable: not before that may a byte be sent.
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

    /// Stores what came of an attempt, with the next transaction and one second later at most.
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

    /// Stores where an op stands without a new attempt: it is skipped, or a person has decided. An
    /// unsettled attempt of it is settled with it.
    ///
    /// # Errors
    /// When the writer has ended.
    pub async fn set_op_state(&self, op: u64, settled: AttemptOutcome) -> Result<(), RunError> {
        self.send_command(LedgerCommand::Set(op, settled)).await
    }

    /// Waits until everything sent before is durable.
    ///
    /// # Errors
    /// What stopped the writer.
    pub async fn flush(&self) -> Result<(), RunError> {
        let (done, waiting) = oneshot::channel();
        self.send_command(LedgerCommand::Flush(done)).await?;
        waiting.await.map_err(|_| self.writer_error())
    }

    /// Ends the writer, for all clones, once everything sent before is durable.
    ///
    /// # Errors
    /// What stopped the writer, if it did not come to its end.
    pub async fn close(self) -> Result<(), RunError> {
        let (done, waiting) = oneshot::channel();
        self.send_command(LedgerCommand::Close(done)).await?;
        waiting.await.map_err(|_| self.writer_error())
    }

    async fn send_command(&self, message: LedgerCommand) -> Result<(), RunError> {
        let seat = Arc::clone(&self.seats).acquire_owned().await;
        let seat = seat.expect("the seats are never closed");
        self.queue.send(QueuedCommand { message, seat }).map_err(|_| self.writer_error())
    }

    /// Why there is no writer any more.
    fn writer_error(&self) -> RunError {
        match self.ended.get().expect("the writer tells how it ended") {
            Err(error) => error.copy_error(),
            Ok(()) => RunError::Misuse { op: 0, why: "the ledger is closed" },
        }
    }
}

#[cfg(test)]
mod tests;
