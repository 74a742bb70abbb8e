//! A fault: what goes wrong with which requests, as one line of text.
//!
//! ```text
//! METHOD PATH ACTION [OPTION]...       POST /contacts/ drop=after times=1 after=10
//! ```
//! `*` matches any method or one path segment, `**` at the end of the path matches the rest.
//!
//! | action | what happens |
//! | --- | --- |
//! | `status=NNN` | that status; with `html` as a gateway's page, with `retry-after=S` that header |
//! | `token-expired` | 401 `Invalid JWT` |
//! | `drop=before`, `drop=after` | the connection closes without a response, before or after the request is applied |
//! | `applied=NNN` | applied, then that status |
//! | `ignore=FIELD` | applied without that field of the body, and answered as if nothing were wrong |
//! | `truncate` | applied; half of the body, though the length announces all of it |
//! | `not-json`, `blank` | applied; 200 with a page, or with nothing |
//! | `latency=MS` | a delay, alone or with another action; a write is applied after it even if the client is gone |
//! | `hold`, `hold=after` | waits for `POST /__sandbox/release` before or after applying, then goes on |
//! | `stall`, `stall=MS` | waits until released or for so long, then closes without applying |
//! | `hide`, `hide=ID` | a search omits its first row or that one; with `hide-total` its total is lower too |
//! | `huge=BYTES` | an unknown text field of that size in the first row |
//! | `deep=N` | an unknown field in the first row, N arrays deep |
//! | `delete-after-page`, `=first` | the page's last (first) contact is deleted once it was served |
//! | `limit=100/10s` | the rate limit changes, from the request after this |
//!
//! Options: `times=N` how often (default always), `after=N` how many matching requests pass first,
//! `every=N` only each Nth of them, `body=TEXT` (last: up to the end of the line) the body of a
//! `status` or `applied` response. A `hide` counts only responses that contained the row.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::sandbox::http::rate_limit::LocationRateLimit;

/// One fault, and the requests it matches.
#[derive(Debug, Clone)]
pub struct FaultRule {
    text: String,
    method: String,
    path: Vec<String>,
    action: FaultAction,
    options: FaultOptions,
    seen: u64,
    fired: u64,
}

/// A text that is not a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a fault: {reason}")]
pub struct FaultParseError {
    text: String,
    reason: String,
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum FaultAction {
    /// Nothing but the delay.
    #[default]
    Pass,
    Status(u16),
    Expired,
    DropBefore,
    DropAfter,
    Applied(u16),
    Ignore(String),
    Truncate,
    NotJson,
    Blank,
    HoldBefore,
    HoldAfter,
    Stall(Option<Duration>),
    Hide(Option<String>),
    Huge(usize),
    Deep(usize),
    DeleteFirst,
    DeleteLast,
    Limit(LocationRateLimit),
}

/// The options of an action.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FaultOptions {
    pub(crate) latency: Duration,
    pub(crate) html: bool,
    pub(crate) hide_total: bool,
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Option<String>,
    times: Option<u64>,
    after: u64,
    every: u64,
}

impl FaultRule {
    /// Whether this fault fires for a request, which counts as seen.
    pub(crate) fn try_fire(&mut self, method: &str, segments: &[String]) -> bool {
        if !self.matches_route(method, segments) || self.is_exhausted() {
            return false;
        }
        self.seen += 1;
        let turn = self.seen > self.options.after
            && (self.seen - self.options.after).is_multiple_of(self.options.every);
        if turn && !matches!(self.action, FaultAction::Hide(_)) {
            self.fired += 1;
        }
        turn
    }

    /// Counts a hidden row, which is known only from the response.
    pub(crate) fn count_hidden_row(&mut self) {
        self.fired += 1;
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.options.times.is_some_and(|times| self.fired >= times)
    }

    pub(crate) fn action(&self) -> &FaultAction {
        &self.action
    }

    pub(crate) fn options(&self) -> &FaultOptions {
        &self.options
    }

    pub(crate) fn fire_count(&self) -> u64 {
        self.fired
    }

    fn matches_route(&self, method: &str, segments: &[String]) -> bool {
        if self.method != "*" && self.method != method {
            return false;
        }
        let fits = |(step, segment): (&String, &String)| step == "*" || step == segment;
        match self.path.split_last() {
            Some((last, start)) if last == "**" => {
                segments.len() >= start.len() && start.iter().zip(segments).all(fits)
            }
            _ => self.path.len() == segments.len() && self.path.iter().zip(segments).all(fits),
        }
    }
}

impl fmt::Display for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for FaultRule {
    type Err = FaultParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |reason: String| FaultParseError { text: text.to_owned(), reason };
        let (line, body) = match text.split_once(" body=") {
            Some((line, body)) => (line, Some(body.to_owned())),
            None => (text, None),
        };
        let mut words = line.split_whitespace();
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            return Err(wrong("it starts with a method and a path".to_owned()));
        };
        if !path.starts_with('/') {
            return Err(wrong(format!("the path `{path}` does not start with `/`")));
        }
        let mut options = FaultOptions { body, every: 1, ..FaultOptions::default() };
        let mut action = None;
        for word in words {
            if parse_option(word, &mut options).map_err(wrong)? {
                continue;
            }
            let found = parse_action(word).map_err(wrong)?;
            if action.replace(found).is_some() {
                return Err(wrong(format!("`{word}` is a second action")));
            }
        }
        if action.is_none() && options.latency.is_zero() {
            return Err(wrong("it has no action".to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            method: method.to_uppercase(),
            path: crate::sandbox::http::request::split_path(path),
            action: action.unwrap_or_default(),
            options,
            seen: 0,
            fired: 0,
        })
    }
}

