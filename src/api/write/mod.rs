//! Sending a write, and what its response means.

use super::decode;
use super::error::{ApiError, ApiErrorKind};
use super::foreign_response::ForeignResponse;
use super::mutation::{WriteOutcome, WritePermit, WriteRequest};
use super::retry::{self, RetryPolicy};
use super::send::{ApiRequest, RequestSender};
use crate::failpoint::{self, FailPoint};

impl RequestSender {
    /// Waits for a slot in the rate limiter's window.
    pub(super) async fn acquire_write_permit(
        &self,
        mutation: &WriteRequest,
    ) -> Result<WritePermit, ApiError> {
        let breaker = self.breakers.of_endpoint(mutation.route);
        if let Some(error) = breaker.and_then(|breaker| breaker.given_up_error(mutation.route)) {
            return Err(error);
        }
        match self.limiter.acquire_permit().await {
            Ok(permit) => Ok(WritePermit(permit)),
            Err(halt) => Err(ApiError::not_sent(mutation.route, ApiErrorKind::Halted(halt))),
        }
    }

    /// Sends a write, and resends it only while it is certain that it was not applied.
    pub(super) async fn send_write(
        &self,
        mutation: &WriteRequest,
        permit: WritePermit,
    ) -> WriteOutcome {
        let request = to_api_request(mutation);
        #[cfg(feature = "failpoints")]
        if failpoint::is_kill_due(FailPoint::MidBody)
            && let Ok(token) = self.credential.current_token().await
        {
            send_half_request(self.build_request(&request, &token));
            failpoint::kill_process();
        }
        let result = self
            .send_with_retries(
                &request,
                decode::any_object,
                retry::decide_write_retry,
                Some(permit.0),
            )
            .await;
        if let Some(breaker) = self.breakers.of_endpoint(mutation.route) {
            match &result {
                Ok(_) => breaker.record_success(),
                // Of a write only what forbids it: other refusals are about its values.
                Err(error) if error.status == Some(403) => breaker.record_failure(error, false),
                Err(_) => {}
            }
        }
        if result.as_ref().err().is_none_or(|error| error.status.is_some()) {
            failpoint::kill_if_due(FailPoint::AfterResponse);
        }
        match result {
            Ok((status, answer)) => {
                let trace_id = retry::parse_trace_id(&answer.body);
                WriteOutcome::Answered { status, body: answer.body, trace_id }
            }
            Err(error) => outcome_of_error(error),
        }
    }
}

fn to_api_request(mutation: &WriteRequest) -> ApiRequest {
    let WriteRequest { route, path, body } = mutation.clone();
    ApiRequest { route, path, body, policy: RetryPolicy::PERSISTENT }
}

/// The outcome of a write that got no success response.
fn outcome_of_error(error: ApiError) -> WriteOutcome {
    match (error.kind, error.status) {
        // Never sent, or rejected without being executed: by the rate limit or for missing
        // permissions.
        (
            ApiErrorKind::Halted(_)
            | ApiErrorKind::Unreachable
            | ApiErrorKind::Untrusted
            | ApiErrorKind::Token
            | ApiErrorKind::TokenSource
            | ApiErrorKind::Scope
            | ApiErrorKind::Location,
            _,
        )
        | (ApiErrorKind::Exhausted, Some(429))
        | (ApiErrorKind::Gone | ApiErrorKind::Refused, Some(401)) => {
            WriteOutcome::NotApplied(error)
        }
        (ApiErrorKind::Exhausted, Some(status))
            if error.foreign.is_some() && retry::is_definite_refusal(status) =>
        {
            answered(status, error)
        }
        (ApiErrorKind::Gone | ApiErrorKind::Refused, Some(status)) => answered(status, error),
        // A page of what is in between does not say that the API has seen the request.
        (_, Some(status @ 200..=299)) if !error.foreign.is_some_and(blocks_requests) => {
            WriteOutcome::AppliedUnreadable { status, message: error.message }
        }
        (_, status) => {
            WriteOutcome::Unknown { status, message: error.message, trace_id: error.trace_id }
        }
    }
}

fn answered(status: u16, error: ApiError) -> WriteOutcome {
    WriteOutcome::Answered { status, body: error.body.into_vec().into(), trace_id: error.trace_id }
}

fn blocks_requests(foreign: ForeignResponse) -> bool {
    foreign.is_before_api() || matches!(foreign, ForeignResponse::Firewall(_))
}

/// Sends the head of a request and half of its body on a separate connection.
#[cfg(feature = "failpoints")]
fn send_half_request(request: reqwest::RequestBuilder) {
    use std::io::Write as _;

    let Ok(request) = request.build() else { return };
    let url = request.url();
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut text = format!("{} {}{query} HTTP/1.1\r\n", request.method(), url.path());
    let mut line = |name: &str, value: &str| {
        for part in [name, ": ", value, "\r\n"] {
            text.push_str(part);
        }
    };
    line("host", &format!("{host}:{port}"));
    for (name, value) in request.headers() {
        line(name.as_str(), value.to_str().unwrap_or_default());
    }
    line("content-length", &body.len().to_string());
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    match body.len() {
        0 => bytes.truncate(bytes.len() / 2),
        whole => bytes.extend_from_slice(&body[..whole / 2]),
    }
    let Ok(mut stream) = std::net::TcpStream::connect((host, port)) else { return };
    // Whether it arrives or not, the process is killed next.
    let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
}

#[cfg(test)]
mod tests;
