//! Errors of a request.

use std::time::Duration;

use super::endpoint::ApiEndpoint;
use super::foreign_response::ForeignResponse;
use super::rate_limit::HaltReason;

/// The kinds of error that callers distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiErrorKind {
    /// The token was rejected.
    Token,
    /// The source of the token failed, such as a token command.
    TokenSource,
    /// The token lacks the scope that [`ApiEndpoint::required_scope`] names. The API answers 401
    /// (api.md §7).
    Scope,
    /// The token has no access to this location.
    Location,
    /// The record does not exist, or no longer exists.
    Gone,
    /// The server refused the request; sending it again would not help.
    Refused,
    /// No connection could be made.
    Unreachable,
    /// The server's certificate was rejected: it is for another host or its issuer is not trusted.
    Untrusted,
    /// The server kept failing, stalling or truncating its responses until the retries were used
    /// up.
    Exhausted,
    /// The response exceeds the size limit.
    TooLarge,
    /// The endpoint has failed in the same way so often that no more is asked of it.
    EndpointFailing(EndpointFault),
    /// The rate limiter stopped before the request was sent.
    Halted(HaltReason),
}

/// Why an endpoint fails every time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointFault {
    /// The token lacks its scope.
    Scope,
    /// Another error; the message says which.
    Other,
}

/// A request that got no usable response.
#[derive(Debug, thiserror::Error)]
#[error("`{}`: {}", .route.method_and_path(), self.display_text())]
pub struct ApiError {
    /// The kind of error.
    pub kind: ApiErrorKind,
    /// The endpoint.
    pub route: ApiEndpoint,
    /// The status of the last response, if there was one.
    pub status: Option<u16>,
    /// The body of the last response as the server sent it, truncated to 64 KB.
    pub body: Box<[u8]>,
    /// What sent the last response instead of the API, if that is known.
    pub foreign: Option<ForeignResponse>,
    /// What the server or the transport reported, shortened for display. Untrusted text.
    pub message: String,
    /// The server's trace id for this request, for HighLevel's support.
    pub trace_id: Option<String>,
    /// How often the request was sent.
    pub attempts: u32,
    /// From the first attempt to the last response.
    pub elapsed: Duration,
}

impl ApiError {
    /// The error of a request that was never sent.
    pub(super) fn not_sent(route: ApiEndpoint, kind: ApiErrorKind) -> Self {
        Self {
            kind,
            route,
            status: None,
            body: Box::default(),
            foreign: None,
            message: "not sent".to_owned(),
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
        format!("{status}{}{tries}", self.message)
    }

    /// Whether the API no longer takes the version that requests are sent with (api.md §1.2).
    #[must_use]
    pub fn refuses_version(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        let says = |part: &str| message.contains(part);
        let ended = ["deprecated", "expired", "invalid", "no longer", "not found", "not supported"];
        matches!(self.status, Some(400..=499))
            && self.foreign.is_none()
            && says("version")
            && (ended.into_iter().any(says) || says("sunset") || says("unsupported"))
    }

    /// Whether the token may not see or change the record of this request, although it reaches the location.
    #[must_use]
    pub fn forbids_record(&self) -> bool {
        self.kind == ApiErrorKind::Refused && self.status == Some(403)
    }

    /// Whether the whole run must stop because every other request would fail the same way.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(
            self.kind,
            ApiErrorKind::Token
                | ApiErrorKind::TokenSource
                | ApiErrorKind::Location
                | ApiErrorKind::Unreachable
                | ApiErrorKind::Untrusted
                | ApiErrorKind::EndpointFailing(_)
                | ApiErrorKind::Halted(_)
        )
    }
}
