//! Progress on a terminal: the overall line first, then a bar for each count of the phase.
//!
//! They are drawn without colors and disappear at the end and while the user is asked something: only what was
//! printed above them stays on the terminal.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::ProgressView;
use super::counts::{ProgressCounts, ProgressMeter};
use super::lock_ignoring_poison;
use super::overall::OverallLine;
use super::plain::NOTICED;
use super::sink::OutputStreams;
use crate::cli::output::text_format::terminal_width;
use crate::event::{RunEvent, RunPhase, WaitReason};
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

/// The bars of one location.
pub(super) struct BarsView {
    sink: Arc<OutputStreams>,
    screen: MultiProgress,
    label: Option<String>,
    counts: ProgressCounts,
    rows: Vec<BarRow>,
    /// The state of the overall line, which its bar reads whenever it is drawn.
    overall: Arc<Mutex<OverallLine>>,
    overall_bar: Option<ProgressBar>,
}

impl BarsView {
    /// No bars yet.
    pub(super) fn new(sink: Arc<OutputStreams>, label: Option<String>) -> Self {
        let screen = sink.bars().cloned().unwrap_or_default();
        let shown = label.as_ref().map(|label| label.chars().take(LABEL).collect());
        let overall = Arc::new(Mutex::new(OverallLine::new(shown, Instant::now())));
        Self {
            sink,
            screen,
            label,
            counts: ProgressCounts::default(),
            rows: Vec::new(),
            overall,
            overall_bar: None,
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
        let bar = match (self.rows.get(place), place.checked_sub(1), &self.overall_bar) {
            (Some(below), ..) => self.screen.insert_before(&below.bar, bar),
            (None, Some(above), _) => self.screen.insert_after(&self.rows[above].bar, bar),
            (None, None, Some(overall)) => self.screen.insert_after(overall, bar),
            (None, None, None) => self.screen.add(bar),
        };
        bar.enable_steady_tick(TICK);
        bar
    }

    /// Shows the overall line, above the bars.
    fn draw_overall(&mut self) {
        if self.overall_bar.is_some() {
            return;
        }
        let bar = ProgressBar::no_length().with_style(overall_style(&self.overall));
        let bar = match self.rows.first() {
            Some(first) => self.screen.insert_before(&first.bar, bar),
            None => self.screen.add(bar),
        };
        bar.enable_steady_tick(TICK);
        self.overall_bar = Some(bar);
    }

    /// A phase begins: the bars of the phase before go.
    fn start_phase(&mut self, phase: RunPhase) {
        lock_ignoring_poison(&self.overall).start_phase(phase);
        for row in std::mem::take(&mut self.rows) {
            self.remove_bar(&row.bar);
        }
        self.counts.clear();
        self.draw_overall();
    }

    fn update_count(&mut self, what: &'static str, done: u64, total: Option<u64>, now: Instant) {
        self.counts.update(what, done, total, now);
        let mut overall = lock_ignoring_poison(&self.overall);
        // Answers that were under way still come in while nothing is sent.
        let waits_for_all = |(reason, until)| now < until && blocks_everything(reason);
        if !overall.wait().is_some_and(waits_for_all) {
            overall.end_wait();
        }
        if let Some(meter) = self.counts.leading_meter() {
            overall.measure(meter, now);
        }
        drop(overall);
        self.draw_overall();
        self.draw_bars(Some(now));
    }

    fn start_wait(&mut self, reason: WaitReason, time: Duration, now: Instant) {
        // The time may overflow the clock's range.
        let Some(until) = now.checked_add(time) else { return };
        let mut overall = lock_ignoring_poison(&self.overall);
        let outlasted = overall.wait().is_some_and(|(_, known)| known >= until);
        if time < NOTICED || outlasted {
            return;
        }
        overall.start_wait(reason, until);
        drop(overall);
        self.draw_overall();
        if time >= LONG {
            self.draw_bars(None);
        }
    }

    fn remove_bar(&self, bar: &ProgressBar) {
        bar.finish_and_clear();
        self.screen.remove(bar);
    }

    fn clear_bars(&mut self) {
        // From below: a line that is removed above others stays on the screen.
        for row in std::mem::take(&mut self.rows).into_iter().rev() {
            self.remove_bar(&row.bar);
        }
        if let Some(bar) = self.overall_bar.take() {
            self.remove_bar(&bar);
        }
    }
}

impl ProgressView for BarsView {
    fn handle_event(&mut self, event: &RunEvent, now: Instant) {
        match event {
            RunEvent::Started { run, resumed: true, .. } => {
                self.print_line(&format!("resuming run {run}"));
            }
            RunEvent::Started { .. } | RunEvent::Written(_) => {}
            RunEvent::Warning(warning) => {
                self.counts.note_warning(warning.code);
                self.sink.report_warning(self.label.as_deref(), warning);
            }
            RunEvent::Phase { phase } => self.start_phase(*phase),
            RunEvent::Progress { what, done, total } => {
                self.update_count(what, *done, *total, now);
            }
            RunEvent::Waiting { reason, ms } => {
                self.start_wait(*reason, Duration::from_millis(*ms), now);
            }
        }
    }

    fn watch_requests(&mut self, sent: Arc<AtomicU64>) {
        lock_ignoring_poison(&self.overall).count_requests(sent);
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

fn overall_style(overall: &Arc<Mutex<OverallLine>>) -> ProgressStyle {
    let overall = Arc::clone(overall);
    let show = move |_: &ProgressState, to: &mut dyn fmt::Write| {
        let line = lock_ignoring_poison(&overall).render(Instant::now(), line_width());
        // A tracker cannot fail; the line is drawn again soon anyway.
        let _ = to.write_str(&line);
    };
    style_from_template("{overall}").with_key("overall", show)
}

/// The columns of the terminal, less one, since some terminals wrap a full line.
fn line_width() -> usize {
    terminal_width().unwrap_or(80).saturating_sub(1)
}

/// Whether no request at all is sent, rather than one request delayed.
fn blocks_everything(reason: WaitReason) -> bool {
    matches!(reason, WaitReason::RateLimit | WaitReason::RateLimited | WaitReason::DailyQuota)
}

fn style_from_template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).expect("the templates are known")
}
