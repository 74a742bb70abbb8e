//! What a rate limiter knows, and whether the next request may be sent.

use std::time::Duration;

use tokio::time::Instant;

use super::budget::RequestBudget;
use super::headers::RateLimitHeaders;
use super::occupied_slots::OccupiedSlots;
use super::{HaltReason, LONGEST_WAIT, RateLimits, padded_window};
use crate::api::daily_quota::{DailyQuota, QuotaPolicy};

/// After so many windows full of refusals without a word, it is not the window's limit that is used up.
const SILENT_WINDOWS: u32 = 6;
/// How long to wait then.
const SILENT_PAUSE: Duration = Duration::from_mins(15);

#[derive(Default)]
pub(super) struct RateLimiterState {
    pub(super) limits: RateLimits,
    /// The requests that may still count in the server's window, since their responses arrived.
    pub(super) used: OccupiedSlots,
    pub(super) in_flight: u32,
    pub(super) has_response: bool,
    /// After a 429 nothing is sent before this time.
    pub(super) blocked_until: Option<Instant>,
    /// Waits in a row after a 429 that says nothing about the limits, and when the first one began.
    pub(super) silent_waits: u32,
    pub(super) silent_since: Option<Instant>,
    pub(super) day: Option<DailyQuota>,
    /// The caller's own limit.
    pub(super) budget: Option<RequestBudget>,
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
        if self.is_silently_refused(now) {
            return PermitDecision::Pause(HaltReason::SilentRefusal, SILENT_PAUSE);
        }
        // Refused again after the wait: one request finds out whether that goes on.
        if self.silent_waits > 1 && self.in_flight > 0 {
            return PermitDecision::Answer;
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
        if let Some(Err(resume_in)) = self.budget.as_mut().map(|budget| budget.take(now)) {
            return PermitDecision::Pause(HaltReason::Budget { resume_in }, resume_in);
        }
        self.in_flight += 1;
        PermitDecision::Go
    }

    /// Takes back a permit whose request was not sent.
    pub(super) fn withdraw_permit(&mut self) {
        self.in_flight -= 1;
        if let Some(budget) = &mut self.budget {
            budget.give_back();
        }
    }

    /// Records that a request is no longer in flight; it occupies its slot in the window from now
    /// on.
    pub(super) fn finish_request(&mut self, now: Instant) {
        self.in_flight -= 1;
        self.used.occupy(now, 1, self.limits.window);
    }

    /// Begins the next attempt after a pause.
    pub(super) fn end_pause(&mut self) {
        self.day = None;
        self.silent_waits = self.silent_waits.min(SILENT_WINDOWS - 1);
    }

    /// Whether requests have been refused without a word for several windows.
    fn is_silently_refused(&self, now: Instant) -> bool {
        let span = padded_window(self.limits.window) * (SILENT_WINDOWS - 1);
        self.silent_waits >= SILENT_WINDOWS
            && self.silent_since.is_some_and(|since| now.duration_since(since) >= span)
    }

    /// Counts a 429 that says nothing about the limits.
    pub(super) fn count_silent_refusal(&mut self, now: Instant, begins_wait: bool) {
        self.silent_waits += u32::from(begins_wait);
        self.silent_since.get_or_insert(now);
    }

    /// Forgets those refusals after another response.
    pub(super) fn forget_silent_refusals(&mut self) {
        (self.silent_waits, self.silent_since) = (0, None);
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
