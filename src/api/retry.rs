//! The decision table: what a failed attempt means, and how long to wait before the next.
//!
//! Every request of this program that reads may be repeated; the table says when that helps. The rows
//! are those of api.md §7.

use std::time::Duration;

use serde::Deserialize;

use super::error::ApiErrorKind;
use crate::id::ContactId;

/// How one attempt failed.
#[derive(Debug)]
pub(super) enum AttemptError {
    /// The connection was not made: nothing was sent.
    Connect(String),
    /// The connection was not made, because the other side's certificate is refused.
    Untrusted(String),
    /// The connection broke, stalled, or the answer was cut.
    Transport(String),
    /// An answer with a status outside 200–299.
    Status(u16, Box<[u8]>),
    /// An answer that sends the request to another address.
    Elsewhere(u16, String),
    /// An answer that was cut, or a 2xx whose body is not what the endpoint answers: blank or HTML.
    Unreadable(u16, String),
    /// An answer whose body is beyond the bound, with its bytes.
    TooLarge(u16, u64),
}

impl std::fmt::Display for AttemptError {
    /// For the log: what comes from outside is escaped.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect(said) | Self::Untrusted(said) | Self::Transport(said) => {
                write!(f, "{}", said.escape_debug())
            }
            Self::Unreadable(status, said) | Self::Elsewhere(status, said) => {
                write!(f, "{status} {}", said.escape_debug())
            }
            Self::Status(status, body) => {
                write!(f, "{status} {}", error_message(body).escape_debug())
            }
            Self::TooLarge(status, bytes) => write!(f, "{status} with {bytes} bytes"),
        }
    }
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryDecision {
    /// Send again after a pause.
    Again,
    /// The request was refused by the limiter and not executed: send again when the window is over.
    AfterWindow,
    /// Give up.
    GiveUp(ApiErrorKind),
}

/// The bounds within which one request is repeated.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// The most attempts, the first included.
    pub attempts: u32,
    /// No attempt begins later than this after the first.
    pub time: Duration,
    /// The largest answer that is read, in bytes.
    pub bytes: u64,
}

impl RetryPolicy {
    /// For a request that the whole run hangs on. A page of 500 contacts has about 1 MB.
    pub const PATIENT: Self = Self { attempts: 8, time: Duration::from_mins(5), bytes: 64 << 20 };
    /// For one of many: what still fails, or is so large that many of it would fill the memory, is set
    /// aside and asked for again at the end.
    pub const BRIEF: Self = Self { attempts: 3, time: Duration::from_secs(20), bytes: 256 << 10 };
}

/// The decision table for reads.
pub(super) fn decide_read_retry(failure: &AttemptError) -> RetryDecision {
    match failure {
        AttemptError::Status(429, _) | AttemptError::Unreadable(429, _) => {
            RetryDecision::AfterWindow
        }
        AttemptError::TooLarge(..) => RetryDecision::GiveUp(ApiErrorKind::TooLarge),
        AttemptError::Untrusted(_) => RetryDecision::GiveUp(ApiErrorKind::Untrusted),
        AttemptError::Elsewhere(..) => RetryDecision::GiveUp(ApiErrorKind::Refused),
        AttemptError::Connect(_)
        | AttemptError::Transport(_)
        | AttemptError::Unreadable(..)
        | AttemptError::Status(408 | 425 | 500..=599, _) => RetryDecision::Again,
        AttemptError::Status(status, body) => {
            RetryDecision::GiveUp(classify_refusal(*status, &error_message(body)))
        }
    }
}

/// The decision table for mutations: sent again is only what was certainly not applied.
pub(super) fn decide_write_retry(failure: &AttemptError) -> RetryDecision {
    match failure {
        AttemptError::Connect(_) => RetryDecision::Again,
        AttemptError::Untrusted(_) => RetryDecision::GiveUp(ApiErrorKind::Untrusted),
        AttemptError::Status(429, _) | AttemptError::Unreadable(429, _) => {
            RetryDecision::AfterWindow
        }
        AttemptError::Status(status, body) if is_definite_refusal(*status) => {
            RetryDecision::GiveUp(classify_refusal(*status, &error_message(body)))
        }
        _ => RetryDecision::GiveUp(ApiErrorKind::Exhausted),
    }
}

/// Whether a status says that the server has looked at the request and will not do it.
pub(super) fn is_definite_refusal(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 425 | 429)
}

/// What it is when the last permitted attempt failed like this.
pub(super) fn exhausted_kind(failure: &AttemptError) -> ApiErrorKind {
    match failure {
        AttemptError::Connect(_) => ApiErrorKind::Unreachable,
        _ => ApiErrorKind::Exhausted,
    }
}

