//! The run directory: everything that one piece of work knows, on disk.
//!
//! A run is a directory with one SQLite database, `run.db`, and a lock. The database survives any
//! kill; every file a user sees can be made from it again. This floor knows where runs live, who holds
//! one, and how to tell that one is damaged. It does not know contacts, HTTP or tables.

mod db;
mod error;
mod home;
mod ledger;
mod lock;
mod pack;
mod reader;
mod rows;
mod spool;
mod store;
pub mod stream;

pub use error::{Error, Kind};
pub use home::{Home, Run, Summary};
pub use ledger::{
    Attempt, AttemptRecord, Intent, Ledger, LedgerReader, OpRecord, OpState, OutcomeRecord,
    Settled, each_with_state, store_ops,
};
pub use lock::Lock;
pub use pack::{Packed, pack};
pub use reader::Reader;
pub use rows::{Decision, Judged, Noted, Rows};
pub use spool::{Entry, Failure, Progress, Spool, Write};
pub use store::{Meta, State};
