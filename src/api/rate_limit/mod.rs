//! The rate limiter: one per location. It uses the server's full window and never exceeds it.
//!
//! The server counts a request at some time between our sending it and our reading the response. A
//! request therefore occupies its slot until one window after its *response*: whatever kind of
//! window the server uses (sliding, fixed, a bucket), it never sees more than the limit. The limits
//! come from the `X-RateLimit-*` headers of each response and start with the documented ones
//! (api.md §8). Until the first response only one request is in flight, because an earlier process
//! or another application may have used most of the window. If the server has counted more than we
//! sent, the difference belongs to other applications and occupies slots too.

mod budget;
mod headers;
mod limiter_state;
mod limits;
mod occupied_slots;
mod permit;
mod shared_window;
mod window_record;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use super::daily_quota::QuotaPolicy;
use crate::diagnostic::EventWarningCode;
use crate::event::{CancelSignal, RunEvent, RunWarning, SharedObserver, WaitReason};
use crate::id::RunId;

use budget::RequestBudget;
use limiter_state::{PermitDecision, RateLimiterState};
pub use limits::{HaltReason, RateLimitStatus, RateLimits};
pub(super) use permit::RateLimitPermit;
pub use shared_window::SharedWindow;
pub use window_record::LimitPriority;
use window_record::{MAX_SHARED_LIMIT, SharedDecision};

/// The window as counted here: one thousandth longer, to allow for clock drift and for windows that
/// include their end.
fn padded_window(window: Duration) -> Duration {
    window + (window / 1000).clamp(MARGIN, Duration::from_millis(10))
}

/// From this wait on, the user sees why nothing is sent.
const NOTICED: Duration = Duration::from_secs(1);

/// A longer wait pauses the run.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// The least that is added to a time from the server.
const MARGIN: Duration = Duration::from_millis(3);

/// The rate limiter of one location. Clones share it.
#[derive(Clone)]
pub struct RateLimiter(Arc<RateLimiterShared>);

struct RateLimiterShared {
    state: Mutex<RateLimiterState>,
    /// Notified whenever a response arrives.
    responded: Notify,
    /// Waiting requests queue here, so that only one watches the window.
    queue: Semaphore,
    quota: QuotaPolicy,
    stop: CancelSignal,
    observer: SharedObserver,
    priority: LimitPriority,
    /// The window that other processes of this machine use, too.
    shared: Option<SharedWindow>,
}

impl RateLimiter {
    /// Creates a rate limiter that starts with the documented limits.
    #[must_use]
    pub fn new(quota: QuotaPolicy, stop: CancelSignal, observer: SharedObserver) -> Self {
        Self::with_shared_window(quota, LimitPriority::Background, stop, observer, None)
    }

    /// The same, with a window that other processes of this machine use, too.
    #[must_use]
    pub fn with_shared_window(
        quota: QuotaPolicy,
        priority: LimitPriority,
        stop: CancelSignal,
        observer: SharedObserver,
        shared: Option<SharedWindow>,
    ) -> Self {
        Self(Arc::new(RateLimiterShared {
            state: Mutex::new(RateLimiterState::default()),
            responded: Notify::new(),
            queue: Semaphore::new(1),
            quota,
            stop,
            observer,
            priority,
            shared,
        }))
    }

    /// Tells the other processes that use the window which run this one works on.
    pub fn announce_run(&self, run: &RunId) {
        if let Some(shared) = &self.0.shared {
            shared.set_name(&format!("run {run}"));
        }
    }

    /// The other processes of this machine that use the limit.
    #[must_use]
    pub fn other_users(&self) -> Vec<String> {
        self.0.shared.as_ref().map(SharedWindow::other_users).unwrap_or_default()
    }

