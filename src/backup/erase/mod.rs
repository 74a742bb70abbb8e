//! Erases people: from every snapshot of a location, from its mirror, and from the runs in the program's home.
//!
//! It is written down first, with hashes, so that no restore brings them back from a copy. Then the home is cleaned, and
//! the repository last: as long as anything is left of them, it says who they are. Snapshots are written again beside
//! the former ones, which are deleted once all of them are there. So a kill leaves a repository that can be read, and the
//! same command goes on. The mirror forgets its last snapshot meanwhile, so that a backup in between is a full one.

mod erase_people;
mod erase_plan;
mod erase_request;
mod replace_snapshots;
mod snapshot_scan;

pub use erase_people::{EraseReport, erase_people};
pub use erase_plan::{ErasePlan, RunWithTraces};
pub use erase_request::{EraseLocks, EraseRequest};
pub use snapshot_scan::ScannedSnapshot;
