//! The requests that a caller may send in a day, whatever the quota allows.

use std::time::Duration;

use tokio::time::Instant;

const DAY: Duration = Duration::from_hours(24);

/// A caller's own limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestBudget {
    /// Requests per day.
    pub(super) most: u64,
    /// What is left of this day.
    pub(super) left: u64,
    /// When the day ends.
    pub(super) ends: Instant,
}

impl RequestBudget {
    /// Takes a request; the time until the next day if nothing is left.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        while self.ends <= now {
            (self.left, self.ends) = (self.most, self.ends + DAY);
        }
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => return Err(self.ends - now),
        }
        Ok(())
    }

    /// Gives back a request that was not sent.
    pub(super) fn give_back(&mut self) {
        self.left += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_used_up_comes_back_with_the_next_day() {
        let now = Instant::now();
        let mut budget = RequestBudget { most: 2, left: 1, ends: now + DAY / 2 };
        assert_eq!(budget.take(now), Ok(()));
        assert_eq!(budget.take(now), Err(DAY / 2));
        assert_eq!(budget.take(now + DAY), Ok(()));
        assert_eq!(budget.take(now + DAY), Ok(()));
        assert!(budget.take(now + DAY).is_err());
    }
}
