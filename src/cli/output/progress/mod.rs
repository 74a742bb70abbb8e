//! Progress: the events of the engines, as bars, as lines or as JSON.
//!
//! A [`CliReporter`] belongs to one command; every location that the command works on gets a watcher from
//! it. Bars and lines go to stderr, JSON events to stdout, so that data on stdout is never mixed with
//! anything else. A closed stream never stops the work: it is only recorded.
//!
//! This module and its children decide what is shown; the engines report what happened. This
//! module sends nothing, stores nothing and does not know what an export is.

mod bars;
mod counts;
mod event_schema;
mod json_events;
mod live_area;
mod location_counts;
mod overall;
mod plain;
mod schema_parts;
mod sink;
mod stall;
mod summary_schema;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use clap::ValueEnum;
use serde::Serialize;

use crate::event::{EventObserver, RunEvent, SharedObserver};
use crate::run::ShortRunIds;
use crate::text::escape_for_terminal;

pub(crate) use event_schema::events_schema;
#[cfg(test)]
pub(crate) use event_schema::tests::documented_fields;
pub(crate) use location_counts::LocationCounter;
use sink::{KnownWarning, OutputStreams};
use stall::ActivityLog;

/// Of more locations than this, each is described only if it takes long.
const MOST_DESCRIBED: usize = 20;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ProgressArg {
    /// Bars on a terminal, lines elsewhere
    #[default]
    Auto,
    /// Lines, every few seconds
    Plain,
    /// Nothing until the end, but warnings
    None,
}

/// How events are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputStyle {
    /// Bars on stderr.
    Bars,
    /// Lines on stderr.
    Plain,
    /// Events on stdout, one JSON object per line.
    Json,
    /// Nothing but warnings and notes, on stderr.
    None,
    /// Nothing but warnings, on stderr.
    Quiet,
}

impl OutputStyle {
    /// The display that the flags select. `--json` overrides `--quiet`, which overrides `--progress`.
    pub(crate) fn from_flags(json: bool, progress: ProgressArg, quiet: bool) -> Self {
        match progress {
            _ if json => Self::Json,
            _ if quiet => Self::Quiet,
            ProgressArg::None => Self::None,
            ProgressArg::Plain => Self::Plain,
            ProgressArg::Auto if !shows_bars() => Self::Plain,
            ProgressArg::Auto => Self::Bars,
        }
    }
}

/// Whether bars can be drawn: not where stderr is no terminal, or `TERM` is `dumb` or missing.
fn shows_bars() -> bool {
    console::Term::stderr().is_term() && !console::is_dumb()
}

/// The display of one command. Clones share it.
#[derive(Clone)]
pub(crate) struct CliReporter {
    style: OutputStyle,
    sink: Arc<OutputStreams>,
    /// Those that events are still reported to.
    watches: Arc<Mutex<Vec<Weak<ViewObserver>>>>,
    activity: Arc<ActivityLog>,
    /// Whether there are so many locations that lines about each of them would hide the rest.
    are_many: Arc<AtomicBool>,
    /// The location that the command's own events are about, where there are several.
    location: Option<String>,
}

impl CliReporter {
    /// An empty screen.
    pub(crate) fn new(style: OutputStyle) -> Self {
        Self::with_streams(style, OutputStreams::standard(style))
    }

    fn with_streams(style: OutputStyle, sink: OutputStreams) -> Self {
        let activity = Arc::new(ActivityLog::new(Instant::now()));
        Self {
            style,
            sink: Arc::new(sink),
            watches: Arc::default(),
            activity,
            are_many: Arc::default(),
            location: None,
        }
    }

    /// Shows how many of so many locations are done, until the counter is dropped.
    pub(crate) fn count_locations(&self, total: usize) -> LocationCounter {
        self.are_many.store(total > MOST_DESCRIBED, Ordering::Relaxed);
        let prints_lines = self.style == OutputStyle::Plain;
        LocationCounter::start(Arc::clone(&self.sink), total, prints_lines)
    }

    /// An observer for one location. `location` is its id when there are several: everything shown
    /// then begins with it. When the observer and all its clones are dropped, the location is done: its last counts are shown and
    /// its bars go.
    pub(crate) fn location_observer(&self, location: Option<String>) -> SharedObserver {
        let sink = Arc::clone(&self.sink);
        let label = location.as_deref().map(|location| escape_for_terminal(location).into_owned());
        let view: Box<dyn ProgressView> = match self.style {
            OutputStyle::Bars => Box::new(bars::BarsView::new(sink, label)),
            OutputStyle::Plain if self.are_many.load(Ordering::Relaxed) => {
                Box::new(plain::PlainView::of_one_of_many(sink, label, Instant::now()))
            }
            OutputStyle::Plain => Box::new(plain::PlainView::new(sink, label)),
            OutputStyle::Json => Box::new(json_events::JsonView::new(sink, location)),
            OutputStyle::None | OutputStyle::Quiet => Box::new(WarningsView { sink, label }),
        };
        let activity = Arc::clone(&self.activity);
        let watch = Arc::new(ViewObserver { view: Mutex::new(Some(view)), activity });
        let mut watches = lock_ignoring_poison(&self.watches);
        watches.retain(|watch| watch.strong_count() > 0);
        watches.push(Arc::downgrade(&watch));
        watch
    }

