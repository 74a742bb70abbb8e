//! The decision table: what a failed attempt means, and whether another one helps.
//!
//! Every read may be repeated; the table says when that helps. Its rows follow api.md §7. The requests of the API and
//! those of its OAuth endpoints use the same tables.

use std::time::Duration;

use serde::Deserialize;

use super::error::ApiErrorKind;
use super::foreign_response::{self, ForeignResponse};
use crate::id::ContactId;

/// How one attempt failed.
#[derive(Debug)]
pub(super) enum AttemptError {
    /// The connection was not made: nothing was sent.
    Connect(String),
    /// The connection was not made because the server's certificate was rejected.
    Untrusted(String),
    /// The connection broke or stalled, or the response was truncated.
    Transport(String),
    /// A status outside 200–299.
    Status(u16, Box<[u8]>),
    /// A redirect to another address.
    Redirect(u16, String),
    /// A truncated response, or a 2xx whose body is not what the endpoint returns: blank or HTML.
    Unreadable(u16, String),
    /// A response that the API has not sent, or that something on the way has changed.
    Foreign {
        /// The response's status.
        status: u16,
        /// What sent or changed it.
        foreign: ForeignResponse,
        /// A sentence about it. Untrusted text.
        message: String,
        /// Its body.
        body: Box<[u8]>,
    },
    /// A response whose body exceeds the size limit.
    TooLarge {
        /// The response's status.
        status: u16,
        /// Its size in bytes, as far as known.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
}

impl AttemptError {
    /// The status of the response, if there was one.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Connect(_) | Self::Untrusted(_) | Self::Transport(_) => None,
            Self::Status(status, _)
            | Self::Redirect(status, _)
            | Self::Unreadable(status, _)
            | Self::Foreign { status, .. }
            | Self::TooLarge { status, .. } => Some(*status),
        }
    }

    /// What sent the response instead of the API, if that is known.
    pub(super) fn foreign(&self) -> Option<ForeignResponse> {
        match self {
            Self::Foreign { foreign, .. } => Some(*foreign),
            _ => None,
        }
    }

    /// The body of a refusal; empty where the response is not one.
    pub(super) fn body(&self) -> &[u8] {
        match self {
            Self::Status(_, body) | Self::Foreign { body, .. } => body,
            _ => &[],
        }
    }

    /// What the server or the transport reported, shortened for display. Untrusted text.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Connect(message)
            | Self::Untrusted(message)
            | Self::Transport(message)
            | Self::Redirect(_, message)
            | Self::Unreadable(_, message)
            | Self::Foreign { message, .. } => truncate_message(message),
            Self::Status(_, body) => error_message(body),
            Self::TooLarge { bytes, limit, .. } => {
                format!("the response has {bytes} bytes; the limit is {limit}")
            }
        }
    }
}

impl std::fmt::Display for AttemptError {
    /// For the log: untrusted text is escaped.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect(message) | Self::Untrusted(message) | Self::Transport(message) => {
                write!(f, "{}", message.escape_debug())
            }
            Self::Unreadable(status, message)
            | Self::Redirect(status, message)
            | Self::Foreign { status, message, .. } => {
                write!(f, "{status} {}", message.escape_debug())
            }
            Self::Status(status, body) => {
                write!(f, "{status} {}", error_message(body).escape_debug())
            }
            Self::TooLarge { status, bytes, .. } => write!(f, "{status} with {bytes} bytes"),
        }
    }
}

/// What to do about a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryDecision {
    /// Retry after a pause.
    Retry,
    /// The rate limit refused the request (429), so it was not executed: retry when the window is
    /// over.
    RetryAfterWindow,
    /// Give up.
    Fail(ApiErrorKind),
}

/// The bounds within which one request is retried.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// The maximum number of attempts, including the first.
    pub attempts: u32,
    /// No attempt starts later than this after the first.
    pub time: Duration,
    /// The largest response body that is read, in bytes.
    pub bytes: u64,
}

impl RetryPolicy {
    /// For a request that the whole run depends on. A page of 500 contacts is about 1 MB.
    pub const PERSISTENT: Self =
        Self { attempts: 8, time: Duration::from_mins(5), bytes: 64 << 20 };
    /// For one request of many. What still fails, or is so large that several of it would fill the
    /// memory, is set aside and requested again at the end.
    pub const BEST_EFFORT: Self =
        Self { attempts: 3, time: Duration::from_secs(20), bytes: 256 << 10 };
    /// For what was set aside, at the end. It has failed before, so that it is tried briefly; it may be large.
    pub const SECOND_TRY: Self =
        Self { attempts: 2, time: Duration::from_secs(20), bytes: 64 << 20 };

    /// The same size for a request on which many others wait.
    pub(super) fn patient(self) -> Self {
        Self { bytes: self.bytes, ..Self::PERSISTENT }
    }
}

