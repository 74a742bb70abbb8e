//! Backup: writes what a mirror has into a repository, as one snapshot, and looks after the snapshots that are there.
//!
//! A snapshot is built on the one that this mirror made last, if the repository still has it as it was written; else it
//! is a full one. What the mirror says never leads to a deletion in the repository: only `prune` deletes, and what it
//! deletes follows from the repository alone.

mod error;
mod location_lock;
mod mirror_tables;
mod snapshot_base;
mod snapshot_job;
mod snapshot_report;

pub use error::BackupError;
pub use location_lock::LocationLock;
pub use snapshot_job::{SnapshotRequest, write_snapshot};
pub use snapshot_report::SnapshotReport;
