//! Progress: what the engines tell, as bars, as lines or as JSON events.
//!
//! A [`Screen`] belongs to one command; every location that the command works on gets a watcher from
//! it. Bars and lines go to stderr, JSON events to stdout, so that data on stdout is never mixed with
//! anything else. A stream that is gone never stops the work: it is remembered, nothing more.
//!
//! What is shown is decided here and in the children; what happened is decided by the engines. This
//! module sends nothing, stores nothing and does not know what an export is.

mod bars;
mod counts;
mod event_schema;
mod json_events;
mod plain;
mod sink;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use clap::ValueEnum;
use indicatif::ProgressDrawTarget;
use serde::Serialize;

use super::text_format::safe;
use crate::event::{Event, Observer, Watcher};

pub(crate) use event_schema::schema_events;
#[cfg(test)]
pub(crate) use event_schema::tests::documented;
use sink::Sink;

/// What the user wants to see of the progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Progress {
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
pub(crate) enum Style {
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

impl Style {
    /// What the flags ask for. `--json` goes before `--quiet`, which goes before `--progress`.
    pub(crate) fn choose(json: bool, progress: Progress, quiet: bool) -> Self {
        match progress {
            _ if json => Self::Json,
            _ if quiet => Self::Quiet,
            Progress::None => Self::None,
            Progress::Plain => Self::Plain,
            // Hidden: stderr is no terminal, or `TERM` is `dumb` or missing.
            Progress::Auto if ProgressDrawTarget::stderr().is_hidden() => Self::Plain,
            Progress::Auto => Self::Bars,
        }
    }
}

/// Where one command shows what happens. Clones are the same screen.
#[derive(Clone)]
pub(crate) struct Screen {
    style: Style,
    sink: Arc<Sink>,
    watches: Arc<Mutex<Vec<Arc<Watch>>>>,
    /// The location that the command's own events are about, where there are several.
    location: Option<String>,
}

impl Screen {
    /// An empty screen.
    pub(crate) fn new(style: Style) -> Self {
        Self::on(style, Sink::standard(style))
    }

    fn on(style: Style, sink: Sink) -> Self {
        Self { style, sink: Arc::new(sink), watches: Arc::default(), location: None }
    }

    /// An observer for one location. `location` is its id when there are several: everything shown
    /// then begins with it.
    pub(crate) fn watcher(&self, location: Option<String>) -> Watcher {
        let sink = Arc::clone(&self.sink);
        let label = location.as_deref().map(|location| safe(location).into_owned());
        let view: Box<dyn View> = match self.style {
            Style::Bars => Box::new(bars::Bars::new(sink, label)),
            Style::Plain => Box::new(plain::Plain::new(sink, label)),
            Style::Json => Box::new(json_events::Json::new(sink, location)),
            Style::None | Style::Quiet => Box::new(Warnings { sink, label }),
        };
        let watch = Arc::new(Watch(Mutex::new(Some(view))));
        lock(&self.watches).push(Arc::clone(&watch));
        watch
    }

    /// The same screen, on which the command's own events are about this location.
    pub(crate) fn of_location(&self, location: &str) -> Self {
        Self { location: Some(location.to_owned()), ..self.clone() }
    }

    /// Shows a note on stderr, above the bars. Not with `--json` or `--quiet`.
    pub(crate) fn line(&self, text: &str) {
        if matches!(self.style, Style::Bars | Style::Plain | Style::None) {
            text.lines().for_each(|line| self.sink.line(&safe(line)));
        }
    }

    /// Writes an event of the command's own, such as the summary, with `v` and `at` before its
    /// fields. Only with `--json`. Call [`Screen::finish`] before the last one.
    pub(crate) fn emit(&self, event: &impl Serialize) {
        if self.style == Style::Json {
            self.sink.event(&json_events::line(self.location.as_deref(), event));
        }
    }

    /// Shows the last counts and takes the bars away. Watchers handed out so far fall silent.
    pub(crate) fn finish(&self) {
        let watches = std::mem::take(&mut *lock(&self.watches));
        for watch in watches {
            if let Some(mut view) = lock(&watch.0).take() {
                view.finish(Instant::now());
            }
        }
        self.sink.clear();
    }

    /// Whether nobody reads stdout any more.
    #[cfg(test)]
    pub(crate) fn broken(&self) -> bool {
        self.sink.broken()
    }
}

/// One location's part of the screen.
trait View: Send {
    /// Shows an event, now or later.
    fn take(&mut self, event: &Event, now: Instant);

    /// Shows what was kept for later, and goes.
    fn finish(&mut self, now: Instant);
}

/// An observer around a view; empty once the screen is finished.
struct Watch(Mutex<Option<Box<dyn View>>>);

impl Observer for Watch {
    fn observe(&self, event: &Event) {
        if let Some(view) = lock(&self.0).as_mut() {
            view.take(event, Instant::now());
        }
    }
}

/// The view that shows warnings only.
struct Warnings {
    sink: Arc<Sink>,
    label: Option<String>,
}

impl View for Warnings {
    fn take(&mut self, event: &Event, _: Instant) {
        if let Event::Warning { message, .. } = event {
            self.sink.warning(self.label.as_deref(), message);
        }
    }

    fn finish(&mut self, _: Instant) {}
}

/// Locks even after a panic elsewhere: what is shown can be out of date, but never broken.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
