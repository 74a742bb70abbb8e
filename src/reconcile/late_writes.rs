//! Waits until writes that got no answer can no longer be applied.
//!
//! A replay-safe write without an answer is sent again at once, so the first copy of it may still arrive: after the
//! second one, it changes nothing, but after an edit or an undo it would revert that.

use std::time::Duration;

use super::{ReconcileError, remaining_time};
use crate::event::{CancelSignal, RunEvent, SharedObserver, WaitReason};

/// Waits until the settle time has passed since a write without an answer was last sent, in milliseconds since 1970.
///
/// # Errors
/// When the run is cancelled meanwhile.
pub async fn wait_for_late_writes(
    last_sent_ms: i64,
    settle: Duration,
    stop: &CancelSignal,
    observer: &SharedObserver,
) -> Result<(), ReconcileError> {
    let time = remaining_time(last_sent_ms, settle);
    if time.is_zero() {
        return Ok(());
    }
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    observer.observe(&RunEvent::Waiting { reason: WaitReason::LateWrites, ms });
    tokio::select! {
        () = tokio::time::sleep(time) => Ok(()),
        () = stop.wait_for_cancel() => Err(ReconcileError::Stopped),
    }
}

/// The earliest time at which a write can have been sent that may still be applied, in milliseconds since 1970.
#[must_use]
pub fn oldest_late_write(settle: Duration) -> i64 {
    let now = jiff::Timestamp::now().as_millisecond();
    now.saturating_sub(super::duration_millis(settle))
}
