//! The rate limits: a burst limit and a daily quota per location.
//!
//! The burst limit is a log of arrivals in a sliding window, the strictest reading of the vendor's
//! text, or a fixed window. The time is passed in, so nothing here reads a clock.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);
const NO_LIMIT: LocationRateLimit = LocationRateLimit {
    requests: 1_000_000,
    interval: Duration::from_secs(10),
    daily: 1_000_000_000,
};

/// The rate limit of a location: written `100/10s`, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocationRateLimit {
    /// Requests per interval.
    pub requests: u32,
    /// The interval of the burst limit.
    pub interval: Duration,
    /// Requests per day.
    pub daily: u64,
}

impl LocationRateLimit {
    /// Practically no limit: a million requests per ten seconds. The headers are sent nevertheless.
    pub const NONE: Self = NO_LIMIT;
}

impl Default for LocationRateLimit {
    /// The documented limits: 100 per 10 s and 200,000 a day.
    fn default() -> Self {
        Self { requests: 100, interval: Duration::from_secs(10), daily: 200_000 }
    }
}

/// A text that is not a rate limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a limit; write `100/10s`, `100/10s/200000` or `none`")]
pub struct RateLimitParseError(String);

impl FromStr for LocationRateLimit {
    type Err = RateLimitParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || RateLimitParseError(text.to_owned());
        if text == "none" {
            return Ok(NO_LIMIT);
        }
        let mut parts = text.split('/');
        let requests = parts.next().and_then(|part| part.parse().ok()).ok_or_else(wrong)?;
        let interval = parts.next().and_then(parse_duration).ok_or_else(wrong)?;
        let daily = match parts.next() {
            Some(part) => part.parse().map_err(|_| wrong())?,
            None => Self::default().daily,
        };
        if requests == 0 || interval.is_zero() || parts.next().is_some() {
            return Err(wrong());
        }
        Ok(Self { requests, interval, daily })
    }
}

impl fmt::Display for LocationRateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == NO_LIMIT {
            return f.write_str("none");
        }
        write!(f, "{}/", self.requests)?;
        match self.interval.subsec_millis() {
            0 => write!(f, "{}s", self.interval.as_secs())?,
            _ => write!(f, "{}ms", self.interval.as_millis())?,
        }
        if self.daily == Self::default().daily { Ok(()) } else { write!(f, "/{}", self.daily) }
    }
}

/// Parses durations such as `10s` and `500ms`.
fn parse_duration(text: &str) -> Option<Duration> {
    if let Some(number) = text.strip_suffix("ms") {
        return number.parse().ok().map(Duration::from_millis);
    }
    text.strip_suffix('s')?.parse().ok().map(Duration::from_secs)
}

/// How the burst limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BurstWindow {
    /// No period of one interval, wherever it starts, contains more than the limit.
    #[default]
    Sliding,
    /// Intervals follow one another, and each starts at zero.
    Fixed,
}

/// The values of a response's rate-limit headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QuotaStatus {
    pub(crate) limit: LocationRateLimit,
    pub(crate) remaining: u32,
    pub(crate) daily_remaining: u64,
    pub(crate) daily_reset: Duration,
    /// How long to wait, if the request is refused.
    pub(crate) refused: Option<Duration>,
}

/// The counters of all locations.
#[derive(Debug)]
pub(crate) struct LocationLimiter {
    limit: LocationRateLimit,
    window: BurstWindow,
    daily_used: u64,
    buckets: HashMap<String, LocationUsage>,
}

#[derive(Debug)]
struct LocationUsage {
    arrivals: VecDeque<Duration>,
    day_start: Duration,
    day_used: u64,
}

impl LocationLimiter {
    pub(crate) fn new(limit: LocationRateLimit, window: BurstWindow, daily_used: u64) -> Self {
        Self { limit, window, daily_used, buckets: HashMap::new() }
    }

    pub(crate) fn set_limit(&mut self, limit: LocationRateLimit) {
        self.limit = limit;
    }

    pub(crate) fn limit(&self) -> LocationRateLimit {
        self.limit
    }