    fn living_watches(&self) -> Vec<Arc<ViewObserver>> {
        lock_ignoring_poison(&self.watches).iter().filter_map(Weak::upgrade).collect()
    }

    /// The same screen, on which the command's own events are about this location.
    pub(crate) fn for_location(&self, location: &str) -> Self {
        Self { location: Some(location.to_owned()), ..self.clone() }
    }

    /// Shows a note on stderr, above the bars. Not with `--json` or `--quiet`.
    pub(crate) fn print_note(&self, text: &str) {
        if matches!(self.style, OutputStyle::Bars | OutputStyle::Plain | OutputStyle::None) {
            text.lines().for_each(|line| self.sink.print_line(&escape_for_terminal(line)));
        }
    }

    /// Says what the command waits for if nothing has moved for a minute.
    pub(crate) fn report_stall(&self) {
        if let Some(said) = self.activity.report_stall(Instant::now()) {
            self.print_note(&said);
        }
    }

    /// Writes an event of the command's own, such as the summary, with `v` and `at` before its
    /// fields. Only with `--json`. Call [`CliReporter::finish`] before the last one.
    pub(crate) fn emit_event(&self, event: &impl Serialize) {
        if self.style == OutputStyle::Json {
            self.sink.write_event(&json_events::event_line(self.location.as_deref(), event));
        }
    }

    /// Takes the bars away while the user is asked something. The next event shows them again.
    pub(crate) fn suspend(&self) {
        for watch in self.living_watches() {
            if let Some(view) = lock_ignoring_poison(&watch.view).as_mut() {
                view.suspend(Instant::now());
            }
        }
        self.sink.set_asking(true);
    }

    /// The question was answered.
    pub(crate) fn resume_after_question(&self) {
        self.sink.set_asking(false);
    }

    /// Names the warnings that were withheld, because the run before had them, too. With `--quiet` they are not
    /// shown at all: the first run has shown them.
    pub(crate) fn report_known_warnings(&self, short_ids: &ShortRunIds) {
        let known = self.sink.take_known_warnings();
        let Some(first) = known.first() else { return };
        match &first.label {
            None => {
                let run = short_ids.shorten(&first.run);
                self.print_note(&format!("known from the run before ({run}):"));
            }
            Some(_) => self.print_note("known from the runs before:"),
        }
        for KnownWarning { label, run, message } in &known {
            let label = label.as_ref();
            let label = label.map(|label| format!("{label} ({}): ", short_ids.shorten(run)));
            self.print_note(&format!("  {}{message}", label.unwrap_or_default()));
        }
    }

    /// Shows the last counts and takes the bars away. Watchers handed out so far fall silent.
    pub(crate) fn finish(&self) {
        for watch in self.living_watches() {
            watch.finish();
        }
        self.sink.redraw_bars();
    }

    /// Whether stdout is closed.
    #[cfg(test)]
    pub(crate) fn is_stdout_closed(&self) -> bool {
        self.sink.is_stdout_closed()
    }
}

/// One location's part of the screen.
trait ProgressView: Send {
    /// Shows an event, now or later.
    fn handle_event(&mut self, event: &RunEvent, now: Instant);

    /// Shows how many requests were sent, from now on.
    fn watch_requests(&mut self, _sent: Arc<AtomicU64>) {}

    /// Shows what was withheld, and takes the display away until the next event.
    fn suspend(&mut self, now: Instant) {
        self.finish(now);
    }

    /// Shows what was withheld, and closes the display.
    fn finish(&mut self, now: Instant);
}

/// An observer around a view; empty once the screen is finished.
struct ViewObserver {
    view: Mutex<Option<Box<dyn ProgressView>>>,
    activity: Arc<ActivityLog>,
}

impl ViewObserver {
    fn finish(&self) {
        if let Some(mut view) = lock_ignoring_poison(&self.view).take() {
            view.finish(Instant::now());
        }
    }
}

impl Drop for ViewObserver {
    fn drop(&mut self) {
        self.finish();
    }
}

impl EventObserver for ViewObserver {
    fn observe(&self, event: &RunEvent) {
        self.activity.record_event(event, Instant::now());
        if let Some(view) = lock_ignoring_poison(&self.view).as_mut() {
            view.handle_event(event, Instant::now());
        }
    }

    fn watch_requests(&self, sent: Arc<AtomicU64>) {
        self.activity.watch_requests(Arc::clone(&sent));
        if let Some(view) = lock_ignoring_poison(&self.view).as_mut() {
            view.watch_requests(sent);
        }
    }
}

/// The view that shows warnings only.
struct WarningsView {
    sink: Arc<OutputStreams>,
    label: Option<String>,
}

impl ProgressView for WarningsView {
    fn handle_event(&mut self, event: &RunEvent, _: Instant) {
        if let RunEvent::Warning(warning) = event {
            self.sink.report_warning(self.label.as_deref(), warning);
        }
    }

    fn finish(&mut self, _: Instant) {}
}

/// Locks even after a panic elsewhere: the display can be out of date, but never inconsistent.
fn lock_ignoring_poison<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
