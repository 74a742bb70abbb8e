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
pub(super) struct ServerClockOffset(AtomicI64);

impl Default for ServerClockOffset {
    fn default() -> Self {
        Self(AtomicI64::new(UNKNOWN))
    }
}

impl ServerClockOffset {
    /// Takes the time from an answer's headers.
    pub(super) fn update_from_headers(&self, headers: &HeaderMap) {
        if let Some(offset) = server_ahead_ms(headers) {
            self.0.store(offset, Ordering::Relaxed);
        }
    }

    /// By how many milliseconds the server's clock is ahead.
    pub(super) fn offset_ms(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|offset| *offset != UNKNOWN)
    }
}

/// By how many milliseconds the clock of an answer's `Date` is ahead of this machine's.
pub(super) fn server_ahead_ms(headers: &HeaderMap) -> Option<i64> {
    let told = parse_http_date(headers.get(DATE)?.to_str().ok()?)?;
    Some(told.as_millisecond() - jiff::Timestamp::now().as_millisecond())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn parse_http_date(date: &str) -> Option<jiff::Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_that_of_the_last_date_that_could_be_read() {
        let clock = ServerClockOffset::default();
        assert_eq!(clock.offset_ms(), None);
        let mut headers = HeaderMap::new();
        headers.insert(DATE, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
        clock.update_from_headers(&headers);
        let offset = clock.offset_ms().unwrap();
        headers.insert(DATE, "soon".parse().unwrap());
        clock.update_from_headers(&headers);
        assert_eq!(clock.offset_ms(), Some(offset));
        let told = jiff::Timestamp::now().as_millisecond() + offset;
        assert!((told - 784_111_777_000).abs() < 60_000, "{told}");
    }
}
