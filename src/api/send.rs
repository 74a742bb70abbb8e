//! Sending: pace, retry and decode, for every endpoint alike.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Response};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::error::{Error, Kind};
use super::pace::Pace;
use super::page::Answer;
use super::retry::{self, Bounds, Failure, Verdict};
use super::route::{self, Route};
use super::wire::Read;
use crate::event::{Event, Waiting, Watcher};

/// An answer beyond this size is read only while few others are, so that memory stays bounded.
const LARGE: usize = 1 << 20;
/// How many large answers are read at a time.
const LARGE_AT_ONCE: usize = 2;
/// How often a request that the limiter refused is sent again: more means a spent day or a lost cause.
const REFUSALS: u32 = 8;

const VERSION: HeaderName = HeaderName::from_static("version");

/// One request, ready to be sent as often as it takes.
pub(super) struct Call {
    pub(super) route: Route,
    /// Path and query, from the base URL on, beginning with `/`.
    pub(super) path: String,
    /// The JSON body; with one it is a POST, without one a GET.
    pub(super) body: Option<Bytes>,
    pub(super) bounds: Bounds,
}

/// Sends calls.
pub(super) struct Sender {
    pub(super) http: reqwest::Client,
    pub(super) base: String,
    pub(super) version: &'static str,
    pub(super) pace: Pace,
    pub(super) watcher: Watcher,
    pub(super) sent: [AtomicU64; route::COUNT],
    pub(super) large: Semaphore,
}

impl Sender {
    pub(super) fn large() -> Semaphore {
        Semaphore::new(LARGE_AT_ONCE)
    }

    /// Sends a call until it is answered, refused, or the bounds are reached.
    pub(super) async fn send<T>(&self, call: &Call, read: Read<T>) -> Result<Answer<T>, Error> {
        let begun = Instant::now();
        let (mut attempts, mut refusals, mut pause) = (0, 0, Duration::ZERO);
        loop {
            let permit = self.pace.acquire().await;
            let permit = permit.map_err(|halt| {
                error(call, Kind::Halted(halt), None, attempts + refusals, begun.elapsed())
            })?;
            let failure = match self.attempt(call, permit, read).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            tracing::debug!(route = call.route.name(), attempts, %failure, "attempt failed");
            let give_up = |kind, sent| error(call, kind, Some(&failure), sent, begun.elapsed());
            match retry::verdict(&failure) {
                Verdict::GiveUp(kind) => return Err(give_up(kind, attempts + refusals + 1)),
                Verdict::AfterWindow => {
                    refusals += 1;
                    if refusals >= REFUSALS {
                        return Err(give_up(Kind::Exhausted, attempts + refusals));
                    }
                }
                Verdict::Again => {
                    attempts += 1;
                    pause = retry::pause(pause);
                    let over = begun.elapsed() + pause > call.bounds.time;
                    if attempts >= call.bounds.attempts || over {
                        return Err(give_up(retry::exhausted(&failure), attempts + refusals));
                    }
                    let ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                    self.watcher.observe(&Event::Waiting { reason: Waiting::Retry, ms });
                    if let Err(halt) = self.pace.rest(pause).await {
                        return Err(give_up(Kind::Halted(halt), attempts + refusals));
                    }
                }
            }
        }
    }

    async fn attempt<T>(
        &self,
        call: &Call,
        permit: super::pace::Permit,
        read: Read<T>,
    ) -> Result<Answer<T>, Failure> {
        self.sent[call.route as usize].fetch_add(1, Ordering::Relaxed);
        let response = self.request(call).send().await.map_err(|error| transport(&error))?;
        let status = response.status().as_u16();
        tracing::trace!(path = ?call.path, status, "answered");
        permit.answered(response.headers(), status == 429);
        let body = self.body(response, call.bounds.bytes).await?;
        tracing::debug!(
            route = call.route.name(),
            call.path,
            status,
            bytes = body.len(),
            "answered"
        );
        if !(200..300).contains(&status) {
            return Err(Failure::Status(status, body.as_ref().into()));
        }
        match read(&body) {
            Ok(head) => Ok(Answer { body, head }),
            Err(error) => Err(Failure::Unreadable(status, unreadable(&body, &error))),
        }
    }

    fn request(&self, call: &Call) -> reqwest::RequestBuilder {
        let url = format!("{}{}", self.base, call.path);
        let method = if call.body.is_some() { Method::POST } else { Method::GET };
        let version = HeaderValue::from_static(call.route.version(self.version));
        let request = self.http.request(method, url).header(VERSION, version);
        match &call.body {
            Some(body) => request
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(body.clone()),
            None => request,
        }
    }

    async fn body(&self, mut response: Response, most: u64) -> Result<Bytes, Failure> {
        let told = response.content_length().unwrap_or(0);
        if told > most {
            return Err(Failure::TooLarge(told));
        }
        let Some(first) = response.chunk().await.map_err(|error| transport(&error))? else {
            return Ok(Bytes::new());
        };
        let mut seat = None;
        let mut body = BytesMut::new();
        let mut last = first;
        while let Some(next) = response.chunk().await.map_err(|error| transport(&error))? {
            body.extend_from_slice(&last);
            last = next;
            if body.len() as u64 > most {
                return Err(Failure::TooLarge(body.len() as u64));
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

fn transport(error: &reqwest::Error) -> Failure {
    let said = deepest(error);
    let said = if error.is_timeout() { format!("no answer in time ({said})") } else { said };
    if error.is_connect() { Failure::Connect(said) } else { Failure::Transport(said) }
}

/// The innermost cause: `Connection refused (os error 111)` rather than three sentences around it.
fn deepest(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => deepest(source),
        None => error.to_string(),
    }
}

fn unreadable(body: &[u8], error: &serde_json::Error) -> String {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => "an empty answer instead of JSON".to_owned(),
        Some(b'<') => "an HTML page instead of JSON".to_owned(),
        Some(_) if error.is_eof() => format!("the answer was cut after {} bytes", body.len()),
        Some(_) => format!("an answer of another shape: {error}"),
    }
}

/// The most of an error's body that is kept, in bytes.
const KEPT: usize = 64 << 10;

fn error(
    call: &Call,
    kind: Kind,
    failure: Option<&Failure>,
    attempts: u32,
    elapsed: Duration,
) -> Error {
    let mut error = Error {
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
        Some(Failure::Connect(said) | Failure::Transport(said)) => error.said = retry::cut(said),
        Some(Failure::Unreadable(status, said)) => {
            error.status = Some(*status);
            error.said = retry::cut(said);
        }
        Some(Failure::Status(status, body)) => {
            error.status = Some(*status);
            error.said = retry::said(body);
            error.trace_id = retry::trace_id(body);
            error.body = body[..body.len().min(KEPT)].into();
        }
        Some(Failure::TooLarge(bytes)) => {
            let most = call.bounds.bytes;
            error.said = format!("the answer has {bytes} bytes; more than {most} are not read");
        }
    }
    error
}
