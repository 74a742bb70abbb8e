//! Lines that fit on a terminal: sections are wrapped at words, and shortened where all of them together are too long.

use crate::cli::output::text_format;

/// The columns of the terminal that everything fits on.
const WIDTH: usize = 80;
/// How far the lines after the first one are indented.
const INDENT: &str = "  ";
/// How many lines an item of a list may take.
const ITEM_LINES: usize = 4;

/// A part of a report.
pub(super) struct ScreenSection {
    content: SectionContent,
    /// The most lines that it takes.
    most: usize,
}

enum SectionContent {
    /// A text that is wrapped, and cut at its end.
    Text(String),
    /// A text that must be copied as it is, such as a path.
    Literal(String),
    /// A title and its items; of too many, the last ones are counted, with the place where they are.
    List { title: String, items: Vec<String>, rest: &'static str },
}

impl ScreenSection {
    pub(super) fn text(text: String, most: usize) -> Self {
        Self { content: SectionContent::Text(text), most }
    }

    pub(super) fn literal(text: String) -> Self {
        Self { content: SectionContent::Literal(text), most: usize::MAX }
    }

    /// A list; `rest` says where the items are that do not fit.
    pub(super) fn list(title: String, items: Vec<String>, rest: &'static str, most: usize) -> Self {
        Self { content: SectionContent::List { title, items, rest }, most }
    }

    /// Its lines, at most so many; a literal text is shown whole or not at all.
    fn render(&self, room: usize) -> Vec<String> {
        let most = self.most.min(room);
        match &self.content {
            SectionContent::Text(text) => cut_lines(wrap_words(text, "", INDENT), most),
            SectionContent::Literal(text) if screen_height(text) <= most => vec![text.clone()],
            SectionContent::Literal(_) => Vec::new(),
            SectionContent::List { title, items, rest } => render_list(title, items, rest, most),
        }
    }
}

/// The lines of all sections, at most `height` as a terminal shows them. The last sections matter most, so the first
/// ones are shortened or left out.
pub(super) fn fit_sections(sections: &[ScreenSection], height: usize) -> Vec<String> {
    let mut room = height;
    let mut lines = Vec::new();
    for section in sections.iter().rev() {
        let shown = section.render(room);
        room -= shown.iter().map(|line| screen_height(line)).sum::<usize>().min(room);
        lines.extend(shown.into_iter().rev());
    }
    lines.reverse();
    lines
}

fn render_list(title: &str, items: &[String], rest: &str, most: usize) -> Vec<String> {
    // A title needs an item, or the count of the items.
    if items.is_empty() || most < 2 {
        return Vec::new();
    }
    let mut lines = cut_lines(wrap_words(title, "", INDENT), most - 1);
    for (at, item) in items.iter().enumerate() {
        let item = cut_lines(wrap_words(item, INDENT, "    "), ITEM_LINES);
        let is_last = at + 1 == items.len();
        if lines.len() + item.len() + usize::from(!is_last) > most {
            lines.push(format!("{INDENT}and {} more, in {rest}", items.len() - at));
            break;
        }
        lines.extend(item);
    }
    lines
}

/// Breaks a text at its spaces for the terminal that everything fits on.
pub(super) fn wrap_words(text: &str, first_indent: &str, indent: &str) -> Vec<String> {
    text_format::wrap_words(text, first_indent, indent, WIDTH)
}

/// The first lines, with a mark where the rest was.
fn cut_lines(mut lines: Vec<String>, most: usize) -> Vec<String> {
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let fits = last.chars().count() + 2 <= WIDTH;
            let end = if fits { last.len() } else { last.rfind(' ').unwrap_or(last.len()) };
            last.truncate(end);
            last.push_str(" …");
        }
    }
    lines
}

/// How many lines of the terminal a line takes.
fn screen_height(line: &str) -> usize {
    line.chars().count().div_ceil(WIDTH).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_never_broken_and_lines_are_never_too_long() {
        let text = "word ".repeat(40) + &"x".repeat(100);
        let lines = wrap_words(&text, "", "  ");
        assert_eq!(lines.last().map(String::len), Some(102));
        assert!(lines.iter().rev().skip(1).all(|line| line.len() <= WIDTH), "{lines:#?}");
        let words: Vec<_> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
        assert_eq!(words.join(" "), text);
    }

    #[test]
    fn the_last_sections_are_whole_and_the_first_ones_are_shortened() {
        let items = |n: usize| (1..=n).map(|n| format!("item {n}")).collect::<Vec<_>>();
        let sections = [
            ScreenSection::text("first ".repeat(40), 3),
            ScreenSection::list("second:".to_owned(), items(9), "file.csv", 9),
            ScreenSection::literal("third".to_owned()),
        ];
        let expected = ["second:", "  item 1", "  item 2", "  and 7 more, in file.csv", "third"];
        assert_eq!(fit_sections(&sections, 5), expected);
        assert_eq!(fit_sections(&sections, 6).len(), 6);
        assert_eq!(fit_sections(&sections, 1), ["third"]);
    }

    #[test]
    fn a_list_that_fits_has_no_count() {
        let list = ScreenSection::list("all:".to_owned(), vec!["one".to_owned()], "a.csv", 2);
        assert_eq!(fit_sections(&[list], 24), ["all:", "  one"]);
    }
}
