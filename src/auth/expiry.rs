//! A token in memory: how long it may still be used.
//!
//! The remaining lifetime is measured both by this machine's clock and by a monotonic clock in the
//! process that holds the token; the shorter one counts. If the clock was set back, the token
//! counts as expired: one refresh too many is cheap.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::api::{BearerToken, OauthGrant};

/// How long before its expiry a token is refreshed, at most.
const MARGIN: Duration = Duration::from_mins(5);

/// A token and its expiry.
#[derive(Debug, Clone)]
pub(super) struct CachedToken {
    pub(super) token: BearerToken,
    obtained: Timestamp,
    expires: Timestamp,
    /// When it expires, measured from when it was received.
    until: Instant,
    margin: Duration,
}

impl CachedToken {
    pub(super) fn from_grant(grant: &OauthGrant) -> Self {
        let rest = remaining_lifetime(grant.obtained, grant.expires, Timestamp::now());
        Self {
            token: grant.access.clone(),
            obtained: grant.obtained,
            expires: grant.expires,
            until: Instant::now() + rest,
            margin: MARGIN.min(grant.lifetime() / 10),
        }
    }

    fn time_remaining(&self) -> Duration {
        let remaining = remaining_lifetime(self.obtained, self.expires, Timestamp::now());
        remaining.min(self.until.saturating_duration_since(Instant::now()))
    }

    /// Whether the API should still accept it.
    pub(super) fn is_unexpired(&self) -> bool {
        !self.time_remaining().is_zero()
    }

    /// Whether it does not need a refresh yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.time_remaining() > self.margin
    }
}

/// The remaining lifetime at a given time.
fn remaining_lifetime(obtained: Timestamp, expires: Timestamp, now: Timestamp) -> Duration {
    if now < obtained {
        return Duration::ZERO;
    }
    Duration::try_from(expires.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_ends_a_token_rather_than_prolonging_it() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let (obtained, expires) = (at(10_000), at(96_400));
        assert_eq!(remaining_lifetime(obtained, expires, at(10_100)).as_secs(), 86_300);
        assert_eq!(remaining_lifetime(obtained, expires, at(6_400)), Duration::ZERO);
        assert_eq!(remaining_lifetime(obtained, expires, at(100_000)), Duration::ZERO);
    }
}
