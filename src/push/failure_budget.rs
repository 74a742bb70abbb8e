//! `--max-errors`: how many rows may fail before the push stops.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// The rows that have failed in this process, if `--max-errors` limits them. Rows that failed in earlier processes do
/// not count: resuming a run that stopped at the limit is a request to continue.
pub(super) struct FailureBudget {
    pub(super) most: u64,
    pub(super) rows: Mutex<HashSet<u64>>,
    /// Refused rows that are being looked up, because they may have been applied nevertheless.
    pub(super) suspects: AtomicU64,
    pub(super) less: Notify,
}

/// Counts a row as probably failed until it is dropped.
pub(super) struct PendingFailure<'w>(pub(super) Option<&'w FailureBudget>);

impl FailureBudget {
    pub(super) fn with_limit(most: u64) -> Self {
        Self { most, rows: Mutex::default(), suspects: AtomicU64::new(0), less: Notify::new() }
    }

    /// Whether the limit may already be exceeded, depending on look-ups in progress.
    pub(super) fn may_be_exceeded(&self) -> bool {
        let suspects = self.suspects.load(Ordering::Relaxed);
        suspects > 0 && self.failed_rows() + suspects > self.most
    }

    pub(super) fn failed_rows(&self) -> u64 {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }
}

impl Drop for PendingFailure<'_> {
    fn drop(&mut self) {
        if let Some(errors) = self.0 {
            errors.suspects.fetch_sub(1, Ordering::Relaxed);
            errors.less.notify_waiters();
        }
    }
}
