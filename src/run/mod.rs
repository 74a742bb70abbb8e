//! The run directory: everything that one piece of work knows, on disk.
//!
//! A run is a directory with one SQLite database, `run.db`, and a lock. The database survives any
//! kill; every file a user sees can be made from it again. This floor knows where runs live, who holds
//! one, and how to tell that one is damaged. It does not know contacts, HTTP or tables.

mod db;
mod error;
mod home;
mod import_store;
mod ledger;
mod lock;
mod metadata;
mod pack;
mod spool;
mod spool_reader;
pub mod stream;

pub use error::{RunError, RunErrorKind};
pub use home::{Run, RunStore, RunSummary};
pub use import_store::{ImportStore, RowDecision, StoredRow};
pub use ledger::{
    AttemptHandle, AttemptOutcome, AttemptRecord, Intent, Ledger, LedgerReader, OpRecord, OpState,
    OutcomeRecord, for_each_op_in_state, store_ops,
};
pub use lock::FileLock;
pub use metadata::{RunMetadata, RunState};
pub use pack::{PackedResponses, pack_responses};
pub use spool::{Failure, Progress, Spool, SpoolEntry, SpoolWrite};
pub use spool_reader::SpoolReader;
