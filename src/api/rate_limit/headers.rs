//! What the headers of a response say about the limits.
//!
//! Nothing here is trusted: a number that no limit of this API can have is ignored, because it would block for ever,
//! lift the limit, or size memory.

use std::ops::RangeInclusive;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::api::retry_after::retry_after;
use crate::text::truncate_text;

/// Most requests per window: ten thousand times the documented number.
const REQUESTS: RangeInclusive<u64> = 1..=1_000_000;
/// A longer window is not one for bursts, in milliseconds.
const WINDOW: RangeInclusive<u64> = 1..=3_600_000;
/// Most requests per day: five thousand times the documented number.
const DAILY: RangeInclusive<u64> = 1..=1_000_000_000;
/// The quota is one of a day, so nothing of it takes longer than two, in milliseconds.
const RESET: RangeInclusive<u64> = 0..=2 * 24 * 3_600_000;

/// The rate-limit headers of a response (api.md §8.2).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RateLimitHeaders {
    pub(super) requests: Option<u32>,
    pub(super) remaining: Option<u32>,
    pub(super) window: Option<Duration>,
    pub(super) daily: Option<u64>,
    pub(super) daily_remaining: Option<u64>,
    pub(super) daily_reset: Option<Duration>,
    pub(super) retry_after: Option<Duration>,
    /// A header that is ignored, with its value, shortened for display. Untrusted text.
    pub(super) ignored: Option<String>,
}

impl RateLimitHeaders {
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        let mut ignored = None;
        let mut number =
            |name: &'static str, range| read_number(headers, name, &range, &mut ignored);
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let requests = number("x-ratelimit-max", REQUESTS).map(small);
        let remaining = number("x-ratelimit-remaining", 0..=*REQUESTS.end()).map(small);
        let window = number("x-ratelimit-interval-milliseconds", WINDOW);
        let daily = number("x-ratelimit-limit-daily", DAILY);
        let daily_remaining = number("x-ratelimit-daily-remaining", 0..=*DAILY.end());
        let daily_reset = number("x-ratelimit-daily-reset", RESET);
        let wait = retry_after(headers).filter(|wait| wait.as_millis() <= u128::from(*RESET.end()));
        if wait.is_none() && headers.contains_key(RETRY_AFTER) {
            ignored = Some(describe_header(headers, RETRY_AFTER.as_str()));
        }
        Self {
            requests,
            remaining,
            window: window.map(Duration::from_millis),
            daily,
            daily_remaining,
            daily_reset: daily_reset.map(Duration::from_millis),
            retry_after: wait,
            ignored,
        }
    }
}

impl RateLimitHeaders {
    /// Whether the response says nothing about the limits.
    pub(super) fn is_silent(&self) -> bool {
        self.requests.is_none() && self.remaining.is_none() && self.daily_remaining.is_none()
    }
}

/// The number in a header, if it is one within the range; otherwise the header goes to `ignored`.
fn read_number(
    headers: &HeaderMap,
    name: &'static str,
    range: &RangeInclusive<u64>,
    ignored: &mut Option<String>,
) -> Option<u64> {
    let value = headers.get(name)?;
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    let number = number.filter(|number| range.contains(number));
    if number.is_none() {
        *ignored = Some(describe_header(headers, name));
    }
    number
}

/// A header as it was sent, such as `x-ratelimit-max: 0`.
fn describe_header(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).map(reqwest::header::HeaderValue::as_bytes).unwrap_or_default();
    truncate_text(&format!("{name}: {}", String::from_utf8_lossy(value)), 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&'static str, &str)]) -> RateLimitHeaders {
        let headers =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        RateLimitHeaders::from_headers(&headers.collect())
    }

    #[test]
    fn the_headers_of_the_api_are_read() {
        let read = parse(&[
            ("x-ratelimit-max", "100"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-interval-milliseconds", "10000"),
            ("x-ratelimit-limit-daily", "200000"),
            ("x-ratelimit-daily-remaining", "0"),
            ("x-ratelimit-daily-reset", "84322000"),
            ("retry-after", "36000"),
        ]);
        let expected = RateLimitHeaders {
            requests: Some(100),
            remaining: Some(0),
            window: Some(Duration::from_secs(10)),
            daily: Some(200_000),
            daily_remaining: Some(0),
            daily_reset: Some(Duration::from_secs(84_322)),
            retry_after: Some(Duration::from_hours(10)),
            ignored: None,
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn a_number_out_of_range_is_ignored_and_named() {
        let hostile = [
            ("x-ratelimit-max", "1000000000"),
            ("x-ratelimit-max", "0"),
            ("x-ratelimit-remaining", "18446744073709551615"),
            ("x-ratelimit-interval-milliseconds", "0"),
            ("x-ratelimit-interval-milliseconds", "3600001"),
            ("x-ratelimit-limit-daily", "18446744073709551615"),
            ("x-ratelimit-daily-remaining", "-1"),
            ("x-ratelimit-daily-reset", "18446744073709551615"),
            ("retry-after", "31536000"),
            ("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"),
            ("retry-after", "1e9"),
        ];
        for (name, value) in hostile {
            let ignored = Some(format!("{name}: {value}"));
            assert_eq!(parse(&[(name, value)]), RateLimitHeaders { ignored, ..Default::default() });
        }
    }
}
