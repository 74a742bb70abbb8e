//! Text for people: made safe for a terminal, and numbers as they are read aloud.
//!
//! Whatever a server, a file or a shell handed over may hold escape sequences that repaint the screen
//! or turn the reading direction. [`escape_for_terminal`] shows them instead of obeying them. This file knows no
//! terminal and no event; it only makes strings.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

/// Makes text from outside safe for a terminal: control characters, line breaks and marks that change
/// the reading direction become visible escapes such as `\u{1b}` and `\n`. All else stays as it is.
pub(crate) fn escape_for_terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_terminal_control) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_terminal_control(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// The same for a line of JSON, in which it means the same: JSON itself escapes only the oldest control
/// characters.
pub(crate) fn escape_json_line(line: String) -> String {
    if !line.chars().any(is_terminal_control) {
        return line;
    }
    let mut shown = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if is_terminal_control(c) {
            // All of them lie in the first plane, where an escape has four digits.
            write!(shown, "\\u{:04x}", u32::from(c)).expect("a text takes all");
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Whether a terminal does something at this character rather than show it.
fn is_terminal_control(c: char) -> bool {
    let direction = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    let line_break = matches!(c, '\u{2028}' | '\u{2029}');
    c.is_control() || direction || line_break
}

/// A number with thousands apart: `12,345`.
pub(crate) fn format_count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A number of things: `1 row`, `12,345 rows`. The noun takes a plain `s`.
pub(crate) fn format_plural(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", format_count(number))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown_instead() {
        assert_eq!(escape_for_terminal("red \u{1b}[31m\u{7}\u{9b}"), r"red \u{1b}[31m\u{7}\u{9b}");
        assert_eq!(escape_for_terminal("a\r\nb\tc\u{7f}\0"), r"a\r\nb\tc\u{7f}\u{0}");
        assert_eq!(
            escape_for_terminal("x\u{202e}y\u{2066}z\u{200f}\u{2028}"),
            r"x\u{202e}y\u{2066}z\u{200f}\u{2028}"
        );
    }

    #[test]
    fn ordinary_text_of_any_script_stays() {
        for text in ["", "Zoë 東京 עברית \u{1f469}\u{200d}\u{1f4bb} ﷺ", r"C:\new"] {
            assert!(
                matches!(escape_for_terminal(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }

    #[test]
    fn numbers_have_their_thousands_apart() {
        assert_eq!(
            [0, 999, 1_000, 12_345, 1_234_567].map(format_count).join(" "),
            "0 999 1,000 12,345 1,234,567"
        );
        assert_eq!(format_count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(
            [0, 1, 2, 12_345].map(|n| format_plural(n, "row")).join(", "),
            "0 rows, 1 row, 2 rows, 12,345 rows"
        );
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
