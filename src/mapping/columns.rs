//! A sheet's columns, found by the names that mappings use for them.
//!
//! A name is a header, exactly or but for signs and case; else a letter (`C`); `[C]` is always the
//! letter. A pattern with `*` stands for all headers that it fits.

use std::collections::HashMap;

use super::closest;
use super::header::fold;
use crate::sheet::Column;

/// The columns of a sheet.
pub(crate) struct Columns<'c> {
    all: &'c [Column],
    exact: HashMap<&'c str, Vec<usize>>,
    folded: HashMap<String, Vec<usize>>,
    letters: HashMap<&'c str, usize>,
}

impl<'c> Columns<'c> {
    pub(crate) fn new(all: &'c [Column]) -> Self {
        let (mut exact, mut folded) =
            (HashMap::<_, Vec<usize>>::new(), HashMap::<_, Vec<usize>>::new());
        for (at, column) in all.iter().enumerate() {
            exact.entry(column.name.trim()).or_default().push(at);
            folded.entry(fold(&column.name)).or_default().push(at);
        }
        for map in [exact.remove(""), folded.remove("")] {
            // Columns without a name have none in common.
            drop(map);
        }
        let letters =
            all.iter().enumerate().map(|(at, column)| (column.letters.as_str(), at)).collect();
        Self { all, exact, folded, letters }
    }

    /// The columns of a name: several when they share it.
    pub(crate) fn named(&self, name: &str, letters: bool) -> Vec<usize> {
        let name = name.trim();
        if let Some(found) = self.exact.get(name) {
            return found.clone();
        }
        if let Some(letters) = bracketed(name) {
            return self.lettered(letters);
        }
        match self.folded.get(&fold(name)) {
            Some(found) => found.clone(),
            None if letters => self.lettered(name),
            None => Vec::new(),
        }
    }

    /// The columns of a name or pattern.
    pub(crate) fn matching(&self, name: &str) -> Vec<usize> {
        if self.is_pattern(name) {
            return self.fitting(name).map(|(at, _)| at).collect();
        }
        self.named(name, true)
    }

    fn lettered(&self, letters: &str) -> Vec<usize> {
        self.letters.get(letters.to_ascii_uppercase().as_str()).copied().into_iter().collect()
    }

    /// Whether a name is a pattern: it holds a `*`, and no header is written just so.
    pub(crate) fn is_pattern(&self, name: &str) -> bool {
        name.contains('*') && !self.exact.contains_key(name.trim())
    }

    /// The columns that a pattern fits, each with the text that its first `*` stands for.
    pub(crate) fn fitting(&self, pattern: &str) -> impl Iterator<Item = (usize, String)> {
        let pattern = Pattern::new(pattern);
        self.all
            .iter()
            .enumerate()
            .filter_map(move |(at, column)| Some((at, pattern.star(column.name.trim())?)))
    }

    /// How a mapping names a column so that nothing else is meant.
    pub(crate) fn reference(&self, at: usize) -> String {
        let column = &self.all[at];
        let name = column.name.trim();
        let alone = self.exact.get(name).is_some_and(|same| same.len() == 1);
        if alone && !name.contains('*') { name.to_owned() } else { format!("[{}]", column.letters) }
    }

    pub(crate) fn letters(&self, at: usize) -> &'c str {
        &self.all[at].letters
    }

    pub(crate) fn name(&self, at: usize) -> &'c str {
        self.all[at].name.trim()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The header nearest to a name that no column has.
    pub(crate) fn closest(&self, name: &str) -> Option<&'c str> {
        closest(
            name,
            self.all.iter().map(|column| column.name.trim()).filter(|name| !name.is_empty()),
        )
    }
}

fn bracketed(name: &str) -> Option<&str> {
    let letters = name.strip_prefix('[')?.strip_suffix(']')?;
    letters.bytes().all(|byte| byte.is_ascii_alphabetic()).then_some(letters)
}

/// Whether a name fits a pattern with `*`, in any case.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    if pattern.contains('*') {
        Pattern::new(pattern).star(name).is_some()
    } else {
        plain(pattern) == plain(name)
    }
}

/// A pattern, cut at its stars.
struct Pattern {
    parts: Vec<Vec<char>>,
}

impl Pattern {
    fn new(text: &str) -> Self {
        Self { parts: text.trim().split('*').map(plain).collect() }
    }

    /// What the first star stands for in a name that the pattern fits.
    fn star(&self, name: &str) -> Option<String> {
        let (first, rest) = self.parts.split_first()?;
        let (last, middle) = rest.split_last()?;
        let text = plain(name);
        let inner = text.len().checked_sub(first.len() + last.len())?;
        if !text.starts_with(first) || !text.ends_with(last) {
            return None;
        }
        let end = first.len() + inner;
        let (mut at, mut star) = (first.len(), first.len()..end);
        for (number, part) in middle.iter().enumerate() {
            let found = position(&text[at..end], part)? + at;
            if number == 0 {
                star.end = found;
            }
            at = found + part.len();
        }
        Some(name.chars().skip(star.start).take(star.len()).collect())
    }
}

fn position(text: &[char], part: &[char]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len()).position(|window| window == part)
}

/// A text in small letters, one for each of its characters.
fn plain(text: &str) -> Vec<char> {
    text.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect()
}
