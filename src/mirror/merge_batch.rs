//! What is merged into a mirror: rows in batches, and what ends a merge.

use super::note_readings::NotesEnd;
use super::record::RecordKind;
use crate::resource::FieldColumn;
use crate::run::FetchFailure;

/// A row that a sync has read.
#[derive(Debug, Clone)]
pub struct MergeRow {
    /// The kind.
    pub kind: RecordKind,
    /// When it was added, in milliseconds since 1970; the minimum if that is unknown.
    pub added_ms: i64,
    /// Its id.
    pub id: String,
    /// The contact that it belongs to.
    pub parent: Option<String>,
    /// The digest of what it says.
    pub digest: [u8; 16],
    /// Whether it says itself that it has not changed since the last sync. A change of it is silent: only a walk finds it.
    pub claims_unchanged: bool,
    /// Whether it counts only if nothing is known of its record: it was written in another way than rows usually are.
    pub is_fallback: bool,
    /// The row, as the server sent it.
    pub body: Box<str>,
}

/// What is merged in one transaction.
#[derive(Debug, Default)]
pub struct MergeBatch {
    /// Rows that the server sent.
    pub rows: Vec<MergeRow>,
    /// Records that the server has said no longer exist.
    pub deleted: Vec<(RecordKind, String)>,
    /// The contacts whose own lists of notes were read.
    pub note_lists: Vec<String>,
    /// The last entry of the spool whose rows are in the mirror after it.
    pub place: i64,
}

/// What ends a merge.
#[derive(Debug, Default)]
pub struct MergeEnd {
    /// Lists that were read as a whole, with the ids that they have: other records of the kind no longer exist.
    pub whole_lists: Vec<(RecordKind, Vec<String>)>,
    /// The location's settings, if they were read.
    pub location_settings: Option<String>,
    /// The records that could not be read.
    pub failures: Vec<FetchFailure>,
    /// What was read of notes as a whole.
    pub notes: NotesEnd,
    /// The columns of custom fields: those that were known, in their order, then new ones.
    pub field_columns: Vec<FieldColumn>,
}
