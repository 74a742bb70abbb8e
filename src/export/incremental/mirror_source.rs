//! A mirror while its tables are written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::{ExportError, ExportRequest};
use crate::api;
use crate::id::LocationId;
use crate::mirror::{MirrorReader, MirrorWriter, ReaderPosition, SyncRecord};
use crate::publish::{ManifestMetadata, MirrorCoverage, MirrorFacts, MirrorPosition};
use crate::resource;
use crate::run::{FileLock, RunStore};

/// A mirror that is published; no sync changes it meanwhile.
pub(super) struct MirrorSource {
    pub(super) dir: PathBuf,
    pub(super) reader: MirrorReader,
    pub(super) position: MirrorPosition,
    pub(super) sync: SyncRecord,
    pub(super) location: LocationId,
    _lock: FileLock,
}

impl MirrorSource {
    pub(super) fn open(
        home: &RunStore,
        location: &LocationId,
        sandbox: bool,
    ) -> Result<Self, ExportError> {
        let dir = home.mirror_dir(location, sandbox);
        let missing = || ExportError::Request(format!("location `{location}` has no mirror"));
        let reader = MirrorReader::open(&dir)?.ok_or_else(missing)?;
        let last = reader.last_sync()?.ok_or_else(missing)?;
        let lock = home.lock_mirror(location, sandbox, &last.facts.run)?;
        // Another sync may have ended before the lock was taken.
        let sync = reader.last_sync()?.ok_or_else(missing)?;
        if reader.is_merging()? {
            return Err(ExportError::Request(
                "another sync of the location was killed meanwhile; start the command again"
                    .to_owned(),
            ));
        }
        let position = MirrorPosition { id: reader.mirror_id()?, seq: reader.last_change()? };
        Ok(Self { dir, reader, position, sync, location: location.clone(), _lock: lock })
    }

    pub(super) fn manifest_facts(
        &self,
        request: &ExportRequest,
        requests: &BTreeMap<String, u64>,
        mirror_facts: MirrorFacts,
    ) -> Result<ManifestMetadata, ExportError> {
        let settings = self.reader.location_settings()?;
        let settings =
            settings.and_then(|text| api::LocationDetails::from_json(text.as_bytes()).ok());
        let facts = &self.sync.facts;
        let watermark = jiff::Timestamp::from_millisecond(facts.watermark_ms);
        Ok(ManifestMetadata {
            run: facts.run.clone(),
            location: self.location.clone(),
            location_name: settings.and_then(|settings| settings.name),
            api_version: api::VERSION.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            started: facts.started,
            finished: Some(jiff::Timestamp::now()),
            watermark: watermark.unwrap_or(facts.started),
            filter: None,
            request: request.scope(),
            requests: requests.clone(),
            mirror: Some(self.position.clone()),
            mirror_facts: Some(mirror_facts),
            snapshot: None,
        })
    }

    /// How old what the mirror says may be.
    pub(super) fn coverage(&self) -> Result<Option<MirrorCoverage>, ExportError> {
        Ok(MirrorCoverage::measure(&self.reader, &self.sync)?)
    }

    /// How far an output directory was when it was last written.
    pub(super) fn find_reader(&self, out: &Path) -> Result<Option<ReaderPosition>, ExportError> {
        Ok(self.reader.find_reader(&reader_name(out))?)
    }

    /// Records how far an output directory is.
    pub(super) fn record_reader(
        &self,
        out: &Path,
        position: ReaderPosition,
    ) -> Result<(), ExportError> {
        Ok(self.reader.record_reader(&reader_name(out), position)?)
    }

    /// Names the columns of custom fields by what the fields are called now.
    pub(super) fn rename_columns(&self) -> Result<(), ExportError> {
        let known = self.reader.load_field_columns(i64::MAX)?;
        let writer = MirrorWriter::open(&self.dir, &self.location)?;
        Ok(writer.rename_field_columns(&resource::rename_field_columns(&known))?)
    }
}

/// The name under which the mirror knows an output directory: the same one, however its path is written.
fn reader_name(out: &Path) -> String {
    out.canonicalize().unwrap_or_else(|_| out.to_owned()).display().to_string()
}
