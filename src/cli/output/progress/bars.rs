//! Progress on a terminal: the overall line first, then a bar for each count of the phase.
//!
//! They are drawn without colors and disappear at the end and while the user is asked something: only what was
//! printed above them stays on the terminal.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::ProgressView;
use super::counts::{ProgressCounts, ProgressMeter};
use super::live_area::LiveContent;
use super::lock_ignoring_poison;
use super::overall::OverallLine;
use super::plain::NOTICED;
use super::sink::OutputStreams;
use crate::event::{RunEvent, RunPhase, WaitReason};
use crate::text::truncate_text;

/// How often a spinner turns.
const TURN: Duration = Duration::from_millis(200);
const TURNS: [char; 4] = ['-', '\\', '|', '/'];

/// From this wait on, a time that is left would be wrong.
const LONG: Duration = Duration::from_secs(10);

/// How the counts are drawn.
#[derive(Debug, Clone, Copy)]
struct BarLayout {
    /// The inside of the bar, in columns; 0 for no bar.
    width: usize,
    /// Whether there is room for the pace.
    paced: bool,
}

/// The layouts, the most detailed first. Beside a location's name there is no room for a long bar.
const LAYOUTS: [BarLayout; 4] = [
    BarLayout { width: 20, paced: true },
    BarLayout { width: 10, paced: true },
    BarLayout { width: 10, paced: false },
    BarLayout { width: 0, paced: false },
];

/// How much of a location's name is shown before its bars.
const LABEL: usize = 24;

/// The bars of one location.
pub(super) struct BarsView {
    sink: Arc<OutputStreams>,
    label: Option<String>,
    bars: Arc<Mutex<LocationBars>>,
}

/// What the bars of one location show, whenever they are drawn.
struct LocationBars {
    label: Option<String>,
    began: Instant,
    overall: OverallLine,
    counts: ProgressCounts,
    /// Whether the counts have their pace. During a long wait it would be wrong.
    paced: bool,
    /// Whether there is something to show. Not before the first event, nor after a question until the next one.
    visible: bool,
}

impl BarsView {
    /// No bars yet.
    pub(super) fn new(sink: Arc<OutputStreams>, label: Option<String>) -> Self {
        let shown = label.as_ref().map(|label| truncate_text(label, LABEL));
        let now = Instant::now();
        let bars = Arc::new(Mutex::new(LocationBars {
            overall: OverallLine::new(shown.clone(), now),
            label: shown,
            began: now,
            counts: ProgressCounts::default(),
            paced: true,
            visible: false,
        }));
        if let Some(area) = sink.live_area() {
            area.add(bars.clone());
        }
        Self { sink, label, bars }
    }

    fn print_line(&self, text: &str) {
        self.sink.print_labeled(self.label.as_deref(), text);
    }

    fn change(&self, change: impl FnOnce(&mut LocationBars)) {
        change(&mut lock_ignoring_poison(&self.bars));
    }
}

impl ProgressView for BarsView {
    fn handle_event(&mut self, event: &RunEvent, now: Instant) {
        match event {
            RunEvent::Started { run, resumed: true, .. } => {
                self.print_line(&format!("resuming run {run}"));
            }
            RunEvent::Started { .. }
            | RunEvent::Written(_)
            | RunEvent::Synced(_)
            | RunEvent::Coverage(_)
            | RunEvent::Snapshot(_)
            | RunEvent::Alert(_) => {}
            RunEvent::Warning(warning) => {
                self.change(|bars| bars.counts.note_warning(warning.code));
                self.sink.report_warning(self.label.as_deref(), warning);
            }
            RunEvent::Phase { phase } => self.change(|bars| bars.start_phase(*phase)),
            RunEvent::Progress { what, done, total } => {
                self.change(|bars| bars.update_count(what, *done, *total, now));
            }
            RunEvent::Waiting { reason, ms } => {
                self.change(|bars| bars.start_wait(*reason, Duration::from_millis(*ms), now));
            }
        }
    }

    fn watch_requests(&mut self, sent: Arc<AtomicU64>) {
        self.change(|bars| bars.overall.count_requests(sent));
    }

    fn suspend(&mut self, _: Instant) {
        self.change(|bars| bars.visible = false);
    }

