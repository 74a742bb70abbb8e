//! The pace: one limiter per location, which fills the server's window and never overruns it.
//!
//! The server counts a request some time between our sending it and our reading its answer. A request
//! therefore holds its place in the window until one window after its *answer*: whatever the server's
//! window (sliding, fixed, a bucket), it never sees more than the limit. The limits come from the
//! `X-RateLimit-*` headers of each answer and start from the documented ones (api.md §8). Until the
//! first answer one request flies alone, because an earlier process or another application may have
//! used up most of the window. Where the server has counted more than we sent, the difference is
//! somebody else's and takes places too.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use super::daily_quota::{DailyQuota, QuotaPolicy};
use crate::event::{CancelSignal, RunEvent, SharedObserver, WaitReason};

/// The window as this side keeps it: a thousandth longer, against clocks that run apart and windows that
/// include their end.
fn padded_window(window: Duration) -> Duration {
    window + (window / 1000).clamp(MARGIN, Duration::from_millis(10))
}

/// The least that is added to a time the server gives.
const MARGIN: Duration = Duration::from_millis(3);

/// How many requests the server takes in what time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests per window.
    pub requests: u32,
    /// The window.
    pub window: Duration,
    /// Requests per day.
    pub daily: u64,
}

impl Default for RateLimits {
    /// The documented limits (api.md §8.1).
    fn default() -> Self {
        Self { requests: 100, window: Duration::from_secs(10), daily: 200_000 }
    }
}

/// What is left of the limits, as the server last told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitStatus {
    /// The limits; the documented ones where nothing was told.
    pub limits: RateLimits,
    /// Requests left of the window.
    pub left: Option<u32>,
    /// Requests left of the day, the reserve included.
    pub left_today: Option<u64>,
    /// How long until the server counts the day anew.
    pub resets_in: Option<Duration>,
}

/// Why no request may be sent any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HaltReason {
    /// The tap was closed.
    Stopped,
    /// The daily budget, less the reserve, is used up until then (from now).
    Budget {
        /// How long until the server counts anew.
        resume_in: Duration,
    },
}

/// The limiter of one location. Clones share it.
#[derive(Clone)]
pub struct RateLimiter(Arc<RateLimiterShared>);

struct RateLimiterShared {
    state: Mutex<RateLimiterState>,
    /// Told whenever an answer came in.
    answered: Notify,
    /// Those who wait stand in line here, so that one alone watches the window.
    turn: Semaphore,
    budget: QuotaPolicy,
    stop: CancelSignal,
    watcher: SharedObserver,
}

struct RateLimiterState {
    limits: RateLimits,
    /// When the answers came whose requests may still stand in the server's window, oldest first.
    used: VecDeque<Instant>,
    flying: u32,
    known: bool,
    /// After a 429 nobody sends before this.
    barred: Option<Instant>,
    day: Option<DailyQuota>,
    /// What the last answer said is left of the window.
    left: Option<u32>,
    refused: u64,
}

/// A place in the window. Dropping it without an answer counts as used: the request may have arrived.
#[must_use]
pub(super) struct RateLimitPermit {
    pace: RateLimiter,
    settled: bool,
}

/// What a waiting request has to wait for.
enum PermitDecision {
    Go,
    Until(Instant),
    Answer,
    SpentUntil(Duration),
}

impl RateLimiter {
    /// A limiter that starts from the documented limits.
    #[must_use]
    pub fn new(budget: QuotaPolicy, stop: CancelSignal, watcher: SharedObserver) -> Self {
        let state = RateLimiterState {
            limits: RateLimits::default(),
            used: VecDeque::new(),
            flying: 0,
            known: false,
            barred: None,
            day: None,
            left: None,
            refused: 0,
        };
        Self(Arc::new(RateLimiterShared {
            state: Mutex::new(state),
            answered: Notify::new(),
            turn: Semaphore::new(1),
            budget,
            stop,
            watcher,
        }))
    }

    /// The limits as known now.
    #[must_use]
    pub fn current_limits(&self) -> RateLimits {
        self.lock_state().limits
    }

