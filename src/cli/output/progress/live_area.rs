//! The live area: the last lines on the terminal, which are drawn over again and again.
//!
//! Everything else is printed above it. It draws each line by itself and shorter than the terminal is wide, so that no
//! line depends on where the terminal wraps. When the terminal is resized, most terminals wrap what is on it again: the
//! area then knows how many rows its lines take now, and draws over exactly those.

use std::io::Write;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use super::lock_ignoring_poison;
use crate::concurrency;
use crate::text::format_count;

/// Between two drawings.
const TICK: Duration = Duration::from_millis(100);

/// Where the terminal says nothing else.
const USUAL_SIZE: TerminalSize = TerminalSize { rows: 24, columns: 80 };

/// What a part of the area shows.
pub(super) trait LiveContent: Send {
    /// Its lines, each at most so many columns wide.
    fn lines(&self, now: Instant, columns: usize) -> Vec<String>;
}

/// The size of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TerminalSize {
    pub(super) rows: usize,
    pub(super) columns: usize,
}

type SharedContent = Arc<Mutex<dyn LiveContent>>;

/// The area. It draws itself until it is dropped.
pub(super) struct LiveArea(Mutex<AreaState>);

struct AreaState {
    out: Box<dyn Write + Send>,
    size: Box<dyn Fn() -> Option<TerminalSize> + Send>,
    parts: Vec<SharedContent>,
    /// The lines on the terminal. The cursor is at the beginning of the line below them, where the shell goes on if
    /// the program is killed.
    drawn: Vec<String>,
    /// Whether nothing is drawn, because the last line on the terminal is a question.
    suspended: bool,
}

impl LiveArea {
    /// An empty area on a terminal.
    pub(super) fn start(
        out: impl Write + Send + 'static,
        size: impl Fn() -> Option<TerminalSize> + Send + 'static,
    ) -> Arc<Self> {
        let area = Arc::new(Self::new(out, size));
        let weak: Weak<Self> = Arc::downgrade(&area);
        concurrency::repeat_until(TICK, move || match weak.upgrade() {
            Some(area) => {
                area.draw(Instant::now());
                false
            }
            None => true,
        });
        area
    }

    fn new(
        out: impl Write + Send + 'static,
        size: impl Fn() -> Option<TerminalSize> + Send + 'static,
    ) -> Self {
        Self(Mutex::new(AreaState {
            out: Box::new(out),
            size: Box::new(size),
            parts: Vec::new(),
            drawn: Vec::new(),
            suspended: false,
        }))
    }

    /// Adds a part below the others.
    pub(super) fn add(&self, part: SharedContent) {
        lock_ignoring_poison(&self.0).parts.push(part);
    }

    /// Removes a part.
    pub(super) fn remove(&self, part: &SharedContent) {
        lock_ignoring_poison(&self.0).parts.retain(|it| !Arc::ptr_eq(it, part));
    }

    /// Takes the lines away, or shows them again with the next drawing.
    pub(super) fn set_suspended(&self, suspended: bool) {
        let mut state = lock_ignoring_poison(&self.0);
        state.suspended = suspended;
        if suspended {
            state.replace_lines("", Vec::new());
        }
    }

    /// Draws the lines as they are now.
    pub(super) fn draw(&self, now: Instant) {
        let mut state = lock_ignoring_poison(&self.0);
        let lines = state.current_lines(now);
        if lines != state.drawn {
            state.replace_lines("", lines);
        }
    }

    /// Prints lines above the area.
    pub(super) fn print_above(&self, text: &str) {
        let mut state = lock_ignoring_poison(&self.0);
        let lines = state.current_lines(Instant::now());
        state.replace_lines(&format!("{text}\n"), lines);
    }
}

impl AreaState {
    fn size(&self) -> TerminalSize {
        let TerminalSize { rows, columns } = (self.size)().unwrap_or(USUAL_SIZE);
        // Some terminals say 0 for a size that they do not know.
        TerminalSize {
            rows: if rows == 0 { USUAL_SIZE.rows } else { rows },
            columns: if columns == 0 { USUAL_SIZE.columns } else { columns },
        }
    }

    /// The lines of all parts, or the first line of each if there is no room for all. One column stays free, because some
    /// terminals wrap a full line, and one row for the cursor, because what was scrolled away cannot be drawn over.
    fn current_lines(&self, now: Instant) -> Vec<String> {
        if self.suspended {
            return Vec::new();
        }
        let TerminalSize { rows, columns } = self.size();
        let columns = columns.saturating_sub(1);
        let parts = self.parts.iter();
        let mut parts: Vec<Vec<String>> =
            parts.map(|part| lock_ignoring_poison(part).lines(now, columns)).collect();
        let most = rows.saturating_sub(1).max(1);
        if self.parts.len() > 1 && parts.iter().map(Vec::len).sum::<usize>() > most {
            for lines in &mut parts {
                lines.truncate(1);
            }
        }
        let mut lines = parts.concat();
        if lines.len() > most {
            let more = (lines.len() - most + 1) as u64;
            lines.truncate(most - 1);
            lines.push(format!("and {} more lines", format_count(more)));
        }
        lines.iter().map(|line| console::truncate_str(line, columns, "").into_owned()).collect()
    }

