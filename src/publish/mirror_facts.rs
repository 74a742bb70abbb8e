//! What the manifest of a mirror's export says in addition to that of other exports.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::PublishError;
use super::manifest::{self, ManifestCustomField, ManifestMetadata, PreviousManifest};
use super::schema_changes::{self, SchemaChange};
use crate::event::WrittenFile;
use crate::mirror::DeletedRows;
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
    /// The columns of custom fields.
    #[serde(skip)]
    pub field_columns: Vec<FieldColumn>,
}

/// How far the files of changes are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangesPosition {
    /// The last sync whose changes are in them.
    pub seq: i64,
    /// The files that were written last.
    pub files: Vec<WrittenFile>,
}

/// What an earlier export of a mirror left in an output directory.
#[derive(Debug)]
pub struct PreviousMirrorExport {
    /// The state of the mirror.
    pub position: MirrorPosition,
    /// How it was published.
    pub facts: MirrorFacts,
    manifest: PreviousManifest,
}

impl PreviousMirrorExport {
    /// Reads the manifest in a directory, if it is that of a mirror's export.
    #[must_use]
    pub fn read(out: &Path) -> Option<Self> {
        let mut manifest = PreviousManifest::read(out)?;
        let (position, facts) = (manifest.mirror.take()?, manifest.mirror_facts.take()?);
        Some(Self { position, facts, manifest })
    }

    /// What has become of the columns of custom fields since then.
    #[must_use]
    pub fn compare_columns(&self, now: &[FieldColumn]) -> Vec<SchemaChange> {
        let now = ManifestCustomField::by_column(now);
        schema_changes::compare_fields(&self.manifest.custom_fields, &now)
    }
}

/// Rewrites what a manifest says of the sync, whose mirror the directory has already: its age is how old the data may be.
///
/// # Errors
/// When it cannot be written.
pub fn refresh_manifest(out: &Path, facts: &ManifestMetadata) -> Result<(), PublishError> {
    let path = out.join(manifest::FILE);
    let fail = |source| PublishError::from_io_error(&path, source);
    let text = std::fs::read(&path).map_err(fail)?;
    let Ok(mut stored) = serde_json::from_slice::<Map<String, Value>>(&text) else { return Ok(()) };
    let Value::Object(now) = json!(facts) else { return Ok(()) };
    for key in ["run", "tool_version", "started", "finished", "watermark", "requests"] {
        stored.extend(now.get(key).map(|value| (key.to_owned(), value.clone())));
    }
    manifest::replace_file(out, &stored)
}