    /// Whether a person waits for the answers, so that a limit that stays used up is an error.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        self.0.priority == LimitPriority::Interactive
    }

    /// The limits as currently known.
    #[must_use]
    pub fn current_limits(&self) -> RateLimits {
        self.lock_state().limits
    }

    /// Limits the requests of a day: `most`, of which `left` remain until the day ends.
    pub fn set_daily_budget(&self, most: u64, left: u64, ends_in: Duration) {
        let ends = Instant::now() + ends_in;
        self.lock_state().budget = Some(RequestBudget { most, left, ends });
    }

    /// Requests left today without the reserve, if the server has reported it.
    #[must_use]
    pub fn spendable_today(&self) -> Option<u64> {
        self.lock_state().day.map(|day| day.spendable_requests(self.0.quota.reserve))
    }

    /// What the server has reported about its limits, for display.
    #[must_use]
    pub fn limit_status(&self) -> RateLimitStatus {
        let state = self.lock_state();
        let now = Instant::now();
        RateLimitStatus {
            limits: state.limits,
            remaining: state.remaining,
            remaining_today: state.day.map(|day| day.remaining),
            resets_in: state
                .day
                .and_then(|day| day.resets)
                .map(|resets| resets.saturating_duration_since(now)),
        }
    }

    /// The number of 429 responses.
    #[must_use]
    pub fn throttled_count(&self) -> u64 {
        self.lock_state().refused
    }

    fn lock_state(&self) -> MutexGuard<'_, RateLimiterState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a slot in the window.
    pub(super) async fn acquire_permit(&self) -> Result<RateLimitPermit, HaltReason> {
        let _turn = tokio::select! {
            biased;
            () = self.0.stop.wait_for_cancel() => return Err(HaltReason::Cancelled),
            queue = self.0.queue.acquire() => queue.expect("the semaphore is never closed"),
        };
        let begun = Instant::now();
        loop {
            if self.0.stop.is_cancelled() {
                return Err(HaltReason::Cancelled);
            }
            // Registered before checking, so that a response in between is not missed.
            let responded = self.0.responded.notified();
            let next = self.lock_state().decide_permit(Instant::now(), self.0.quota);
            match next {
                PermitDecision::Go => match self.take_shared_slot() {
                    Ok(shared) => {
                        return Ok(RateLimitPermit {
                            limiter: self.clone(),
                            shared,
                            recorded: false,
                        });
                    }
                    Err(after) => {
                        self.report_full_window(begun, after);
                        tokio::select! {
                            () = tokio::time::sleep(after) => {}
                            () = self.0.stop.wait_for_cancel() => {}
                        }
                    }
                },
                PermitDecision::Answer => tokio::select! {
                    () = responded => {}
                    () = self.0.stop.wait_for_cancel() => {}
                },
                PermitDecision::Until(instant) => {
                    self.report_full_window(
                        begun,
                        instant.saturating_duration_since(Instant::now()),
                    );
                    tokio::select! {
                        () = tokio::time::sleep_until(instant) => {}
                        () = responded => {}
                        () = self.0.stop.wait_for_cancel() => {}
                    }
                }
                PermitDecision::Pause(reason, time) if self.0.quota.wait => {
                    self.sleep_through_pause(reason, time).await;
                }
                PermitDecision::Pause(reason, _) => return Err(reason),
            }
        }
    }

    /// Sleeps until requests may be sent again; ends early if the run is cancelled.
    async fn sleep_through_pause(&self, reason: HaltReason, time: Duration) {
        self.report_wait(
            match reason {
                HaltReason::DailyQuota { .. } | HaltReason::Budget { .. } => WaitReason::DailyQuota,
                HaltReason::RateLimit { .. }
                | HaltReason::SilentRefusal
                | HaltReason::Cancelled => WaitReason::RateLimited,
            },
            time,
        );
        tokio::select! {
            () = tokio::time::sleep(time + MARGIN) => self.lock_state().end_pause(),
            () = self.0.stop.wait_for_cancel() => {}
        }
    }

    /// Takes a slot of the window that is shared with other processes, if it is shared; `Err` with the time
    /// after which to ask again.
    fn take_shared_slot(&self) -> Result<bool, Duration> {
        let Some(shared) = &self.0.shared else { return Ok(false) };
        if self.lock_state().limits.requests > MAX_SHARED_LIMIT {
            return Ok(false);
        }
        let decision = shared.try_take();
        match decision {
            Ok(SharedDecision::Go) => Ok(true),
            Ok(SharedDecision::After(time)) => {
                self.lock_state().withdraw_permit();
                Err(time)
            }
            // A directory that cannot be written to: the server's own limit still holds.
            Err(_) => Ok(false),
        }
    }

    /// Shows why nothing is sent while the window is full, and once who else uses it.
    fn report_full_window(&self, begun: Instant, time: Duration) {
        let now = Instant::now();
        let mut state = self.lock_state();
        let shown = state.wait_shown_until.is_some_and(|until| until > now);
        if time >= NOTICED && !shown {
            state.wait_shown_until = Some(now + time);
            drop(state);
            self.report_wait(WaitReason::RateLimit, time);
        } else {
            drop(state);
        }
        if begun.elapsed() < NOTICED && time < NOTICED {
            return;
        }
        let others = self.other_users();
        if others.is_empty() || std::mem::replace(&mut self.lock_state().reported_others, true) {
            return;
        }
        let message = format!("the rate limit is shared with {}", others.join(", "));
        let warning = RunWarning::new(EventWarningCode::LimitShared, message);
        self.0.observer.observe(&RunEvent::Warning(warning));
    }

    /// Tells the user once that the server sends a number that cannot be right.
    fn report_ignored_header(&self, header: &str) {
        if std::mem::replace(&mut self.lock_state().reported_header, true) {
            return;
        }
        let message =
            format!("a header of the rate limit is out of range and was ignored: `{header}`");
        let warning = RunWarning::new(EventWarningCode::HeaderIgnored, message);
        self.0.observer.observe(&RunEvent::Warning(warning));
    }

    fn report_wait(&self, reason: WaitReason, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.0.observer.observe(&RunEvent::Waiting { reason, ms });
    }

    /// Waits before a request is resent; ends early if the run is cancelled.
    pub(super) async fn sleep_unless_cancelled(&self, time: Duration) -> Result<(), HaltReason> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.0.stop.wait_for_cancel() => Err(HaltReason::Cancelled),
        }
    }
}

#[cfg(test)]
mod tests;
