//! The options of a fault: how often it happens, to which row, and what its response has besides.

use std::time::Duration;

use super::action::parse_number;

/// The options of a fault.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FaultOptions {
    pub(crate) latency: Duration,
    pub(crate) html: bool,
    pub(crate) hide_total: bool,
    pub(crate) retry_after: Option<RetryAfter>,
    pub(crate) body: Option<String>,
    /// The id of the only row that is altered.
    pub(crate) row: Option<String>,
    /// Headers that are added or replaced.
    pub(crate) headers: Vec<(String, String)>,
    /// Whether the headers about the rate limit are left out.
    pub(crate) no_quota: bool,
    pub(super) times: Option<u64>,
    pub(super) after: u64,
    pub(super) every: u64,
}

/// The header `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryAfter {
    Seconds(u64),
    /// As a date, so many seconds from now.
    Date(u64),
}

impl FaultOptions {
    pub(super) fn with_body(body: Option<String>) -> Self {
        Self { body, every: 1, ..Self::default() }
    }

    /// Whether the fault does something without an action or an alteration.
    pub(super) fn is_enough(&self) -> bool {
        !self.latency.is_zero() || !self.headers.is_empty() || self.no_quota
    }

    /// Parses one option; returns whether the word was one.
    pub(super) fn parse_word(&mut self, word: &str) -> Result<bool, String> {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        match name {
            "times" => self.times = Some(parse_number(word, value)?),
            "after" => self.after = parse_number(word, value)?,
            "every" => self.every = parse_number::<u64>(word, value)?.max(1),
            "latency" => self.latency = Duration::from_millis(parse_number(word, value)?),
            "retry-after" => self.retry_after = Some(parse_retry_after(word, value)?),
            "html" => self.html = true,
            "hide-total" => self.hide_total = true,
            "no-headers" => self.no_quota = true,
            "row" => self.row = Some(value.to_owned()).filter(|id| !id.is_empty()),
            "header" => {
                let header = value.split_once(':').ok_or_else(|| {
                    format!("`{word}` needs `NAME:VALUE`, with %20 for a space in the value")
                })?;
                let value = crate::sandbox::http::request::decode_percent(header.1);
                self.headers.push((header.0.to_lowercase(), value));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn parse_retry_after(word: &str, value: &str) -> Result<RetryAfter, String> {
    Ok(match value.strip_prefix("date+") {
        Some(seconds) => RetryAfter::Date(parse_number(word, seconds)?),
        None => RetryAfter::Seconds(parse_number(word, value)?),
    })
}
