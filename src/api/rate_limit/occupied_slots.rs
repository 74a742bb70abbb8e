//! The slots of the window that are occupied.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Into how many parts a window is divided: slots that are occupied within one part become free together.
const PARTS: u32 = 8192;

/// Occupied slots, oldest first. Memory does not grow with their number, which the server has a say in.
#[derive(Debug, Default)]
pub(super) struct OccupiedSlots {
    groups: VecDeque<SlotGroup>,
    slots: usize,
}

/// Slots that were occupied at almost the same time.
#[derive(Debug)]
struct SlotGroup {
    first: Instant,
    last: Instant,
    slots: usize,
}

impl OccupiedSlots {
    /// Occupies slots of a window from now on.
    pub(super) fn occupy(&mut self, now: Instant, slots: usize, window: Duration) {
        if slots == 0 {
            return;
        }
        self.slots = self.slots.saturating_add(slots);
        match self.groups.back_mut() {
            Some(group) if now - group.first < window / PARTS => {
                group.last = group.last.max(now);
                group.slots = group.slots.saturating_add(slots);
            }
            _ => self.groups.push_back(SlotGroup { first: now, last: now, slots }),
        }
    }

    /// Frees the slots that were occupied a window ago or earlier.
    pub(super) fn free_expired(&mut self, now: Instant, window: Duration) {
        while let Some(group) = self.groups.front().filter(|group| group.last + window <= now) {
            self.slots = self.slots.saturating_sub(group.slots);
            self.groups.pop_front();
        }
    }

    /// When the slots were occupied that become free next.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.groups.front().map(|group| group.last)
    }

    /// How many slots are occupied.
    pub(super) fn count(&self) -> usize {
        self.slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_become_free_one_window_later_however_many_there_are() {
        let (window, start) = (Duration::from_secs(10), Instant::now());
        let mut slots = OccupiedSlots::default();
        for count in 0..100_000 {
            slots.occupy(start + Duration::from_micros(90) * count, 1_000, window);
        }
        assert!(slots.groups.len() <= PARTS as usize, "{}", slots.groups.len());
        let last = start + Duration::from_secs(9);
        slots.free_expired(last, window);
        assert_eq!(slots.count(), 100_000_000);
        slots.free_expired(last + Duration::from_secs(2), window);
        assert!(slots.count() > 88_000_000 && slots.count() < 90_000_000, "{}", slots.count());
        slots.free_expired(last + window, window);
        assert_eq!((slots.count(), slots.oldest()), (0, None));
    }
}
