//! Sizes and times as people read them.

use std::time::Duration;

use crate::text::format_count;

/// A size in decimal units: `999 B`, `1.2 MB`.
pub(crate) fn format_bytes(number: u64) -> String {
    const UNITS: [(u128, &str); 5] = [
        (1_000, "kB"),
        (1_000_000, "MB"),
        (1_000_000_000, "GB"),
        (10_u128.pow(12), "TB"),
        (10_u128.pow(15), "PB"),
    ];
    if number < 1_000 {
        return format!("{number} B");
    }
    let tenths = |size: u128| (u128::from(number) * 10 + size / 2) / size;
    // The unit is chosen after rounding, so that nothing is shown as `1000.0 kB`.
    let fitting = UNITS.into_iter().find(|(size, _)| tenths(*size) < 10_000);
    let (size, unit) = fitting.unwrap_or((10_u128.pow(18), "EB"));
    format!("{}.{} {unit}", tenths(size) / 10, tenths(size) % 10)
}

/// A duration with a sensible precision: `412 ms`, `2.3 s`, `24 s`, `3 min 04 s`, `1 h 02 min`.
pub(crate) fn format_duration(time: Duration) -> String {
    let (seconds, ms) = (time.as_secs(), time.subsec_millis());
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0 => format!("{ms} ms"),
        1..10 => format!("{seconds}.{} s", ms / 100),
        10..60 => format!("{seconds} s"),
        60..3_600 => format!("{minutes} min {:02} s", seconds % 60),
        3_600..172_800 => format!("{hours} h {:02} min", minutes % 60),
        _ => format!("{} d {:02} h", format_count(days), hours % 24),
    }
}

/// The columns of the terminal at stderr; `None` if it is not a terminal.
pub(crate) fn terminal_width() -> Option<usize> {
    let terminal = console::Term::stderr();
    terminal.is_term().then(|| usize::from(terminal.size().1))
}

/// Breaks a line at spaces so that it fits a width; the continuation is indented like the line itself. A command
/// to copy, and a word that is longer than the width, stay whole.
pub(crate) fn wrap_line(line: &str, width: Option<usize>) -> String {
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    let Some(width) = width.filter(|width| *width > indent.len() + 20) else {
        return line.to_owned();
    };
    if line.trim_start().starts_with("ghl-bulk ") || console::measure_text_width(line) <= width {
        return line.to_owned();
    }
    wrap_words(&line[indent.len()..], &indent, &indent, width).join("\n")
}

/// Breaks a text at its spaces, with an indentation for the first line and one for the others. A word that is too
/// long has a line of its own.
pub(crate) fn wrap_words(
    text: &str,
    first_indent: &str,
    indent: &str,
    width: usize,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first_indent.to_owned();
    let mut is_empty = true;
    for word in text.split(' ') {
        let size = console::measure_text_width(&line) + 1 + console::measure_text_width(word);
        if !is_empty && size > width {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_commands_stay_whole() {
        let line = "  hint: one two three four five six seven eight nine ten";
        let wrapped = wrap_line(line, Some(30));
        assert_eq!(wrapped, "  hint: one two three four\n  five six seven eight nine\n  ten");
        assert_eq!(wrap_line(line, None), line);
        let command = "  ghl-bulk import 'a file with a long name.csv' --map other.toml";
        assert_eq!(wrap_line(command, Some(30)), command);
        let word = format!("a {}", "x".repeat(50));
        assert_eq!(wrap_line(&word, Some(30)), format!("a\n{}", "x".repeat(50)));
    }

    #[test]
    fn sizes_are_rounded_to_a_tenth_of_their_unit() {
        let sizes = [0, 999, 1_000, 999_949, 999_950, 1_234_567, 45_600_000_000];
        assert_eq!(
            sizes.map(format_bytes).join(", "),
            "0 B, 999 B, 1.0 kB, 999.9 kB, 1.0 MB, 1.2 MB, 45.6 GB"
        );
        assert_eq!(format_bytes(u64::MAX), "18.4 EB");
    }

    #[test]
    fn times_are_as_exact_as_they_are_short() {
        let times = [0, 412, 2_350, 9_999, 59_999, 184_000, 3_725_000, 172_800_000];
        let shown = times.map(|ms| format_duration(Duration::from_millis(ms))).join(", ");
        assert_eq!(shown, "0 ms, 412 ms, 2.3 s, 9.9 s, 59 s, 3 min 04 s, 1 h 02 min, 2 d 00 h");
    }
}
