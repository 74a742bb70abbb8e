//! Pseudo-random numbers.
//!
//! The generator is `SplitMix64`: small, fast, and the same on every machine forever, which a
//! library's generator does not promise.

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A stream of numbers.
#[derive(Debug, Clone)]
pub(in super::super) struct SeededRng(u64);

impl SeededRng {
    pub(in super::super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The stream of one record.
    pub(in super::super) fn for_record(seed: u64, number: usize) -> Self {
        let mut rng = Self(seed);
        let start = rng.next_u64();
        Self(start.wrapping_add((number as u64).wrapping_mul(0xd134_2543_de82_ef95)))
    }

    pub(in super::super) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(in super::super) fn next_below(&mut self, end: usize) -> usize {
        usize::try_from(self.next_u64() % (end.max(1) as u64)).unwrap_or_default()
    }

    /// A number of milliseconds below `end`.
    pub(in super::super) fn millis_below(&mut self, end: i64) -> i64 {
        i64::try_from(self.next_u64() >> 1).unwrap_or_default() % end.max(1)
    }

    pub(in super::super) fn one_in(&mut self, many: usize) -> bool {
        self.next_below(many) == 0
    }

    pub(in super::super) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.next_below(list.len())]
    }

    /// An id in the service's format: twenty letters and digits.
    pub(in super::super) fn random_id(&mut self) -> String {
        (0..20).map(|_| char::from(*self.pick(LETTERS))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_the_same_every_time() {
        let mut rng = SeededRng::for_record(1, 5);
        let first = rng.random_id();
        assert_eq!(first, SeededRng::for_record(1, 5).random_id());
        assert_ne!(first, SeededRng::for_record(1, 6).random_id());
        assert_ne!(first, SeededRng::for_record(2, 5).random_id());
    }
}
