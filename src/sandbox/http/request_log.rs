//! The request log: every request that was served, and how.
//!
//! Counts all requests and keeps the last ones. Control requests are not logged.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};

/// More entries than any test asks for, but little memory compared with a million contacts.
const KEPT: usize = 250_000;

#[derive(Debug)]
struct LoggedRequest {
    method: String,
    target: String,
    status: u16,
    at: Duration,
    /// The location whose limit it counted against.
    location: Option<String>,
}

/// The requests served so far.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    entries: VecDeque<LoggedRequest>,
    requests: u64,
    statuses: BTreeMap<u16, u64>,
}

impl RequestLog {
    /// Logs a request; status 0 is a connection that was closed without a response.
    pub(crate) fn record_request(
        &mut self,
        method: String,
        target: String,
        status: u16,
        at: Duration,
        location: Option<String>,
    ) {
        self.requests += 1;
        *self.statuses.entry(status).or_default() += 1;
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(LoggedRequest { method, target, status, at, location });
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// All counts, and the last `last` entries.
    pub(crate) fn render_report(&self, interval: Duration, last: usize) -> Value {
        let skipped = self.entries.len().saturating_sub(last);
        let entries: Vec<Value> =
            self.entries.iter().skip(skipped).map(LoggedRequest::to_json).collect();
        let statuses: BTreeMap<String, u64> =
            self.statuses.iter().map(|(status, count)| (status.to_string(), *count)).collect();
        json!({
            "requests": self.requests,
            "refused": self.statuses.get(&429).copied().unwrap_or_default(),
            "by_status": statuses,
            "most_in_window": self.peak_in_window(interval, |_| true),
            "most_granted_in_window": self.peak_in_window(interval, |entry| entry.status != 429),
            "window_ms": whole_millis(interval),
            "entries": entries,
        })
    }

    /// The largest number of logged requests of one location in any period of `interval`.
    fn peak_in_window(&self, interval: Duration, counts: impl Fn(&LoggedRequest) -> bool) -> usize {
        let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| counts(entry)) {
            if let Some(location) = &entry.location {
                times.entry(location).or_default().push(entry.at);
            }
        }
        times.into_values().map(|times| max_in_window(times, interval)).max().unwrap_or_default()
    }
}

impl LoggedRequest {
    fn to_json(&self) -> Value {
        json!({
            "method": self.method,
            "path": self.target,
            "status": self.status,
            "at_ms": whole_millis(self.at),
            "location": self.location,
        })
    }
}

/// The largest number of the times within any period of `interval`.
fn max_in_window(mut times: Vec<Duration>, interval: Duration) -> usize {
    // Entries are logged when they are answered, which is not the order of their arrival.
    times.sort_unstable();
    let mut start = 0;
    let mut most = 0;
    for (end, time) in times.iter().enumerate() {
        while times[start] + interval <= *time {
            start += 1;
        }
        most = most.max(end + 1 - start);
    }
    most
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