    fn finish(&mut self, _: Instant) {
        if let Some(area) = self.sink.live_area() {
            let bars: Arc<Mutex<dyn LiveContent>> = self.bars.clone();
            area.remove(&bars);
        }
    }
}

impl LocationBars {
    /// A phase begins: the bars of the phase before go.
    fn start_phase(&mut self, phase: RunPhase) {
        self.visible = true;
        self.overall.start_phase(phase);
        self.counts.clear();
    }

    fn update_count(&mut self, what: &'static str, done: u64, total: Option<u64>, now: Instant) {
        (self.visible, self.paced) = (true, true);
        self.counts.update(what, done, total, now);
        // Answers that were under way still come in while nothing is sent.
        let waits_for_all = |(reason, until)| now < until && blocks_everything(reason);
        if !self.overall.wait().is_some_and(waits_for_all) {
            self.overall.end_wait();
        }
        if let Some(meter) = self.counts.leading_meter() {
            self.overall.measure(meter, now);
        }
    }

    fn start_wait(&mut self, reason: WaitReason, time: Duration, now: Instant) {
        // The time may overflow the clock's range.
        let Some(until) = now.checked_add(time) else { return };
        let outlasted = self.overall.wait().is_some_and(|(_, known)| known >= until);
        if time < NOTICED || outlasted {
            return;
        }
        self.visible = true;
        self.overall.start_wait(reason, until);
        self.paced = time < LONG;
    }

    /// The counts in the most detailed layout that fits.
    fn bar_lines(&self, now: Instant, columns: usize) -> Vec<String> {
        let draw = |layout: BarLayout| {
            let meters = self.counts.meters().iter();
            meters.map(|meter| self.bar_line(meter, now, layout)).collect::<Vec<_>>()
        };
        let fits = |lines: &Vec<String>| {
            lines.iter().all(|line| console::measure_text_width(line) <= columns)
        };
        let narrowest = LAYOUTS[LAYOUTS.len() - 1];
        let layouts = LAYOUTS.into_iter().skip(usize::from(self.label.is_some()));
        layouts.map(draw).find(fits).unwrap_or_else(|| draw(narrowest))
    }

    /// A count as a bar, or with a spinner where its total is not known.
    fn bar_line(&self, meter: &ProgressMeter, now: Instant, layout: BarLayout) -> String {
        let width = layout.width;
        let bar = match meter.total {
            _ if width == 0 => String::new(),
            Some(total) => format!("[{}] ", bar_text(meter.done, total.max(meter.done), width)),
            None => {
                let turns = now.duration_since(self.began).as_millis() / TURN.as_millis();
                let turn = usize::try_from(turns).unwrap_or_default() % TURNS.len();
                format!("{:<1$}", TURNS[turn], width + 3)
            }
        };
        let paced = self.paced && layout.paced;
        let pace = if paced { meter.rate_and_eta(now) } else { Vec::new() };
        let parts = std::iter::once(meter.amount_text()).chain(pace).collect::<Vec<_>>();
        let label = self.label.as_ref().map(|label| format!("{label} ")).unwrap_or_default();
        let name = self.counts.display_name(meter.what);
        format!("{label}{name:<12} {bar}{}", parts.join("  "))
    }
}

impl LiveContent for LocationBars {
    fn lines(&self, now: Instant, columns: usize) -> Vec<String> {
        if !self.visible {
            return Vec::new();
        }
        let bars = self.bar_lines(now, columns);
        std::iter::once(self.overall.render(now, columns)).chain(bars).collect()
    }
}

/// The inside of a bar: `=====>    `.
fn bar_text(done: u64, total: u64, width: usize) -> String {
    let filled = match total {
        0 => width,
        total => {
            let filled = u128::from(done) * width as u128 / u128::from(total);
            usize::try_from(filled).unwrap_or(width).min(width)
        }
    };
    let head = if filled < width { ">" } else { "" };
    format!("{:<width$}", format!("{}{head}", "=".repeat(filled)))
}

/// Whether no request at all is sent, rather than one request delayed.
fn blocks_everything(reason: WaitReason) -> bool {
    matches!(reason, WaitReason::RateLimit | WaitReason::RateLimited | WaitReason::DailyQuota)
}
