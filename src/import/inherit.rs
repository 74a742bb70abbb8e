//! A result file that is imported again: the mapping and the options of its run apply without saying them again.

use std::path::Path;

use serde::Deserialize;

use super::results::source_sheet::{REJECTED_CSV, REJECTED_WORKBOOK};
use super::{ImportRequest, UnmappedRule};
use crate::id::RunId;
use crate::run::{RunKind, RunStore};

/// The result files with rows that are meant to be imported again.
const REPEATED_FILES: [&str; 3] = [REJECTED_CSV, REJECTED_WORKBOOK, "pending.csv"];
/// The largest `summary.json` that is read, in bytes.
const MAX_SUMMARY: u64 = 1 << 20;

#[derive(Deserialize)]
struct ResultSummary {
    run: RunId,
}

/// Completes the request for a result file with what its run was asked for. What the request says itself takes
/// precedence. Returns the run, if there is one.
pub fn inherit_request(request: &mut ImportRequest, home: &RunStore) -> Option<RunId> {
    let run = origin_run(&request.file)?;
    let (meta, _) = home.run_summary(&run).ok()?.known.ok()?;
    if meta.kind != RunKind::Import {
        return None;
    }
    let origin: ImportRequest = serde_json::from_value(meta.options).ok()?;
    if request.mapping.is_none() && request.preset.is_none() {
        request.mapping = origin.mapping;
        request.preset = origin.preset;
    }
    // Later rules take precedence.
    request.rules.splice(0..0, origin.rules);
    request.ignore.extend(origin.ignore);
    request.create_fields.extend(origin.create_fields);
    // The run has created them.
    request.fields_may_exist = true;
    request.tags.extend(origin.tags);
    request.assign_to = request.assign_to.take().or(origin.assign_to);
    if request.unmapped == UnmappedRule::default() {
        request.unmapped = origin.unmapped;
    }
    request.options = std::mem::take(&mut request.options).or(origin.options);
    request.max_errors = request.max_errors.or(origin.max_errors);
    Some(run)
}

/// The run that wrote a result file, as the summary beside it says.
fn origin_run(file: &Path) -> Option<RunId> {
    let name = file.file_name()?.to_str()?;
    if !REPEATED_FILES.contains(&name) {
        return None;
    }
    let summary = file.with_file_name("summary.json");
    if summary.metadata().ok()?.len() > MAX_SUMMARY {
        return None;
    }
    let summary: ResultSummary = serde_json::from_slice(&std::fs::read(summary).ok()?).ok()?;
    Some(summary.run)
}
