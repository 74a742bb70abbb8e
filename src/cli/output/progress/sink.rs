//! The two output streams of the program.
//!
//! Lines for people go to stderr, above the bars if there are any; events go to stdout. Neither can
//! fail: a closed or full stdout is remembered, a closed stderr is ignored.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::live_area::{LiveArea, TerminalSize};
use super::{OutputStyle, lock_ignoring_poison};
use crate::cli::output::stdout_failure;
use crate::cli::output::text_format::{terminal_width, wrap_line};
use crate::event::RunWarning;
use crate::id::RunId;
use crate::text::escape_for_terminal;

/// The size of the terminal at stderr, if it is one.
fn terminal_size() -> Option<TerminalSize> {
    let (rows, columns) = console::Term::stderr().size_checked()?;
    Some(TerminalSize { rows: rows.into(), columns: columns.into() })
}

type SharedWriter = Mutex<Box<dyn Write + Send>>;

/// A warning that the run before had, too.
pub(super) struct KnownWarning {
    /// The location, where there are several; safe already.
    pub(super) label: Option<String>,
    /// The run before.
    pub(super) run: RunId,
    /// May contain untrusted text.
    pub(super) message: String,
}

/// Where lines and events go.
pub(super) struct OutputStreams {
    live: Option<Arc<LiveArea>>,
    out: SharedWriter,
    err: SharedWriter,
    broken: AtomicBool,
    /// Whether the last line on the terminal is a question.
    asking: AtomicBool,
    known: Mutex<Vec<KnownWarning>>,
    /// Whether lines are broken where the terminal ends.
    wraps: bool,
}

impl OutputStreams {
    /// Says whether the last line on the terminal is a question that waits for its answer.
    pub(super) fn set_asking(&self, asking: bool) {
        self.asking.store(asking, Ordering::Relaxed);
        if let Some(area) = &self.live {
            area.set_suspended(asking);
        }
    }

    fn width(&self) -> Option<usize> {
        if self.wraps { terminal_width() } else { None }
    }

    /// The process's own streams.
    pub(super) fn standard(style: OutputStyle) -> Self {
        let live = || LiveArea::start(io::stderr(), terminal_size);
        let live = (style == OutputStyle::Bars).then(live);
        Self { live, wraps: true, ..Self::from_writers(io::stdout(), io::stderr()) }
    }

    /// Any two streams, without bars.
    pub(super) fn from_writers(
        out: impl Write + Send + 'static,
        err: impl Write + Send + 'static,
    ) -> Self {
        let broken = AtomicBool::new(false);
        Self {
            live: None,
            out: Mutex::new(Box::new(out)),
            err: Mutex::new(Box::new(err)),
            broken,
            asking: AtomicBool::new(false),
            known: Mutex::default(),
            wraps: false,
        }
    }

    /// The area of the bars, if there is one.
    pub(super) fn live_area(&self) -> Option<&LiveArea> {
        self.live.as_deref()
    }

    /// Writes a line to stderr. It contains no control characters.
    pub(super) fn print_line(&self, text: &str) {
        let text = &wrap_line(text, self.width());
        // The line of a question without an answer ends here.
        let begin = if self.asking.swap(false, Ordering::Relaxed) { "\n" } else { "" };
        if let Some(area) = &self.live {
            area.print_above(&format!("{begin}{text}"));
        } else {
            let mut err = lock_ignoring_poison(&self.err);
            let _ = err.write_all(format!("{begin}{text}\n").as_bytes());
        }
    }

    /// Writes a line about one location. `label` and `text` are safe already.
    pub(super) fn print_labeled(&self, label: Option<&str>, text: &str) {
        match label {
            Some(label) => self.print_line(&format!("{label}: {text}")),
            None => self.print_line(text),
        }
    }

    /// Writes a warning, unless the run before had it, too: then it waits for the end. `label` is safe already,
    /// the message is not.
    pub(super) fn report_warning(&self, label: Option<&str>, warning: &RunWarning) {
        let message = &warning.message;
        if let Some(run) = &warning.known_from {
            let (label, run, message) = (label.map(str::to_owned), run.clone(), message.clone());
            lock_ignoring_poison(&self.known).push(KnownWarning { label, run, message });
            return;
        }
        let label = label.map(|label| format!("{label}: ")).unwrap_or_default();
        self.print_line(&format!("warning: {label}{}", escape_for_terminal(message)));
    }

    /// The warnings that wait for the end.
    pub(super) fn take_known_warnings(&self) -> Vec<KnownWarning> {
        std::mem::take(&mut *lock_ignoring_poison(&self.known))
    }

    /// Writes a line for programs, and hands it over at once.
    pub(super) fn write_event(&self, line: &str) {
        if self.is_stdout_closed() {
            return;
        }
        let mut out = lock_ignoring_poison(&self.out);
        let written = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
        if written.is_err() {
            self.broken.store(true, Ordering::Relaxed);
            stdout_failure::remember_failure(written);
        }
    }

    /// Whether an event could not be written; none is written after that.
    pub(super) fn is_stdout_closed(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Draws the bars as they are now: none, if all views are finished or suspended.
    pub(super) fn redraw_bars(&self) {
        if let Some(area) = &self.live {
            area.draw(Instant::now());
        }
    }
}
