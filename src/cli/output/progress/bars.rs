//! Progress as bars on a terminal: one per count, and a line below them while nothing is sent.
//!
//! The bars are drawn without colors. They disappear at the first written file, when everything has been
//! read: only what was printed above them stays on the terminal.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::ProgressView;
use super::counts::{ProgressCounts, ProgressMeter};
use super::plain::{NOTICED, wait_reason};
use super::sink::OutputStreams;
use crate::cli::output::text_format::format_duration;
use crate::event::{RunEvent, WaitReason};
use crate::text::truncate_text;

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(200);

/// From this wait on, a time that is left would be wrong.
const LONG: Duration = Duration::from_secs(10);

/// How much of a location's name is shown before its bars.
const LABEL: usize = 24;

struct BarRow {
    what: &'static str,
    bar: ProgressBar,
}

struct WaitBar {
    bar: ProgressBar,
    until: Instant,
    /// Whether no request at all is sent, rather than one request delayed.
    everything: bool,
}

/// The bars of one location.
pub(super) struct BarsView {
    sink: Arc<OutputStreams>,
    screen: MultiProgress,
    label: Option<String>,
    counts: ProgressCounts,
    rows: Vec<BarRow>,
    wait: Option<WaitBar>,
}

impl BarsView {
    /// No bars yet.
    pub(super) fn new(sink: Arc<OutputStreams>, label: Option<String>) -> Self {
        let screen = sink.bars().cloned().unwrap_or_default();
        Self {
            sink,
            screen,
            label,
            counts: ProgressCounts::default(),
            rows: Vec::new(),
            wait: None,
        }
    }

    fn print_line(&self, text: &str) {
        self.sink.print_labeled(self.label.as_deref(), text);
    }

    /// How long a bar is: shorter where a name takes its place.
    fn bar_width(&self) -> usize {
        if self.label.is_some() { 10 } else { 20 }
    }

    /// The label of a bar.
    fn bar_prefix(&self, name: &str) -> String {
        match &self.label {
            Some(label) => format!("{} {name:<12}", truncate_text(label, LABEL)),
            None => format!("{name:<12}"),
        }
    }

    /// Draws every count, with its pace unless that would be wrong.
    fn draw_bars(&mut self, now: Option<Instant>) {
        for place in 0..self.counts.meters().len() {
            let what = self.counts.meters()[place].what;
            if self.rows.get(place).is_none_or(|row| row.what != what) {
                let bar = self.insert_bar(place);
                self.rows.insert(place, BarRow { what, bar });
            }
            let bar = &self.rows[place].bar;
            bar.set_prefix(self.bar_prefix(self.counts.display_name(what)));
            update_bar(bar, self.bar_width(), &self.counts.meters()[place], now);
        }
    }

    /// A bar at its place among the location's bars.
    fn insert_bar(&self, place: usize) -> ProgressBar {
        let bar = ProgressBar::no_length().with_style(spinner_style(self.bar_width()));
        let bar = match (self.rows.get(place), place.checked_sub(1), &self.wait) {
            (Some(below), ..) => self.screen.insert_before(&below.bar, bar),
            (None, Some(above), _) => self.screen.insert_after(&self.rows[above].bar, bar),
            (None, None, Some(wait)) => self.screen.insert_before(&wait.bar, bar),
            (None, None, None) => self.screen.add(bar),
        };
        bar.enable_steady_tick(TICK);
        bar
    }

