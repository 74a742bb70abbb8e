//! Sending a mutation, and what its answer means.

use super::decode;
use super::error::{Error, Kind};
use super::mutation::{Mutation, Sent, Turn};
use super::retry::{self, Bounds};
use super::send::{Call, Sender};
use crate::failpoint::{self, Point};

impl Sender {
    /// Waits for a place in the window.
    pub(super) async fn turn(&self, mutation: &Mutation) -> Result<Turn, Error> {
        match self.pace.acquire().await {
            Ok(permit) => Ok(Turn(permit)),
            Err(halt) => Err(Error::unsent(mutation.route, Kind::Halted(halt))),
        }
    }

    /// Sends a mutation as often as it is known not to have been applied.
    pub(super) async fn mutate(&self, mutation: &Mutation, turn: Turn) -> Sent {
        let call = call(mutation);
        #[cfg(feature = "failpoints")]
        if failpoint::due(Point::MidBody)
            && let Ok(token) = self.credential.token().await
        {
            midway(self.request(&call, &token));
            failpoint::kill();
        }
        let result =
            self.repeat(&call, decode::object, retry::verdict_of_mutation, Some(turn.0)).await;
        if result.as_ref().err().is_none_or(|error| error.status.is_some()) {
            failpoint::reach(Point::AfterResponse);
        }
        match result {
            Ok((status, answer)) => {
                let trace_id = retry::trace_id(&answer.body);
                Sent::Answered { status, body: answer.body, trace_id }
            }
            Err(error) => fate(error),
        }
    }
}

fn call(mutation: &Mutation) -> Call {
    let Mutation { route, path, body } = mutation.clone();
    Call { route, path, body, bounds: Bounds::PATIENT }
}

/// What became of a mutation that was not answered as it should be.
fn fate(error: Error) -> Sent {
    match (error.kind, error.status) {
        // Never sent, or refused at the door: by the limiter, or for want of rights.
        (
            Kind::Halted(_)
            | Kind::Unreachable
            | Kind::Untrusted
            | Kind::Token
            | Kind::Scope
            | Kind::Location,
            _,
        )
        | (Kind::Exhausted, Some(429))
        | (Kind::Gone | Kind::Refused, Some(401 | 403)) => Sent::NotApplied(error),
        (Kind::Gone | Kind::Refused, Some(status)) => {
            Sent::Answered { status, body: error.body.into_vec().into(), trace_id: error.trace_id }
        }
        (_, Some(status @ 200..=299)) => Sent::Unread { status, said: error.said },
        (_, status) => Sent::Doubt { status, said: error.said, trace_id: error.trace_id },
    }
}

/// Sends the head of a request and half of its body, on a connection of its own.
#[cfg(feature = "failpoints")]
fn midway(request: reqwest::RequestBuilder) {
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
    // Whether it arrives or not, the process dies next.
    let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
}

#[cfg(test)]
mod tests;
