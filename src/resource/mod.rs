//! The resources: the records of the API, and the columns of their tables.
//!
//! [`RESOURCES`] is the only list of columns: Parquet, CSV, JSON Lines and `ghl-bulk schema tables`
//! all derive from it. A [`RowDecoder`] turns raw JSON rows, as the server sent them, into Arrow
//! record batches.
//!
//! Nothing that the server sent is lost: members without a column, and values that a column cannot
//! reproduce exactly, are kept as raw text in the last column, `extra`; [`rebuild_row()`] restores
//! the row. Three differences do not count as a loss: `null` equals absent, a number equals the
//! same number written differently, and a derived key ([`DerivedKey`]) is dropped if it is
//! redundant. Of a key that is repeated within an object only the last value counts.
//!
//! To add a resource: a file in this directory, its `mod` line, and its line in [`RESOURCES`].
//! Nothing here knows HTTP, runs, files or output formats.

mod appointments;
mod businesses;
mod canonical_json;
mod column;
mod column_builder;
mod column_name;
mod contacts;
mod content_digest;
mod custom_fields;
mod custom_values;
mod decode_plan;
mod decoder;
mod derived;
mod extra;
mod fields;
mod json_scan;
mod notes;
mod raw_rows;
mod rebuild;
mod row;
mod scalar;
mod sort_key;
mod sync_columns;
mod table;
mod tags;
mod tasks;
#[cfg(test)]
mod tests;
mod users;

pub use appointments::APPOINTMENTS;
pub use businesses::BUSINESSES;
pub use column::{ColumnKind, ColumnSource, CustomFieldSource, JSON_KIND, KIND, TableColumn};
pub use column_name::custom_column_name;
pub use contacts::CONTACTS;
pub use content_digest::{RowDigest, RowDigester, without_page_cursor};
pub use custom_fields::CUSTOM_FIELDS;
pub use decoder::{CustomValueCounts, RowDecoder};
pub use derived::{DerivedKey, DerivedRule};
pub use fields::{
    CustomFieldColumns, FieldColumn, MAX_CUSTOM_COLUMNS, assign_field_columns, rename_field_columns,
};
pub use notes::NOTES;
pub use raw_rows::{find_text_member, has_true_member, response_rows};
pub use rebuild::rebuild_row;
pub use sort_key::{RowSortKey, SortKeyReader, UNDATED};
pub use sync_columns::{RowSyncFacts, SYNC_COLUMN_PREFIX};
pub use table::{ResourceSpec, TableSchema};
pub use tags::TAGS;
pub use tasks::TASKS;
pub use users::USERS;

/// Every resource, in the order of help and documentation.
pub const RESOURCES: &[&ResourceSpec] =
    &[&CONTACTS, &TASKS, &NOTES, &APPOINTMENTS, &CUSTOM_FIELDS, &USERS, &TAGS, &BUSINESSES];

/// Why a row could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum RowDecodeError {
    /// The text is not a JSON object with an id; the row is in no table and must be reported.
    #[error("{table}: not a row: {reason}: `{excerpt}`")]
    NotARow {
        /// The table of the row.
        table: &'static str,
        /// What is wrong with it.
        reason: String,
        /// The beginning of the row, with control characters escaped.
        excerpt: String,
    },
    /// The batch has reached its maximum size; finish it and push the row again.
    #[error("{table}: the batch is full")]
    Full {
        /// The table of the batch.
        table: &'static str,
    },
}

impl RowDecodeError {
    fn not_a_row(table: &'static str, reason: impl Into<String>, row: &str) -> Self {
        let excerpt = crate::text::truncate_text(row, 80).escape_debug().to_string();
        Self::NotARow { table, reason: reason.into(), excerpt }
    }
}
