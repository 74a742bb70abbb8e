//! What the manifest of a mirror's export says in addition to that of other exports.

use serde::{Deserialize, Serialize};

use super::manifest_fields::SchemaChange;
use crate::event::WrittenFile;
use crate::mirror::{DeletedRows, MirrorError, MirrorReader, NoteCoverage, RecordKind, SyncRecord};
use crate::resource::FieldColumn;

/// A state of a mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorPosition {
    /// The mirror's id.
    pub id: String,
    /// The number of the last sync that changed anything.
    pub seq: i64,
}

/// How a mirror was published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MirrorFacts {
    /// Whether the tables have records that no longer exist.
    pub deleted: DeletedRows,
    /// The files of changes, if they are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<ChangesPosition>,
    /// What has become of the columns of custom fields since the export before.
    #[serde(default)]
    pub schema_changes: Vec<SchemaChange>,
    /// How old what the tables say may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<MirrorCoverage>,
    /// The columns of custom fields.
    #[serde(skip)]
    pub field_columns: Vec<FieldColumn>,
}

/// How old what a mirror says may be. Times are the server's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MirrorCoverage {
    /// When contacts were last read: edits and deletions up to then are known, unless they are silent.
    pub contacts: jiff::Timestamp,
    /// When everything was last read: silent edits, and those of tasks and notes of contacts that did not move. Notes
    /// and tasks may have been read at other times.
    pub everything: jiff::Timestamp,
    /// When appointments were last read as a whole, if they are kept up to date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointments: Option<jiff::Timestamp>,
    /// When businesses were last read as a whole, if they are kept up to date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub businesses: Option<jiff::Timestamp>,
    /// How many contacts had changed silently when everything was last read.
    pub silent_contacts: u64,
    /// When all tasks were last read, whether or not their contacts had changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<jiff::Timestamp>,
    /// How notes are read, and when those of each contact were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<NoteCoverage>,
}

impl MirrorCoverage {
    /// How old what a mirror says after a sync may be; `None` if everything was never read.
    pub fn measure(mirror: &MirrorReader, sync: &SyncRecord) -> Result<Option<Self>, MirrorError> {
        let Some(walk) = mirror.last_walk()? else { return Ok(None) };
        let time = |sync: &SyncRecord| {
            let watermark = jiff::Timestamp::from_millisecond(sync.facts.watermark_ms);
            watermark.unwrap_or(sync.facts.started)
        };
        let tasks_ms = sync.facts.tasks_ms;
        Ok(Some(Self {
            contacts: time(sync),
            everything: time(&walk),
            appointments: mirror.last_reading_of(RecordKind::Appointment)?.as_ref().map(time),
            businesses: mirror.last_reading_of(RecordKind::Business)?.as_ref().map(time),
            silent_contacts: walk.facts.silent_changes,
            tasks: tasks_ms.and_then(|at| jiff::Timestamp::from_millisecond(at).ok()),
            notes: Some(mirror.note_coverage(jiff::Timestamp::now())?),
        }))
    }
}

/// How far the files of changes are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangesPosition {
    /// The last sync whose changes are in them.
    pub seq: i64,
    /// The files that were written last.
    pub files: Vec<WrittenFile>,
}
