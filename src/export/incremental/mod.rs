//! The export of a mirror: its tables as files, replaced only when something has changed, and beside them files with what
//! has changed.
//!
//! The order of commits: the mirror notes which changes are about to be shown; files of changes are put in place; the
//! tables are replaced, the manifest last; the mirror notes how far the directory is. What was interrupted is completed
//! first, since a loader may have seen a part of it.

mod change_plan;
mod contract;
mod mirror_source;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use super::finish::{rows_by_table, warn_odd_rows, warn_type_mismatches};
use super::request::ExportRequest;
use super::{ExportError, lock_output};
use crate::event::{ExportOutcome, ExportReport, SharedObserver, WrittenFile};
use crate::failpoint::{self, FailPoint};
use crate::id::{LocationId, RunId};
use crate::mirror::{DeletedRows, ReaderPosition, RecordKind};
use crate::publish::{
    self, ChangeRange, ChangesPosition, ManifestMetadata, MirrorFacts, PreviousMirrorExport,
    PublishReport, StagedChanges,
};
use crate::run::RunStore;
use crate::table::TableFormat;

use mirror_source::MirrorSource;

pub use contract::{SchemaContract, describe_change};

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

/// How the mirror is published.
#[derive(Debug, Clone, Copy, Default)]
pub struct IncrementalOptions {
    /// Whether files of changes are written beside the tables.
    pub changes: bool,
    /// Whether the tables have records that no longer exist.
    pub deleted: DeletedRows,
    /// What happens when custom fields have changed.
    pub contract: SchemaContract,
    /// Whether columns of custom fields are named by what the fields are called now.
    pub rename_columns: bool,
}