/// The decision table for reads.
pub(super) fn decide_read_retry(failure: &AttemptError) -> RetryDecision {
    match failure {
        AttemptError::Status(429, _)
        | AttemptError::Unreadable(429, _)
        | AttemptError::Foreign { status: 429, .. } => RetryDecision::RetryAfterWindow,
        AttemptError::TooLarge { .. } => RetryDecision::Fail(ApiErrorKind::TooLarge),
        AttemptError::Untrusted(_) => RetryDecision::Fail(ApiErrorKind::Untrusted),
        AttemptError::Redirect(..) => RetryDecision::Fail(ApiErrorKind::Refused),
        AttemptError::Foreign { status, foreign, .. } => decide_foreign_retry(*status, *foreign),
        AttemptError::Connect(_)
        | AttemptError::Transport(_)
        | AttemptError::Unreadable(..)
        | AttemptError::Status(408 | 425 | 500..=599, _) => RetryDecision::Retry,
        AttemptError::Status(status, body) => {
            RetryDecision::Fail(classify_refusal(*status, &error_message(body)))
        }
    }
}

/// The decision about a response that is not the API's: another attempt may be answered by the API, unless what is in
/// between lasts. A page for a path that a web server does not know comes from a wrong address.
fn decide_foreign_retry(status: u16, foreign: ForeignResponse) -> RetryDecision {
    let is_wrong_address =
        foreign == ForeignResponse::WebServer && matches!(status, 400..=407 | 409..=499);
    if foreign.is_lasting() || is_wrong_address {
        return RetryDecision::Fail(foreign_kind(foreign));
    }
    RetryDecision::Retry
}

/// The kind of error of a response that is not the API's and will not change.
fn foreign_kind(foreign: ForeignResponse) -> ApiErrorKind {
    if foreign.is_before_api() { ApiErrorKind::Unreachable } else { ApiErrorKind::Refused }
}

/// The decision table for writes: only what was certainly not applied is resent.
pub(super) fn decide_write_retry(failure: &AttemptError) -> RetryDecision {
    match failure {
        AttemptError::Connect(_) => RetryDecision::Retry,
        AttemptError::Untrusted(_) => RetryDecision::Fail(ApiErrorKind::Untrusted),
        AttemptError::Status(429, _)
        | AttemptError::Unreadable(429, _)
        | AttemptError::Foreign { status: 429, .. } => RetryDecision::RetryAfterWindow,
        AttemptError::Status(status, body) if is_definite_refusal(*status) => {
            RetryDecision::Fail(classify_refusal(*status, &error_message(body)))
        }
        // Nothing was applied: what is in between has refused it.
        AttemptError::Foreign { status, foreign, .. } if is_definite_refusal(*status) => {
            decide_foreign_retry(*status, *foreign)
        }
        _ => RetryDecision::Fail(ApiErrorKind::Exhausted),
    }
}

/// Whether a status means that the server processed the request and definitely refuses it.
pub(super) fn is_definite_refusal(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 425 | 429)
}

/// The error kind after the last permitted attempt failed like this.
pub(super) fn exhausted_kind(failure: &AttemptError) -> ApiErrorKind {
    match failure {
        AttemptError::Connect(_) => ApiErrorKind::Unreachable,
        AttemptError::Foreign { foreign, .. } if foreign.is_before_api() => {
            ApiErrorKind::Unreachable
        }
        _ => ApiErrorKind::Exhausted,
    }
}

/// What a refusal means. The API answers 401 for a missing scope and for a missing `Version`
/// header, and 400 for a record that is gone, so the message decides (api.md §5.11, §7).
fn classify_refusal(status: u16, message: &str) -> ApiErrorKind {
    let message = message.to_ascii_lowercase();
    let says = |part: &str| message.contains(part);
    match status {
        401 if says("scope") || says("iam service") => ApiErrorKind::Scope,
        401 if says("version") && !says("token") => ApiErrorKind::Refused,
        401 => ApiErrorKind::Token,
        403 if names_location(&message) || says("forbidden") => ApiErrorKind::Location,
        404 | 410 if !says("cannot ") => ApiErrorKind::Gone,
        400 if says("not found") => ApiErrorKind::Gone,
        _ => ApiErrorKind::Refused,
    }
}

/// Whether the message of a refusal is about the location.
pub(super) fn names_location(message: &str) -> bool {
    message.to_ascii_lowercase().contains("location")
}

/// Whether a response says that its record does not exist, or no longer exists (api.md §5.11).
#[must_use]
pub fn is_gone_response(status: u16, body: &[u8]) -> bool {
    is_definite_refusal(status)
        && classify_refusal(status, &error_message(body)) == ApiErrorKind::Gone
}

