//! The log of requests: one line for each attempt, whether it was answered or failed.
//!
//! A line has the route, the status, the duration, the number of the attempt and the trace id, by which HighLevel's
//! support finds a request. It never has a header or a body, which hold the token and people's data; of the path, a
//! look-up has the address or number that it is about.

use std::fmt::Display;
use std::time::Instant;

use memchr::memmem;

/// The longest trace id that is shown, in bytes. Those of HighLevel are UUIDs.
const LONGEST_TRACE_ID: usize = 64;

/// An attempt that is under way.
pub(super) struct LoggedAttempt<'a> {
    /// Method and path with placeholders, such as `GET /contacts/{id}`.
    route: &'a str,
    path: &'a str,
    /// The number of the attempt, from 1.
    attempt: u32,
    started: Instant,
    /// The status of the response, once its head is there.
    status: Option<u16>,
    /// The size of the body and its trace id, once it was read.
    body: Option<(usize, String)>,
}

impl<'a> LoggedAttempt<'a> {
    pub(super) fn start(route: &'a str, path: &'a str, attempt: u32) -> Self {
        Self { route, path, attempt, started: Instant::now(), status: None, body: None }
    }

    /// Notes the status of the response.
    pub(super) fn set_status(&mut self, status: u16) {
        self.status = Some(status);
    }

    /// Notes the body of the response.
    pub(super) fn set_body(&mut self, body: &[u8]) {
        if tracing::enabled!(tracing::Level::DEBUG) {
            self.body = Some((body.len(), find_trace_id(body).unwrap_or("-").to_owned()));
        }
    }

    /// Writes the line of an attempt that succeeded, or failed because of `error`.
    pub(super) fn finish(self, error: Option<&dyn Display>) {
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let Self { route, path, attempt, started, status, body } = self;
        let status = status.map_or_else(|| "no answer,".to_owned(), |status| status.to_string());
        let ms = started.elapsed().as_millis();
        let body = body
            .map_or_else(String::new, |(bytes, trace)| format!(", {bytes} bytes, trace {trace}"));
        let error = error.map_or_else(String::new, |error| format!(": {:?}", error.to_string()));
        tracing::debug!("{route} {status} {ms} ms, attempt {attempt}{body}, {path:?}{error}");
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
