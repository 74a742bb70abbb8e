//! Progress as JSON Lines: every event of the engines, with the version and the time.
//!
//! Counts come often and are absolute, so each is written twice a second at most; what was held back
//! is written before a file is announced and at the end. [`super::event_schema`] documents the lines.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::ProgressView;
use super::sink::OutputStreams;
use crate::event::{RunEvent, VERSION};
use crate::text::escape_json_line;

/// Between two values of one count.
const PAUSE: Duration = Duration::from_millis(500);

/// A wait long enough that the last count should be shown first.
const LONG: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct EventEnvelope<'a, E> {
    v: u32,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
    #[serde(flatten)]
    event: &'a E,
}

/// An event as a line, without the line's end.
pub(super) fn event_line(location: Option<&str>, event: &impl Serialize) -> String {
    let at = format!("{:.3}", jiff::Timestamp::now());
    let line = EventEnvelope { v: VERSION, at, location, event };
    escape_json_line(serde_json::to_string(&line).expect("an event is an object with text as keys"))
}

/// One count: when it was written last, and the value that is still to be written.
struct ThrottledCount {
    what: &'static str,
    written: Option<Instant>,
    pending: Option<RunEvent>,
}

/// The events of one location.
pub(super) struct JsonView {
    sink: Arc<OutputStreams>,
    location: Option<String>,
    held: Vec<ThrottledCount>,
}

impl JsonView {
    /// No events yet. The location is known from the event that starts its run, if not
    /// before.
    pub(super) fn new(sink: Arc<OutputStreams>, location: Option<String>) -> Self {
        Self { sink, location, held: Vec::new() }
    }

    fn write_event(&self, event: &RunEvent) {
        // This event has its own location; a key must not be written twice.
        let location =
            self.location.as_deref().filter(|_| !matches!(event, RunEvent::Started { .. }));
        self.sink.write_event(&event_line(location, event));
    }

    fn defer_event(&mut self, what: &'static str, event: &RunEvent) {
        let pending = Some(event.clone());
        match self.held.iter_mut().find(|held| held.what == what) {
            Some(held) => held.pending = pending,
            None => self.held.push(ThrottledCount { what, written: None, pending }),
        }
    }

    /// Writes what was held back: all of it, or what has waited long enough.
    fn flush_deferred(&mut self, all: bool, now: Instant) {
        let mut held = std::mem::take(&mut self.held);
        for count in &mut held {
            let due = count.written.is_none_or(|written| now.duration_since(written) >= PAUSE);
            if let Some(event) = count.pending.take_if(|_| all || due) {
                self.write_event(&event);
                count.written = Some(now);
            }
        }
        self.held = held;
    }
}

impl ProgressView for JsonView {
    fn handle_event(&mut self, event: &RunEvent, now: Instant) {
        match event {
            RunEvent::Progress { what, .. } => {
                self.defer_event(what, event);
                self.flush_deferred(false, now);
                return;
            }
            RunEvent::Waiting { ms, .. } => {
                self.flush_deferred(Duration::from_millis(*ms) >= LONG, now);
            }
            RunEvent::Started { location, .. } => {
                self.location = Some(location.as_str().to_owned());
            }
            RunEvent::Warning(_)
            | RunEvent::Phase { .. }
            | RunEvent::Written(_)
            | RunEvent::Synced(_)
            | RunEvent::Coverage(_)
            | RunEvent::Snapshot(_)
            | RunEvent::Alert(_) => {
                self.flush_deferred(true, now);
            }
        }
        self.write_event(event);
    }

    fn finish(&mut self, now: Instant) {
        self.flush_deferred(true, now);
    }
}
