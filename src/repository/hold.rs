//! The hold of a snapshot.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::snapshot_id::SnapshotId;

/// Why a snapshot must not be forgotten until a person says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// When it was placed.
    pub placed: Timestamp,
    /// A sentence, without data of people.
    pub reason: String,
    /// The snapshot whose alert placed it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because_of: Option<SnapshotId>,
}
