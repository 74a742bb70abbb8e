//! What the headers of a response say about the limits.

use std::time::Duration;

use reqwest::header::HeaderMap;

use crate::api::retry_after::retry_after;

/// The rate-limit headers of a response (api.md §8.2).
pub(super) struct RateLimitHeaders {
    pub(super) requests: Option<u32>,
    pub(super) remaining: Option<u32>,
    pub(super) window: Option<Duration>,
    pub(super) daily: Option<u64>,
    pub(super) daily_remaining: Option<u64>,
    pub(super) daily_reset: Option<Duration>,
    pub(super) retry_after: Option<Duration>,
}

impl RateLimitHeaders {
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        let number =
            |name: &str| -> Option<u64> { headers.get(name)?.to_str().ok()?.trim().parse().ok() };
        // A limit of zero would block forever, so such a header is ignored.
        let positive = |name: &str| number(name).filter(|number| *number > 0);
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        // A window of more than an hour is not a burst window.
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
            retry_after: retry_after(headers),
        }
    }
}
