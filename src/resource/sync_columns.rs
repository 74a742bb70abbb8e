//! The columns that tables of a mirror have in addition: when a sync has seen what a row says.
//!
//! Their values are not sent by the server. They are written into the text of a row before it is decoded, under keys
//! that no server uses.

use std::fmt::Write as _;

use super::column::{TableColumn, integer_column, text_column, timestamp_column};
use super::table::TableSchema;

const CHANGE: &str = "ghl-bulk.op";
const SEQ: &str = "ghl-bulk.seq";
const SYNCED: &str = "ghl-bulk.synced";
const CHANGED: &str = "ghl-bulk.changed";
const DELETED: &str = "ghl-bulk.deleted";
const CHECKED: &str = "ghl-bulk.checked";

/// What all names of these columns begin with, and no other column's.
pub const SYNC_COLUMN_PREFIX: char = '_';

/// When a row was seen. Times are the server's, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowSyncFacts {
    /// What has changed, in a file of changes.
    pub change: Option<&'static str>,
    /// The number of the sync that last changed the row.
    pub seq: i64,
    /// When the server last said so.
    pub synced_ms: i64,
    /// When the row's last change was seen.
    pub changed_ms: i64,
    /// When it was seen that the record no longer exists.
    pub deleted_ms: Option<i64>,
    /// When the row was last compared with the account, in tables that have a column for it.
    pub checked_ms: Option<i64>,
}

impl RowSyncFacts {
    /// A row with these facts, as JSON text. `row` is a JSON object with at least one member.
    #[must_use]
    pub fn add_to_row(&self, row: &str) -> String {
        let mut text = String::with_capacity(row.len() + 240);
        let _ = write!(text, "{{\"{SEQ}\":{}", self.seq);
        if let Some(change) = self.change {
            let _ = write!(text, ",\"{CHANGE}\":\"{change}\"");
        }
        push_time(&mut text, SYNCED, Some(self.synced_ms));
        push_time(&mut text, CHANGED, Some(self.changed_ms));
        push_time(&mut text, DELETED, self.deleted_ms);
        push_time(&mut text, CHECKED, self.checked_ms);
        text.push(',');
        text.push_str(row.trim_start().strip_prefix('{').unwrap_or(row));
        text
    }
}

fn push_time(text: &mut String, key: &str, at_ms: Option<i64>) {
    let at = at_ms.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    if let Some(at) = at {
        let _ = write!(text, ",\"{key}\":\"{at:.3}\"");
    }
}

impl TableSchema {
    /// The table as a mirror has it. `of_changes` is whether it lists changes instead of the current state.
    #[must_use]
    pub fn with_sync_columns(mut self, of_changes: bool) -> Self {
        if of_changes {
            self.columns.push(text_column(
                "_op",
                CHANGE,
                "What happened: `insert`, `update`, `delete`, `return` (there again after it was deleted), or `reload` \
                 (the mirror was lost: the file has every row that exists).",
            ));
        }
        let is_of_notes = self.name == "notes";
        self.columns.extend(state_columns(is_of_notes));
        self
    }
}

fn state_columns(is_of_notes: bool) -> impl Iterator<Item = TableColumn> {
    let checked = is_of_notes.then(|| {
        timestamp_column(
            "_checked_at",
            CHECKED,
            "When the note was last compared with the account: its staleness is known row by row.",
        )
    });
    [
        integer_column("_seq", SEQ, "The number of the sync that last changed the row."),
        timestamp_column(
            "_synced_at",
            SYNCED,
            "When the server last said so: the sync that read the row or, if it is later, the last one that read everything.",
        ),
        timestamp_column(
            "_changed_at",
            CHANGED,
            "When the row's last change was seen. It happened between this sync and the one before.",
        ),
        timestamp_column("_deleted_at", DELETED, "When it was seen that the record no longer exists."),
    ]
    .into_iter()
    .chain(checked)
}
