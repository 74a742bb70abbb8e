//! The schedule of one request's attempts: how many there may be, and the growing pauses between them.
//!
//! It does not know why an attempt failed; that is for the table in `retry`.

use std::time::Duration;

use tokio::time::Instant;

use super::retry::RetryPolicy;

/// How often a request of an interactive command is resent after a 429. A run waits for as long as it takes,
/// and says so after this many.
pub(super) const MAX_REFUSALS: u32 = 8;

/// The attempts of one request that failed so far, and the growing pauses between them, within the
/// request's bounds.
#[derive(Debug)]
pub(super) struct RetrySchedule {
    policy: RetryPolicy,
    started: Instant,
    attempts: u32,
    refusals: u32,
    /// Attempts for which no connection was made.
    unconnected: u32,
    /// For how long a server that cannot be reached is tried again; `None` as the policy says.
    unreachable_for: Option<Duration>,
    pause: Duration,
}

impl RetrySchedule {
    /// A schedule whose time begins now.
    pub(super) fn start(policy: RetryPolicy) -> Self {
        let started = Instant::now();
        Self {
            policy,
            started,
            attempts: 0,
            refusals: 0,
            unconnected: 0,
            unreachable_for: None,
            pause: Duration::ZERO,
        }
    }

    /// The same, with a time of its own for a server that cannot be reached.
    pub(super) fn with_unreachable_time(self, time: Duration) -> Self {
        Self { unreachable_for: Some(time), ..self }
    }

    /// Counts an attempt for which no connection was made, and returns the pause before the next one; `None` if
    /// there is none. With a time of its own it uses up none of the attempts of the policy: nothing was sent.
    pub(super) fn next_connection_pause(&mut self) -> Option<Duration> {
        let Some(time) = self.unreachable_for else {
            self.count_attempt();
            return self.next_pause();
        };
        self.unconnected += 1;
        self.pause = next_backoff(self.pause);
        (self.started.elapsed() + self.pause <= time).then_some(self.pause)
    }

    /// The attempts for which no connection was made.
    pub(super) fn unconnected(&self) -> u32 {
        self.unconnected
    }

    /// Counts an attempt that failed.
    pub(super) fn count_attempt(&mut self) {
        self.attempts += 1;
    }

    /// Counts an attempt that was refused without being executed. It uses up none of the attempts
    /// of the policy.
    pub(super) fn count_refusal(&mut self) {
        self.refusals += 1;
    }

    /// The refusals so far.
    pub(super) fn refusals(&self) -> u32 {
        self.refusals
    }

    /// Whether there were too many refusals for a person to wait on.
    pub(super) fn is_refused_too_often(&self) -> bool {
        self.refusals >= MAX_REFUSALS
    }

    /// The pause before the next attempt, longer each time; `None` if the policy allows no further
    /// attempt.
    pub(super) fn next_pause(&mut self) -> Option<Duration> {
        self.pause = next_backoff(self.pause);
        let over = self.started.elapsed() + self.pause > self.policy.time;
        (self.attempts < self.policy.attempts && !over).then_some(self.pause)
    }

    /// All attempts so far, with those that were refused.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts + self.refusals + self.unconnected
    }

    /// The time since the first attempt.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// The pause before the next attempt: decorrelated jitter from 0.2 s to 20 s.
fn next_backoff(previous: Duration) -> Duration {
    const FIRST: f64 = 0.2;
    const LONGEST: f64 = 20.0;
    let ceiling = (previous.as_secs_f64() * 3.0).max(FIRST);
    Duration::from_secs_f64((FIRST + fastrand::f64() * (ceiling - FIRST)).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_schedule_ends_with_its_attempts_or_its_time() {
        let bounds = RetryPolicy { attempts: 3, time: Duration::from_mins(1), bytes: 1 };
        let mut schedule = RetrySchedule::start(bounds);
        for _ in 0..2 {
            schedule.count_attempt();
            assert!(schedule.next_pause().is_some());
        }
        schedule.count_refusal();
        assert!(schedule.next_pause().is_some(), "a refusal uses up no attempt");
        schedule.count_attempt();
        assert_eq!((schedule.next_pause(), schedule.attempts()), (None, 4));
        let mut late = RetrySchedule::start(bounds);
        tokio::time::advance(bounds.time).await;
        late.count_attempt();
        assert_eq!(late.next_pause(), None);
    }

    #[test]
    fn pauses_grow_within_their_bounds() {
        let mut last = Duration::ZERO;
        for _ in 0..100 {
            last = next_backoff(last);
            assert!(last >= Duration::from_millis(200) && last <= Duration::from_secs(20));
        }
    }
}
