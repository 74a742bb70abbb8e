//! The ledger: what an import set out to do, and what came of it.
//!
//! An op is written down before it is sent and again when it is answered. One thread writes. Intents
//! that are ready within a few milliseconds share one transaction, which is durable (`synchronous=FULL`)
//! before any of their senders hears of it; outcomes are committed with the next transaction, one second
//! later at most. Every row has a checksum, so that a flipped bit ends in `Damaged` and never in a wrong
//! resend. The ledger knows ops by number and keeps what they say as JSON texts; it knows neither
//! contacts nor HTTP.

use serde::{Deserialize, Serialize};

/// An op as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Its class, a letter.
    pub class: String,
    /// Whether it goes into a request with others.
    pub bulk: bool,
    /// The contact, where it is known.
    pub contact: Option<String>,
    /// The op's change and before-image as JSON: `{"change":…,"before":…}`.
    pub body: String,
    /// Where it stands.
    pub state: OpState,
    /// What it made (a contact's, note's or task's id), once known.
    pub made: Option<String>,
    /// What is to be said about it: differences, the reason of a refusal; JSON.
    pub said: Option<String>,
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
pub struct Attempt {
    /// The attempt's number.
    pub id: u64,
    /// The op.
    pub op: u64,
    /// When the intent was made, in milliseconds since 1970.
    pub at_ms: i64,
}

/// What came of an attempt, or what a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Where the op stands now.
    pub state: OpState,
    /// How that is known: `answer`, `look-up`, `not sent`, `decision`.
    pub how: &'static str,
    /// The last answer's status.
    pub status: Option<u16>,
    /// The server's name for the request.
    pub trace_id: Option<String>,
    /// The contact, note or task that was made or found.
    pub made: Option<String>,
    /// Differences or reason; JSON.
    pub said: Option<String>,
}
