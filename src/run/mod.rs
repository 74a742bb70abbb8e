//! The run directory: all data of an export, import, undo or sync, on disk.
//!
//! A run is a directory with one SQLite database, `run.db`, and a lock. The database survives any
//! kill, and every file that users see can be regenerated from it. This room knows where runs are,
//! which process has locked one, and how to detect damage. It does not know contacts, HTTP or
//! tables.

mod db;
mod error;
mod home;
mod import_store;
mod ledger;
mod location_facts;
mod lock;
mod lock_holder;
mod locked_run;
mod mask_key;
mod metadata;
mod new_run;
mod pack;
mod place;
mod plan_contents;
mod private_dir;
mod row_action;
mod run_ref;
mod schema_check;
mod spool;
mod spool_contents;
mod spool_reader;
pub mod stream;
mod summary;
mod traces;

pub use crate::event::RunKind;
pub use db::{checksum, connect_database};
pub use error::{RunError, RunErrorKind};
pub use home::{RunReceipt, RunStore};
pub use import_store::{
    ContactPart, IdentityKind, ImportStore, RowDecision, RowMark, RowValueKind, StoredRow,
};
pub use ledger::{
    AttemptHandle, AttemptOutcome, AttemptRecord, IdempotencyClass, Intent, Ledger, LedgerReader,
    LedgerRecovery, OpRecord, OpState, OutcomeRecord, SettledBy, for_each_op_in_state,
    last_unanswered_send, recover_ledger, reference_to_created, referenced_op, reverted_op_keys,
    store_ops,
};
pub use location_facts::LocationFacts;
pub use lock::FileLock;
pub use lock_holder::{LockConflict, LockHolder, LockedResource};
pub use locked_run::{Run, RunRecorder};
pub use mask_key::MaskKey;
pub use metadata::{RunFact, RunMetadata, RunState, RunStop};
pub use pack::{PackedResponses, pack_responses};
pub use private_dir::create_private_dir;
pub use row_action::RowAction;
pub use run_ref::{RunRef, ShortRunIds};
pub use spool::{FetchFailure, Spool, SpoolEntry, SpoolWrite, StreamProgress};
pub use spool_reader::SpoolReader;
pub use summary::RunSummary;
pub use traces::PersonTraces;
