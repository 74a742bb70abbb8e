//! The export of a mirror: its tables as files, replaced only when something has changed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use super::finish::{rows_by_table, warn_odd_rows, warn_type_mismatches};
use super::request::ExportRequest;
use super::{ExportError, lock_output};
use crate::api;
use crate::event::{ExportOutcome, ExportReport, SharedObserver};
use crate::failpoint::{self, FailPoint};
use crate::id::{LocationId, RunId};
use crate::mirror::{MirrorReader, SyncRecord};
use crate::publish::{self, ManifestMetadata, MirrorPosition};
use crate::run::{FileLock, RunStore};
use crate::table::TableFormat;

/// What the export of a mirror came to.
#[derive(Debug)]
pub enum MirrorExport {
    /// The files were written.
    Written(Box<ExportReport>),
    /// The output directory has them already.
    Unchanged(Box<ExportReport>),
}

/// Checks that the output directory has nothing that the export must not replace, before a sync sends its requests.
///
/// # Errors
/// With what is there instead.
pub fn check_output(request: &ExportRequest, location: &LocationId) -> Result<(), ExportError> {
    if request.replace {
        return Ok(());
    }
    let none = RunId::new(jiff::Timestamp::now());
    Ok(publish::ensure_replaceable(&request.out, &none, location, &request.scope())?)
}

/// Writes the tables of a location's mirror, which a sync has just brought up to date with these requests.
///
/// # Errors
/// When the output directory has something else, a file cannot be written, or the mirror is damaged or in use.
pub fn publish_mirror(
    home: &RunStore,
    location: &LocationId,
    request: &ExportRequest,
    requests: BTreeMap<String, u64>,
    observer: &SharedObserver,
) -> Result<MirrorExport, ExportError> {
    let started = Instant::now();
    let source = MirrorSource::open(home, location, request.sandbox)?;
    let formats: Vec<_> =
        request.formats.iter().filter_map(|name| TableFormat::from_name(name)).collect();
    let run = &source.sync.facts.run;
    let mut report = ExportReport {
        run: run.clone(),
        location: location.clone(),
        outcome: ExportOutcome::Complete,
        out: request.out.clone(),
        files: Vec::new(),
        rows: BTreeMap::new(),
        unreadable: 0,
        requests,
        refused: 0,
        elapsed: started.elapsed(),
    };
    let scope = request.scope();
    // The names of templates' files are theirs to say, so those are written each time.
    let current = publish::find_current_files(&request.out, &source.position, &scope, &formats)
        .filter(|_| request.templates.is_empty());
    let facts = source.manifest_facts(request, &report.requests)?;
    if let Some(files) = current {
        report.rows = rows_by_table(&files);
        report.files = files;
        let failures = source.reader.load_failures()?;
        report.unreadable = failures.iter().map(|failure| failure.records).sum();
        report.outcome = outcome_of(failures.is_empty());
        source.reader_done(&request.out)?;
        return Ok(MirrorExport::Unchanged(Box::new(report)));
    }
    let output = lock_output(home, request, run, location)?;
    let options = request.publish_options(facts.clone())?;
    let mut published =
        publish::write_mirror(&source.dir, output.staging_dir(), &options, observer)?;
    if !request.formats.is_empty() {
        warn_type_mismatches(&published, observer);
    }
    warn_odd_rows(&published, observer);
    failpoint::kill_if_due(FailPoint::DuringPublish);
    output.output_path().clone_into(&mut report.out);
    output.replace_export(facts, source.position.seq, &mut published)?;
    source.reader_done(&report.out)?;
    report.unreadable = published.unreadable();
    report.outcome = outcome_of(published.failures.is_empty());
    report.rows = rows_by_table(&published.files);
    report.files = published.files;
    report.elapsed = started.elapsed();
    Ok(MirrorExport::Written(Box::new(report)))
}

fn outcome_of(is_complete: bool) -> ExportOutcome {
    if is_complete { ExportOutcome::Complete } else { ExportOutcome::Partial }
}

/// A mirror that is published; no sync changes it meanwhile.
struct MirrorSource {
    dir: PathBuf,
    reader: MirrorReader,
    position: MirrorPosition,
    sync: SyncRecord,
    location: LocationId,
    _lock: FileLock,
}

impl MirrorSource {
    fn open(home: &RunStore, location: &LocationId, sandbox: bool) -> Result<Self, ExportError> {
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

    fn manifest_facts(
        &self,
        request: &ExportRequest,
        requests: &BTreeMap<String, u64>,
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
        })
    }

    /// Records that an output directory has what the mirror has.
    fn reader_done(&self, out: &std::path::Path) -> Result<(), ExportError> {
        let name = out.display().to_string();
        Ok(self.reader.record_reader(&name, self.position.seq)?)
    }
}
