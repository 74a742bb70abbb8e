//! Cells that say literally what the account has, whatever they are read as.
//!
//! What stands in an account may be written as no import would write it: with blanks around it, a country
//! by its name, a number without its country. A cell with the very same text asks for nothing.

use serde_json::Value;

use crate::model::draft::ContactDraft;
use crate::model::remote::equality;
use crate::table::strip_guard;

/// Whether the row's cell for a target says what is there.
pub(super) fn cell_equals_text(draft: &ContactDraft, target: &str, there: &str) -> bool {
    let says = |cell: &String| {
        equality::same_text(cell, there) || equality::same_text(strip_guard(cell), there)
    };
    draft.written.get(target).is_some_and(says)
}

/// The same for any value.
pub(super) fn cell_equals_value(
    draft: &ContactDraft,
    target: &str,
    wanted: &Value,
    there: &Value,
) -> bool {
    match (wanted, there) {
        (_, Value::String(there)) => cell_equals_text(draft, target, there),
        // What does not fit a text is its JSON in one.
        (Value::String(wanted), there) => is_json_text_of(wanted, there),
        _ => false,
    }
}

/// Whether a text is the JSON of a value.
pub(super) fn is_json_text_of(text: &str, value: &Value) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|read| read == *value)
}
