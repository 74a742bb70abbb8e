//! Cells whose literal text equals the account's value, however they are interpreted.
//!
//! A value in the account may be in a form that an import would never write: with surrounding
//! blanks, a country by its name, a number without its country. A cell with exactly the same text
//! requests no change.

use serde_json::Value;

use super::change_text;
use super::damage::is_damaged_copy;
use crate::model::draft::ContactDraft;
use crate::model::remote::equality;
use crate::table::strip_guard;

/// Whether the row's cell for a target equals the current text.
pub(super) fn cell_equals_text(draft: &ContactDraft, target: &str, current: &str) -> bool {
    let says = |cell: &String| {
        equality::same_text(cell, current) || equality::same_text(strip_guard(cell), current)
    };
    draft.written.get(target).is_some_and(says)
}

/// What the row has for a target, if it is what a spreadsheet leaves of the current text: the cell, or the value that was
/// read from it.
pub(super) fn damaged_copy<'d>(
    draft: &'d ContactDraft,
    target: &str,
    wanted: &'d str,
    current: &str,
) -> Option<&'d str> {
    let cell = draft.written.get(target).map(|cell| strip_guard(cell));
    cell.into_iter().chain([wanted]).find(|text| is_damaged_copy(text, current))
}

/// The same for any value.
pub(super) fn cell_equals_value(
    draft: &ContactDraft,
    target: &str,
    wanted: &Value,
    current: &Value,
) -> bool {
    match (wanted, current) {
        (_, Value::String(current)) => cell_equals_text(draft, target, current),
        // A cell with values that are not options any more.
        (Value::Array(_), Value::Array(_)) => {
            cell_equals_text(draft, target, &change_text::format_value(current))
        }
        // A value that a text field cannot represent is stored as its JSON text.
        (Value::String(wanted), current) => is_json_text_of(wanted, current),
        _ => false,
    }
}

/// Whether a text is the JSON form of a value.
pub(super) fn is_json_text_of(text: &str, value: &Value) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|read| read == *value)
}
