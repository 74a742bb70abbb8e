//! The state that all look-ups of a run share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// The state that all look-ups share.
#[derive(Debug, Default)]
pub struct ReconcilerShared {
    /// The longest time from sending until a search that had missed a record found it, in
    /// milliseconds. Only look-ups measure it: nothing else searches for a record that was just
    /// written.
    pub(super) lag_ms: AtomicU64,
    /// Pieces of work in progress, and those of them that are waiting.
    pub(super) open: AtomicU64,
    pub(super) resting: AtomicU64,
    /// Set once every op of the ledger has been read with its checksum.
    pub(super) ledger_checked: OnceCell<()>,
    /// Contacts without identity that a look-up has attributed to an op.
    claims: Mutex<HashMap<String, u64>>,
}

/// A piece of work in progress; while all of them wait, the observer is notified.
#[derive(Debug)]
pub struct ActiveWorkGuard(Arc<ReconcilerShared>);

impl Drop for ActiveWorkGuard {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ReconcilerShared {
    /// Counts a piece of work until the guard is dropped.
    #[must_use]
    pub fn begin_work(self: &Arc<Self>) -> ActiveWorkGuard {
        self.open.fetch_add(1, Ordering::Relaxed);
        ActiveWorkGuard(Arc::clone(self))
    }

    /// The op that a look-up has attributed this contact to, if it is another one. That look-up was
    /// wrong then.
    #[must_use]
    pub fn other_claiming_op(&self, contact: &str, op: u64) -> Option<u64> {
        let claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.get(contact).copied().filter(|claimed| *claimed != op)
    }

    /// Attributes a contact to an op, unless another op has it.
    pub(super) fn try_claim(&self, contact: &str, op: u64) -> bool {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        *claims.entry(contact.to_owned()).or_insert(op) == op
    }

    pub(super) fn release_claim(&self, contact: &str) {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner).remove(contact);
    }
}
