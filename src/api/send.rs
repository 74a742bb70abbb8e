//! Sending: rate limiting, retries and decoding, the same for every endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::clock::ServerClockOffset;
use super::connect_error::ConnectError;
use super::decode::DecodeFn;
use super::endpoint::{self, ApiEndpoint};
use super::error::{ApiError, ApiErrorKind};
use super::rate_limit::{RateLimitPermit, RateLimiter};
use super::response::ApiResponse;
use super::response_body::{BodyReadError, read_body};
use super::retry::{self, AttemptError, RetryDecision, RetryPolicy};
use super::token::BearerToken;
use super::token_provider::{TokenProvider, TokenUnavailable};
use crate::event::{RunEvent, SharedObserver, WaitReason};

/// How many large responses are read at a time.
const LARGE_BODIES_AT_ONCE: usize = 2;
/// How often a request is resent after a 429. More would mean a used-up daily quota or a lost
/// cause.
const MAX_REFUSALS: u32 = 8;

const VERSION: HeaderName = HeaderName::from_static("version");

/// One request, ready to send, repeatedly if needed.
pub(super) struct ApiRequest {
    pub(super) route: ApiEndpoint,
    /// Path and query, relative to the base URL, beginning with `/`.
    pub(super) path: String,
    /// The JSON body.
    pub(super) body: Option<Bytes>,
    pub(super) policy: RetryPolicy,
}

/// Sends requests.
pub(super) struct RequestSender {
    pub(super) http: reqwest::Client,
    pub(super) base: String,
    pub(super) version: &'static str,
    pub(super) credential: Arc<dyn TokenProvider>,
    pub(super) limiter: RateLimiter,
    pub(super) observer: SharedObserver,
    pub(super) sent: [AtomicU64; endpoint::COUNT],
    pub(super) large: Semaphore,
    pub(super) clock: ServerClockOffset,
}

impl RequestSender {
    pub(super) fn large_body_semaphore() -> Semaphore {
        Semaphore::new(LARGE_BODIES_AT_ONCE)
    }

    /// Sends a read until it is answered, is refused, or reaches its retry bounds.
    pub(super) async fn send_read<T>(
        &self,
        request: &ApiRequest,
        read: DecodeFn<T>,
    ) -> Result<ApiResponse<T>, ApiError> {
        self.send_with_retries(request, read, retry::decide_read_retry, None)
            .await
            .map(|(_, answer)| answer)
    }

    /// Sends a request as often as `decide` allows, within its bounds. The first attempt uses the
    /// caller's permit, if it brings one.
    pub(super) async fn send_with_retries<T>(
        &self,
        request: &ApiRequest,
        read: DecodeFn<T>,
        decide: fn(&AttemptError) -> RetryDecision,
        mut first_permit: Option<RateLimitPermit>,
    ) -> Result<(u16, ApiResponse<T>), ApiError> {
        let started = Instant::now();
        let (mut attempts, mut refusals, mut pause) = (0, 0, Duration::ZERO);
        let mut renewed = false;
        loop {
            let token_error = |error: &TokenUnavailable, sent| {
                token_unavailable_error(request, error, sent, started.elapsed())
            };
            let halted = |halt, sent| {
                build_error(request, ApiErrorKind::Halted(halt), None, sent, started.elapsed())
            };
            let token = self.credential.current_token().await;
            let token = token.map_err(|error| token_error(&error, attempts + refusals))?;
            let permit = if let Some(permit) = first_permit.take() {
                permit
            } else {
                let permit = self.limiter.acquire_permit().await;
                permit.map_err(|halt| halted(halt, attempts + refusals))?
            };
            let error = match self.send_once(request, permit, &token, read).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            tracing::debug!(route = request.route.method_and_path(), attempts, %error, "attempt failed");
            let fail =
                |kind, sent| build_error(request, kind, Some(&error), sent, started.elapsed());
            match decide(&error) {
                // A request rejected for its token was not executed, whatever it was.
                RetryDecision::Fail(ApiErrorKind::Token) if !renewed => {
                    renewed = true;
                    refusals += 1;
                    match self.credential.replace_rejected_token(&token).await {
                        Ok(Some(_)) => {}
                        Ok(None) => return Err(fail(ApiErrorKind::Token, attempts + refusals)),
                        Err(error) => return Err(token_error(&error, attempts + refusals)),
                    }
                }
                RetryDecision::Fail(kind) => return Err(fail(kind, attempts + refusals + 1)),
                RetryDecision::RetryAfterWindow => {
                    refusals += 1;
                    if refusals >= MAX_REFUSALS {
                        return Err(fail(ApiErrorKind::Exhausted, attempts + refusals));
                    }
                }
                RetryDecision::Retry => {
                    attempts += 1;
                    pause = retry::next_backoff(pause);
                    let over = started.elapsed() + pause > request.policy.time;
                    if attempts >= request.policy.attempts || over {
                        return Err(fail(retry::exhausted_kind(&error), attempts + refusals));
                    }
                    let ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                    self.observer.observe(&RunEvent::Waiting { reason: WaitReason::Retry, ms });
                    if let Err(halt) = self.limiter.sleep_unless_cancelled(pause).await {
                        return Err(fail(ApiErrorKind::Halted(halt), attempts + refusals));
                    }
                }
            }
        }
    }

