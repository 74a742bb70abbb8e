//! Progress as JSON Lines: every event as the engines tell it, with the version and the time.
//!
//! Counts come often and are absolute, so each is written twice a second at most; what was held back
//! is written before a file is announced and at the end. [`super::event_schema`] documents the lines.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::View;
use super::sink::Sink;
use crate::cli::output::text_format::safe_json;
use crate::event::{Event, VERSION};

/// Between two values of one count.
const PAUSE: Duration = Duration::from_millis(500);

/// A wait from which on whoever reads should not sit on an old count meanwhile.
const LONG: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Line<'a, E> {
    v: u32,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
    #[serde(flatten)]
    event: &'a E,
}

/// An event as a line, without the line's end.
pub(super) fn line(location: Option<&str>, event: &impl Serialize) -> String {
    let at = format!("{:.3}", jiff::Timestamp::now());
    let line = Line { v: VERSION, at, location, event };
    safe_json(serde_json::to_string(&line).expect("an event is an object with text as keys"))
}

/// One count: when it was written last, and the value that is still to be written.
struct Held {
    what: &'static str,
    written: Option<Instant>,
    pending: Option<Event>,
}

/// The events of one location.
pub(super) struct Json {
    sink: Arc<Sink>,
    location: Option<String>,
    held: Vec<Held>,
}

impl Json {
    /// No events yet. The location is known from the event that says that its run began, if not
    /// before.
    pub(super) fn new(sink: Arc<Sink>, location: Option<String>) -> Self {
        Self { sink, location, held: Vec::new() }
    }

    fn write(&self, event: &Event) {
        // This event says itself which location it is about; a key must not come twice.
        let location = self.location.as_deref().filter(|_| !matches!(event, Event::Started { .. }));
        self.sink.event(&line(location, event));
    }

    fn hold(&mut self, what: &'static str, event: &Event) {
        let pending = Some(event.clone());
        match self.held.iter_mut().find(|held| held.what == what) {
            Some(held) => held.pending = pending,
            None => self.held.push(Held { what, written: None, pending }),
        }
    }

    /// Writes what was held back: all of it, or what has waited long enough.
    fn release(&mut self, all: bool, now: Instant) {
        let mut held = std::mem::take(&mut self.held);
        for count in &mut held {
            let due = count.written.is_none_or(|written| now.duration_since(written) >= PAUSE);
            if let Some(event) = count.pending.take_if(|_| all || due) {
                self.write(&event);
                count.written = Some(now);
            }
        }
        self.held = held;
    }
}

impl View for Json {
    fn take(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Progress { what, .. } => {
                self.hold(what, event);
                self.release(false, now);
                return;
            }
            Event::Waiting { ms, .. } => self.release(Duration::from_millis(*ms) >= LONG, now),
            Event::Started { location, .. } => self.location = Some(location.as_str().to_owned()),
            Event::Warning { .. } | Event::Written(_) => self.release(true, now),
        }
        self.write(event);
    }

    fn finish(&mut self, now: Instant) {
        self.release(true, now);
    }
}
