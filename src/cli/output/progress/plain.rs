//! Progress as lines, for logs and for terminals that show no bars.
//!
//! One line every few seconds with all counts of the location, and one with the last counts at the
//! end. Warnings are shown at once, waits when they are long enough to be noticed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::ProgressView;
use super::counts::ProgressCounts;
use super::sink::OutputStreams;
use crate::cli::output::text_format::format_duration;
use crate::event::{RunEvent, RunPhase, WaitReason};
use crate::text::format_plural;

/// Between two lines of a kind.
const PAUSE: Duration = Duration::from_secs(5);

/// Between two lines about one of many locations, and before the first.
const PAUSE_OF_MANY: Duration = Duration::from_mins(1);

/// Between two lines about a full window.
const RATE_LIMIT_PAUSE: Duration = Duration::from_mins(1);

/// A shorter wait is not worth a line.
pub(super) const NOTICED: Duration = Duration::from_secs(1);

/// The lines of one location.
pub(super) struct PlainView {
    sink: Arc<OutputStreams>,
    label: Option<String>,
    counts: ProgressCounts,
    /// Between two lines with counts.
    pause: Duration,
    counted: Option<Instant>,
    waited: Option<Instant>,
    pending: bool,
    phase: Option<RunPhase>,
    requests: Option<Arc<AtomicU64>>,
}

impl PlainView {
    /// No lines yet.
    pub(super) fn new(sink: Arc<OutputStreams>, label: Option<String>) -> Self {
        let counts = ProgressCounts::default();
        Self {
            sink,
            label,
            counts,
            pause: PAUSE,
            counted: None,
            waited: None,
            pending: false,
            phase: None,
            requests: None,
        }
    }

    /// The lines of one of many locations: only if it takes long.
    pub(super) fn of_one_of_many(
        sink: Arc<OutputStreams>,
        label: Option<String>,
        now: Instant,
    ) -> Self {
        let (pause, counted, waited) = (PAUSE_OF_MANY, Some(now), Some(now));
        Self { pause, counted, waited, ..Self::new(sink, label) }
    }

    fn print_line(&self, text: &str) {
        self.sink.print_labeled(self.label.as_deref(), text);
    }

    fn report_progress(&mut self, now: Instant) {
        self.pending = true;
        if is_due(self.counted, now, self.pause) {
            self.print_line(&self.counts_line(Some(now)));
            (self.counted, self.pending) = (Some(now), false);
        }
    }

    fn report_wait(&mut self, reason: WaitReason, time: Duration, now: Instant) {
        // A full window is usual: every ten seconds at the documented limit.
        let pause = if reason == WaitReason::RateLimit { RATE_LIMIT_PAUSE } else { self.pause };
        if time >= NOTICED && is_due(self.waited, now, pause) {
            self.print_line(&format!("{}, {}", wait_reason(reason), format_duration(time)));
            self.waited = Some(now);
        }
    }

    /// The phase and all counts; `now` where the rate is wanted, too.
    fn counts_line(&self, now: Option<Instant>) -> String {
        let phase = self.phase.map(|phase| format!("{}: ", phase.name())).unwrap_or_default();
        let sent = self.requests.as_ref().map(|sent| sent.load(Ordering::Relaxed));
        let sent = sent.map(|sent| format!(", {}", format_plural(sent, "request")));
        format!("{phase}{}{}", self.counts.summary_line(now), sent.unwrap_or_default())
    }

    fn flush_pending(&mut self) {
        let is_wanted = self.pause == PAUSE;
        if std::mem::take(&mut self.pending) && is_wanted {
            self.print_line(&self.counts_line(None));
        }
    }
}

impl ProgressView for PlainView {
    fn handle_event(&mut self, event: &RunEvent, now: Instant) {
        match event {
            RunEvent::Started { run, resumed: true, .. } => {
                self.print_line(&format!("resuming run {run}"));
            }
            RunEvent::Started { .. } => {}
            RunEvent::Warning(warning) => {
                self.counts.note_warning(warning.code);
                self.sink.report_warning(self.label.as_deref(), warning);
            }
            RunEvent::Progress { what, done, total } => {
                self.counts.update(what, *done, *total, now);
                self.report_progress(now);
            }
            RunEvent::Waiting { reason, ms } => {
                self.report_wait(*reason, Duration::from_millis(*ms), now);
            }
            RunEvent::Phase { phase } => {
                self.flush_pending();
                self.counts.clear();
                self.phase = Some(*phase);
            }
            // Files are written once everything is read: these counts are the last.
            RunEvent::Written(_)
            | RunEvent::Synced(_)
            | RunEvent::Coverage(_)
            | RunEvent::Snapshot(_)
            | RunEvent::Alert(_) => {
                self.flush_pending();
            }
        }
    }

    fn watch_requests(&mut self, sent: Arc<AtomicU64>) {
        self.requests = Some(sent);
    }

    fn finish(&mut self, _: Instant) {
        self.flush_pending();
    }
}

fn is_due(last: Option<Instant>, now: Instant, pause: Duration) -> bool {
    last.is_none_or(|last| now.duration_since(last) >= pause)
}

/// A wait's reason in the user's words.
pub(super) fn wait_reason(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::RateLimit => "waiting for the rate limit",
        WaitReason::RateLimited => "refused, waiting for the rate limit",
        WaitReason::DailyQuota => "waiting for the next day's quota",
        WaitReason::Retry => "a request failed, retrying",
        WaitReason::Reconciling => "waiting to look up requests without an answer",
        WaitReason::LateWrites => "waiting until requests without an answer can no longer arrive",
        WaitReason::IndexLag => "waiting for the search index",
    }
}
