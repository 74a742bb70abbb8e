//! Applies the faults that fire for one request to it and its response.
//!
//! Faults are tried in the order in which they were added: delays add up, and the first other
//! action wins. Treats responses as JSON with a list of rows.

use std::future::ready;
use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderValue, Response};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde_json::{Map, Value};

use super::fault::{FaultAction, FaultOptions};
use crate::sandbox::http::rate_limit::QuotaStatus;
use crate::sandbox::http::request::{ParsedBody, SandboxRequest};
use crate::sandbox::http::response::{EndpointError, SandboxResponse};
use crate::sandbox::store::state::SandboxState;

/// How the response is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseEnding {
    Whole,
    Truncated,
    Cut,
}

/// How long a request waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BarrierWait {
    Not,
    AtMost(Duration),
    /// Until it is released.
    Released,
}

/// The faults of one request.
#[derive(Debug, Default)]
pub(crate) struct InjectedFault {
    latency: Duration,
    action: FaultAction,
    options: FaultOptions,
    /// The fault's number, for faults whose count depends on the response.
    fault: usize,
}

impl InjectedFault {
    /// Picks the armed faults that fire for the request.
    pub(crate) fn from_armed_faults(state: &mut SandboxState, request: &SandboxRequest) -> Self {
        let mut injected = Self::default();
        for (number, fault) in state.faults.iter_mut().enumerate() {
            if injected.action != FaultAction::Pass && fault.action() != &FaultAction::Pass {
                continue;
            }
            if !fault.try_fire(&request.method, &request.segments) {
                continue;
            }
            injected.latency += fault.options().latency;
            if let FaultAction::Limit(limit) = fault.action() {
                state.limiter.set_limit(*limit);
            } else if fault.action() != &FaultAction::Pass {
                injected.action = fault.action().clone();
                injected.options = fault.options().clone();
                injected.fault = number;
            }
        }
        injected
    }

    pub(crate) fn is_none(&self) -> bool {
        self.action == FaultAction::Pass && self.latency.is_zero()
    }

    pub(crate) fn latency(&self) -> Duration {
        self.latency
    }

    /// How long to wait at the barrier before anything is done.
    pub(crate) fn wait_before(&self) -> BarrierWait {
        match self.action {
            FaultAction::HoldBefore | FaultAction::Stall(None) => BarrierWait::Released,
            FaultAction::Stall(Some(longest)) => BarrierWait::AtMost(longest),
            _ => BarrierWait::Not,
        }
    }

    pub(crate) fn waits_after(&self) -> bool {
        self.action == FaultAction::HoldAfter
    }

    pub(crate) fn ending(&self) -> ResponseEnding {
        match self.action {
            FaultAction::DropBefore | FaultAction::DropAfter | FaultAction::Stall(_) => {
                ResponseEnding::Cut
            }
            FaultAction::Truncate => ResponseEnding::Truncated,
            _ => ResponseEnding::Whole,
        }
    }

    /// The response of a request that never reaches its endpoint.
    pub(crate) fn replacement_response(&self, trace: &str) -> Option<SandboxResponse> {
        match self.action {
            FaultAction::Status(status) => Some(self.status_response(status, trace)),
            FaultAction::Expired => {
                Some(EndpointError::unauthorized("Invalid JWT").into_response(trace))
            }
            FaultAction::DropBefore | FaultAction::Stall(_) => {
                Some(SandboxResponse::new(503, Bytes::new()))
            }
            _ => None,
        }
    }

    /// The request without the field that the service is to ignore.
    pub(crate) fn without_ignored_field(&self, request: &SandboxRequest) -> Option<SandboxRequest> {
        let FaultAction::Ignore(field) = &self.action else { return None };
        let mut less = request.clone();
        match &mut less.content {
            ParsedBody::Json(Value::Object(body)) => drop(body.remove(field)),
            ParsedBody::Form(pairs) => pairs.retain(|(name, _)| name != field),
            _ => {}
        }
        Some(less)
    }

    fn status_response(&self, status: u16, trace: &str) -> SandboxResponse {
        let mut answer = match &self.options.body {
            Some(body) => SandboxResponse::new(status, body.clone()),
            None if self.options.html => SandboxResponse::html_page(status),
            None => EndpointError::bare_status(status).into_response(trace),
        };
        answer.html = self.options.html;
        answer.retry_after = self.options.retry_after;
        answer
    }