    /// Requests left of the day, the reserve not counted, where the server has told.
    #[must_use]
    pub fn spendable_today(&self) -> Option<u64> {
        self.lock_state().day.map(|day| day.spendable_requests(self.0.budget.reserve))
    }

    /// What the server has said of its limits, for people.
    #[must_use]
    pub fn limit_status(&self) -> RateLimitStatus {
        let state = self.lock_state();
        let now = Instant::now();
        RateLimitStatus {
            limits: state.limits,
            left: state.left,
            left_today: state.day.map(|day| day.remaining),
            resets_in: state
                .day
                .and_then(|day| day.resets)
                .map(|resets| resets.saturating_duration_since(now)),
        }
    }

    /// How many answers were 429.
    #[must_use]
    pub fn throttled_count(&self) -> u64 {
        self.lock_state().refused
    }

    fn lock_state(&self) -> MutexGuard<'_, RateLimiterState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place in the window.
    pub(super) async fn acquire_permit(&self) -> Result<RateLimitPermit, HaltReason> {
        let _turn = tokio::select! {
            biased;
            () = self.0.stop.wait_for_cancel() => return Err(HaltReason::Stopped),
            turn = self.0.turn.acquire() => turn.expect("the line is never closed"),
        };
        loop {
            if self.0.stop.is_cancelled() {
                return Err(HaltReason::Stopped);
            }
            // Asked for before looking, so that an answer between the two is not missed.
            let answered = self.0.answered.notified();
            let next = self.lock_state().decide_permit(Instant::now(), self.0.budget);
            match next {
                PermitDecision::Go => {
                    return Ok(RateLimitPermit { pace: self.clone(), settled: false });
                }
                PermitDecision::Answer => tokio::select! {
                    () = answered => {}
                    () = self.0.stop.wait_for_cancel() => {}
                },
                PermitDecision::Until(instant) => tokio::select! {
                    () = tokio::time::sleep_until(instant) => {}
                    () = answered => {}
                    () = self.0.stop.wait_for_cancel() => {}
                },
                PermitDecision::SpentUntil(resume_in) if self.0.budget.wait => {
                    self.report_wait(WaitReason::Budget, resume_in);
                    tokio::select! {
                        () = tokio::time::sleep(resume_in + MARGIN) => self.lock_state().day = None,
                        () = self.0.stop.wait_for_cancel() => {}
                    }
                }
                PermitDecision::SpentUntil(resume_in) => {
                    return Err(HaltReason::Budget { resume_in });
                }
            }
        }
    }

    fn report_wait(&self, reason: WaitReason, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.0.watcher.observe(&RunEvent::Waiting { reason, ms });
    }

    /// Waits before a request is sent again; ends early when the tap is closed.
    pub(super) async fn sleep_unless_cancelled(&self, time: Duration) -> Result<(), HaltReason> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.0.stop.wait_for_cancel() => Err(HaltReason::Stopped),
        }
    }
}

impl RateLimiterState {
    fn decide_permit(&mut self, now: Instant, budget: QuotaPolicy) -> PermitDecision {
        if let Some(barred) = self.barred.filter(|barred| *barred > now) {
            return PermitDecision::Until(barred);
        }
        if let Some(day) = self.day {
            let spendable = day.spendable_requests(budget.reserve);
            if spendable == 0 {
                return PermitDecision::SpentUntil(day.time_until_reset(now));
            }
            // Those in flight may or may not be counted already: let them land before deciding.
            if spendable <= u64::from(self.flying) {
                return PermitDecision::Answer;
            }
        }
        if !self.known && self.flying > 0 {
            return PermitDecision::Answer;
        }
        let window = padded_window(self.limits.window);
        while self.used.front().is_some_and(|used| *used + window <= now) {
            self.used.pop_front();
        }
        if self.used.len() + self.flying as usize >= self.limits.requests as usize {
            return match self.used.front() {
                Some(oldest) => PermitDecision::Until(*oldest + window),
                None => PermitDecision::Answer,
            };
        }
        self.flying += 1;
        PermitDecision::Go
    }

