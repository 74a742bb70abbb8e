//! A list in one cell: `a; b`, or a JSON array where that could not be split again.

use std::borrow::Cow;

/// The cell of a list. It is a JSON array if an item is empty, contains `;`, starts with `[` or has
/// outer spaces.
///
/// # Panics
/// Never: its output is valid text.
#[must_use]
pub fn join_list<'t>(items: impl Iterator<Item = &'t str> + Clone) -> String {
    let mut cell = Vec::new();
    write_list(&mut cell, items);
    String::from_utf8(cell).expect("texts and separators are UTF-8")
}

/// The items of a cell that [`join_list`] created. A cell that only looks like a JSON array of
/// texts is one item.
#[must_use]
pub fn split_list(cell: &str) -> Vec<Cow<'_, str>> {
    if cell.starts_with('[')
        && let Ok(items) = serde_json::from_str::<Vec<String>>(cell)
    {
        return items.into_iter().map(Cow::Owned).collect();
    }
    let items = cell.split(';').map(str::trim);
    items.filter(|item| !item.is_empty()).map(Cow::Borrowed).collect()
}

/// Appends the cell of a list.
pub(super) fn write_list<'t>(out: &mut Vec<u8>, items: impl Iterator<Item = &'t str> + Clone) {
    if !items.clone().all(is_plain_item) {
        return write_json_array(out, items);
    }
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.extend_from_slice(b"; ");
        }
        out.extend_from_slice(item.as_bytes());
    }
}

/// Appends a list as a JSON array.
pub(super) fn write_json_array<'t>(out: &mut Vec<u8>, items: impl Iterator<Item = &'t str>) {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        super::json::write_string(out, item);
    }
    out.push(b']');
}

fn is_plain_item(item: &str) -> bool {
    let outer = |c: Option<char>| c.is_none_or(char::is_whitespace);
    !item.starts_with('[')
        && !outer(item.chars().next())
        && !outer(item.chars().next_back())
        && !item.as_bytes().contains(&b';')
}