/// The contact that a refused create or update would duplicate, and the field that matches (api.md
/// §5.10).
#[must_use]
pub fn parse_duplicate_refusal(body: &[u8]) -> Option<(ContactId, Option<String>)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct DuplicateRefusalMeta {
        contact_id: ContactId,
        matching_field: Option<String>,
    }
    #[derive(Deserialize)]
    struct DuplicateRefusalBody {
        meta: DuplicateRefusalMeta,
    }
    let meta = serde_json::from_slice::<DuplicateRefusalBody>(body).ok()?.meta;
    Some((meta.contact_id, meta.matching_field.map(|field| truncate_message(&field))))
}

/// The message of an error body: its `message`, otherwise its beginning. Untrusted text.
#[must_use]
pub fn error_message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct ApiErrorEnvelope {
        message: Option<serde_json::Value>,
        error: Option<serde_json::Value>,
    }
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Array(parts) => {
            let parts: Vec<_> = parts.iter().filter_map(|part| part.as_str()).collect();
            (!parts.is_empty()).then(|| parts.join("; "))
        }
        // The error envelope of the v3 OAuth endpoints: `{"error":{"code":…,"message":…}}`.
        serde_json::Value::Object(inner) => inner.get("message")?.as_str().map(str::to_owned),
        _ => None,
    };
    let parsed = serde_json::from_slice::<ApiErrorEnvelope>(body).ok();
    let message =
        parsed.and_then(|parsed| parsed.message.and_then(text).or(parsed.error.and_then(text)));
    let message = message.unwrap_or_else(|| match String::from_utf8_lossy(body).trim() {
        "" => "no explanation".to_owned(),
        html if html.starts_with('<') => foreign_response::describe_page(body),
        text => text.to_owned(),
    });
    truncate_message(&message)
}

/// The first 300 characters of a message.
pub(super) fn truncate_message(text: &str) -> String {
    crate::text::truncate_text(text, 300)
}

/// The server's trace id for a request, from the response body.
pub(super) fn parse_trace_id(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct TraceIdBody {
        #[serde(rename = "traceId")]
        trace_id: String,
    }
    serde_json::from_slice::<TraceIdBody>(body)
        .ok()
        .map(|traced| truncate_message(&traced.trace_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, expected: RetryDecision) {
        let verdict = decide_read_retry(&AttemptError::Status(status, body.as_bytes().into()));
        assert_eq!(verdict, expected, "{status} {body}");
    }

    #[test]
    fn each_answer_of_the_api_has_its_verdict() {
        use RetryDecision::{Fail, Retry, RetryAfterWindow};
        check(400, r#"{"message":"Contact not found for id:x"}"#, Fail(ApiErrorKind::Gone));
        check(400, r#"{"message":"Invalid field x"}"#, Fail(ApiErrorKind::Refused));
        check(401, r#"{"message":"Invalid JWT"}"#, Fail(ApiErrorKind::Token));
        check(
            401,
            r#"{"message":"The token is not authorized for this scope."}"#,
            Fail(ApiErrorKind::Scope),
        );
        check(401, r#"{"message":"version header was not found."}"#, Fail(ApiErrorKind::Refused));
        check(
            403,
            r#"{"message":"The token does not have access to this location."}"#,
            Fail(ApiErrorKind::Location),
        );
        check(403, "<html>1010</html>", Fail(ApiErrorKind::Refused));
        check(404, r#"{"message":"Cannot GET /x"}"#, Fail(ApiErrorKind::Refused));
        check(404, "", Fail(ApiErrorKind::Gone));
        check(422, r#"{"message":["property x should not exist"]}"#, Fail(ApiErrorKind::Refused));
        check(429, "", RetryAfterWindow);
        check(502, "<html>", Retry);
    }

    #[test]
    fn a_duplicate_names_the_contact_it_would_double() {
        let body = br#"{"statusCode":400,"message":"This location does not allow duplicated contacts.","meta":{"contactId":"a","contactName":"x","matchingField":"phone"}}"#;
        let (contact, field) = parse_duplicate_refusal(body).unwrap();
        assert_eq!((contact.as_str(), field.as_deref()), ("a", Some("phone")));
        for other in ["", "<html>", r#"{"message":"no"}"#, r#"{"meta":{"contactId":""}}"#] {
            assert!(parse_duplicate_refusal(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn what_is_gone_is_said_in_400_and_404() {
        assert!(is_gone_response(400, br#"{"message":"Contact with id x not found"}"#));
        assert!(is_gone_response(404, b""));
        assert!(!is_gone_response(404, br#"{"message":"Cannot PUT /contacts/x"}"#));
        assert!(!is_gone_response(400, br#"{"message":"Invalid field x"}"#));
        assert!(!is_gone_response(502, b"not found"));
    }

    #[test]
    fn messages_are_read_from_every_shape_the_api_uses() {
        assert_eq!(error_message(br#"{"message":["a","b"]}"#), "a; b");
        assert_eq!(error_message(br#"{"error":{"code":"x","message":"late"}}"#), "late");
        assert_eq!(error_message(b"<html>"), "an HTML page instead of JSON");
        assert_eq!(error_message(b""), "no explanation");
    }
}
