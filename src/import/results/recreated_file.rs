//! The file that says which record has taken the place of which.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::AtomicCsvWriter;
use crate::import::ImportError;
use crate::model::OpChange;
use crate::plan::diff::former_id;
use crate::run::{self, LedgerReader, OpRecord, OpState};

/// Its name.
pub(crate) const FILE: &str = "brought_back.csv";

/// Writes the old and the new id of every record that was made anew; no file when none was.
pub(crate) fn write_csv(ledger: &LedgerReader, out: &Path) -> Result<Option<PathBuf>, ImportError> {
    let mut lines: Vec<[String; 4]> = Vec::new();
    ledger.for_each_op(|op| {
        lines.extend(recreated_record(&op));
        Ok::<(), run::RunError>(())
    })?;
    if lines.is_empty() {
        return Ok(None);
    }
    let header = ["row", "record", "old_id", "new_id"].map(str::to_owned);
    let mut table = AtomicCsvWriter::new(out, FILE, &header)?;
    lines.iter().try_for_each(|line| table.write_record(line))?;
    table.commit().map(Some)
}

/// What an op has made anew, if it has.
fn recreated_record(op: &OpRecord) -> Option<[String; 4]> {
    let done = matches!(op.state, OpState::Applied | OpState::Differs);
    let new = op.made.clone().filter(|_| done)?;
    let body: Value = serde_json::from_str(&op.body).ok()?;
    let old = former_id(&body["before"])?.to_owned();
    let record = match serde_json::from_value(body["change"].clone()).ok()? {
        OpChange::CreateNote { .. } => "note",
        OpChange::CreateTask { .. } => "task",
        _ => "contact",
    };
    Some([op.row.to_string(), record.to_owned(), old, new])
}
