//! The overall line: what the program does now, how far it is, and why it waits.
//!
//! It is the same for every phase of every command, so that no long phase is silent: phase, share, rate, time left,
//! elapsed time, requests. On a narrow terminal the last parts are dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::counts::ProgressMeter;
use super::plain::wait_reason;
use crate::cli::output::text_format::format_duration;
use crate::event::{RunPhase, WaitReason};
use crate::text::format_plural;

/// The state behind the line.
#[derive(Debug)]
pub(super) struct OverallLine {
    label: Option<String>,
    phase: Option<RunPhase>,
    began: Instant,
    /// The count that the phase is measured by: done and total, and its rate and the time left as texts.
    share: Option<(u64, u64)>,
    pace: Vec<String>,
    wait: Option<(WaitReason, Instant)>,
    requests: Option<Arc<AtomicU64>>,
}

impl OverallLine {
    /// A line that has nothing to say yet.
    pub(super) fn new(label: Option<String>, now: Instant) -> Self {
        Self {
            label,
            phase: None,
            began: now,
            share: None,
            pace: Vec::new(),
            wait: None,
            requests: None,
        }
    }

    /// Begins a phase.
    pub(super) fn start_phase(&mut self, phase: RunPhase) {
        if self.phase != Some(phase) {
            (self.phase, self.share, self.pace) = (Some(phase), None, Vec::new());
        }
    }

    /// Counts the requests from now on.
    pub(super) fn count_requests(&mut self, requests: Arc<AtomicU64>) {
        self.requests = Some(requests);
    }

    /// The requests so far, if they are counted.
    pub(super) fn requests(&self) -> Option<u64> {
        self.requests.as_ref().map(|requests| requests.load(Ordering::Relaxed))
    }

    /// Takes the count that says how far the phase is.
    pub(super) fn measure(&mut self, meter: &ProgressMeter, now: Instant) {
        self.share = meter.total.map(|total| (meter.done, total.max(meter.done)));
        self.pace = meter.rate_and_eta(now);
    }

    /// Shows why nothing moves, until then.
    pub(super) fn start_wait(&mut self, reason: WaitReason, until: Instant) {
        self.wait = Some((reason, until));
    }

    /// Something moved.
    pub(super) fn end_wait(&mut self) {
        self.wait = None;
    }

    /// Until when nothing moves, and whether nothing at all is sent.
    pub(super) fn wait(&self) -> Option<(WaitReason, Instant)> {
        self.wait
    }

    /// The line, at most so many columns wide.
    pub(super) fn render(&self, now: Instant, width: usize) -> String {
        let name = self.phase.map_or("starting", RunPhase::name);
        let mut line = match &self.label {
            Some(label) => format!("{label}: {name}"),
            None => name.to_owned(),
        };
        let parts = self.share.map(percent_text).into_iter().chain(self.moving_parts(now)).chain([
            format!("{} elapsed", seconds_text(now.duration_since(self.began).as_secs())),
            self.requests().map(|sent| format_plural(sent, "request")).unwrap_or_default(),
        ]);
        for part in parts.filter(|part| !part.is_empty()) {
            // All texts of this line are plain: one column a character.
            if line.chars().count() + 2 + part.chars().count() > width {
                break;
            }
            line.push_str("  ");
            line.push_str(&part);
        }
        line.chars().take(width).collect()
    }

    /// The rate and the time left, or why nothing moves.
    fn moving_parts(&self, now: Instant) -> Vec<String> {
        let Some((reason, until)) = self.wait else { return self.pace.clone() };
        let left = until.saturating_duration_since(now);
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        if seconds == 0 {
            return self.pace.clone();
        }
        vec![format!("{}, {}", wait_reason(reason), seconds_text(seconds))]
    }
}

fn percent_text((done, total): (u64, u64)) -> String {
    match total {
        0 => String::new(),
        total => format!("{} %", u128::from(done) * 100 / u128::from(total)),
    }
}

/// Whole seconds, so that the line does not flicker.
pub(super) fn seconds_text(seconds: u64) -> String {
    if seconds < 60 {
        format!("{seconds} s")
    } else {
        format_duration(Duration::from_secs(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_it_is_and_drops_the_last_parts_on_a_narrow_terminal() {
        let now = Instant::now();
        let mut line = OverallLine::new(None, now);
        assert_eq!(line.render(now, 80), "starting  0 s elapsed");
        line.start_phase(RunPhase::Applying);
        line.count_requests(Arc::new(AtomicU64::new(1_240)));
        let mut meter = ProgressMeter::new("ops", 0, now);
        meter.total = Some(1_000);
        let later = now + Duration::from_secs(10);
        meter.update(450, later);
        line.measure(&meter, later);
        let full = "applying  45 %  45/s  12 s left  10 s elapsed  1,240 requests";
        assert_eq!(line.render(later, 80), full);
        assert_eq!(line.render(later, 50), "applying  45 %  45/s  12 s left  10 s elapsed");
        assert_eq!(line.render(later, 5), "apply");
    }

    #[test]
    fn a_wait_is_explained_and_counted_down() {
        let now = Instant::now();
        let mut line = OverallLine::new(Some("here".to_owned()), now);
        line.start_phase(RunPhase::Reading);
        line.start_wait(WaitReason::RateLimit, now + Duration::from_millis(2_500));
        assert_eq!(
            line.render(now, 80),
            "here: reading the account  waiting for the rate limit, 3 s  0 s elapsed"
        );
        let later = now + Duration::from_secs(3);
        assert_eq!(line.render(later, 80), "here: reading the account  3 s elapsed");
    }
}
