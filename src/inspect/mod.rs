//! Looks at one contact: as the account has it now, and as the mirror has seen it over time.
//!
//! A contact is named by its id, an e-mail address or a phone number. Records come as rows of the tables that an export
//! writes, so that every value has the name that it has in files. This room knows no terminal.

mod current_contact;
mod find_contact;
mod history;
mod live_check;
mod record_row;
mod snapshot_diff;

pub use current_contact::{CurrentContact, LeftOutPart, contact_exists, read_contact};
pub use find_contact::{ContactLabel, ContactMatch, find_contact};
pub use history::read_snapshot_history;
pub use history::{
    ChangeWindow, ContactHistory, FieldChange, RecordedChange, find_known_contact,
    list_known_contacts, list_snapshot_contacts, read_history,
};
pub use live_check::{LiveDifference, LiveReport, LiveSample};
pub use record_row::RecordRow;
pub use snapshot_diff::{DifferenceKind, RecordDifference, diff_snapshots};

use std::collections::BTreeMap;

use crate::resource::{ColumnSource, CustomFieldColumns, TableColumn};

/// The labels of custom fields, by the name of their column.
fn label_fields(fields: &CustomFieldColumns) -> BTreeMap<String, String> {
    let label = |column: &TableColumn| match &column.source {
        ColumnSource::Field(field) => Some((column.name.clone(), field.label.clone())),
        _ => None,
    };
    let labels = fields.columns().iter().filter_map(label);
    labels.filter(|(_, label)| !label.trim().is_empty()).collect()
}
