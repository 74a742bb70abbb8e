//! The two streams that everything shown leaves through.
//!
//! Lines for people go to stderr, above the bars if there are any; events go to stdout. Neither can
//! fail: a closed stdout is remembered, for a closed stderr there is nobody left to tell.

use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::MultiProgress;

use super::{Style, lock};
use crate::cli::output::text_format::safe;

type Stream = Mutex<Box<dyn Write + Send>>;

/// Where lines and events go.
pub(super) struct Sink {
    bars: Option<MultiProgress>,
    out: Stream,
    err: Stream,
    broken: AtomicBool,
}

impl Sink {
    /// The process's own streams.
    pub(super) fn standard(style: Style) -> Self {
        let bars = (style == Style::Bars).then(MultiProgress::new);
        Self { bars, ..Self::of(io::stdout(), io::stderr()) }
    }

    /// Any two streams, without bars.
    pub(super) fn of(out: impl Write + Send + 'static, err: impl Write + Send + 'static) -> Self {
        let broken = AtomicBool::new(false);
        Self { bars: None, out: Mutex::new(Box::new(out)), err: Mutex::new(Box::new(err)), broken }
    }

    /// The bars, if there are any.
    pub(super) fn bars(&self) -> Option<&MultiProgress> {
        self.bars.as_ref()
    }

    /// Writes a line for people. It holds no control characters.
    pub(super) fn line(&self, text: &str) {
        // Not `suspend`, which panics when the terminal is gone.
        let _ = match &self.bars {
            Some(bars) => bars.println(text),
            None => lock(&self.err).write_all(format!("{text}\n").as_bytes()),
        };
    }

    /// Writes a line about one location. `label` and `text` are safe already.
    pub(super) fn about(&self, label: Option<&str>, text: &str) {
        match label {
            Some(label) => self.line(&format!("{label}: {text}")),
            None => self.line(text),
        }
    }

    /// Writes a warning. `label` is safe already, `message` is not.
    pub(super) fn warning(&self, label: Option<&str>, message: &str) {
        let label = label.map(|label| format!("{label}: ")).unwrap_or_default();
        self.line(&format!("warning: {label}{}", safe(message)));
    }

    /// Writes a line for programs, and hands it over at once.
    pub(super) fn event(&self, line: &str) {
        if self.broken() {
            return;
        }
        let mut out = lock(&self.out);
        let written = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
        if written.is_err() {
            self.broken.store(true, Ordering::Relaxed);
        }
    }

    /// Whether an event could not be written; none is written after that.
    pub(super) fn broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Takes away what is left of the bars.
    pub(super) fn clear(&self) {
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
    }
}
