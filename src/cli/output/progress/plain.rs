//! Progress as lines, for logs and for terminals that show no bars.
//!
//! One line every few seconds with all counts of the location, and one with the last counts at the
//! end. Warnings are shown at once, waits when they are long enough to be noticed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::View;
use super::counts::Counts;
use super::sink::Sink;
use crate::cli::output::text_format::duration;
use crate::event::{Event, Waiting};

/// Between two lines of a kind.
const PAUSE: Duration = Duration::from_secs(5);

/// A shorter wait is not worth a line.
pub(super) const NOTICED: Duration = Duration::from_secs(1);

/// The lines of one location.
pub(super) struct Plain {
    sink: Arc<Sink>,
    label: Option<String>,
    counts: Counts,
    counted: Option<Instant>,
    waited: Option<Instant>,
    pending: bool,
}

impl Plain {
    /// No lines yet.
    pub(super) fn new(sink: Arc<Sink>, label: Option<String>) -> Self {
        let counts = Counts::default();
        Self { sink, label, counts, counted: None, waited: None, pending: false }
    }

    fn line(&self, text: &str) {
        self.sink.about(self.label.as_deref(), text);
    }

    fn progress(&mut self, now: Instant) {
        self.pending = true;
        if due(self.counted, now) {
            self.line(&self.counts.line(Some(now)));
            (self.counted, self.pending) = (Some(now), false);
        }
    }

    fn wait(&mut self, reason: Waiting, time: Duration, now: Instant) {
        if time >= NOTICED && due(self.waited, now) {
            self.line(&format!("waiting {}: {}", duration(time), because(reason)));
            self.waited = Some(now);
        }
    }

    fn last(&mut self) {
        if std::mem::take(&mut self.pending) {
            self.line(&self.counts.line(None));
        }
    }
}

impl View for Plain {
    fn take(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Started { run, resumed: true, .. } => {
                self.line(&format!("carrying on run {run}"));
            }
            Event::Started { .. } => {}
            Event::Warning { code, message } => {
                self.counts.warned(code);
                self.sink.warning(self.label.as_deref(), message);
            }
            Event::Progress { what, done, total } => {
                self.counts.update(what, *done, *total, now);
                self.progress(now);
            }
            Event::Waiting { reason, ms } => self.wait(*reason, Duration::from_millis(*ms), now),
            // Files are written once everything is read: these counts are the last.
            Event::Written(_) => self.last(),
        }
    }

    fn finish(&mut self, _: Instant) {
        self.last();
    }
}

fn due(last: Option<Instant>, now: Instant) -> bool {
    last.is_none_or(|last| now.duration_since(last) >= PAUSE)
}

/// A wait's reason in the user's words.
pub(super) fn because(reason: Waiting) -> &'static str {
    match reason {
        Waiting::Refused => "the limit is used up",
        Waiting::Budget => "the day's requests are used up",
        Waiting::Retry => "a request failed and will be sent again",
        Waiting::Settle => {
            "requests got no answer; soon the account can be asked what became of them"
        }
        Waiting::Index => "the search may not show every contact yet",
    }
}
