//! How many contacts a request for notes names: more while requests succeed, fewer when one is refused.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

/// Contacts per request at first (api.md §4: the maximum is unknown).
const FIRST_SIZE: usize = 50;
/// Most contacts per request.
const LARGEST_SIZE: usize = 100;
/// Batches that must succeed before the next ones are larger.
const SUCCESSES_TO_GROW: usize = 4;

/// How many contacts a request may name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::pull) struct BatchSizes {
    /// The current number.
    pub(super) size: usize,
    /// The largest number that may be tried.
    limit: usize,
}

impl Default for BatchSizes {
    fn default() -> Self {
        Self { size: FIRST_SIZE, limit: LARGEST_SIZE }
    }
}

impl BatchSizes {
    /// The contacts that a request names on average: the size grows from the current to the largest one.
    pub(super) fn usual_size(&self) -> u64 {
        (self.size.clamp(1, LARGEST_SIZE) + self.limit.clamp(1, LARGEST_SIZE)).div_ceil(2) as u64
    }

    /// The fewest requests that the notes of so many contacts take.
    pub(super) fn fewest_requests(&self, contacts: u64) -> u64 {
        contacts.div_ceil(self.limit.clamp(1, LARGEST_SIZE) as u64)
    }
}

/// The size of the next batch: it grows while batches succeed and shrinks when one is refused.
#[derive(Debug)]
pub(super) struct BatchSizer {
    size: AtomicUsize,
    limit: AtomicUsize,
    successes: AtomicUsize,
}

impl BatchSizer {
    pub(super) fn new(sizes: &BatchSizes) -> Self {
        let (size, limit) = (sizes.size.clamp(1, LARGEST_SIZE), sizes.limit.clamp(1, LARGEST_SIZE));
        Self { size: size.into(), limit: limit.into(), successes: 0.into() }
    }

    pub(super) fn current(&self) -> BatchSizes {
        BatchSizes {
            size: self.size.load(Ordering::Relaxed),
            limit: self.limit.load(Ordering::Relaxed),
        }
    }

    /// A batch of this size was refused.
    pub(super) fn shrink(&self, refused: usize) {
        let smaller = (refused / 2).max(1);
        self.limit.fetch_min(smaller, Ordering::Relaxed);
        self.size.fetch_min(smaller, Ordering::Relaxed);
        self.successes.store(0, Ordering::Relaxed);
    }

    /// A batch of `contacts` had `notes`, on pages of `limit`. Larger batches pay only while their notes still fit on
    /// one page.
    pub(super) fn grow(&self, contacts: usize, notes: usize, limit: usize) {
        let size = self.size.load(Ordering::Relaxed);
        if contacts < size || notes * 2 >= limit {
            return;
        }
        if self.successes.fetch_add(1, Ordering::Relaxed) + 1 >= SUCCESSES_TO_GROW {
            let larger = (size * 2).min(self.limit.load(Ordering::Relaxed));
            self.size.fetch_max(larger, Ordering::Relaxed);
            self.successes.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_grows_while_its_notes_fit_on_a_page_and_stays_below_what_was_refused() {
        let sizer = BatchSizer::new(&BatchSizes::default());
        for _ in 0..SUCCESSES_TO_GROW {
            assert_eq!(sizer.current().size, 50);
            sizer.grow(50, 400, 500);
            sizer.grow(20, 10, 500);
            sizer.grow(50, 100, 500);
        }
        assert_eq!(sizer.current().size, 100);
        sizer.shrink(100);
        for _ in 0..2 * SUCCESSES_TO_GROW {
            sizer.grow(50, 1, 500);
        }
        assert_eq!(sizer.current(), BatchSizes { size: 50, limit: 50 });
    }
}
