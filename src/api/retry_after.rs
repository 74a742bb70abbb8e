//! How long a response asks to wait before the next request.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The seconds of `Retry-After`, where they are given as such.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