    /// Alters the response of a request that was applied.
    pub(crate) fn alter_response(
        &self,
        state: &mut SandboxState,
        request: &SandboxRequest,
        answer: SandboxResponse,
    ) -> SandboxResponse {
        match &self.action {
            FaultAction::Applied(status) => self.status_response(*status, &request.trace),
            FaultAction::NotJson => SandboxResponse::html_page(200),
            FaultAction::Blank => SandboxResponse::new(200, Bytes::new()),
            FaultAction::Hide(id) => self.hide_row(state, answer, id.as_deref()),
            FaultAction::Huge(size) => {
                insert_unknown_field(&answer, &format!("\"{}\"", "x".repeat(*size)))
            }
            FaultAction::Deep(depth) => insert_unknown_field(
                &answer,
                &format!("{}{}", "[".repeat(*depth), "]".repeat(*depth)),
            ),
            FaultAction::DeleteFirst => delete_shown_contact(state, answer, <[Value]>::first),
            FaultAction::DeleteLast => delete_shown_contact(state, answer, <[Value]>::last),
            _ => answer,
        }
    }

    fn hide_row(
        &self,
        state: &mut SandboxState,
        answer: SandboxResponse,
        id: Option<&str>,
    ) -> SandboxResponse {
        let Some(mut body) = parse_body(&answer) else { return answer };
        let Some(rows) = find_rows(&mut body) else { return answer };
        let place = match id {
            Some(id) => rows.iter().position(|row| row_id(row) == Some(id)),
            None => (!rows.is_empty()).then_some(0),
        };
        let Some(place) = place else { return answer };
        rows.remove(place);
        if self.options.hide_total
            && let Some(total) = body.get("total").and_then(Value::as_u64)
        {
            body.insert("total".to_owned(), Value::from(total.saturating_sub(1)));
        }
        if let Some(fault) = state.faults.get_mut(self.fault) {
            fault.count_hidden_row();
        }
        SandboxResponse { body: Value::Object(body).to_string().into(), ..answer }
    }
}

/// Half of the response under headers that announce all of it; then the connection closes.
pub(crate) fn truncate_response(
    mut answer: SandboxResponse,
    quota: Option<QuotaStatus>,
) -> Response<Body> {
    let whole = std::mem::take(&mut answer.body);
    let half = whole.slice(..whole.len() / 2);
    let mut response = answer.into_http_response(quota);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let rest = async {
        // The server sends what it has when a body makes it wait.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    };
    let parts = stream::once(ready(Ok(half))).chain(stream::once(rest));
    *response.body_mut() = Body::from_stream(parts);
    response
}

fn parse_body(answer: &SandboxResponse) -> Option<Map<String, Value>> {
    serde_json::from_slice(&answer.body).ok()
}

/// The list of records in a response.
fn find_rows(body: &mut Map<String, Value>) -> Option<&mut Vec<Value>> {
    body.values_mut().find_map(Value::as_array_mut)
}

fn row_id(row: &Value) -> Option<&str> {
    row.get("id").or_else(|| row.get("_id")).and_then(Value::as_str)
}

/// Inserts an unknown field into the first row, or into the body if it has no rows.
///
/// Its value is inserted as text: a deeply nested value could not be built or dropped.
fn insert_unknown_field(answer: &SandboxResponse, json: &str) -> SandboxResponse {
    const MARK: &str = "\u{1}mark";
    let Some(mut body) = parse_body(answer) else { return answer.clone() };
    let first =
        find_rows(&mut body).and_then(|rows| rows.first_mut()).and_then(Value::as_object_mut);
    let place = match first {
        Some(first) => first,
        None => &mut body,
    };
    place.insert("futureField".to_owned(), MARK.into());
    let text = Value::Object(body).to_string().replacen("\"\\u0001mark\"", json, 1);
    SandboxResponse { body: text.into(), ..answer.clone() }
}

/// Deletes one contact of a page; the page still shows it.
fn delete_shown_contact(
    state: &mut SandboxState,
    answer: SandboxResponse,
    which: fn(&[Value]) -> Option<&Value>,
) -> SandboxResponse {
    let Some(mut body) = parse_body(&answer) else { return answer };
    let id = find_rows(&mut body).and_then(|rows| which(rows)).and_then(row_id);
    if let Some(place) = id.and_then(|id| state.find_contact(id)) {
        state.stores[place.store].remove(place.slot, true);
    }
    answer
}