/// What a refusal means. The API says 401 for a missing scope and for a missing `Version` header, and
/// 400 for a record that is gone, so the text decides (api.md §5.11, §7).
fn classify_refusal(status: u16, said: &str) -> ApiErrorKind {
    let said = said.to_ascii_lowercase();
    let says = |part: &str| said.contains(part);
    match status {
        401 if says("scope") || says("iam service") => ApiErrorKind::Scope,
        401 if says("version header") => ApiErrorKind::Refused,
        401 => ApiErrorKind::Token,
        403 if says("location") || says("forbidden") => ApiErrorKind::Location,
        404 | 410 if !says("cannot ") => ApiErrorKind::Gone,
        400 if says("not found") => ApiErrorKind::Gone,
        _ => ApiErrorKind::Refused,
    }
}

/// Whether an answer says that its record does not exist, or no longer (api.md §5.11).
#[must_use]
pub fn is_gone_response(status: u16, body: &[u8]) -> bool {
    is_definite_refusal(status)
        && classify_refusal(status, &error_message(body)) == ApiErrorKind::Gone
}

/// The contact that a refused create or update would duplicate, and the field in which they are equal
/// (api.md §5.10).
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
    Some((meta.contact_id, meta.matching_field.map(|field| truncate_text(&field))))
}

/// What an error body says, for people: its `message`, else its beginning. From outside.
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
        // The v3 oauth envelope: `{"error":{"code":…,"message":…}}`.
        serde_json::Value::Object(inner) => inner.get("message")?.as_str().map(str::to_owned),
        _ => None,
    };
    let parsed = serde_json::from_slice::<ApiErrorEnvelope>(body).ok();
    let message =
        parsed.and_then(|parsed| parsed.message.and_then(text).or(parsed.error.and_then(text)));
    let message = message.unwrap_or_else(|| match String::from_utf8_lossy(body).trim() {
        "" => "no explanation".to_owned(),
        html if html.starts_with('<') => "an HTML page instead of JSON".to_owned(),
        text => text.to_owned(),
    });
    truncate_text(&message)
}

/// At most 300 characters of a text.
pub(super) fn truncate_text(text: &str) -> String {
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The server's name for a request, from an answer's body.
pub(super) fn parse_trace_id(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct TraceIdBody {
        #[serde(rename = "traceId")]
        trace_id: String,
    }
    serde_json::from_slice::<TraceIdBody>(body).ok().map(|traced| truncate_text(&traced.trace_id))
}

/// The pause before the next attempt: decorrelated jitter, from 0.2 s up to 20 s.
pub(super) fn next_backoff(previous: Duration) -> Duration {
    const FIRST: f64 = 0.2;
    const LONGEST: f64 = 20.0;
    let ceiling = (previous.as_secs_f64() * 3.0).max(FIRST);
    Duration::from_secs_f64((FIRST + fastrand::f64() * (ceiling - FIRST)).min(LONGEST))
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
        use RetryDecision::{AfterWindow, Again, GiveUp};
        check(400, r#"{"message":"Contact not found for id:x"}"#, GiveUp(ApiErrorKind::Gone));
        check(400, r#"{"message":"Invalid field x"}"#, GiveUp(ApiErrorKind::Refused));
        check(401, r#"{"message":"Invalid JWT"}"#, GiveUp(ApiErrorKind::Token));
        check(
            401,
            r#"{"message":"The token is not authorized for this scope."}"#,
            GiveUp(ApiErrorKind::Scope),
        );
        check(401, r#"{"message":"version header was not found."}"#, GiveUp(ApiErrorKind::Refused));
        check(
            403,
            r#"{"message":"The token does not have access to this location."}"#,
            GiveUp(ApiErrorKind::Location),
        );
        check(403, "<html>1010</html>", GiveUp(ApiErrorKind::Refused));
        check(404, r#"{"message":"Cannot GET /x"}"#, GiveUp(ApiErrorKind::Refused));
        check(404, "", GiveUp(ApiErrorKind::Gone));
        check(422, r#"{"message":["property x should not exist"]}"#, GiveUp(ApiErrorKind::Refused));
        check(429, "", AfterWindow);
        check(502, "<html>", Again);
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

    #[test]
    fn pauses_grow_within_their_bounds() {
        let mut last = Duration::ZERO;
        for _ in 0..100 {
            last = next_backoff(last);
            assert!(last >= Duration::from_millis(200) && last <= Duration::from_secs(20));
        }
    }
}
