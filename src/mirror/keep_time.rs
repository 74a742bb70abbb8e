//! How long a mirror keeps what is no longer current.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepTime {
    /// For so many seconds.
    Seconds(u64),
    /// As long as the mirror exists.
    Forever,
}

impl KeepTime {
    pub(super) const fn from_days(days: u64) -> Self {
        Self::Seconds(days * 24 * 3600)
    }

    /// The end of what is not kept at a time, both in milliseconds since 1970.
    pub(super) fn end_of_old(self, now_ms: i64) -> Option<i64> {
        let Self::Seconds(seconds) = self else { return None };
        let kept_ms = i64::try_from(seconds).ok()?.checked_mul(1000)?;
        now_ms.checked_sub(kept_ms)
    }

    /// How much longer than this something may be kept: looking for it takes time.
    pub(super) fn tolerance(self) -> Option<Duration> {
        match self {
            Self::Seconds(seconds) => Some(Duration::from_secs(seconds / 24)),
            Self::Forever => None,
        }
    }
}

impl From<Duration> for KeepTime {
    fn from(duration: Duration) -> Self {
        Self::Seconds(duration.as_secs())
    }
}

/// How long a mirror keeps what is no longer current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionRules {
    /// What records said that were deleted.
    pub deleted: KeepTime,
    /// What records said before they changed.
    pub history: KeepTime,
}

impl Default for RetentionRules {
    fn default() -> Self {
        Self { deleted: KeepTime::from_days(90), history: KeepTime::from_days(365) }
    }
}

/// Rules that a command asks for. What it does not ask for stays as the mirror has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedRetention {
    /// How long what deleted records said is kept.
    pub deleted: Option<KeepTime>,
    /// How long what records said before is kept.
    pub history: Option<KeepTime>,
}

impl RequestedRetention {
    /// The rules, where these were the mirror's.
    #[must_use]
    pub fn apply_to(self, rules: RetentionRules) -> RetentionRules {
        RetentionRules {
            deleted: self.deleted.unwrap_or(rules.deleted),
            history: self.history.unwrap_or(rules.history),
        }
    }
}