    async fn send_once<T>(
        &self,
        request: &ApiRequest,
        permit: RateLimitPermit,
        token: &BearerToken,
        read: DecodeFn<T>,
    ) -> Result<(u16, ApiResponse<T>), AttemptError> {
        self.sent[request.route as usize].fetch_add(1, Ordering::Relaxed);
        let response = self
            .build_request(request, token)
            .send()
            .await
            .map_err(|error| classify_transport_error(&error))?;
        let status = response.status().as_u16();
        tracing::trace!(path = ?request.path, status, "answered");
        permit.record_response(response.headers(), status == 429);
        self.clock.update_from_headers(response.headers());
        if response.status().is_redirection() {
            return Err(AttemptError::Redirect(status, describe_redirect(&response)));
        }
        let body = read_body(response, request.policy.bytes, Some(&self.large)).await;
        let body = body.map_err(|error| body_attempt_error(&error, status))?;
        tracing::debug!(
            route = request.route.method_and_path(),
            request.path,
            status,
            bytes = body.len(),
            "answered"
        );
        if !(200..300).contains(&status) {
            return Err(AttemptError::Status(status, body.as_ref().into()));
        }
        match read(&body) {
            Ok(head) => Ok((status, ApiResponse { body, head })),
            Err(error) => {
                Err(AttemptError::Unreadable(status, describe_invalid_body(&body, &error)))
            }
        }
    }

    pub(super) fn build_request(
        &self,
        request: &ApiRequest,
        token: &BearerToken,
    ) -> reqwest::RequestBuilder {
        let url = format!("{}{}", self.base, request.path);
        let version = HeaderValue::from_static(request.route.version_header(self.version));
        let builder = self
            .http
            .request(request.route.http_method(), url)
            .header(AUTHORIZATION, token.authorization_header())
            .header(VERSION, version);
        match &request.body {
            Some(body) => builder
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(body.clone()),
            None => builder,
        }
    }
}

/// The attempt error of a response with this status whose body could not be read.
fn body_attempt_error(error: &BodyReadError, status: u16) -> AttemptError {
    match error {
        BodyReadError::Interrupted(error) => {
            AttemptError::Unreadable(status, describe_transport_error(error))
        }
        BodyReadError::TooLarge(bytes) => AttemptError::TooLarge(status, *bytes),
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

pub(super) fn describe_transport_error(error: &reqwest::Error) -> String {
    ConnectError::from_reqwest(error).to_string()
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
pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => root_cause(source),
        None => error.to_string(),
    }
}

fn describe_invalid_body(body: &[u8], error: &serde_json::Error) -> String {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => "an empty response instead of JSON".to_owned(),
        Some(b'<') => "an HTML page instead of JSON".to_owned(),
        Some(_) if error.is_eof() => format!("the response was cut off after {} bytes", body.len()),
        Some(_) => format!("unexpected JSON: {error}"),
    }
}

/// The error of a request for which there was no token.
fn token_unavailable_error(
    request: &ApiRequest,
    token_error: &TokenUnavailable,
    attempts: u32,
    elapsed: Duration,
) -> ApiError {
    let message = retry::truncate_text(&token_error.message);
    ApiError { message, ..build_error(request, token_error.kind, None, attempts, elapsed) }
}

/// How much of an error body is kept, in bytes.
const MAX_ERROR_BODY: usize = 64 << 10;

fn build_error(
    request: &ApiRequest,
    kind: ApiErrorKind,
    attempt: Option<&AttemptError>,
    attempts: u32,
    elapsed: Duration,
) -> ApiError {
    let mut error = ApiError {
        kind,
        route: request.route,
        status: None,
        body: Box::default(),
        message: "not sent".to_owned(),
        trace_id: None,
        attempts,
        elapsed,
    };
    match attempt {
        None => {}
        Some(
            AttemptError::Connect(message)
            | AttemptError::Untrusted(message)
            | AttemptError::Transport(message),
        ) => {
            error.message = retry::truncate_text(message);
        }
        Some(
            AttemptError::Unreadable(status, message) | AttemptError::Redirect(status, message),
        ) => {
            error.status = Some(*status);
            error.message = retry::truncate_text(message);
        }
        Some(AttemptError::Status(status, body)) => {
            error.status = Some(*status);
            error.message = retry::error_message(body);
            error.trace_id = retry::parse_trace_id(body);
            error.body = body[..body.len().min(MAX_ERROR_BODY)].into();
        }
        Some(AttemptError::TooLarge(status, bytes)) => {
            error.status = Some(*status);
            let limit = request.policy.bytes;
            error.message = format!("the response has {bytes} bytes; the limit is {limit}");
        }
    }
    error
}
