//! A fault: what goes wrong with which requests, as one line of text.
//!
//! ```text
//! METHOD PATH [ACTION] [ALTERATION]... [OPTION]...       POST /contacts/ drop=after times=1 after=10
//! ```
//! `*` matches any method or one path segment, `**` at the end of the path matches the rest.
//!
//! | action | what happens |
//! | --- | --- |
//! | `status=NNN` | that status; with `html` as a gateway's page, with `retry-after=S` that header |
//! | `token-expired` | 401 `Invalid JWT` |
//! | `forbidden` | 403 `Forbidden resource` |
//! | `no-scope`, `no-scope=403` | the token lacks the scope: 401 or that status |
//! | `no-route` | 404 `Cannot POST /path` |
//! | `firewall`, `firewall=text` | 403 with a firewall's page, or with its text |
//! | `portal` | 200 with the login page of a network, not applied |
//! | `drop=before`, `drop=after` | the connection closes without a response, before or after the request is applied |
//! | `applied=NNN` | applied, then that status; `body=` makes it any answer |
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
//! Of several actions that match a request the first one happens, and all alterations:
//!
//! | alteration | what is changed |
//! | --- | --- |
//! | `ignore=FIELD`, `ignore=*` | applied without that field of the body or query (of the body: without any), and answered as if nothing were wrong |
//! | `page-size=N` | a larger page is served as one of N |
//! | `refuse=FIELD`, `refuse=FIELD>N` | 422 if the body or query has that property, or a number above N in it |
//! | `refuse=range-ms` | 422 if a range of dates has a number |
//! | `refuse=…:400` | the same refusal as 400 `Bad Request`, without the name of what it is about |
//! | `shorten=FIELD:N` | a write stores, a read shows only N characters of that field |
//! | `total=N`, `total=none`, `total-cap=N` | the total, wherever the answer has it, is that, is absent, counts no further |
//! | `rows=N` | only the first N rows of the page |
//! | `paged=N` | a list that has no pages gives N rows, with `total` and `nextPage`, and takes `page` |
//! | `shape=bare`, `wrapped`, `null` | the list alone; the answer below `data`; null in place of the list |
//! | `repeat`, `repeat=later` | the last row of the page before comes first again (with another `dateAdded`) |
//! | `lose` | the last row of the page before replaces the first, which is never shown |
//! | `reverse` | the rows of a page in reverse order |
//! | `set=FIELD:JSON`, `unset=FIELD`, `rename=FIELD:NAME` | in every row, or in the one of `row=ID` |
//! | `custom-fields=map`, `custom-fields=v1` | the custom fields as `{"ID": value}`; below `customField` |
//! | `bytes=latin1`, `cut`, `cesu8` | bytes that are not UTF-8, in the first row or `row=ID`; `:FIELD` names the field |
//! | `bom`, `pretty` | a byte-order mark before the body; JSON with line breaks |
//!
//! Options: `times=N` how often (default always), `after=N` how many matching requests pass first,
//! `every=N` only each Nth of them, `row=ID` only the row with that id, `header=NAME:VALUE` a header that
//! is added or replaced (`%20` for a space), `no-headers` without those of the rate limit,
//! `retry-after=S` or `=date+S`, `body=TEXT` (last: up to the end of the line) the body of a `status` or
//! `applied` response. A `hide` and what has `row=ID` count only responses that contained the row.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use super::action::{FaultAction, parse_action};
use super::alteration::{FaultAlteration, parse_alteration};
use super::fault_options::FaultOptions;

/// One fault, and the requests it matches.
#[derive(Debug, Clone)]
pub struct FaultRule {
    text: String,
    method: String,
    path: Vec<String>,
    action: FaultAction,
    alterations: Vec<FaultAlteration>,
    options: FaultOptions,
    /// The last row of the page before, for alterations that show it again.
    pub(crate) last_row: Option<Value>,
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

impl FaultRule {
    /// Whether this fault fires for a request, which counts as seen.
    pub(crate) fn try_fire(&mut self, method: &str, segments: &[String]) -> bool {
        if !self.matches_route(method, segments) || self.is_exhausted() {
            return false;
        }
        self.seen += 1;
        let turn = self.seen > self.options.after
            && (self.seen - self.options.after).is_multiple_of(self.options.every);
        let counts_rows = matches!(self.action, FaultAction::Hide(_)) || self.options.row.is_some();
        if turn && !counts_rows {
            self.fired += 1;
        }
        turn
    }

    /// Counts a hidden or altered row, which is known only from the response.
    pub(crate) fn count_row(&mut self) {
        self.fired += 1;
    }

    pub(crate) fn is_exhausted(&self) -> bool {
        self.options.times.is_some_and(|times| self.fired >= times)
    }

    pub(crate) fn action(&self) -> &FaultAction {
        &self.action
    }

    pub(crate) fn alterations(&self) -> &[FaultAlteration] {
        &self.alterations
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
        let mut options = FaultOptions::with_body(body);
        let (mut action, mut alterations) = (None, Vec::new());
        for word in words {
            if options.parse_word(word).map_err(wrong)? {
                continue;
            }
            if let Some(alteration) = parse_alteration(word).map_err(wrong)? {
                alterations.push(alteration);
                continue;
            }
            let found = parse_action(word).map_err(wrong)?;
            if action.replace(found).is_some() {
                return Err(wrong(format!("`{word}` is a second action")));
            }
        }
        if action.is_none() && alterations.is_empty() && !options.is_enough() {
            return Err(wrong("it has no action".to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            method: method.to_uppercase(),
            path: crate::sandbox::http::request::split_path(path),
            action: action.unwrap_or_default(),
            alterations,
            options,
            last_row: None,
            seen: 0,
            fired: 0,
        })
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
