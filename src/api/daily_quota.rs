//! The daily request quota: how much is left, how much to reserve for other applications, and when
//! it resets.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// A part of the daily quota, such as what is reserved for the location's other applications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaReserve {
    /// This many requests.
    Requests(u64),
    /// This percentage of the daily limit.
    Percent(u8),
}

impl QuotaReserve {
    /// The reserve in requests.
    #[must_use]
    pub fn reserved_requests(self, limit: u64) -> u64 {
        match self {
            Self::Requests(requests) => requests,
            Self::Percent(percent) => limit * u64::from(percent) / 100,
        }
    }
}

/// As it is typed: `200`, `10%`.
impl fmt::Display for QuotaReserve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requests(requests) => write!(f, "{requests}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl FromStr for QuotaReserve {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let refuse =
            || format!("`{text}` is neither a number of requests nor a share such as `10%`");
        match text.strip_suffix('%') {
            Some(percent) => match percent.parse() {
                Ok(percent) if percent <= 100 => Ok(Self::Percent(percent)),
                _ => Err(refuse()),
            },
            None => text.parse().map(Self::Requests).map_err(|_| refuse()),
        }
    }
}

/// How to treat the daily quota.
#[derive(Debug, Clone, Copy)]
pub struct QuotaPolicy {
    /// The requests reserved for others.
    pub reserve: QuotaReserve,
    /// Whether to wait until the quota resets instead of stopping.
    pub wait: bool,
}

impl Default for QuotaPolicy {
    fn default() -> Self {
        Self { reserve: QuotaReserve::Requests(0), wait: false }
    }
}

/// The day's quota as the server last reported it.
#[derive(Debug, Clone, Copy)]
pub(super) struct DailyQuota {
    pub(super) limit: u64,
    pub(super) remaining: u64,
    /// When the quota resets, if the server says so.
    pub(super) resets: Option<Instant>,
}

impl DailyQuota {
    /// How many more requests may be sent without using the reserve.
    pub(super) fn spendable_requests(&self, reserve: QuotaReserve) -> u64 {
        self.remaining.saturating_sub(reserve.reserved_requests(self.limit))
    }

    /// How long until the quota resets. The kind of window is unknown (api.md §8.3), so without the
    /// header it is a whole day.
    pub(super) fn time_until_reset(&self, now: Instant) -> Duration {
        match self.resets {
            Some(resets) => resets.saturating_duration_since(now),
            None => Duration::from_hours(24),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_a_number_or_a_share() {
        assert_eq!("5000".parse(), Ok(QuotaReserve::Requests(5000)));
        assert_eq!("10%".parse::<QuotaReserve>().unwrap().reserved_requests(200_000), 20_000);
        for text in ["", "x", "101%", "-1", "%"] {
            assert!(text.parse::<QuotaReserve>().is_err(), "{text}");
        }
    }
}
