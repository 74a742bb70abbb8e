//! The mirror: the current state of every record of one location, in one SQLite database.
//!
//! Each record has its content as the server sent it, a digest of what it says, and the numbers of the syncs that first
//! saw, last changed and deleted it; what it said before stays as a former version. A sync merges what it has read in
//! transactions of many rows, each with its place in the run's spool, so that a merge that was killed goes on, and
//! merging a spool twice is merging it once. What is no longer current is removed when it is old (`retention`). The mirror is a copy: if it is lost or damaged, the next sync reads
//! everything again. Events about changes wait in its outbox for their sinks. It knows rows by kind and id, and does not
//! look into them; it knows no requests.

mod body_codec;
mod body_dictionary;
mod change_log;
mod erasure;
mod error;
mod failures;
mod field_columns;
mod inspection;
mod keep_time;
mod last_snapshot;
mod merge_batch;
mod mirror_db;
mod mirror_reader;
mod mirror_writer;
mod note_coverage;
mod note_facts;
mod note_readings;
mod outbox;
mod readers;
mod reading_times;
mod record;
mod record_merge;
mod retention;
mod snapshot_rows;
mod stored_record;
mod sync_log;
#[cfg(test)]
mod tests;

pub use change_log::{ChangeKind, NetChange, RecordChange};
pub use erasure::ErasedRows;
pub use error::MirrorError;
pub use inspection::{KnownReader, RecordCounts, RecordText};
pub use keep_time::{KeepTime, RequestedRetention, RetentionRules};
pub use last_snapshot::LastSnapshot;
pub use merge_batch::{MergeBatch, MergeEnd, MergeRow};
pub use mirror_reader::{DeletedRows, MirrorReader, MirrorRow, RecordVersion};
pub use mirror_writer::MirrorWriter;
pub use note_coverage::NoteCoverage;
pub use note_facts::{NoteFacts, NoteRefreshMode};
pub use note_readings::{NoteAges, NotesEnd};
pub use outbox::{
    ChangePosition, DueTask, LONGEST_DELAY_MS, NewEvent, Outbox, OutboxEvent, TaskDueChange,
};
pub use readers::{ReaderKind, ReaderPosition, ReaderProgress};
pub use reading_times::NoteReadingTimes;
pub use record::RecordKind;
pub use retention::{RemovedCounts, RetentionState};
pub use snapshot_rows::SnapshotRow;
pub use sync_log::{SyncCounts, SyncFacts, SyncKind, SyncRecord, SyncState};

use std::path::{Path, PathBuf};

/// The name of a mirror's database.
pub const DATABASE: &str = "mirror.db";

/// The database in the directory of a mirror.
#[must_use]
pub fn database_path(dir: &Path) -> PathBuf {
    dir.join(DATABASE)
}
