//! Backup: writes what a mirror has into a repository, as one snapshot, and looks after the snapshots that are there.
//!
//! A snapshot is built on the one that this mirror made last, if the repository still has it as it was written; else it
//! is a full one. What the mirror says never leads to a deletion in the repository: only `prune` deletes, and what it
//! deletes follows from the repository alone.

mod alerts;
mod copy;
mod erase;
mod error;
mod forget;
mod location_lock;
mod mirror_tables;
mod prune;
mod remember;
mod snapshot_base;
mod snapshot_job;
mod snapshot_report;
#[cfg(test)]
mod tests;
mod verify;

pub use alerts::AlertLimits;
pub use copy::{CopyReport, copy_location};
pub use erase::{
    EraseLocks, ErasePlan, EraseReport, EraseRequest, RunWithTraces, ScannedSnapshot, erase_people,
};
pub use error::BackupError;
pub use forget::{ForgetPlan, forget_snapshots};
pub use location_lock::LocationLock;
pub use prune::{PrunePlan, PruneReport, SHORTEST_GRACE, prune_location, refuse_damage};
pub use remember::remember_snapshot;
pub use snapshot_job::{SnapshotRequest, write_snapshot};
pub use snapshot_report::SnapshotReport;
pub use verify::{Damage, ReadPart, VerifyReport, VerifyRequest, verify_location};
