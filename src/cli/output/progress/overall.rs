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
        let name = match &self.label {
            Some(label) => format!("{label}: {name}"),
            None => name.to_owned(),
        };
        let share = self.share.map(percent_text).filter(|share| !share.is_empty());
        // All texts of this line are plain: one column a character.
        if let Some(wait) = self.wait_text(now) {
            // Why nothing moves is worth more than the phase.
            let first = [Some(name), share.clone(), Some(wait.clone())];
            let without_name = [share, Some(wait)];
            let all = join_parts(first.into_iter().flatten());
            let line = if all.chars().count() <= width {
                all
            } else {
                join_parts(without_name.into_iter().flatten())
            };
            return self.add_parts(line, Vec::new(), now, width);
        }
        let moving = share.into_iter().chain(self.pace.iter().cloned()).collect();
        self.add_parts(name, moving, now, width)
    }

    /// Adds to a line what fits: these parts, the elapsed time and the requests.
    fn add_parts(
        &self,
        mut line: String,
        mut parts: Vec<String>,
        now: Instant,
        width: usize,
    ) -> String {
        let elapsed = now.duration_since(self.began).as_secs();
        parts.push(format!("{} elapsed", seconds_text(elapsed)));
        parts.extend(self.requests().map(|sent| format_plural(sent, "request")));
        for part in parts {
            if line.chars().count() + 2 + part.chars().count() > width {
                break;
            }
            line.push_str("  ");
            line.push_str(&part);
        }
        line.chars().take(width).collect()
    }

    /// Why nothing moves, if so.
    fn wait_text(&self, now: Instant) -> Option<String> {
        let (reason, until) = self.wait?;
        let left = until.saturating_duration_since(now);
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        (seconds > 0).then(|| format!("{}, {}", wait_reason(reason), seconds_text(seconds)))
    }
}

fn join_parts(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("  ")
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
        assert_eq!(line.render(now, 39), "waiting for the rate limit, 3 s");
        let mut meter = ProgressMeter::new("contacts", 9, now);
        meter.total = Some(100);
        line.measure(&meter, now);
        assert_eq!(line.render(now, 39), "9 %  waiting for the rate limit, 3 s");
        let later = now + Duration::from_secs(3);
        assert_eq!(line.render(later, 80), "here: reading the account  9 %  3 s elapsed");
    }
}
