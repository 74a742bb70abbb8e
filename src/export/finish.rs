//! The end of an export: its manifest, what the user should know, and the files in their place.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::request::ExportRequest;
use super::{ExportError, facts};
use crate::api;
use crate::diagnostic::EventWarningCode;
use crate::event::{
    ExportOutcome, ExportReport, RunEvent, RunWarning, SharedObserver, WrittenFile,
};
use crate::publish::{self, LockedOutputDir, ManifestMetadata, PublishReport};
use crate::run::{Run, RunState, SpoolReader, stream};
use crate::text::{format_plural, select_plural};

/// How far the search may lag behind a write (api.md §2.10): the next watermark is this much
/// earlier.
const INDEX_LAG: Duration = Duration::from_mins(10);

/// Fewer contacts may all lack custom fields: one that is read by its id has only what is set.
const FEW_CONTACTS: u64 = 100;

/// The facts of a run that its manifest states.
pub(super) fn manifest_facts(
    run: &Run,
    request: &ExportRequest,
) -> Result<ManifestMetadata, ExportError> {
    let meta = &run.meta;
    let reader = SpoolReader::open(&run.db_path())?;
    let location = reader.next_entry(stream::LOCATION, 0)?;
    let location = location.and_then(|entry| api::LocationDetails::from_json(&entry.body).ok());
    Ok(ManifestMetadata {
        run: meta.run.clone(),
        location: meta.location.clone(),
        location_name: location.and_then(|location| location.name),
        api_version: api::VERSION.to_owned(),
        tool_version: meta.tool.clone(),
        started: meta.created,
        finished: run.read_fact(&facts::FETCHED_AT)?,
        watermark: meta.created - INDEX_LAG,
        filter: request.manifest_filter(),
        request: request.scope(),
        requests: run.read_fact(&facts::REQUESTS)?.unwrap_or_default(),
        mirror: None,
        mirror_facts: None,
        snapshot: None,
    })
}

/// One warning for all values that do not fit, with the columns that have most of them.
pub(super) fn warn_type_mismatches(published: &PublishReport, observer: &SharedObserver) {
    const NAMED: usize = 4;
    let mut type_mismatches: Vec<_> = published.type_mismatches.iter().collect();
    type_mismatches.sort_by_key(|(column, count)| (std::cmp::Reverse(*count), column));
    let all: u64 = type_mismatches.iter().map(|(_, count)| count).sum();
    if all == 0 {
        return;
    }
    let named =
        type_mismatches.iter().take(NAMED).map(|(column, count)| format!("{column} ({count})"));
    let more = type_mismatches.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| format!("{more} more columns"));
    let columns = named.chain(more).collect::<Vec<_>>().join(", ");
    let misfit = select_plural(
        all,
        "does not fit its column's type; it is kept",
        "do not fit their column's type; they are kept",
    );
    let summary = format!("{} {misfit} in `extra`", format_plural(all, "value"));
    let warning = RunWarning::new(EventWarningCode::Misfit, format!("{summary}: {columns}"))
        .about(type_mismatches.iter().map(|(column, _)| column));
    observer.observe(&RunEvent::Warning(warning));
}

/// One warning each for what the server sent in another way than it should have.
pub(super) fn warn_odd_rows(published: &PublishReport, observer: &SharedObserver) {
    let warn = |code, message| {
        observer.observe(&RunEvent::Warning(RunWarning::new(code, message)));
    };
    if published.deleted_tasks > 0 {
        let tasks = format_plural(published.deleted_tasks, "deleted task");
        let are = select_plural(published.deleted_tasks, "is", "are");
        let message = format!("{tasks} that the server sent {are} left out");
        warn(EventWarningCode::DeletedTasks, message);
    }
    let counts = published.custom_values;
    let contacts = format_plural(counts.unreadable, "contact");
    if counts.unreadable > 0 {
        let message = format!(
            "custom fields of {contacts} are in a form that cannot be read; they are kept in `extra`"
        );
        warn(EventWarningCode::CustomFieldsUnreadable, message);
    } else if counts.rows >= FEW_CONTACTS && counts.present == 0 {
        let contacts = format_plural(counts.rows, "contact");
        let message =
            format!("the server sent no custom fields of {contacts}, not even empty ones");
        warn(EventWarningCode::CustomFieldsUnreadable, message);
    }
}

/// Puts the files in place and stores how the run ended.
pub(super) fn commit_output(
    run: &Run,
    facts: ManifestMetadata,
    output: LockedOutputDir,
    published: Result<PublishReport, publish::PublishError>,
    started: Instant,
    refused: u64,
    observer: &SharedObserver,
) -> Result<ExportReport, ExportError> {
    let mut published = published?;
    let requests = facts.requests.clone();
    let out = output.output_path().to_owned();
    let entries = SpoolReader::open(&run.db_path())?.last_seq()?;
    let ignored = output.replace_export(facts, entries, &mut published)?;
    if ignored > 0 {
        let message = format!(
            "the old `manifest.json` in `{}` names {ignored} files that no export writes; they were left alone",
            out.display()
        );
        let warning = RunWarning::new(EventWarningCode::ManifestNamesIgnored, message);
        observer.observe(&RunEvent::Warning(warning));
    }
    let unreadable = published.unreadable();
    let (state, outcome) = if published.failures.is_empty() {
        (RunState::Complete, ExportOutcome::Complete)
    } else {
        (RunState::Partial, ExportOutcome::Partial)
    };
    run.set_state(state)?;
    run.write_fact(&facts::ERRORS_ONLY, &false)?;
    Ok(ExportReport {
        run: run.meta.run.clone(),
        location: run.meta.location.clone(),
        outcome,
        out,
        rows: rows_by_table(&published.files),
        files: published.files,
        unreadable,
        requests,
        refused,
        elapsed: started.elapsed(),
    })
}

/// Rows by table: the same in all formats, but a template may be split into several files.
pub(super) fn rows_by_table(files: &[WrittenFile]) -> BTreeMap<String, u64> {
    let mut rows = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        let same = |it: &WrittenFile| it.table == file.table && it.format == file.format;
        let before = if files[..at].iter().any(same) { rows[&file.table] } else { 0 };
        rows.insert(file.table.clone(), before + file.rows);
    }
    rows
}
