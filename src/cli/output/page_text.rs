//! The lines of a page: labels and texts that are safe for a terminal and fit a width.

use serde_json::Value;

use super::text_format::wrap_words;
use super::text_table::stdout_width;
use crate::text::escape_for_terminal;

/// The width of labels.
const LABEL: usize = 18;
/// The width of a page where there is no terminal.
const USUAL: usize = 80;
/// The narrowest and the widest page: long lines are hard to read.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=100;

/// The width of a page on stdout.
pub(crate) fn page_width() -> usize {
    stdout_width().unwrap_or(USUAL).clamp(*WIDTHS.start(), *WIDTHS.end())
}

/// Lines of at most this width.
pub(crate) struct PageLines {
    width: usize,
    lines: Vec<String>,
}

impl PageLines {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, lines: Vec::new() }
    }

    /// All of them, each with its end.
    pub(crate) fn into_text(self) -> String {
        self.lines.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect()
    }

    /// An empty line.
    pub(crate) fn add_blank(&mut self) {
        self.lines.push(String::new());
    }

    /// A heading, after an empty line.
    pub(crate) fn add_heading(&mut self, text: &str) {
        self.add_blank();
        self.add_text("", text);
    }

    /// A field with its value; none if it is empty.
    pub(crate) fn add_field(&mut self, label: &str, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        let label = escape_for_terminal(label);
        let first = format!("  {label:<LABEL$} ");
        let indent = " ".repeat(LABEL + 3);
        if console::measure_text_width(&first) > indent.len() {
            self.add_text("  ", &label);
            self.wrap_text(text, &indent, &indent);
        } else {
            self.wrap_text(text, &first, &indent);
        }
    }

    /// A text, be it of several lines; nothing if it is empty.
    pub(crate) fn add_text(&mut self, indent: &str, text: &str) {
        if !text.trim().is_empty() {
            self.wrap_text(text.trim_end(), indent, indent);
        }
    }

    fn wrap_text(&mut self, text: &str, first_indent: &str, indent: &str) {
        let mut first = first_indent;
        for line in text.lines() {
            let line = escape_for_terminal(line.trim_end_matches('\r'));
            let line = break_words(&line, self.width.saturating_sub(indent.len()).max(1));
            let wrapped = wrap_words(&line, first, indent, self.width);
            self.lines.extend(wrapped.into_iter().map(|line| line.trim_end().to_owned()));
            first = indent;
        }
    }
}

/// A line whose words that are longer than a width are broken with spaces.
fn break_words(line: &str, width: usize) -> String {
    let mut broken = String::with_capacity(line.len());
    for (at, word) in line.split(' ').enumerate() {
        if at > 0 {
            broken.push(' ');
        }
        let mut size = 0;
        for c in word.chars() {
            let wide = console::measure_text_width(c.encode_utf8(&mut [0; 4]));
            if size + wide > width {
                broken.push(' ');
                size = 0;
            }
            broken.push(c);
            size += wide;
        }
    }
    broken
}

/// Whether a value says nothing.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.iter().all(is_empty),
        Value::Object(members) => members.values().all(is_empty),
        _ => false,
    }
}

/// A value as people write it; the items of a list are separated by commas.
pub(crate) fn plain_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => {
            let text = number.to_string();
            text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
        }
        Value::Array(list) => list.iter().map(plain_text).collect::<Vec<_>>().join(", "),
        Value::Object(_) => flatten_json(value),
    }
}

/// The members of JSON that say something, on one line.
pub(crate) fn flatten_json(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !is_empty(value));
            let members = members.map(|(key, value)| format!("{key}: {}", flatten_json(value)));
            members.collect::<Vec<_>>().join(", ")
        }
        Value::Array(list) => {
            let items = list.iter().filter(|value| !is_empty(value)).map(flatten_json);
            items.collect::<Vec<_>>().join("; ")
        }
        value => plain_text(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_line_is_wider_than_the_page() {
        let mut page = PageLines::new(40);
        page.add_field("website", &"x".repeat(100));
        page.add_field("a label that is longer than its column", "some words that go on and on");
        page.add_text("    ", "first line\nsecond\u{1b}[2J line");
        let lines = page.lines;
        assert!(lines.iter().all(|line| console::measure_text_width(line) <= 40), "{lines:#?}");
        assert_eq!(lines.iter().map(|line| line.matches('x').count()).sum::<usize>(), 100);
        assert_eq!(lines.last().unwrap(), "    second\\u{1b}[2J line");
    }

    #[test]
    fn json_is_a_line_of_what_it_says() {
        let value =
            json!({"medium": "form", "campaign": null, "more": [{"a": 1.0}, {"b": true}, {}]});
        assert_eq!(flatten_json(&value), "medium: form, more: a: 1; b: yes");
        assert!(is_empty(&json!({"a": [null, ""]})));
    }
}
