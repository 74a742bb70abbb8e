//! Sending: rate limiting, retries and decoding, the same for every endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use tokio::sync::Semaphore;

use super::attempt;
use super::attempt_log::LoggedAttempt;
use super::clock::ServerClockOffset;
use super::decode::DecodeFn;
use super::endpoint::{self, ApiEndpoint};
use super::endpoint_breaker::EndpointBreakers;
use super::error::{ApiError, ApiErrorKind};
use super::foreign_response::ResponseOrigin;
use super::location_access::LocationAccess;
use super::rate_limit::{HaltReason, RateLimitPermit, RateLimiter};
use super::repair::{self, CheckedBody};
use super::response::ApiResponse;
use super::retry::{self, AttemptError, RetryDecision, RetryPolicy};
use super::retry_schedule::{MAX_REFUSALS, RetrySchedule};
use super::token::BearerToken;
use super::token_provider::{TokenProvider, TokenUnavailable};
use crate::diagnostic::EventWarningCode;
use crate::event::{RunEvent, RunWarning, SharedObserver, WaitReason};

/// How many large responses are read at a time.
const LARGE_BODIES_AT_ONCE: usize = 2;

/// How many attempts find no connection before the user is warned.
const UNCONNECTED_BEFORE_WARNING: u32 = 4;

/// How long to wait before a request is sent once more whose token was rejected, though it was accepted before.
const TOKEN_PAUSE: Duration = Duration::from_secs(1);

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

impl ApiRequest {
    /// The same request, tried for longer.
    fn to_patient(&self) -> Self {
        let Self { route, path, body, policy } = self;
        Self { route: *route, path: path.clone(), body: body.clone(), policy: policy.patient() }
    }
}

