//! The log of requests: one line for each attempt, whether it was answered or failed.
//!
//! A line has the route, the status, the duration, the number of the attempt and the trace id, by which HighLevel's
//! support finds a request. It never has a header or a body: these hold the token and people's data.

use std::fmt::Display;
use std::time::Instant;

use memchr::memmem;

/// The longest trace id that is shown, in bytes. Those of HighLevel are UUIDs.
const LONGEST_TRACE_ID: usize = 64;

/// An attempt that is under way.
pub(super) struct LoggedAttempt<'a> {
    /// Method and path with placeholders, such as `GET /contacts/{id}`.
    pub(super) route: &'a str,
    pub(super) path: &'a str,
    /// The number of the attempt, from 1.
    pub(super) attempt: u32,
    started: Instant,
    /// The status and the trace id of the response, as far as there is one.
    answer: Option<(u16, usize, String)>,
}

impl<'a> LoggedAttempt<'a> {
    pub(super) fn start(route: &'a str, path: &'a str, attempt: u32) -> Self {
        Self { route, path, attempt, started: Instant::now(), answer: None }
    }

    /// Notes what the server answered.
    pub(super) fn set_answer(&mut self, status: u16, body: &[u8]) {
        if tracing::enabled!(tracing::Level::DEBUG) {
            self.answer = Some((status, body.len(), find_trace_id(body).unwrap_or("-").to_owned()));
        }
    }

    /// Writes the line of an attempt that succeeded, or failed because of `error`.
    pub(super) fn finish(self, error: Option<&dyn Display>) {
        let Self { route, path, attempt, started, answer } = self;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match (answer, error) {
            (Some((status, bytes, trace_id)), None) => {
                tracing::debug!(
                    "{route} {status} {ms} ms, attempt {attempt}, {bytes} bytes, trace {trace_id}, {path:?}"
                );
            }
            (Some((status, bytes, trace_id)), Some(error)) => {
                tracing::debug!(
                    "{route} {status} {ms} ms, attempt {attempt}, {bytes} bytes, trace {trace_id}, {path:?}: {:?}",
                    error.to_string()
                );
            }
            (None, error) => {
                let error = error.map_or_else(|| "no answer".to_owned(), ToString::to_string);
                tracing::debug!(
                    "{route} no answer, {ms} ms, attempt {attempt}, {path:?}: {error:?}"
                );
            }
        }
    }
}

/// The trace id in a response body, if it is there and plain.
fn find_trace_id(body: &[u8]) -> Option<&str> {
    const KEY: &[u8] = b"\"traceId\"";
    let after = &body[memmem::rfind(body, KEY)? + KEY.len()..];
    let colon = after.iter().position(|byte| *byte == b':')?;
    let value = after[colon + 1..].trim_ascii_start().strip_prefix(b"\"")?;
    let end = value.iter().take(LONGEST_TRACE_ID + 1).position(|byte| *byte == b'"')?;
    let text = std::str::from_utf8(&value[..end]).ok()?;
    let is_plain = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    is_plain.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::find_trace_id;

    #[test]
    fn the_trace_id_is_the_last_one_of_the_body_and_plain() {
        let find = |body: &str| find_trace_id(body.as_bytes()).map(str::to_owned);
        assert_eq!(find(r#"{"note":"\"traceId\": 1","traceId":"a-1"}"#).as_deref(), Some("a-1"));
        assert_eq!(find(r#"{"traceId" : "b_2"}"#).as_deref(), Some("b_2"));
        for body in
            [r#"{"traceId":7}"#, r#"{"traceId":""}"#, r#"{"traceId":"a b"}"#, "{}", r#""traceId""#]
        {
            assert_eq!(find(body), None, "{body}");
        }
        assert_eq!(find(&format!(r#"{{"traceId":"{}"}}"#, "a".repeat(65))), None);
    }
}
