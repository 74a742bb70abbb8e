//! What every request reads of its response alike: the body, within a bound, and how long to wait.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::sync::Semaphore;

/// A body beyond this size is read only while few others are.
const LARGE: usize = 1 << 20;

/// Why a response body could not be read.
pub(super) enum BodyReadError {
    /// The connection broke or stalled.
    Interrupted(reqwest::Error),
    /// It exceeds the size limit; its size in bytes, as far as known.
    TooLarge(u64),
}

/// Reads a body of at most `limit` bytes. Those beyond a megabyte take one of `large`, so that memory stays bounded.
pub(super) async fn read_body(
    mut response: Response,
    limit: u64,
    large: Option<&Semaphore>,
) -> Result<Bytes, BodyReadError> {
    let announced = response.content_length().unwrap_or(0);
    if announced > limit {
        return Err(BodyReadError::TooLarge(announced));
    }
    let Some(first) = response.chunk().await.map_err(BodyReadError::Interrupted)? else {
        return Ok(Bytes::new());
    };
    let mut permit = None;
    let mut body = BytesMut::new();
    let mut last = first;
    while let Some(next) = response.chunk().await.map_err(BodyReadError::Interrupted)? {
        body.extend_from_slice(&last);
        last = next;
        if body.len() as u64 > limit {
            return Err(BodyReadError::TooLarge(body.len() as u64));
        }
        if let Some(large) = large
            && body.len() > LARGE
            && permit.is_none()
        {
            permit = large.acquire().await.ok();
        }
    }
    if body.is_empty() {
        return Ok(last);
    }
    body.extend_from_slice(&last);
    Ok(body.freeze())
}

/// The seconds of `Retry-After`, where they are given as such.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