/// Sends requests.
pub(super) struct RequestSender {
    pub(super) http: reqwest::Client,
    pub(super) base: String,
    pub(super) version: &'static str,
    pub(super) credential: Arc<dyn TokenProvider>,
    pub(super) limiter: RateLimiter,
    pub(super) access: LocationAccess,
    pub(super) breakers: EndpointBreakers,
    pub(super) observer: SharedObserver,
    pub(super) sent: [AtomicU64; endpoint::COUNT],
    /// For how long a server that cannot be reached is tried again.
    pub(super) unreachable_for: Duration,
    /// Whether the user knows that the server cannot be reached.
    pub(super) unreachable_reported: AtomicBool,
    /// Whether any request was answered, so that a rejected token is a surprise.
    pub(super) token_accepted: AtomicBool,
    /// All requests, for display.
    pub(super) total_sent: Arc<AtomicU64>,
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
        let Some(breaker) = self.breakers.of_endpoint(request.route) else {
            let answer = self.send_with_retries(request, read, retry::decide_read_retry, None);
            return answer.await.map(|(_, answer)| answer);
        };
        let turn = breaker.wait_for_turn().await;
        if let Some(error) = breaker.given_up_error(request.route) {
            return Err(error);
        }
        let patient = turn.is_some().then(|| request.to_patient());
        let request = patient.as_ref().unwrap_or(request);
        match self.send_with_retries(request, read, retry::decide_read_retry, None).await {
            Ok((_, answer)) => {
                breaker.record_success();
                Ok(answer)
            }
            Err(error) => {
                breaker.record_failure(&error, turn.is_some());
                Err(breaker.given_up_error(request.route).unwrap_or(error))
            }
        }
    }

    /// Sends a request as often as `decide` allows, within its bounds. The first attempt uses the
    /// caller's permit, if it brings one.
    pub(super) async fn send_with_retries<T>(
        &self,
        request: &ApiRequest,
        read: DecodeFn<T>,
        decide: fn(&AttemptError) -> RetryDecision,
        first_permit: Option<RateLimitPermit>,
    ) -> Result<(u16, ApiResponse<T>), ApiError> {
        match self.send_attempts(request, read, decide, first_permit).await {
            Err(error) => Err(self.judge_refusal(error).await),
            answer => answer,
        }
    }

    /// The same without a second look at a refusal.
    pub(super) async fn send_attempts<T>(
        &self,
        request: &ApiRequest,
        read: DecodeFn<T>,
        decide: fn(&AttemptError) -> RetryDecision,
        mut first_permit: Option<RateLimitPermit>,
    ) -> Result<(u16, ApiResponse<T>), ApiError> {
        let mut schedule =
            RetrySchedule::start(request.policy).with_unreachable_time(self.unreachable_for);
        let (mut renewed, mut distrust) = (false, !request.route.is_write());
        loop {
            let token = self.credential.current_token().await;
            let token =
                token.map_err(|error| token_unavailable_error(request, &error, &schedule))?;
            let permit = if let Some(permit) = first_permit.take() {
                permit
            } else {
                let permit = self.limiter.acquire_permit().await;
                permit.map_err(|halt| {
                    build_error(request, ApiErrorKind::Halted(halt), None, &schedule)
                })?
            };
            let attempt = schedule.attempts().saturating_add(1);
            let answer =
                self.send_logged(request, permit, &token, read, attempt, &mut distrust).await;
            let error = match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let fail = |kind, schedule: &_| Err(build_error(request, kind, Some(&error), schedule));
            match decide(&error) {
                // A request rejected for its token was not executed, whatever it was.
                RetryDecision::Fail(ApiErrorKind::Token) if !renewed => {
                    renewed = true;
                    schedule.count_refusal();
                    match self.renew_rejected_token(&token).await {
                        Ok(None) => {}
                        Ok(Some(kind)) => return fail(kind, &schedule),
                        Err(error) => {
                            return Err(token_unavailable_error(request, &error, &schedule));
                        }
                    }
                }
                RetryDecision::Fail(kind) => {
                    schedule.count_attempt();
                    return fail(kind, &schedule);
                }
                RetryDecision::RetryAfterWindow => {
                    schedule.count_refusal();
                    if schedule.is_refused_too_often() && self.limiter.is_interactive() {
                        return fail(ApiErrorKind::Exhausted, &schedule);
                    }
                    self.report_lasting_refusal(schedule.refusals());
                }
                RetryDecision::Retry => {
                    let Some(pause) = self.next_pause(&error, &mut schedule) else {
                        return fail(retry::exhausted_kind(&error), &schedule);
                    };
                    if let Err(halt) = self.pause_before_retry(pause).await {
                        return fail(ApiErrorKind::Halted(halt), &schedule);
                    }
                }
            }
        }
    }

    /// Prepares another attempt after a token was rejected; the kind of error if there is none.
    async fn renew_rejected_token(
        &self,
        token: &BearerToken,
    ) -> Result<Option<ApiErrorKind>, TokenUnavailable> {
        if self.credential.replace_rejected_token(token).await?.is_some() {
            return Ok(None);
        }
        // A single 401 happens to tokens that are valid (#213).
        if !self.token_accepted.load(Ordering::Relaxed) {
            return Ok(Some(ApiErrorKind::Token));
        }
        Ok(self.pause_before_retry(TOKEN_PAUSE).await.err().map(ApiErrorKind::Halted))
    }

    async fn pause_before_retry(&self, pause: Duration) -> Result<(), HaltReason> {
        let ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        self.observer.observe(&RunEvent::Waiting { reason: WaitReason::Retry, ms });
        self.limiter.sleep_unless_cancelled(pause).await
    }

    /// The pause before the next attempt, if there is one. A server that cannot be reached is tried for longer,
    /// and the user is warned once.
    fn next_pause(&self, error: &AttemptError, schedule: &mut RetrySchedule) -> Option<Duration> {
        let AttemptError::Connect(message) = error else {
            schedule.count_attempt();
            return schedule.next_pause();
        };
        let pause = schedule.next_connection_pause();
        if schedule.unconnected() == UNCONNECTED_BEFORE_WARNING
            && pause.is_some()
            && !self.unreachable_reported.swap(true, Ordering::Relaxed)
        {
            let seconds = self.unreachable_for.as_secs();
            let message = format!("the API cannot be reached ({message}); trying for {seconds} s");
            let warning = RunWarning::new(EventWarningCode::Unreachable, message);
            self.observer.observe(&RunEvent::Warning(warning));
        }
        pause
    }

    /// Tells the user that the rate limit has refused a request again and again.
    fn report_lasting_refusal(&self, refusals: u32) {
        if refusals != MAX_REFUSALS {
            return;
        }
        let message = format!(
            "the API has refused a request {MAX_REFUSALS} times because of its rate limit, which other \
             applications use up; still waiting"
        );
        let warning = RunWarning::new(EventWarningCode::LimitExhausted, message);
        self.observer.observe(&RunEvent::Warning(warning));
    }

    /// Sends one attempt, with its line in the log.
    async fn send_logged<T>(
        &self,
        request: &ApiRequest,
        permit: RateLimitPermit,
        token: &BearerToken,
        read: DecodeFn<T>,
        attempt: u32,
        distrust: &mut bool,
    ) -> Result<(u16, ApiResponse<T>), AttemptError> {
        let route = request.route.method_and_path();
        let mut log = LoggedAttempt::start(route, &request.path, attempt);
        let answer = self.send_once(request, permit, token, read, &mut log).await;
        let answer = answer.and_then(|(status, body)| accept_decoded(status, body, distrust));
        log.finish(answer.as_ref().err().map(|error| error as &dyn std::fmt::Display));
        answer
    }

    async fn send_once<T>(
        &self,
        request: &ApiRequest,
        permit: RateLimitPermit,
        token: &BearerToken,
        read: DecodeFn<T>,
        log: &mut LoggedAttempt<'_>,
    ) -> Result<(u16, CheckedBody<T>), AttemptError> {
        self.sent[request.route as usize].fetch_add(1, Ordering::Relaxed);
        self.total_sent.fetch_add(1, Ordering::Relaxed);
        let response = attempt::send_request(self.build_request(request, token)).await?;
        let status = response.status().as_u16();
        log.set_status(status);
        permit.record_response(response.headers(), status == 429);
        self.clock.update_from_headers(response.headers());
        let origin = ResponseOrigin::from_headers(response.headers());
        let body = attempt::read_body(response, request.policy.bytes, Some(&self.large)).await?;
        log.set_body(&body);
        if let Some((foreign, message)) = origin.identify(status, &body) {
            return Err(AttemptError::Foreign {
                status,
                foreign,
                message,
                body: body.as_ref().into(),
            });
        }
        attempt::check_status(status, &body)?;
        match repair::decode_body(body.clone(), request.route.record_list(), read) {
            Ok(decoded) => {
                self.token_accepted.store(true, Ordering::Relaxed);
                Ok((status, decoded))
            }
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

/// Accepts a decoded body, unless a record of it is cut and `distrust` is set: the next answer may be whole.
fn accept_decoded<T>(
    status: u16,
    decoded: CheckedBody<T>,
    distrust: &mut bool,
) -> Result<(u16, ApiResponse<T>), AttemptError> {
    if decoded.is_cut && std::mem::take(distrust) {
        return Err(AttemptError::Unreadable(status, "a record that is not JSON".to_owned()));
    }
    Ok((status, decoded.into_response()))
}

fn describe_invalid_body(body: &[u8], error: &serde_json::Error) -> String {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => "an empty response instead of JSON".to_owned(),
        Some(_) if error.is_eof() => format!("the response was cut off after {} bytes", body.len()),
        Some(_) => format!("unexpected JSON: {error}"),
    }
}

/// The error of a request for which there was no token.
fn token_unavailable_error(
    request: &ApiRequest,
    token_error: &TokenUnavailable,
    schedule: &RetrySchedule,
) -> ApiError {
    let message = retry::truncate_message(&token_error.message);
    ApiError { message, ..build_error(request, token_error.kind, None, schedule) }
}

/// How much of an error body is kept, in bytes.
const MAX_ERROR_BODY: usize = 64 << 10;

fn build_error(
    request: &ApiRequest,
    kind: ApiErrorKind,
    attempt: Option<&AttemptError>,
    schedule: &RetrySchedule,
) -> ApiError {
    let body = attempt.map(AttemptError::body).unwrap_or_default();
    ApiError {
        kind,
        route: request.route,
        status: attempt.and_then(AttemptError::status),
        body: body[..body.len().min(MAX_ERROR_BODY)].into(),
        foreign: attempt.and_then(AttemptError::foreign),
        message: attempt.map_or_else(|| "not sent".to_owned(), AttemptError::message),
        trace_id: retry::parse_trace_id(body),
        attempts: schedule.attempts(),
        elapsed: schedule.elapsed(),
    }
}
