//! What a rate limiter knows, and whether the next request may be sent.

use std::time::Duration;

use tokio::time::Instant;

use super::headers::RateLimitHeaders;
use super::occupied_slots::OccupiedSlots;
use super::{HaltReason, LONGEST_WAIT, RateLimits, padded_window};
use crate::api::daily_quota::{DailyQuota, QuotaPolicy};

#[derive(Default)]
pub(super) struct RateLimiterState {
    pub(super) limits: RateLimits,
    /// The requests that may still count in the server's window, since their responses arrived.
    pub(super) used: OccupiedSlots,
    pub(super) in_flight: u32,
    pub(super) has_response: bool,
    /// After a 429 nothing is sent before this time.
    pub(super) blocked_until: Option<Instant>,
    pub(super) day: Option<DailyQuota>,
    /// What the last response said is left in the window.
    pub(super) remaining: Option<u32>,
    pub(super) refused: u64,
    /// Whether the user knows that other processes use the window.
    pub(super) reported_others: bool,
    /// Whether the user knows that a header was ignored.
    pub(super) reported_header: bool,
    /// Until when the display shows that nothing is sent.
    pub(super) wait_shown_until: Option<Instant>,
}

/// What a waiting request must wait for.
pub(super) enum PermitDecision {
    Go,
    Until(Instant),
    Answer,
    /// Nothing may be sent for so long that the run pauses.
    Pause(HaltReason, Duration),
}

impl RateLimiterState {
    pub(super) fn decide_permit(&mut self, now: Instant, quota: QuotaPolicy) -> PermitDecision {
        if let Some(until) = self.blocked_until.filter(|until| *until > now) {
            return wait_until(until, now);
        }
        if let Some(day) = self.day {
            let spendable = day.spendable_requests(quota.reserve);
            if spendable == 0 {
                let resume_in = day.time_until_reset(now);
                return PermitDecision::Pause(HaltReason::DailyQuota { resume_in }, resume_in);
            }
            // Requests in flight may or may not be counted already: wait for their responses before
            // deciding.
            if spendable <= u64::from(self.in_flight) {
                return PermitDecision::Answer;
            }
        }
        if !self.has_response && self.in_flight > 0 {
            return PermitDecision::Answer;
        }
        let window = padded_window(self.limits.window);
        self.used.free_expired(now, window);
        if self.used.count() + self.in_flight as usize >= self.limits.requests as usize {
            return match self.used.oldest() {
                Some(oldest) => wait_until(oldest + window, now),
                None => PermitDecision::Answer,
            };
        }
        self.in_flight += 1;
        PermitDecision::Go
    }

    /// Records that a request is no longer in flight; it occupies its slot in the window from now
    /// on.
    pub(super) fn finish_request(&mut self, now: Instant) {
        self.in_flight -= 1;
        self.used.occupy(now, 1, self.limits.window);
    }

    pub(super) fn apply_headers(&mut self, now: Instant, headers: &RateLimitHeaders) {
        self.has_response = true;
        if let Some(requests) = headers.requests {
            self.limits.requests = requests;
        }
        if let Some(window) = headers.window {
            self.limits.window = window;
        }
        self.remaining = headers.remaining.or(self.remaining);
        if let (Some(requests), Some(remaining)) = (headers.requests, headers.remaining) {
            let counted = requests.saturating_sub(remaining) as usize;
            let ours = self.used.count() + self.in_flight as usize;
            self.used.occupy(now, counted.saturating_sub(ours), self.limits.window);
        }
        if let Some(daily) = headers.daily {
            self.limits.daily = daily;
        }
        if let Some(remaining) = headers.daily_remaining {
            let resets = headers.daily_reset.map(|reset| now + reset);
            // Responses may arrive out of order, but by no more than the number in flight: the
            // smaller count is the later one. A larger jump up means that the quota was reset.
            let remaining = match self.day {
                Some(day) if remaining <= day.remaining + u64::from(self.in_flight) + 1 => {
                    remaining.min(day.remaining)
                }
                _ => remaining,
            };
            self.day = Some(DailyQuota { limit: self.limits.daily, remaining, resets });
        }
    }
}

/// Waits until a time, which pauses the run if it is far away.
fn wait_until(until: Instant, now: Instant) -> PermitDecision {
    let resume_in = until - now;
    if resume_in > LONGEST_WAIT {
        return PermitDecision::Pause(HaltReason::RateLimit { resume_in }, resume_in);
    }
    PermitDecision::Until(until)
}
