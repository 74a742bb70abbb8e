//! What the faults that struck one request do to it and to its answer.
//!
//! Faults are picked in the order in which they were added: delays add up, and the first other
//! action is taken. Knows answers as JSON with a list of rows; not what the rows are.

use std::future::ready;
use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderValue, Response};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde_json::{Map, Value};

use super::fault::{Action, Options};
use crate::sandbox::http::rate_limit::Standing;
use crate::sandbox::http::request::{Ask, Content};
use crate::sandbox::http::response::{Answer, Refusal};
use crate::sandbox::store::state::State;

/// How the answer leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Whole,
    Truncated,
    Cut,
}

/// How long a request waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    Not,
    AtMost(Duration),
    /// Until somebody releases it.
    Released,
}

/// The faults of one request.
#[derive(Debug, Default)]
pub(crate) struct Mischief {
    latency: Duration,
    action: Action,
    options: Options,
    /// The fault's number, for the ones whose count depends on the answer.
    fault: usize,
}

impl Mischief {
    /// Lets the armed faults strike.
    pub(crate) fn of(state: &mut State, ask: &Ask) -> Self {
        let mut mischief = Self::default();
        for (number, fault) in state.faults.iter_mut().enumerate() {
            if mischief.action != Action::Pass && fault.action() != &Action::Pass {
                continue;
            }
            if !fault.strikes(&ask.method, &ask.segments) {
                continue;
            }
            mischief.latency += fault.options().latency;
            if let Action::Limit(limit) = fault.action() {
                state.limiter.set(*limit);
            } else if fault.action() != &Action::Pass {
                mischief.action = fault.action().clone();
                mischief.options = fault.options().clone();
                mischief.fault = number;
            }
        }
        mischief
    }

    pub(crate) fn is_none(&self) -> bool {
        self.action == Action::Pass && self.latency.is_zero()
    }

    pub(crate) fn latency(&self) -> Duration {
        self.latency
    }

    /// How long to wait at the gate before anything is done.
    pub(crate) fn wait_before(&self) -> Wait {
        match self.action {
            Action::HoldBefore | Action::Stall(None) => Wait::Released,
            Action::Stall(Some(longest)) => Wait::AtMost(longest),
            _ => Wait::Not,
        }
    }

    pub(crate) fn waits_after(&self) -> bool {
        self.action == Action::HoldAfter
    }

    pub(crate) fn ending(&self) -> Ending {
        match self.action {
            Action::DropBefore | Action::DropAfter | Action::Stall(_) => Ending::Cut,
            Action::Truncate => Ending::Truncated,
            _ => Ending::Whole,
        }
    }

    /// The answer of a request that never reaches its route.
    pub(crate) fn instead(&self, trace: &str) -> Option<Answer> {
        match self.action {
            Action::Status(status) => Some(self.status(status, trace)),
            Action::Expired => Some(Refusal::unauthorized("Invalid JWT").into_answer(trace)),
            Action::DropBefore | Action::Stall(_) => Some(Answer::new(503, Bytes::new())),
            _ => None,
        }
    }

    /// The request without the field that the service is to take no notice of.
    pub(crate) fn ignores(&self, ask: &Ask) -> Option<Ask> {
        let Action::Ignore(field) = &self.action else { return None };
        let mut less = ask.clone();
        match &mut less.content {
            Content::Json(Value::Object(body)) => drop(body.remove(field)),
            Content::Form(pairs) => pairs.retain(|(name, _)| name != field),
            _ => {}
        }
        Some(less)
    }

    fn status(&self, status: u16, trace: &str) -> Answer {
        let mut answer = match &self.options.body {
            Some(body) => Answer::new(status, body.clone()),
            None if self.options.html => Answer::page(status),
            None => Refusal::status(status).into_answer(trace),
        };
        answer.html = self.options.html;
        answer.retry_after = self.options.retry_after;
        answer
    }

    /// What becomes of the answer of a request that was applied.
    pub(crate) fn spoil(&self, state: &mut State, ask: &Ask, answer: Answer) -> Answer {
        match &self.action {
            Action::Applied(status) => self.status(*status, &ask.trace),
            Action::NotJson => Answer::page(200),
            Action::Blank => Answer::new(200, Bytes::new()),
            Action::Hide(id) => self.hide(state, answer, id.as_deref()),
            Action::Huge(size) => widen(&answer, &format!("\"{}\"", "x".repeat(*size))),
            Action::Deep(depth) => {
                widen(&answer, &format!("{}{}", "[".repeat(*depth), "]".repeat(*depth)))
            }
            Action::DeleteFirst => delete(state, answer, <[Value]>::first),
            Action::DeleteLast => delete(state, answer, <[Value]>::last),
            _ => answer,
        }
    }

    fn hide(&self, state: &mut State, answer: Answer, id: Option<&str>) -> Answer {
        let Some(mut body) = parse(&answer) else { return answer };
        let Some(rows) = rows(&mut body) else { return answer };
        let place = match id {
            Some(id) => rows.iter().position(|row| id_of(row) == Some(id)),
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
            fault.hid();
        }
        Answer { body: Value::Object(body).to_string().into(), ..answer }
    }
}

/// Half of the answer under headers that announce all of it; then the connection closes.
pub(crate) fn truncated(mut answer: Answer, standing: Option<Standing>) -> Response<Body> {
    let whole = std::mem::take(&mut answer.body);
    let half = whole.slice(..whole.len() / 2);
    let mut response = answer.into_response(standing);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let rest = async {
        // The server writes what it has when a body makes it wait.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    };
    let parts = stream::once(ready(Ok(half))).chain(stream::once(rest));
    *response.body_mut() = Body::from_stream(parts);
    response
}

fn parse(answer: &Answer) -> Option<Map<String, Value>> {
    serde_json::from_slice(&answer.body).ok()
}

/// The list of records in an answer.
fn rows(body: &mut Map<String, Value>) -> Option<&mut Vec<Value>> {
    body.values_mut().find_map(Value::as_array_mut)
}

fn id_of(row: &Value) -> Option<&str> {
    row.get("id").or_else(|| row.get("_id")).and_then(Value::as_str)
}

/// Puts an unknown field into the first row, or into the body when it has no rows.
///
/// Its value goes in as text: one that is nested very deep could not be built or dropped.
fn widen(answer: &Answer, json: &str) -> Answer {
    const MARK: &str = "\u{1}mark";
    let Some(mut body) = parse(answer) else { return answer.clone() };
    let first = rows(&mut body).and_then(|rows| rows.first_mut()).and_then(Value::as_object_mut);
    let place = match first {
        Some(first) => first,
        None => &mut body,
    };
    place.insert("futureField".to_owned(), MARK.into());
    let text = Value::Object(body).to_string().replacen("\"\\u0001mark\"", json, 1);
    Answer { body: text.into(), ..answer.clone() }
}

/// Deletes one contact of a page; the page still shows it.
fn delete(state: &mut State, answer: Answer, which: fn(&[Value]) -> Option<&Value>) -> Answer {
    let Some(mut body) = parse(&answer) else { return answer };
    let id = rows(&mut body).and_then(|rows| which(rows)).and_then(id_of);
    if let Some(place) = id.and_then(|id| state.place(id)) {
        state.shelves[place.shelf].remove(place.slot, true);
    }
    answer
}