/// Writes the tables of a location's mirror, which a sync has just brought up to date with these requests.
///
/// # Errors
/// When the output directory has something else, a file cannot be written, custom fields have changed against the
/// contract, or the mirror is damaged or in use.
pub fn publish_mirror(
    home: &RunStore,
    location: &LocationId,
    request: &ExportRequest,
    options: IncrementalOptions,
    requests: BTreeMap<String, u64>,
    observer: &SharedObserver,
) -> Result<MirrorExport, ExportError> {
    let started = Instant::now();
    let source = MirrorSource::open(home, location, request.sandbox)?;
    if options.rename_columns {
        source.rename_columns()?;
    }
    let publication = Publication::plan(&source, request, options)?;
    let mut report = ExportReport {
        run: source.sync.facts.run.clone(),
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
    let facts =
        source.manifest_facts(request, &report.requests, publication.mirror_facts.clone())?;
    if let Some(files) = publication.find_current_files(&source, request) {
        report.rows = rows_by_table(&files);
        report.files = files;
        let failures = source.reader.load_failures()?;
        report.unreadable = failures.iter().map(|failure| failure.records).sum();
        report.outcome = outcome_of(failures.is_empty());
        publish::refresh_manifest(&request.out, &facts)?;
        record_end(&source, &request.out)?;
        return Ok(MirrorExport::Unchanged(Box::new(report)));
    }
    let (published, changes) = publication.write(home, &source, request, facts, observer)?;
    record_end(&source, &request.out)?;
    report.unreadable = published.unreadable();
    report.outcome = outcome_of(published.failures.is_empty());
    report.rows = rows_by_table(&published.files);
    report.files = published.files.into_iter().chain(changes).collect();
    report.elapsed = started.elapsed();
    Ok(MirrorExport::Written(Box::new(report)))
}

/// What is written.
struct Publication {
    ranges: Vec<ChangeRange>,
    deleted: DeletedRows,
    mirror_facts: MirrorFacts,
    /// The last sync that the directory knew.
    previous_seq: i64,
}

impl Publication {
    fn plan(
        source: &MirrorSource,
        request: &ExportRequest,
        options: IncrementalOptions,
    ) -> Result<Self, ExportError> {
        let previous = PreviousMirrorExport::read(&request.out);
        let field_columns = source.reader.load_field_columns(i64::MAX)?;
        let compared = previous.as_ref().map(|previous| previous.compare_columns(&field_columns));
        let schema_changes = compared.unwrap_or_default();
        options.contract.check(&schema_changes)?;
        let (mut ranges, mut changes) = (Vec::new(), None);
        if options.changes {
            let reader = source.find_reader(&request.out)?;
            // A loader learns of the records of such a table only if it gets everything again.
            let known = match &previous {
                Some(it) if lacks_earlier_records(source, request, it)? => None,
                known => known.as_ref(),
            };
            ranges = change_plan::plan_changes(&source.position, known, reader);
            changes = Some(ChangesPosition { seq: source.position.seq, files: Vec::new() });
        } else if let Some(previous) = &previous {
            // They go on from where they are once they are asked for again.
            let is_same = previous.position.id == source.position.id;
            changes = previous.facts.changes.clone().filter(|_| is_same);
        }
        let deleted = options.deleted;
        let coverage = source.coverage()?;
        let mirror_facts =
            MirrorFacts { deleted, changes, schema_changes, coverage, field_columns };
        let previous_seq = previous.map_or(0, |previous| previous.position.seq);
        Ok(Self { ranges, deleted, mirror_facts, previous_seq })
    }

    /// The files in the output directory, if nothing has to be written.
    fn find_current_files(
        &self,
        source: &MirrorSource,
        request: &ExportRequest,
    ) -> Option<Vec<WrittenFile>> {
        // The names of templates' files are theirs to say, so those are written each time.
        let has_other_columns = !self.mirror_facts.schema_changes.is_empty();
        if !request.templates.is_empty() || !self.ranges.is_empty() || has_other_columns {
            return None;
        }
        let formats = request.formats.iter().filter_map(|name| TableFormat::from_name(name));
        let formats: Vec<_> = formats.collect();
        let position = (&source.position, &self.mirror_facts);
        publish::find_current_files(&request.out, position, &request.scope(), &formats)
    }

    fn write(
        &self,
        home: &RunStore,
        source: &MirrorSource,
        request: &ExportRequest,
        mut facts: ManifestMetadata,
        observer: &SharedObserver,
    ) -> Result<(PublishReport, Vec<WrittenFile>), ExportError> {
        source.reader.check_integrity()?;
        let output = lock_output(home, request, &source.sync.facts.run, &source.location)?;
        let options = request.publish_options(facts.clone(), home)?;
        let staging = output.staging_dir();
        let mut published =
            publish::write_mirror(&source.dir, staging, &options, self.deleted, observer)?;
        if !request.formats.is_empty() {
            warn_type_mismatches(&published, observer);
        }
        warn_odd_rows(&published, observer);
        let span = (self.previous_seq, source.position.seq);
        let schema_changes = &self.mirror_facts.schema_changes;
        contract::warn_schema_changes(schema_changes, &source.reader, span, observer)?;
        let staged = self
            .ranges
            .iter()
            .map(|range| publish::write_changes(&source.dir, staging, &options, *range, observer));
        let staged = staged.collect::<Result<Vec<_>, _>>()?;
        failpoint::kill_if_due(FailPoint::DuringPublish);
        self.record_begin(source, &request.out)?;
        for changes in &staged {
            output.place_changes(changes)?;
        }
        let changes: Vec<_> = staged.iter().flat_map(StagedChanges::files).collect();
        if let Some(facts) = &mut facts.mirror_facts
            && let Some(position) = facts.changes.as_mut().filter(|_| !staged.is_empty())
        {
            position.files.clone_from(&changes);
        }
        output.replace_export(facts, source.position.seq, &mut published)?;
        failpoint::kill_if_due(FailPoint::AfterPublish);
        Ok((published, changes))
    }

    /// Records which changes are about to be shown to loaders.
    fn record_begin(&self, source: &MirrorSource, out: &Path) -> Result<(), ExportError> {
        let Some(first) = change_plan::first_place(&self.ranges) else { return Ok(()) };
        let until = self.ranges[0].until;
        let known = source.find_reader(out)?.map_or(0, |reader| reader.seq);
        let position = ReaderPosition { seq: known, pending: Some((first, until)) };
        source.record_reader(out, position)
    }
}

/// Whether a table is asked for now that the directory did not have, and of which the mirror had records before.
fn lacks_earlier_records(
    source: &MirrorSource,
    request: &ExportRequest,
    previous: &PreviousMirrorExport,
) -> Result<bool, ExportError> {
    let Some(changes) = &previous.facts.changes else { return Ok(false) };
    let extra = [
        (request.tables.appointments, RecordKind::Appointment),
        (request.tables.businesses, RecordKind::Business),
    ];
    for (is_wanted, kind) in extra {
        if is_wanted
            && !previous.has_table(kind.table_name())
            && source.reader.has_records_until(kind, changes.seq)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Records that the output directory has what the mirror has.
fn record_end(source: &MirrorSource, out: &Path) -> Result<(), ExportError> {
    source.record_reader(out, ReaderPosition { seq: source.position.seq, pending: None })
}

fn outcome_of(is_complete: bool) -> ExportOutcome {
    if is_complete { ExportOutcome::Complete } else { ExportOutcome::Partial }
}
