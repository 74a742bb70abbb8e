//! The server's clock, as far as its answers tell it.
//!
//! A look-up asks whether a contact was added after it was sent for; the server's `dateAdded` is of the
//! server's clock, the time of sending of ours. The `Date` header of each answer tells how far the two
//! are apart, to a second.

use std::sync::atomic::{AtomicI64, Ordering};

use reqwest::header::{DATE, HeaderMap};

/// Nothing is known yet.
const UNKNOWN: i64 = i64::MIN;

/// How far the server's clock is ahead of ours.
#[derive(Debug)]
pub(super) struct Clock(AtomicI64);

impl Default for Clock {
    fn default() -> Self {
        Self(AtomicI64::new(UNKNOWN))
    }
}

impl Clock {
    /// Takes the time from an answer's headers.
    pub(super) fn learn(&self, headers: &HeaderMap) {
        if let Some(offset) = ahead(headers) {
            self.0.store(offset, Ordering::Relaxed);
        }
    }

    /// By how many milliseconds the server's clock is ahead.
    pub(super) fn offset(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|offset| *offset != UNKNOWN)
    }
}

/// By how many milliseconds the clock of an answer's `Date` is ahead of this machine's.
pub(super) fn ahead(headers: &HeaderMap) -> Option<i64> {
    let told = read(headers.get(DATE)?.to_str().ok()?)?;
    Some(told.as_millisecond() - jiff::Timestamp::now().as_millisecond())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn read(date: &str) -> Option<jiff::Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_that_of_the_last_date_that_could_be_read() {
        let clock = Clock::default();
        assert_eq!(clock.offset(), None);
        let mut headers = HeaderMap::new();
        headers.insert(DATE, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
        clock.learn(&headers);
        let offset = clock.offset().unwrap();
        headers.insert(DATE, "soon".parse().unwrap());
        clock.learn(&headers);
        assert_eq!(clock.offset(), Some(offset));
        let told = jiff::Timestamp::now().as_millisecond() + offset;
        assert!((told - 784_111_777_000).abs() < 60_000, "{told}");
    }
}