/// Parses one option; returns whether the word was one.
fn parse_option(word: &str, options: &mut FaultOptions) -> Result<bool, String> {
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    match name {
        "times" => options.times = Some(parse_number(word, value)?),
        "after" => options.after = parse_number(word, value)?,
        "every" => options.every = parse_number::<u64>(word, value)?.max(1),
        "latency" => options.latency = Duration::from_millis(parse_number(word, value)?),
        "retry-after" => options.retry_after = Some(parse_number(word, value)?),
        "html" => options.html = true,
        "hide-total" => options.hide_total = true,
        _ => return Ok(false),
    }
    Ok(true)
}

fn parse_action(word: &str) -> Result<FaultAction, String> {
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    Ok(match (name, value) {
        ("status", _) => FaultAction::Status(parse_status(word, value)?),
        ("applied", _) => FaultAction::Applied(parse_status(word, value)?),
        ("token-expired", "") => FaultAction::Expired,
        ("drop", "before") => FaultAction::DropBefore,
        ("drop", "after") => FaultAction::DropAfter,
        ("ignore", field) if !field.is_empty() => FaultAction::Ignore(field.to_owned()),
        ("truncate", "") => FaultAction::Truncate,
        ("not-json", "") => FaultAction::NotJson,
        ("blank", "") => FaultAction::Blank,
        ("hold", "" | "before") => FaultAction::HoldBefore,
        ("hold", "after") => FaultAction::HoldAfter,
        ("stall", "") => FaultAction::Stall(None),
        ("stall", _) => FaultAction::Stall(Some(Duration::from_millis(parse_number(word, value)?))),
        ("hide", "") => FaultAction::Hide(None),
        ("hide", id) => FaultAction::Hide(Some(id.to_owned())),
        ("huge", _) => FaultAction::Huge(parse_number(word, value)?),
        ("deep", _) => FaultAction::Deep(parse_number(word, value)?),
        ("delete-after-page", "first") => FaultAction::DeleteFirst,
        ("delete-after-page", "" | "last") => FaultAction::DeleteLast,
        ("limit", _) => FaultAction::Limit(value.parse().map_err(|error| format!("{error}"))?),
        _ => return Err(format!("there is no action or option `{word}`")),
    })
}

fn parse_number<T: FromStr>(word: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{word}` needs a whole number"))
}

fn parse_status(word: &str, value: &str) -> Result<u16, String> {
    let status = parse_number(word, value)?;
    if (200..600).contains(&status) {
        Ok(status)
    } else {
        Err(format!("`{word}` is no HTTP status"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> FaultRule {
        text.parse().unwrap()
    }

    #[test]
    fn a_fault_lets_the_first_requests_pass_and_ends_after_its_times() {
        let mut fault = fault("GET /contacts/*/notes status=500 times=2 after=1");
        let path = crate::sandbox::http::request::split_path("/contacts/a/notes");
        let struck: Vec<bool> = (0..5).map(|_| fault.try_fire("GET", &path)).collect();
        assert_eq!(struck, [false, true, true, false, false]);
    }

    #[test]
    fn every_strikes_each_nth_request() {
        let mut fault = fault("* /** latency=5 every=3");
        let struck: Vec<bool> = (0..6).map(|_| fault.try_fire("PUT", &[])).collect();
        assert_eq!(struck, [false, false, true, false, false, true]);
    }

    #[test]
    fn a_star_is_one_segment_and_the_method_counts() {
        let mut fault = fault("post /contacts/* drop=after");
        let segments = crate::sandbox::http::request::split_path;
        assert!(fault.try_fire("POST", &segments("/contacts/upsert")));
        assert!(!fault.try_fire("GET", &segments("/contacts/upsert")));
        assert!(!fault.try_fire("POST", &segments("/contacts/a/notes")));
        assert!(!fault.try_fire("POST", &segments("/contacts/")));
    }

    #[test]
    fn a_body_is_taken_to_the_end_of_the_line() {
        let fault = fault(r#"POST /contacts/ applied=422 times=1 body={"message": "a b"}"#);
        assert_eq!(fault.options().body.as_deref(), Some(r#"{"message": "a b"}"#));
        assert_eq!(*fault.action(), FaultAction::Applied(422));
    }

    #[test]
    fn a_wrong_text_is_refused_with_a_reason() {
        for text in ["", "GET", "GET x blank", "GET /x", "GET /x boom", "GET /x status=9"] {
            assert!(text.parse::<FaultRule>().is_err(), "{text}");
        }
        let error = "GET /x blank truncate".parse::<FaultRule>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`GET /x blank truncate` is not a fault: `truncate` is a second action"
        );
    }
}
