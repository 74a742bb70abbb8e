//! What a plan restores from, and what it cannot bring back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a plan restores from, and what it cannot bring back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreSummary {
    /// The snapshot.
    pub snapshot: String,
    /// The later snapshot, where the changes between two are taken back.
    pub later: Option<String>,
    /// When what the snapshot has was read.
    pub as_of: Timestamp,
    /// Values that are not brought back: the lines of `losses.csv`.
    pub losses: u64,
    /// The names that the target lacks, and the number of records that are restored without each.
    pub without: Vec<(String, u64)>,
    /// Contacts that were erased, and are not brought back.
    pub erased: u64,
    /// Contacts that only the later snapshot has; they are left alone.
    pub added_since: u64,
    /// Contacts to be recreated that are asked for by their ids before the plan is applied.
    pub unconfirmed: u64,
}
