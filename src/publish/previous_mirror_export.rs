//! The export of a mirror that is in an output directory.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::PublishError;
use super::manifest::{self, ManifestMetadata, PreviousManifest};
use super::manifest_fields::{self, ManifestCustomField, SchemaChange};
use super::mirror_facts::{MirrorFacts, MirrorPosition};
use crate::resource::FieldColumn;

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

    /// Whether it has a table.
    #[must_use]
    pub fn has_table(&self, table: &str) -> bool {
        self.manifest.has_table(table)
    }

    /// What has become of the columns of custom fields since then.
    #[must_use]
    pub fn compare_columns(&self, now: &[FieldColumn]) -> Vec<SchemaChange> {
        let now = ManifestCustomField::by_column(now);
        manifest_fields::compare_fields(&self.manifest.custom_fields, &now)
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
    for key in ["run", "tool_version", "started", "finished", "watermark", "requests", "coverage"] {
        stored.extend(now.get(key).map(|value| (key.to_owned(), value.clone())));
    }
    manifest::replace_file(out, &stored)
}
