//! Sending: pace, retry and decode, for every endpoint alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::clock::Clock;
use super::connect_error::Obstacle;
use super::decode::Read;
use super::endpoint::{self, Route};
use super::error::{Error, Kind};
use super::rate_limit::{Pace, Permit};
use super::response::Answer;
use super::retry::{self, Bounds, Failure, Verdict};
use super::token::Token;
use super::token_provider::{Credential, Denied};
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
    /// The JSON body.
    pub(super) body: Option<Bytes>,
    pub(super) bounds: Bounds,
}

/// Sends calls.
pub(super) struct Sender {
    pub(super) http: reqwest::Client,
    pub(super) base: String,
    pub(super) version: &'static str,
    pub(super) credential: Arc<dyn Credential>,
    pub(super) pace: Pace,
    pub(super) watcher: Watcher,
    pub(super) sent: [AtomicU64; endpoint::COUNT],
    pub(super) large: Semaphore,
    pub(super) clock: Clock,
}

impl Sender {
    pub(super) fn large() -> Semaphore {
        Semaphore::new(LARGE_AT_ONCE)
    }

    /// Sends a call until it is answered, refused, or the bounds are reached.
    pub(super) async fn send<T>(&self, call: &Call, read: Read<T>) -> Result<Answer<T>, Error> {
        self.repeat(call, read, retry::verdict, None).await.map(|(_, answer)| answer)
    }

    /// Sends a call as often as the verdict says, within its bounds; the first time with the place in the
    /// window that the caller has, if it has one.
    pub(super) async fn repeat<T>(
        &self,
        call: &Call,
        read: Read<T>,
        verdict: fn(&Failure) -> Verdict,
        mut first: Option<Permit>,
    ) -> Result<(u16, Answer<T>), Error> {
        let begun = Instant::now();
        let (mut attempts, mut refusals, mut pause) = (0, 0, Duration::ZERO);
        let mut renewed = false;
        loop {
            let denied = |denied: &Denied, sent| without_token(call, denied, sent, begun.elapsed());
            let token = self.credential.token().await;
            let token = token.map_err(|error| denied(&error, attempts + refusals))?;
            let permit = match first.take() {
                Some(permit) => permit,
                None => self.pace.acquire().await.map_err(|halt| {
                    error(call, Kind::Halted(halt), None, attempts + refusals, begun.elapsed())
                })?,
            };
            let failure = match self.attempt(call, permit, &token, read).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            tracing::debug!(route = call.route.name(), attempts, %failure, "attempt failed");
            let give_up = |kind, sent| error(call, kind, Some(&failure), sent, begun.elapsed());
            match verdict(&failure) {
                // Refused at the door: whatever it is, it was not done.
                Verdict::GiveUp(Kind::Token) if !renewed => {
                    renewed = true;
                    refusals += 1;
                    match self.credential.renew(&token).await {
                        Ok(Some(_)) => {}
                        Ok(None) => return Err(give_up(Kind::Token, attempts + refusals)),
                        Err(error) => return Err(denied(&error, attempts + refusals)),
                    }
                }
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
        permit: Permit,
        token: &Token,
        read: Read<T>,
    ) -> Result<(u16, Answer<T>), Failure> {
        self.sent[call.route as usize].fetch_add(1, Ordering::Relaxed);
        let response = self.request(call, token).send().await.map_err(|error| transport(&error))?;
        let status = response.status().as_u16();
        tracing::trace!(path = ?call.path, status, "answered");
        permit.answered(response.headers(), status == 429);
        self.clock.learn(response.headers());
        if response.status().is_redirection() {
            return Err(Failure::Elsewhere(status, elsewhere(&response)));
        }
        let body = self.body(response, call.bounds.bytes).await;
        let body = body.map_err(|unread| unread.with(status))?;
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
            Ok(head) => Ok((status, Answer { body, head })),
            Err(error) => Err(Failure::Unreadable(status, unreadable(&body, &error))),
        }
    }

    pub(super) fn request(&self, call: &Call, token: &Token) -> reqwest::RequestBuilder {
        let url = format!("{}{}", self.base, call.path);
        let version = HeaderValue::from_static(call.route.version(self.version));
        let request = self
            .http
            .request(call.route.method(), url)
            .header(AUTHORIZATION, token.header())
            .header(VERSION, version);
        match &call.body {
            Some(body) => request
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(body.clone()),
            None => request,
        }
    }

    async fn body(&self, mut response: Response, most: u64) -> Result<Bytes, Unread> {
        let told = response.content_length().unwrap_or(0);
        if told > most {
            return Err(Unread::TooLarge(told));
        }
        let Some(first) = response.chunk().await.map_err(Unread::Cut)? else {
            return Ok(Bytes::new());
        };
        let mut seat = None;
        let mut body = BytesMut::new();
        let mut last = first;
        while let Some(next) = response.chunk().await.map_err(Unread::Cut)? {
            body.extend_from_slice(&last);
            last = next;
            if body.len() as u64 > most {
                return Err(Unread::TooLarge(body.len() as u64));
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
enum Unread {
    /// The connection broke or stalled.
    Cut(reqwest::Error),
    /// It is beyond the bound; its bytes, as far as known.
    TooLarge(u64),
}

impl Unread {
    /// The failure, of an answer with this status.
    fn with(self, status: u16) -> Failure {
        match self {
            Self::Cut(error) => Failure::Unreadable(status, what_broke(&error)),
            Self::TooLarge(bytes) => Failure::TooLarge(status, bytes),
        }
    }
}

fn transport(error: &reqwest::Error) -> Failure {
    let obstacle = Obstacle::of(error);
    let said = obstacle.to_string();
    match obstacle {
        Obstacle::Certificate(_) => Failure::Untrusted(said),
        _ if error.is_connect() => Failure::Connect(said),
        _ => Failure::Transport(said),
    }
}

pub(super) fn what_broke(error: &reqwest::Error) -> String {
    Obstacle::of(error).to_string()
}

/// What an answer says that sends the request to another address.
pub(super) fn elsewhere(response: &Response) -> String {
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
pub(super) fn deepest(error: &dyn std::error::Error) -> String {
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

/// Of a request for which there was no token.
fn without_token(call: &Call, denied: &Denied, attempts: u32, elapsed: Duration) -> Error {
    let said = retry::cut(&denied.said);
    Error { said, ..error(call, denied.kind, None, attempts, elapsed) }
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
        Some(Failure::Connect(said) | Failure::Untrusted(said) | Failure::Transport(said)) => {
            error.said = retry::cut(said);
        }
        Some(Failure::Unreadable(status, said) | Failure::Elsewhere(status, said)) => {
            error.status = Some(*status);
            error.said = retry::cut(said);
        }
        Some(Failure::Status(status, body)) => {
            error.status = Some(*status);
            error.said = retry::said(body);
            error.trace_id = retry::trace_id(body);
            error.body = body[..body.len().min(KEPT)].into();
        }
        Some(Failure::TooLarge(status, bytes)) => {
            error.status = Some(*status);
            let most = call.bounds.bytes;
            error.said = format!("the answer has {bytes} bytes; more than {most} are not read");
        }
    }
    error
}
