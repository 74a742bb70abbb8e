//! `--at-once`: how many locations a command works on at a time.

use std::num::NonZeroUsize;

/// How many locations are worked on at a time where the user says nothing.
pub(in crate::cli) const DEFAULT_AT_ONCE: usize = 64;

/// Each location takes two threads and some megabytes.
const MAX_AT_ONCE: usize = 256;

/// Reads the number.
pub(in crate::cli) fn parse_at_once(text: &str) -> Result<NonZeroUsize, String> {
    let number: Option<NonZeroUsize> = text.parse().ok();
    let in_range = number.filter(|number| number.get() <= MAX_AT_ONCE);
    in_range.ok_or_else(|| format!("expected a number from 1 to {MAX_AT_ONCE}"))
}
