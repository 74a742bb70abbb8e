//! What can become of a request, other than an answer.

use std::time::Duration;

use super::endpoint::ApiEndpoint;
use super::rate_limit::HaltReason;

/// What went wrong, as far as a caller acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiErrorKind {
    /// The token is refused.
    Token,
    /// The token lacks the scope that [`ApiEndpoint::required_scope`] names. The API says 401 (api.md §7).
    Scope,
    /// The token does not reach this location.
    Location,
    /// The record does not exist, or no longer.
    Gone,
    /// The server refuses the request; sending it again would not help.
    Refused,
    /// No connection could be made.
    Unreachable,
    /// The server's certificate is refused: it is not whom it should be, or nobody known says so.
    Untrusted,
    /// The server kept failing, stalling or cutting its answers until the retries were used up.
    Exhausted,
    /// The answer is larger than any this program reads.
    TooLarge,
    /// The pace stopped before the request was sent.
    Halted(HaltReason),
}

/// A request that got no usable answer.
#[derive(Debug, thiserror::Error)]
#[error("`{}`: {}", .route.method_and_path(), self.display_text())]
pub struct ApiError {
    /// What a caller branches on.
    pub kind: ApiErrorKind,
    /// The endpoint.
    pub route: ApiEndpoint,
    /// The last answer's status, where there was one.
    pub status: Option<u16>,
    /// The last answer's body as the server sent it, up to 64 KB of it.
    pub body: Box<[u8]>,
    /// What the server or the transport said, cut to a readable length. From outside: may hold anything.
    pub said: String,
    /// The server's name for this request, for its support.
    pub trace_id: Option<String>,
    /// How often the request was sent.
    pub attempts: u32,
    /// From the first attempt to the last answer.
    pub elapsed: Duration,
}

impl ApiError {
    /// Of a request that was never sent.
    pub(super) fn not_sent(route: ApiEndpoint, kind: ApiErrorKind) -> Self {
        Self {
            kind,
            route,
            status: None,
            body: Box::default(),
            said: "not sent".to_owned(),
            trace_id: None,
            attempts: 0,
            elapsed: Duration::ZERO,
        }
    }

    fn display_text(&self) -> String {
        let status = self.status.map(|status| format!("{status}: ")).unwrap_or_default();
        let tries = match self.attempts {
            0 | 1 => String::new(),
            n => format!(" (after {n} attempts in {:.1} s)", self.elapsed.as_secs_f64()),
        };
        format!("{status}{}{tries}", self.said)
    }

    /// Whether the whole run must end: every other request would meet the same.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(
            self.kind,
            ApiErrorKind::Token
                | ApiErrorKind::Location
                | ApiErrorKind::Unreachable
                | ApiErrorKind::Untrusted
                | ApiErrorKind::Halted(_)
        )
    }
}
