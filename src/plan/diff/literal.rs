//! Cells that say literally what the account has, whatever they are read as.
//!
//! What stands in an account may be written as no import would write it: with blanks around it, a country
//! by its name, a number without its country. A cell with the very same text asks for nothing.

use serde_json::Value;

use crate::model::draft::Draft;
use crate::model::remote::equality;
use crate::table::unguard;

/// Whether the row's cell for a target says what is there.
pub(super) fn says(draft: &Draft, target: &str, there: &str) -> bool {
    let says = |cell: &String| equality::text(cell, there) || equality::text(unguard(cell), there);
    draft.written.get(target).is_some_and(says)
}

/// The same for any value.
pub(super) fn says_value(draft: &Draft, target: &str, wanted: &Value, there: &Value) -> bool {
    match (wanted, there) {
        (_, Value::String(there)) => says(draft, target, there),
        // What does not fit a text is its JSON in one.
        (Value::String(wanted), there) => as_json(wanted, there),
        _ => false,
    }
}

/// Whether a text is the JSON of a value.
pub(super) fn as_json(text: &str, value: &Value) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|read| read == *value)
}
