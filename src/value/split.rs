//! Splits cells that hold several values.

/// The pieces of a cell, trimmed and not empty.
pub(super) type CellPieces<'t> = Vec<&'t str>;

/// Splits the text at these separators.
pub(super) fn split_at_strings<'t>(text: &'t str, separators: &[String]) -> CellPieces<'t> {
    split_at_separators(text, separators)
}

/// Splits the text at these separators; where two match at the same position, the longer one wins.
#[must_use]
pub fn split_at_separators<'t>(text: &'t str, separators: &[impl AsRef<str>]) -> Vec<&'t str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut here = 0;
    while here < text.len() {
        match longest_prefix_len(&text[here..], separators) {
            Some(length) => {
                pieces.push(&text[start..here]);
                here += length;
                start = here;
            }
            None => here += text[here..].chars().next().map_or(1, char::len_utf8),
        }
    }
    pieces.push(&text[start..]);
    pieces.into_iter().map(str::trim).filter(|piece| !piece.is_empty()).collect()
}

/// The length of the longest separator that the text starts with.
pub(super) fn longest_prefix_len(text: &str, separators: &[impl AsRef<str>]) -> Option<usize> {
    separators
        .iter()
        .map(AsRef::as_ref)
        .filter(|separator| !separator.is_empty() && text.starts_with(separator))
        .map(str::len)
        .max()
}
