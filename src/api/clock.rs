//! The server's clock, as its responses show it.
//!
//! Reconciliation asks whether a contact was added after the request was sent. `dateAdded` is
//! measured by the server's clock, the time of sending by ours. The `Date` header of each response
//! shows how far the two are apart, to the second.

use std::sync::atomic::{AtomicI64, Ordering};

use reqwest::header::{DATE, HeaderMap};

/// No response yet.
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
    /// Reads the time from a response's headers.
    pub(super) fn update_from_headers(&self, headers: &HeaderMap) {
        if let Some(offset) = server_ahead_ms(headers) {
            self.0.store(offset, Ordering::Relaxed);
        }
    }

    /// How many milliseconds the server's clock is ahead.
    pub(super) fn offset_ms(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|offset| *offset != UNKNOWN)
    }
}

/// How many milliseconds the clock in a response's `Date` header is ahead of this machine's.
pub(super) fn server_ahead_ms(headers: &HeaderMap) -> Option<i64> {
    let server_time = parse_http_date(headers.get(DATE)?.to_str().ok()?)?;
    Some(server_time.as_millisecond() - jiff::Timestamp::now().as_millisecond())
}

/// Parses a date such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn parse_http_date(date: &str) -> Option<jiff::Timestamp> {
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
        let server_time = jiff::Timestamp::now().as_millisecond() + offset;
        assert!((server_time - 784_111_777_000).abs() < 60_000, "{server_time}");
    }
}
