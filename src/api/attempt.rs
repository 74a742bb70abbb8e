//! One attempt of a request, the same for the API and its OAuth endpoints: it is sent, no redirect is followed, the body
//! is read within a bound, and a failure is classified.
//!
//! Whether a failed attempt is repeated is decided by the table in `retry`.

use bytes::{Bytes, BytesMut};
use reqwest::header::LOCATION;
use reqwest::{RequestBuilder, Response};
use tokio::sync::Semaphore;

use super::connect_error::ConnectError;
use super::retry::AttemptError;

/// A body beyond this size is read only while few others are.
const LARGE: usize = 1 << 20;

/// Sends a request. Returns when the head of the response is there.
pub(super) async fn send_request(request: RequestBuilder) -> Result<Response, AttemptError> {
    request.send().await.map_err(|error| classify_transport_error(&error))
}

/// Reads a body of at most `limit` bytes; a redirect is an error. Bodies beyond a megabyte take one of `large`, so that
/// memory stays bounded.
pub(super) async fn read_body(
    mut response: Response,
    limit: u64,
    large: Option<&Semaphore>,
) -> Result<Bytes, AttemptError> {
    let status = response.status().as_u16();
    if response.status().is_redirection() {
        return Err(AttemptError::Redirect(status, describe_redirect(&response)));
    }
    let too_large = |bytes| Err(AttemptError::TooLarge { status, bytes, limit });
    let interrupted =
        |error| AttemptError::Unreadable(status, ConnectError::from_reqwest(&error).to_string());
    let announced = response.content_length().unwrap_or(0);
    if announced > limit {
        return too_large(announced);
    }
    let Some(first) = response.chunk().await.map_err(interrupted)? else {
        return Ok(Bytes::new());
    };
    let mut permit = None;
    let mut body = BytesMut::new();
    let mut last = first;
    while let Some(next) = response.chunk().await.map_err(interrupted)? {
        body.extend_from_slice(&last);
        last = next;
        if body.len() as u64 > limit {
            return too_large(body.len() as u64);
        }
        if let Some(large) = large
            && body.len() > LARGE
            && permit.is_none()
        {
            permit = large.acquire().await.ok();
        }
    }
    if body.is_empty() {
        return Ok(strip_byte_order_mark(last));
    }
    body.extend_from_slice(&last);
    Ok(strip_byte_order_mark(body.freeze()))
}

/// A body without the mark that some proxies put before it.
fn strip_byte_order_mark(mut body: Bytes) -> Bytes {
    if body.starts_with(b"\xEF\xBB\xBF") { body.split_off(3) } else { body }
}

/// Refuses a response whose status is not 2xx.
pub(super) fn check_status(status: u16, body: &Bytes) -> Result<(), AttemptError> {
    match status {
        200..=299 => Ok(()),
        _ => Err(AttemptError::Status(status, body.as_ref().into())),
    }
}

fn classify_transport_error(error: &reqwest::Error) -> AttemptError {
    let connect_error = ConnectError::from_reqwest(error);
    let message = connect_error.to_string();
    match connect_error {
        ConnectError::Certificate(_) => AttemptError::Untrusted(message),
        _ if error.is_connect() => AttemptError::Connect(message),
        _ => AttemptError::Transport(message),
    }
}

/// Describes a redirect to another address.
pub(super) fn describe_redirect(response: &Response) -> String {
    let target = response.headers().get(LOCATION).and_then(|target| target.to_str().ok());
    // The host is enough, and the query is untrusted.
    let target = target.and_then(|target| response.url().join(target).ok());
    match target.as_ref().and_then(|target| target.host_str()) {
        Some(host) => {
            format!("a redirect to `{host}`, which is not followed because it could leak the token")
        }
        None => "a redirect, which is not followed".to_owned(),
    }
}

/// The innermost cause: `Connection refused (os error 111)` instead of three sentences around it.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => root_cause(source),
        None => error.to_string(),
    }
}
