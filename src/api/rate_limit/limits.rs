//! The limits, what is left of them, and why no more requests may be sent.

use std::time::Duration;

/// The server's limits.
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

/// What is left of the limits, as the server last reported it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitStatus {
    /// The limits; the documented ones if the server has not reported any.
    pub limits: RateLimits,
    /// Requests left in the window.
    pub remaining: Option<u32>,
    /// Requests left today, including the reserve.
    pub remaining_today: Option<u64>,
    /// How long until the daily quota resets.
    pub resets_in: Option<Duration>,
}

/// Why no more requests may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HaltReason {
    /// The run was cancelled.
    Cancelled,
    /// The daily quota, less the reserve, is used up.
    DailyQuota {
        /// How long until it resets.
        resume_in: Duration,
    },
    /// The caller's own share of the daily quota is used up.
    Budget {
        /// How long until the next day.
        resume_in: Duration,
    },
    /// The rate limit leaves no room for longer than five minutes.
    RateLimit {
        /// How long until it does.
        resume_in: Duration,
    },
    /// Every request is refused, and no response says why or for how long.
    SilentRefusal,
}

impl HaltReason {
    /// What it means for the user, as a clause.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Cancelled => "interrupted",
            Self::DailyQuota { .. } => "the daily request quota is used up",
            Self::Budget { .. } => {
                "the requests that `--max-requests` allows for a day are used up"
            }
            Self::RateLimit { .. } => "the API asks to wait for longer than five minutes",
            Self::SilentRefusal => "the API refuses every request and does not say until when",
        }
    }
}
