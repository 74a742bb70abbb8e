//! A slot in the window, from the request to its response.

use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::headers::RateLimitHeaders;
use super::{LONGEST_WAIT, MARGIN, RateLimiter, padded_window};
use crate::event::WaitReason;

/// A slot in the window. Dropped without a response it counts as used: the request may have
/// arrived.
#[must_use]
pub(in crate::api) struct RateLimitPermit {
    pub(super) limiter: RateLimiter,
    /// Whether it occupies a slot of the shared window.
    pub(super) shared: bool,
    pub(super) recorded: bool,
}

impl RateLimitPermit {
    /// Records the response's headers. `refused`: it is a 429; all requests then wait for the
    /// window, once.
    pub(in crate::api) fn record_response(mut self, headers: &HeaderMap, refused: bool) {
        let now = Instant::now();
        let headers = RateLimitHeaders::from_headers(headers);
        self.recorded = true;
        let mut wait = None;
        let limits;
        {
            let mut state = self.limiter.lock_state();
            state.finish_request(now);
            state.apply_headers(now, &headers);
            if !refused || !headers.is_silent() {
                state.forget_silent_refusals();
            }
            if refused {
                state.refused += 1;
                let window = padded_window(state.limits.window);
                let time = headers.retry_after.unwrap_or(window).max(MARGIN);
                let day_used_up = state.day.is_some_and(|day| day.remaining == 0);
                // A used-up daily quota is handled separately: there is no window to wait for.
                if !day_used_up {
                    wait = state.blocked_until.is_none_or(|until| until < now).then_some(time);
                    state.blocked_until = state.blocked_until.max(Some(now + time));
                    state.wait_shown_until = state.blocked_until;
                    if headers.is_silent() {
                        state.count_silent_refusal(now, wait.is_some());
                    }
                }
            }
            limits = state.limits;
        }
        let shared = self.limiter.0.shared.as_ref().filter(|_| self.shared);
        if let Some(shared) = shared {
            shared.finish();
            let counted = headers.requests.zip(headers.remaining);
            let counted = counted.map(|(requests, remaining)| requests.saturating_sub(remaining));
            shared.learn(limits, counted, wait.map(|wait| wait.min(LONGEST_WAIT)));
        }
        if let Some(header) = headers.ignored {
            self.limiter.report_ignored_header(&header);
        }
        self.limiter.0.responded.notify_waiters();
        if let Some(time) = wait {
            self.limiter.report_wait(WaitReason::RateLimited, time);
        }
    }
}

impl Drop for RateLimitPermit {
    fn drop(&mut self) {
        if !self.recorded {
            let mut state = self.limiter.lock_state();
            state.finish_request(Instant::now());
            // Without a response nothing was learned, but waiting for one would block forever.
            state.has_response = true;
            drop(state);
            if let Some(shared) = self.limiter.0.shared.as_ref().filter(|_| self.shared) {
                shared.finish();
            }
            self.limiter.0.responded.notify_waiters();
        }
    }
}
