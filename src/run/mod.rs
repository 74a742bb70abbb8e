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

pub use error::{Error, Kind};
pub use home::{Home, Run, Summary};
pub use import_store::{Decision, Judged, Noted, Rows};
pub use ledger::{
    Attempt, AttemptRecord, Intent, Ledger, LedgerReader, OpRecord, OpState, OutcomeRecord,
    Settled, each_with_state, store_ops,
};
pub use lock::Lock;
pub use metadata::{Meta, State};
pub use pack::{Packed, pack};
pub use spool::{Entry, Failure, Progress, Spool, Write};
pub use spool_reader::Reader;
