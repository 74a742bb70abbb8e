//! The server: one request from its bytes to its response.
//!
//! Reads it, counts it against the limit, applies faults, runs the endpoint, and writes the request
//! log. The lock is taken at most twice and never held while anything waits.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::header::DATE;
use axum::http::{HeaderValue, Response};

use super::app::SandboxApp;
use super::connection::ConnectionAborter;
use super::rate_limit::QuotaStatus;
use super::request::SandboxRequest;
use super::response::{EndpointError, SandboxResponse};
use super::routes;
use crate::sandbox::control;
use crate::sandbox::faults::inject::{BarrierWait, InjectedFault, ResponseEnding};
use crate::sandbox::store::state::SandboxState;
use crate::sandbox::text::format_http_date;

/// More than any body that the service accepts.
const LARGEST_BODY: usize = 64 << 20;

/// A request that was counted, and what happens to it.
struct AdmittedRequest {
    arrived: Duration,
    /// The location whose quota it uses, and what is left of that; OAuth requests use none.
    bucket: Option<String>,
    quota: Option<QuotaStatus>,
    injected: InjectedFault,
    /// The response, if it can be given without waiting.
    answer: Option<SandboxResponse>,
}

/// Answers one request.
pub(crate) async fn handle_request(
    Shared(app): Shared<Arc<SandboxApp>>,
    ConnectInfo(cut): ConnectInfo<ConnectionAborter>,
    incoming: Request,
) -> Response<Body> {
    let mut response = process_request(Arc::clone(&app), cut, incoming).await;
    if let Some(date) = http_date(app.lock_state().clock_millis()) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

/// A time as the `Date` header writes it.
fn http_date(milliseconds: i64) -> Option<HeaderValue> {
    HeaderValue::try_from(format_http_date(milliseconds)).ok()
}

async fn process_request(
    app: Arc<SandboxApp>,
    cut: ConnectionAborter,
    incoming: Request,
) -> Response<Body> {
    let request = match read_request(incoming, &app).await {
        Ok(request) => request,
        Err(answer) => return answer.into_http_response(None),
    };
    if request.is_control() {
        return control::handle_request(&app, &request).await.into_http_response(None);
    }
    let ServedResponse { answer, ending, quota } = if request.is_write() {
        // The service finishes what it has begun even if the client has given up. As part of the
        // connection's task it would be dropped with the connection.
        tokio::spawn(serve_request(app, request)).await.expect("answering a request does not panic")
    } else {
        serve_request(app, request).await
    };
    match ending {
        ResponseEnding::Whole => answer.into_http_response(quota),
        ResponseEnding::Truncated => {
            crate::sandbox::faults::inject::truncate_response(answer, quota)
        }
        ResponseEnding::Cut => {
            cut.abort_connection();
            answer.into_http_response(quota)
        }
    }
}

/// A response, and how it is sent.
struct ServedResponse {
    answer: SandboxResponse,
    ending: ResponseEnding,
    quota: Option<QuotaStatus>,
}

async fn serve_request(app: Arc<SandboxApp>, request: SandboxRequest) -> ServedResponse {
    let AdmittedRequest { arrived, bucket, quota, injected, answer } =
        admit_request(&app, &request);
    let answer = match answer {
        Some(answer) => answer,
        None => apply_fault(&app, &request, &injected).await,
    };
    let ending = injected.ending();
    let status = if ending == ResponseEnding::Cut { 0 } else { answer.status };
    let shown = request.redacted_target();
    app.lock_state().journal.record_request(request.method, shown, status, arrived, bucket);
    app.barrier.count_served();
    ServedResponse { answer, ending, quota }
}

async fn read_request(
    incoming: Request,
    app: &SandboxApp,
) -> Result<SandboxRequest, SandboxResponse> {
    let number = app.numbers.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = incoming.into_parts();
    let mut request = SandboxRequest::new(&Request::from_parts(parts, ()), number);
    if request.method == "GET" {
        return Ok(request);
    }
    match axum::body::to_bytes(body, LARGEST_BODY).await {
        Ok(bytes) => {
            request.set_body(&bytes);
            Ok(request)
        }
        Err(_) => Err(EndpointError::bare_status(413).into_response(&request.trace)),
    }
}

/// Counts the request, and answers it at once unless a fault makes it wait.
fn admit_request(app: &SandboxApp, request: &SandboxRequest) -> AdmittedRequest {
    let mut state = app.lock_state();
    let arrived = state.elapsed_since_start();
    let bucket = (!request.is_oauth()).then(|| state.rate_limited_location(request));
    let quota = bucket.as_ref().map(|bucket| state.limiter.admit_request(bucket, arrived));
    if let Some(wait) = quota.and_then(|quota| quota.refused) {
        let mut answer = EndpointError::too_many_requests().into_response(&request.trace);
        answer.retry_after = Some(wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX));
        let injected = InjectedFault::default();
        return AdmittedRequest { arrived, bucket, quota, injected, answer: Some(answer) };
    }
    let injected = InjectedFault::from_armed_faults(&mut state, request);
    let answer = injected.is_none().then(|| run_endpoint(&mut state, request));
    AdmittedRequest { arrived, bucket, quota, injected, answer }
}

/// Answers a request that faults have fired for.
async fn apply_fault(
    app: &SandboxApp,
    request: &SandboxRequest,
    injected: &InjectedFault,
) -> SandboxResponse {
    app.barrier.delay_for(injected.latency()).await;
    match injected.wait_before() {
        BarrierWait::Not => {}
        BarrierWait::AtMost(longest) => app.barrier.wait_for_release(Some(longest)).await,
        BarrierWait::Released => app.barrier.wait_for_release(None).await,
    }
    let answer = if let Some(answer) = injected.replacement_response(request) {
        answer
    } else {
        let mut state = app.lock_state();
        let answer = run_endpoint(&mut state, &injected.alter_request(request));
        injected.alter_response(&mut state, request, answer)
    };
    let answer = injected.add_headers(answer, app.lock_state().clock_millis());
    if injected.waits_after() {
        app.barrier.wait_for_release(None).await;
    }
    answer
}

fn run_endpoint(state: &mut SandboxState, request: &SandboxRequest) -> SandboxResponse {
    routes::dispatch_request(state, request)
        .unwrap_or_else(|refusal| refusal.into_response(&request.trace))
}