    /// Counts a request of `location` that arrives at `now`, unless it exceeds the limit.
    pub(crate) fn admit_request(&mut self, location: &str, now: Duration) -> QuotaStatus {
        let limit = self.limit;
        let window = self.window;
        if !self.buckets.contains_key(location) {
            let bucket = LocationUsage {
                arrivals: VecDeque::new(),
                day_start: now,
                day_used: self.daily_used,
            };
            self.buckets.insert(location.to_owned(), bucket);
        }
        let bucket = self.buckets.get_mut(location).expect("the bucket was made above");
        bucket.drop_expired(limit, window, now);
        let refused = bucket.retry_after(limit, now);
        if refused.is_none() {
            bucket.arrivals.push_back(now);
            bucket.day_used += 1;
        }
        let used = u32::try_from(bucket.arrivals.len()).unwrap_or(u32::MAX);
        QuotaStatus {
            limit,
            remaining: limit.requests.saturating_sub(used),
            daily_remaining: limit.daily.saturating_sub(bucket.day_used),
            daily_reset: (bucket.day_start + DAY).saturating_sub(now),
            refused,
        }
    }
}

impl LocationUsage {
    /// Drops the arrivals that no longer count.
    fn drop_expired(&mut self, limit: LocationRateLimit, window: BurstWindow, now: Duration) {
        if now >= self.day_start + DAY {
            self.day_start = now;
            self.day_used = 0;
        }
        match window {
            BurstWindow::Sliding => {
                while self.arrivals.front().is_some_and(|first| *first + limit.interval <= now) {
                    self.arrivals.pop_front();
                }
            }
            BurstWindow::Fixed => {
                if self.arrivals.front().is_some_and(|first| *first + limit.interval <= now) {
                    self.arrivals.clear();
                }
            }
        }
    }

    fn retry_after(&self, limit: LocationRateLimit, now: Duration) -> Option<Duration> {
        if self.day_used >= limit.daily {
            return Some((self.day_start + DAY).saturating_sub(now));
        }
        let full = self.arrivals.len() >= limit.requests as usize;
        let first = self.arrivals.front().filter(|_| full)?;
        Some((*first + limit.interval).saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_limit_reads_back_what_it_writes() {
        for text in ["100/10s", "10/1s", "5/250ms", "100/10s/50", "none"] {
            assert_eq!(text.parse::<LocationRateLimit>().unwrap().to_string(), text);
        }
        for text in ["", "100", "0/10s", "100/10", "100/0s", "100/10s/1/1", "x/1s"] {
            assert!(text.parse::<LocationRateLimit>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_sliding_window_refuses_what_a_fixed_one_lets_pass() {
        let limit: LocationRateLimit = "2/1s".parse().unwrap();
        let arrivals = [0, 900, 1100, 1200];
        let refused = |window| {
            let mut limiter = LocationLimiter::new(limit, window, 0);
            arrivals.map(|time| limiter.admit_request("one", at(time)).refused.is_some())
        };
        assert_eq!(refused(BurstWindow::Sliding), [false, false, false, true]);
        assert_eq!(refused(BurstWindow::Fixed), [false, false, false, false]);
    }

    #[test]
    fn a_refusal_says_when_the_next_request_fits() {
        let mut limiter = LocationLimiter::new("1/1s".parse().unwrap(), BurstWindow::Sliding, 0);
        assert_eq!(limiter.admit_request("one", at(100)).remaining, 0);
        assert_eq!(limiter.admit_request("one", at(400)).refused, Some(at(700)));
        assert_eq!(limiter.admit_request("two", at(400)).refused, None);
        assert_eq!(limiter.admit_request("one", at(1100)).refused, None);
    }

    #[test]
    fn a_used_up_day_refuses_until_it_ends() {
        let mut limiter = LocationLimiter::new("5/1s/10".parse().unwrap(), BurstWindow::Sliding, 9);
        assert_eq!(limiter.admit_request("one", at(0)).daily_remaining, 0);
        assert_eq!(
            limiter.admit_request("one", at(1000)).refused,
            Some(DAY.saturating_sub(at(1000)))
        );
        assert_eq!(limiter.admit_request("one", DAY).refused, None);
    }
}