    /// Draws over the lines on the terminal: first a text that stays, then the new lines.
    fn replace_lines(&mut self, above: &str, lines: Vec<String>) {
        let mut text = String::new();
        if !self.drawn.is_empty() {
            let columns = self.size().columns;
            let rows = |line: &String| console::measure_text_width(line).div_ceil(columns).max(1);
            let up: usize = self.drawn.iter().map(rows).sum();
            text = format!("\r\u{1b}[{up}A\u{1b}[J");
        }
        text.push_str(above);
        for line in &lines {
            text.push_str(line);
            text.push('\n');
        }
        self.drawn = lines;
        // In one piece, so that no terminal shows half of it. A closed terminal shows nothing.
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

impl Drop for AreaState {
    fn drop(&mut self) {
        if !self.drawn.is_empty() {
            self.replace_lines("", Vec::new());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A terminal, and what a program writes to it.
    #[derive(Clone)]
    struct Screen(Arc<Mutex<avt::Terminal>>);

    impl Screen {
        fn shown(&self) -> Vec<String> {
            let terminal = lock_ignoring_poison(&self.0);
            let lines = terminal.screen().all_lines().map(|line| line.text().trim_end().to_owned());
            let mut lines: Vec<_> = lines.collect();
            while lines.last().is_some_and(String::is_empty) {
                lines.pop();
            }
            lines
        }
    }

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            // As a terminal driver does.
            let text = std::str::from_utf8(bytes).unwrap().replace('\n', "\r\n");
            lock_ignoring_poison(&self.0).feed(text.as_str());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Lines that a test changes.
    struct Lines(Vec<String>);

    impl LiveContent for Lines {
        fn lines(&self, _: Instant, _: usize) -> Vec<String> {
            self.0.clone()
        }
    }

    /// An area on a terminal of 20 columns, with one part.
    fn area(rows: usize) -> (LiveArea, Screen, Arc<Mutex<Lines>>) {
        let terminal = avt::Terminal::with_scrollback(20, rows, None).unwrap();
        let screen = Screen(Arc::new(Mutex::new(terminal)));
        let size = move || Some(TerminalSize { rows, columns: 20 });
        let area = LiveArea::new(screen.clone(), size);
        let lines = Arc::new(Mutex::new(Lines(Vec::new())));
        area.add(lines.clone());
        (area, screen, lines)
    }

    fn show(area: &LiveArea, lines: &Arc<Mutex<Lines>>, new: &[&str]) {
        lock_ignoring_poison(lines).0 = new.iter().map(ToString::to_string).collect();
        area.draw(Instant::now());
    }

    #[test]
    fn lines_are_drawn_over_and_what_is_printed_stays_above_them() {
        let (area, screen, lines) = area(10);
        show(&area, &lines, &["one", "two", "three"]);
        area.print_above("a note that is longer than the terminal is wide");
        show(&area, &lines, &["one!", "a line that is too long"]);
        let note = ["a note that is longe", "r than the terminal", "is wide"];
        assert_eq!(screen.shown(), [&note[..], &["one!", "a line that is too"]].concat());
        area.set_suspended(true);
        area.print_above("another");
        assert_eq!(screen.shown(), [&note[..], &["another"]].concat());
        area.set_suspended(false);
        show(&area, &lines, &["one"]);
        drop(area);
        assert_eq!(screen.shown(), [&note[..], &["another"]].concat());
    }

    #[test]
    fn where_there_is_no_room_for_all_lines_each_part_has_one() {
        let (area, screen, lines) = area(6);
        let other = Arc::new(Mutex::new(Lines(vec!["other".to_owned(), "more".to_owned()])));
        area.add(other.clone());
        show(&area, &lines, &["1", "2", "3"]);
        assert_eq!(screen.shown(), ["1", "2", "3", "other", "more"]);
        show(&area, &lines, &["1", "2", "3", "4"]);
        assert_eq!(screen.shown(), ["1", "other"]);
        let other: SharedContent = other;
        area.remove(&other);
        show(&area, &lines, &["1", "2", "3", "4", "5"]);
        assert_eq!(screen.shown(), ["1", "2", "3", "4", "5"]);
    }

    #[test]
    fn more_lines_than_the_terminal_has_are_counted() {
        let (area, screen, lines) = area(5);
        for last in ["8", "9"] {
            show(&area, &lines, &["1", "2", "3", "4", "5", "6", "7", last]);
        }
        assert_eq!(screen.shown(), ["1", "2", "3", "and 5 more lines"]);
        area.print_above("a note");
        assert_eq!(screen.shown(), ["a note", "1", "2", "3", "and 5 more lines"]);
    }
}