    fn start_wait(&mut self, reason: WaitReason, time: Duration, now: Instant) {
        // The time may overflow the clock's range.
        let Some(until) = now.checked_add(time) else { return };
        let outlasted = self.wait.as_ref().is_some_and(|wait| wait.until >= until);
        if time < NOTICED || outlasted {
            return;
        }
        self.end_wait();
        let bar = ProgressBar::no_length().with_style(countdown_style(reason, until));
        let bar = match self.rows.last() {
            Some(last) => self.screen.insert_after(&last.bar, bar),
            None => self.screen.add(bar),
        };
        bar.set_prefix(self.label.as_ref().map(|label| format!("{label} ")).unwrap_or_default());
        bar.enable_steady_tick(TICK);
        let everything = matches!(
            reason,
            WaitReason::RateLimit | WaitReason::RateLimited | WaitReason::DailyQuota
        );
        self.wait = Some(WaitBar { bar, until, everything });
        if time >= LONG {
            self.draw_bars(None);
        }
    }

    /// Progress ends a wait; but answers that were under way still come in while nothing is sent.
    fn end_wait_on_progress(&mut self, now: Instant) {
        if self.wait.as_ref().is_some_and(|wait| !wait.everything || now >= wait.until) {
            self.end_wait();
        }
    }

    fn end_wait(&mut self) {
        if let Some(wait) = self.wait.take() {
            self.remove_bar(&wait.bar);
        }
    }

    fn remove_bar(&self, bar: &ProgressBar) {
        bar.finish_and_clear();
        self.screen.remove(bar);
    }

    fn clear_bars(&mut self) {
        self.end_wait();
        for row in std::mem::take(&mut self.rows) {
            self.remove_bar(&row.bar);
        }
    }
}

impl ProgressView for BarsView {
    fn handle_event(&mut self, event: &RunEvent, now: Instant) {
        match event {
            RunEvent::Started { run, resumed: true, .. } => {
                self.print_line(&format!("resuming run {run}"));
            }
            RunEvent::Started { .. } => {}
            RunEvent::Warning { code, message } => {
                self.counts.note_warning(*code);
                self.sink.print_warning(self.label.as_deref(), message);
            }
            RunEvent::Progress { what, done, total } => {
                self.counts.update(what, *done, *total, now);
                self.end_wait_on_progress(now);
                self.draw_bars(Some(now));
            }
            RunEvent::Waiting { reason, ms } => {
                self.start_wait(*reason, Duration::from_millis(*ms), now);
            }
            RunEvent::Written(_) => self.clear_bars(),
        }
    }

    fn finish(&mut self, _: Instant) {
        self.clear_bars();
    }
}

fn update_bar(bar: &ProgressBar, width: usize, meter: &ProgressMeter, now: Option<Instant>) {
    if let Some(total) = meter.total {
        if bar.length().is_none() {
            bar.disable_steady_tick();
            bar.set_style(sized_bar_style(width));
        }
        bar.set_length(total.max(meter.done));
    }
    bar.set_position(meter.done);
    let pace = now.map(|now| meter.rate_and_eta(now)).unwrap_or_default();
    let parts = std::iter::once(meter.amount_text()).chain(pace).collect::<Vec<_>>();
    bar.set_message(parts.join("  "));
}

/// The message is cut where the terminal ends: a line that wraps cannot be drawn over.
fn sized_bar_style(width: usize) -> ProgressStyle {
    style_from_template(&format!("{{prefix}} [{{bar:{width}}}] {{wide_msg}}")).progress_chars("=> ")
}

fn spinner_style(width: usize) -> ProgressStyle {
    style_from_template(&format!("{{prefix}} {{spinner:{}}} {{wide_msg}}", width + 2))
        .tick_chars("-\\|/ ")
}

fn countdown_style(reason: WaitReason, until: Instant) -> ProgressStyle {
    let show = move |_: &ProgressState, to: &mut dyn fmt::Write| {
        let left = until.saturating_duration_since(Instant::now());
        // A tracker cannot fail; the line is drawn again soon anyway.
        let _ = match left {
            Duration::ZERO => write!(to, "resuming"),
            left => write!(to, "waiting {}: {}", format_duration(left), wait_reason(reason)),
        };
    };
    style_from_template("{prefix}{countdown}").with_key("countdown", show)
}

fn style_from_template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).expect("the templates are known")
}
