//! Sending: pace, retry and decode, for every endpoint alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
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
use super::retry::{self, AttemptError, RetryDecision, RetryPolicy};
use super::token::BearerToken;
use super::token_provider::{TokenProvider, TokenUnavailable};
use crate::event::{RunEvent, SharedObserver, WaitReason};

/// An answer beyond this size is read only while few others are, so that memory stays bounded.
const LARGE: usize = 1 << 20;
/// How many large answers are read at a time.
const LARGE_AT_ONCE: usize = 2;
/// How often a request that the limiter refused is sent again: more means a spent day or a lost cause.
const REFUSALS: u32 = 8;

const VERSION: HeaderName = HeaderName::from_static("version");

/// One request, ready to be sent as often as it takes.
pub(super) struct ApiRequest {
    pub(super) route: ApiEndpoint,
    /// Path and query, from the base URL on, beginning with `/`.
    pub(super) path: String,
    /// The JSON body.
    pub(super) body: Option<Bytes>,
    pub(super) bounds: RetryPolicy,
}

/// Sends calls.
pub(super) struct RequestSender {
    pub(super) http: reqwest::Client,
    pub(super) base: String,
    pub(super) version: &'static str,
    pub(super) credential: Arc<dyn TokenProvider>,
    pub(super) pace: RateLimiter,
    pub(super) watcher: SharedObserver,
    pub(super) sent: [AtomicU64; endpoint::COUNT],
    pub(super) large: Semaphore,
    pub(super) clock: ServerClockOffset,
}

impl RequestSender {
    pub(super) fn large_body_semaphore() -> Semaphore {
        Semaphore::new(LARGE_AT_ONCE)
    }

    /// Sends a call until it is answered, refused, or the bounds are reached.
    pub(super) async fn send_read<T>(
        &self,
        call: &ApiRequest,
        read: DecodeFn<T>,
    ) -> Result<ApiResponse<T>, ApiError> {
        self.send_with_retries(call, read, retry::decide_read_retry, None)
            .await
            .map(|(_, answer)| answer)
    }

    /// Sends a call as often as the verdict says, within its bounds; the first time with the place in the
    /// window that the caller has, if it has one.
    pub(super) async fn send_with_retries<T>(
        &self,
        call: &ApiRequest,
        read: DecodeFn<T>,
        verdict: fn(&AttemptError) -> RetryDecision,
        mut first: Option<RateLimitPermit>,
    ) -> Result<(u16, ApiResponse<T>), ApiError> {
        let begun = Instant::now();
        let (mut attempts, mut refusals, mut pause) = (0, 0, Duration::ZERO);
        let mut renewed = false;
        loop {
            let denied = |denied: &TokenUnavailable, sent| {
                token_unavailable_error(call, denied, sent, begun.elapsed())
            };
            let halted = |halt, sent| {
                build_error(call, ApiErrorKind::Halted(halt), None, sent, begun.elapsed())
            };
            let token = self.credential.current_token().await;
            let token = token.map_err(|error| denied(&error, attempts + refusals))?;
            let permit = if let Some(permit) = first.take() {
                permit
            } else {
                let permit = self.pace.acquire_permit().await;
                permit.map_err(|halt| halted(halt, attempts + refusals))?
            };
            let failure = match self.send_once(call, permit, &token, read).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            tracing::debug!(route = call.route.method_and_path(), attempts, %failure, "attempt failed");
            let give_up =
                |kind, sent| build_error(call, kind, Some(&failure), sent, begun.elapsed());
            match verdict(&failure) {
                // Refused at the door: whatever it is, it was not done.
                RetryDecision::GiveUp(ApiErrorKind::Token) if !renewed => {
                    renewed = true;
                    refusals += 1;
                    match self.credential.replace_rejected_token(&token).await {
                        Ok(Some(_)) => {}
                        Ok(None) => return Err(give_up(ApiErrorKind::Token, attempts + refusals)),
                        Err(error) => return Err(denied(&error, attempts + refusals)),
                    }
                }
                RetryDecision::GiveUp(kind) => return Err(give_up(kind, attempts + refusals + 1)),
                RetryDecision::AfterWindow => {
                    refusals += 1;
                    if refusals >= REFUSALS {
                        return Err(give_up(ApiErrorKind::Exhausted, attempts + refusals));
                    }
                }
                RetryDecision::Again => {
                    attempts += 1;
                    pause = retry::next_backoff(pause);
                    let over = begun.elapsed() + pause > call.bounds.time;
                    if attempts >= call.bounds.attempts || over {
                        return Err(give_up(retry::exhausted_kind(&failure), attempts + refusals));
                    }
                    let ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                    self.watcher.observe(&RunEvent::Waiting { reason: WaitReason::Retry, ms });
                    if let Err(halt) = self.pace.sleep_unless_cancelled(pause).await {
                        return Err(give_up(ApiErrorKind::Halted(halt), attempts + refusals));
                    }
                }
            }
        }
    }

