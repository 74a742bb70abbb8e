//! How many of several locations are done: the first line of the live area, or a line now and then.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::live_area::LiveContent;
use super::lock_ignoring_poison;
use super::overall::seconds_text;
use super::sink::OutputStreams;
use crate::text::format_count;

/// Between two lines where there is no live area.
const PAUSE: Duration = Duration::from_secs(10);

/// Counts the locations that a command works on. What it shows disappears when it is dropped.
pub(crate) struct LocationCounter {
    sink: Arc<OutputStreams>,
    counts: Arc<Mutex<LocationCounts>>,
    /// Whether lines are printed: not with bars, which show the counts all the time, and not where only events or
    /// warnings are shown.
    prints_lines: bool,
}

impl LocationCounter {
    /// A counter for so many locations.
    pub(super) fn start(sink: Arc<OutputStreams>, total: usize, prints_lines: bool) -> Self {
        let now = Instant::now();
        let counts =
            LocationCounts { total, begun: 0, done: 0, failed: 0, began: now, printed: now };
        let counts = Arc::new(Mutex::new(counts));
        if let Some(area) = sink.live_area() {
            area.add(counts.clone());
        }
        Self { sink, counts, prints_lines }
    }

    /// A location begins.
    pub(crate) fn begin(&self) {
        lock_ignoring_poison(&self.counts).begun += 1;
    }

    /// A location that had begun ends.
    pub(crate) fn end(&self, succeeded: bool) {
        self.end_at(succeeded, Instant::now());
    }

    pub(super) fn end_at(&self, succeeded: bool, now: Instant) {
        let mut counts = lock_ignoring_poison(&self.counts);
        if succeeded {
            counts.done += 1;
        } else {
            counts.failed += 1;
        }
        let is_last = counts.done + counts.failed == counts.total;
        if self.prints_lines && !is_last && now.duration_since(counts.printed) >= PAUSE {
            counts.printed = now;
            self.sink.print_line(&counts.line(now));
        }
    }
}

impl Drop for LocationCounter {
    fn drop(&mut self) {
        if let Some(area) = self.sink.live_area() {
            let counts: Arc<Mutex<dyn LiveContent>> = self.counts.clone();
            area.remove(&counts);
        }
    }
}

struct LocationCounts {
    total: usize,
    /// With those that have ended.
    begun: usize,
    done: usize,
    failed: usize,
    began: Instant,
    /// When the last line was printed; the beginning, if none was.
    printed: Instant,
}

impl LocationCounts {
    fn line(&self, now: Instant) -> String {
        let count = |number: usize| format_count(number as u64);
        let (done, total) = (count(self.done), count(self.total));
        let mut line = format!("{done} of {total} locations done");
        for (number, what) in
            [(self.failed, "failed"), (self.begun - self.done - self.failed, "in progress")]
        {
            if number > 0 {
                line = format!("{line}, {} {what}", count(number));
            }
        }
        let elapsed = now.duration_since(self.began).as_secs();
        format!("{line}  {} elapsed", seconds_text(elapsed))
    }
}

impl LiveContent for LocationCounts {
    fn lines(&self, now: Instant, _: usize) -> Vec<String> {
        vec![self.line(now)]
    }
}
