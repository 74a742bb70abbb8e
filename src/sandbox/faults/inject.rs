//! Applies the faults that fire for one request to it and its response.
//!
//! Faults are tried in the order in which they were added: delays add up, the first action wins, and
//! all alterations apply. Treats responses as JSON with a list of rows.

use std::future::ready;
use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderValue, Response};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde_json::Value;

use super::action::FaultAction;
use super::alter_request::{alter_request, refuse_request};
use super::alter_rows::AnswerAlteration;
use super::alteration::FaultAlteration;
use super::fault_options::{FaultOptions, RetryAfter};
use super::json_rows::{fill_mark, find_rows, mark_text, parse_body, row_id};
use super::replacement;
use crate::sandbox::http::rate_limit::QuotaStatus;
use crate::sandbox::http::request::SandboxRequest;
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
    alterations: Vec<(FaultAlteration, usize)>,
    headers: Vec<(String, String)>,
    no_quota: bool,
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
            injected.headers.extend(fault.options().headers.iter().cloned());
            injected.no_quota |= fault.options().no_quota;
            let alterations = fault.alterations().iter().cloned();
            injected.alterations.extend(alterations.map(|alteration| (alteration, number)));
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
        self.action == FaultAction::Pass
            && self.latency.is_zero()
            && self.alterations.is_empty()
            && self.headers.is_empty()
            && !self.no_quota
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
    pub(crate) fn replacement_response(&self, request: &SandboxRequest) -> Option<SandboxResponse> {
        let replaced = replacement::replacement_response(&self.action, &self.options, request);
        replaced.or_else(|| {
            let refusal = self.alterations.iter().find_map(|(alteration, _)| match alteration {
                FaultAlteration::Refuse { option, is_named } => {
                    let refusal = refuse_request(option, request)?;
                    Some(if *is_named { refusal } else { EndpointError::bare_status(400) })
                }
                _ => None,
            });
            refusal.map(|refusal| refusal.into_response(&request.trace))
        })
    }

    /// The request as the service treats it.
    pub(crate) fn alter_request(&self, request: &SandboxRequest) -> SandboxRequest {
        let mut altered = request.clone();
        for (alteration, _) in &self.alterations {
            alter_request(alteration, &mut altered);
        }
        altered
    }

    /// Alters the response of a request that was applied.
    pub(crate) fn alter_response(
        &self,
        state: &mut SandboxState,
        request: &SandboxRequest,
        answer: SandboxResponse,
    ) -> SandboxResponse {
        let answer = match &self.action {
            FaultAction::Applied(status) => {
                replacement::status_response(*status, &self.options, &request.trace)
            }
            FaultAction::NotJson => SandboxResponse::gateway_page(200),
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
        };
        if answer.status >= 300 { answer } else { self.alter_rows(state, request, answer) }
    }

    fn alter_rows(
        &self,
        state: &mut SandboxState,
        request: &SandboxRequest,
        mut answer: SandboxResponse,
    ) -> SandboxResponse {
        for (alteration, number) in &self.alterations {
            let Some(fault) = state.faults.get_mut(*number) else { continue };
            let row = fault.options().row.clone();
            let mut last_row = fault.last_row.take();
            let alteration =
                AnswerAlteration { alteration, row: row.as_deref(), last_row: &mut last_row };
            let altered = alteration.apply(request, &answer);
            fault.last_row = last_row;
            if let Some(altered) = altered {
                answer = altered;
                if row.is_some() {
                    fault.count_row();
                }
            }
        }
        answer
    }

    /// Adds the headers of the faults; a date counts from `now`, in milliseconds since 1970.
    pub(crate) fn add_headers(&self, mut answer: SandboxResponse, now: i64) -> SandboxResponse {
        answer.no_quota |= self.no_quota;
        if let Some(RetryAfter::Date(seconds)) = self.options.retry_after {
            let seconds = i64::try_from(seconds).unwrap_or_default();
            let date = crate::sandbox::text::format_http_date(now.saturating_add(seconds * 1000));
            answer.headers.push(("retry-after".to_owned(), date));
        }
        answer.headers.extend(self.headers.iter().cloned());
        answer
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
            fault.count_row();
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

/// Inserts an unknown field into the first row, or into the body if it has no rows.
///
/// Its value is inserted as text: a deeply nested value could not be built or dropped.
fn insert_unknown_field(answer: &SandboxResponse, json: &str) -> SandboxResponse {
    let Some(mut body) = parse_body(answer) else { return answer.clone() };
    let first =
        find_rows(&mut body).and_then(|rows| rows.first_mut()).and_then(Value::as_object_mut);
    let place = match first {
        Some(first) => first,
        None => &mut body,
    };
    place.insert("futureField".to_owned(), mark_text().into());
    let text = fill_mark(Value::Object(body).to_string().as_bytes(), json.as_bytes(), true);
    SandboxResponse { body: text, ..answer.clone() }
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
