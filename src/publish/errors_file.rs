//! `errors.csv`: a row for every record that could not be read.

use std::path::Path;

use super::{PublishError, streams};
use crate::run::FetchFailure;
use crate::table::{FormulaGuardMode, guard_formula};

/// The file's name.
pub(super) const FILE: &str = "errors.csv";

/// Writes the file, unless there are no failures.
pub(super) fn write_failures(
    staging: &Path,
    failures: &[FetchFailure],
) -> Result<(), PublishError> {
    if failures.is_empty() {
        return Ok(());
    }
    let path = staging.join(FILE);
    let fail = |source: csv::Error| PublishError::from_io_error(&path, source.into());
    let mut file = csv::Writer::from_path(&path).map_err(fail)?;
    file.write_record(["table", "subject", "code", "message", "status", "trace_id"])
        .map_err(fail)?;
    for failure in failures {
        let status = failure.status.map(|status| status.to_string()).unwrap_or_default();
        let trace_id = failure.trace_id.as_deref().unwrap_or_default();
        let cells = [
            streams::table_name(&failure.stream),
            &failure.subject,
            failure.code.spelling(),
            &failure.message,
            &status,
            trace_id,
        ];
        let cells = cells.map(|cell| guard_formula(cell, FormulaGuardMode::Formulas));
        file.write_record(cells.iter().map(|cell| cell.as_bytes())).map_err(fail)?;
    }
    let file = file
        .into_inner()
        .map_err(|error| PublishError::from_io_error(&path, error.into_error()))?;
    file.sync_all().map_err(|source| PublishError::from_io_error(&path, source))
}