    async fn send_once<T>(
        &self,
        call: &ApiRequest,
        permit: RateLimitPermit,
        token: &BearerToken,
        read: DecodeFn<T>,
    ) -> Result<(u16, ApiResponse<T>), AttemptError> {
        self.sent[call.route as usize].fetch_add(1, Ordering::Relaxed);
        let response = self
            .build_request(call, token)
            .send()
            .await
            .map_err(|error| classify_transport_error(&error))?;
        let status = response.status().as_u16();
        tracing::trace!(path = ?call.path, status, "answered");
        permit.record_response(response.headers(), status == 429);
        self.clock.update_from_headers(response.headers());
        if response.status().is_redirection() {
            return Err(AttemptError::Elsewhere(status, describe_redirect(&response)));
        }
        let body = self.read_body(response, call.bounds.bytes).await;
        let body = body.map_err(|unread| unread.into_attempt_error(status))?;
        tracing::debug!(
            route = call.route.method_and_path(),
            call.path,
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
        call: &ApiRequest,
        token: &BearerToken,
    ) -> reqwest::RequestBuilder {
        let url = format!("{}{}", self.base, call.path);
        let version = HeaderValue::from_static(call.route.version_header(self.version));
        let request = self
            .http
            .request(call.route.http_method(), url)
            .header(AUTHORIZATION, token.authorization_header())
            .header(VERSION, version);
        match &call.body {
            Some(body) => request
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(body.clone()),
            None => request,
        }
    }

    async fn read_body(&self, mut response: Response, most: u64) -> Result<Bytes, BodyReadError> {
        let told = response.content_length().unwrap_or(0);
        if told > most {
            return Err(BodyReadError::TooLarge(told));
        }
        let Some(first) = response.chunk().await.map_err(BodyReadError::Cut)? else {
            return Ok(Bytes::new());
        };
        let mut seat = None;
        let mut body = BytesMut::new();
        let mut last = first;
        while let Some(next) = response.chunk().await.map_err(BodyReadError::Cut)? {
            body.extend_from_slice(&last);
            last = next;
            if body.len() as u64 > most {
                return Err(BodyReadError::TooLarge(body.len() as u64));
            }
            if body.len() > LARGE && seat.is_none() {
                seat = self.large.acquire().await.ok();
            }
        }
        if body.is_empty() {
            return Ok(last);
        }
        body.extend_from_slice(&last);
        Ok(body.freeze())
    }
}

/// Why the body of an answer could not be read.
enum BodyReadError {
    /// The connection broke or stalled.
    Cut(reqwest::Error),
    /// It is beyond the bound; its bytes, as far as known.
    TooLarge(u64),
}

impl BodyReadError {
    /// The failure, of an answer with this status.
    fn into_attempt_error(self, status: u16) -> AttemptError {
        match self {
            Self::Cut(error) => AttemptError::Unreadable(status, describe_transport_error(&error)),
            Self::TooLarge(bytes) => AttemptError::TooLarge(status, bytes),
        }
    }
}

fn classify_transport_error(error: &reqwest::Error) -> AttemptError {
    let obstacle = ConnectError::from_reqwest(error);
    let said = obstacle.to_string();
    match obstacle {
        ConnectError::Certificate(_) => AttemptError::Untrusted(said),
        _ if error.is_connect() => AttemptError::Connect(said),
        _ => AttemptError::Transport(said),
    }
}

pub(super) fn describe_transport_error(error: &reqwest::Error) -> String {
    ConnectError::from_reqwest(error).to_string()
}

/// What an answer says that sends the request to another address.
pub(super) fn describe_redirect(response: &Response) -> String {
    let target = response.headers().get(LOCATION).and_then(|target| target.to_str().ok());
    // The host is enough, and a query may hold anything.
    let target = target.and_then(|target| response.url().join(target).ok());
    match target.as_ref().and_then(|target| target.host_str()) {
        Some(host) => format!(
            "a redirect to `{host}`, which is not followed: it could carry the token to somebody else"
        ),
        None => "a redirect, which is not followed".to_owned(),
    }
}

/// The innermost cause: `Connection refused (os error 111)` rather than three sentences around it.
pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => root_cause(source),
        None => error.to_string(),
    }
}

fn describe_invalid_body(body: &[u8], error: &serde_json::Error) -> String {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => "an empty answer instead of JSON".to_owned(),
        Some(b'<') => "an HTML page instead of JSON".to_owned(),
        Some(_) if error.is_eof() => format!("the answer was cut after {} bytes", body.len()),
        Some(_) => format!("an answer of another shape: {error}"),
    }
}

/// Of a request for which there was no token.
fn token_unavailable_error(
    call: &ApiRequest,
    denied: &TokenUnavailable,
    attempts: u32,
    elapsed: Duration,
) -> ApiError {
    let said = retry::truncate_text(&denied.said);
    ApiError { said, ..build_error(call, denied.kind, None, attempts, elapsed) }
}

/// The most of an error's body that is kept, in bytes.
const KEPT: usize = 64 << 10;

fn build_error(
    call: &ApiRequest,
    kind: ApiErrorKind,
    failure: Option<&AttemptError>,
    attempts: u32,
    elapsed: Duration,
) -> ApiError {
    let mut error = ApiError {
        kind,
        route: call.route,
        status: None,
        body: Box::default(),
        said: "not sent".to_owned(),
        trace_id: None,
        attempts,
        elapsed,
    };
    match failure {
        None => {}
        Some(
            AttemptError::Connect(said)
            | AttemptError::Untrusted(said)
            | AttemptError::Transport(said),
        ) => {
            error.said = retry::truncate_text(said);
        }
        Some(AttemptError::Unreadable(status, said) | AttemptError::Elsewhere(status, said)) => {
            error.status = Some(*status);
            error.said = retry::truncate_text(said);
        }
        Some(AttemptError::Status(status, body)) => {
            error.status = Some(*status);
            error.said = retry::error_message(body);
            error.trace_id = retry::parse_trace_id(body);
            error.body = body[..body.len().min(KEPT)].into();
        }
        Some(AttemptError::TooLarge(status, bytes)) => {
            error.status = Some(*status);
            let most = call.bounds.bytes;
            error.said = format!("the answer has {bytes} bytes; more than {most} are not read");
        }
    }
    error
}
