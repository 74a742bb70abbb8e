//! Finds a sheet's columns by the names used in mappings.
//!
//! A name is a header, matched exactly or ignoring signs and case, or else a letter (`C`); `[C]` is always the
//! letter. A pattern with `*` refers to all headers that match it.

use std::collections::HashMap;

use super::closest_name;
use super::header::fold_name;
use crate::sheet::SheetColumn;
use crate::text::capture_first_star;

/// The columns of a sheet.
pub(crate) struct ColumnLookup<'c> {
    all: &'c [SheetColumn],
    exact: HashMap<&'c str, Vec<usize>>,
    folded: HashMap<String, Vec<usize>>,
    letters: HashMap<&'c str, usize>,
}

impl<'c> ColumnLookup<'c> {
    pub(crate) fn new(all: &'c [SheetColumn]) -> Self {
        let (mut exact, mut folded) =
            (HashMap::<_, Vec<usize>>::new(), HashMap::<_, Vec<usize>>::new());
        for (at, column) in all.iter().enumerate() {
            exact.entry(column.name.trim()).or_default().push(at);
            folded.entry(fold_name(&column.name)).or_default().push(at);
        }
        for map in [exact.remove(""), folded.remove("")] {
            // Columns without a name do not share one.
            drop(map);
        }
        let letters =
            all.iter().enumerate().map(|(at, column)| (column.letters.as_str(), at)).collect();
        Self { all, exact, folded, letters }
    }

    /// The columns with this name; several if they share it.
    pub(crate) fn find_by_name(&self, name: &str, letters: bool) -> Vec<usize> {
        let name = name.trim();
        if let Some(found) = self.exact.get(name) {
            return found.clone();
        }
        if let Some(letters) = bracketed_letters(name) {
            return self.find_by_letters(letters);
        }
        match self.folded.get(&fold_name(name)) {
            Some(found) => found.clone(),
            None if letters => self.find_by_letters(name),
            None => Vec::new(),
        }
    }

    /// The columns that match a name or pattern.
    pub(crate) fn find_matching(&self, name: &str) -> Vec<usize> {
        if self.is_pattern(name) {
            return self.match_pattern(name).map(|(at, _)| at).collect();
        }
        self.find_by_name(name, true)
    }

    fn find_by_letters(&self, letters: &str) -> Vec<usize> {
        self.letters.get(letters.to_ascii_uppercase().as_str()).copied().into_iter().collect()
    }

    /// Whether a name is a pattern: it contains a `*`, and is not literally the name of a header.
    pub(crate) fn is_pattern(&self, name: &str) -> bool {
        name.contains('*') && !self.exact.contains_key(name.trim())
    }

    /// The columns that match a pattern, each with the text matched by its first `*`.
    pub(crate) fn match_pattern(&self, pattern: &str) -> impl Iterator<Item = (usize, String)> {
        let pattern = pattern.trim().to_owned();
        self.all.iter().enumerate().filter_map(move |(at, column)| {
            Some((at, capture_first_star(&pattern, column.name.trim())?))
        })
    }

    /// An unambiguous reference to a column, for a mapping.
    pub(crate) fn unambiguous_reference(&self, at: usize) -> String {
        let column = &self.all[at];
        let name = column.name.trim();
        let alone = self.exact.get(name).is_some_and(|same| same.len() == 1);
        if alone && !name.contains('*') { name.to_owned() } else { format!("[{}]", column.letters) }
    }

    pub(crate) fn column_letters(&self, at: usize) -> &'c str {
        &self.all[at].letters
    }

    pub(crate) fn column_name(&self, at: usize) -> &'c str {
        self.all[at].name.trim()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The header closest to a name that no column has.
    pub(crate) fn closest_header(&self, name: &str) -> Option<&'c str> {
        closest_name(
            name,
            self.all.iter().map(|column| column.name.trim()).filter(|name| !name.is_empty()),
        )
    }
}

fn bracketed_letters(name: &str) -> Option<&str> {
    let letters = name.strip_prefix('[')?.strip_suffix(']')?;
    letters.bytes().all(|byte| byte.is_ascii_alphabetic()).then_some(letters)
}