    /// A request is no longer in flight; it holds its place in the window from now.
    fn finish_request(&mut self, now: Instant) {
        self.flying -= 1;
        self.used.push_back(now);
    }

    fn apply_headers(&mut self, now: Instant, told: &RateLimitHeaders) {
        self.known = true;
        if let Some(requests) = told.requests {
            self.limits.requests = requests;
        }
        if let Some(window) = told.window {
            self.limits.window = window;
        }
        self.left = told.remaining.or(self.left);
        if let (Some(requests), Some(remaining)) = (told.requests, told.remaining) {
            let counted = requests.saturating_sub(remaining) as usize;
            let ours = self.used.len() + self.flying as usize;
            self.used.extend(std::iter::repeat_n(now, counted.saturating_sub(ours)));
        }
        if let Some(daily) = told.daily {
            self.limits.daily = daily;
        }
        if let Some(remaining) = told.daily_remaining {
            let resets = told.daily_reset.map(|reset| now + reset);
            // Answers overtake each other, by no more than what is in flight: the smaller count is the
            // later one. A larger step up is a new day.
            let remaining = match self.day {
                Some(day) if remaining <= day.remaining + u64::from(self.flying) + 1 => {
                    remaining.min(day.remaining)
                }
                _ => remaining,
            };
            self.day = Some(DailyQuota { limit: self.limits.daily, remaining, resets });
        }
    }
}

/// What the headers of an answer tell (api.md §8.2).
struct RateLimitHeaders {
    requests: Option<u32>,
    remaining: Option<u32>,
    window: Option<Duration>,
    daily: Option<u64>,
    daily_remaining: Option<u64>,
    daily_reset: Option<Duration>,
    retry_after: Option<Duration>,
}

impl RateLimitHeaders {
    fn from_headers(headers: &HeaderMap) -> Self {
        let number =
            |name: &str| -> Option<u64> { headers.get(name)?.to_str().ok()?.trim().parse().ok() };
        // A limit of nothing would stand still for ever: such a header is no information.
        let positive = |name: &str| number(name).filter(|number| *number > 0);
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        // A window of more than an hour is no burst window.
        let window = positive("x-ratelimit-interval-milliseconds")
            .map(Duration::from_millis)
            .filter(|window| *window <= Duration::from_hours(1));
        Self {
            requests: positive("x-ratelimit-max").map(small),
            remaining: number("x-ratelimit-remaining").map(small),
            window,
            daily: positive("x-ratelimit-limit-daily"),
            daily_remaining: number("x-ratelimit-daily-remaining"),
            daily_reset: number("x-ratelimit-daily-reset").map(Duration::from_millis),
            retry_after: number("retry-after").map(Duration::from_secs),
        }
    }
}

impl RateLimitPermit {
    /// The answer's headers came. `refused`: it is a 429; everyone then waits for the window, once.
    pub(super) fn record_response(mut self, headers: &HeaderMap, refused: bool) {
        let now = Instant::now();
        let told = RateLimitHeaders::from_headers(headers);
        self.settled = true;
        let mut wait = None;
        {
            let mut state = self.pace.lock_state();
            state.finish_request(now);
            state.apply_headers(now, &told);
            if refused {
                state.refused += 1;
                let window = padded_window(state.limits.window);
                let time = told.retry_after.unwrap_or(window).clamp(MARGIN, Duration::from_mins(5));
                let spent = state.day.is_some_and(|day| day.remaining == 0);
                // A spent day is the budget's business: there is no window to wait for.
                if !spent {
                    wait = state.barred.is_none_or(|barred| barred < now).then_some(time);
                    state.barred = state.barred.max(Some(now + time));
                }
            }
        }
        self.pace.0.answered.notify_waiters();
        if let Some(time) = wait {
            self.pace.report_wait(WaitReason::Refused, time);
        }
    }
}

impl Drop for RateLimitPermit {
    fn drop(&mut self) {
        if !self.settled {
            let mut state = self.pace.lock_state();
            state.finish_request(Instant::now());
            // No answer: nothing was learnt, but to wait for one would be to wait for ever.
            state.known = true;
            drop(state);
            self.pace.0.answered.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
