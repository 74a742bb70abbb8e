//! The file that says which record has taken the place of which.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Table;
use crate::import::Error;
use crate::model::Change;
use crate::plan::diff::former;
use crate::run::{self, LedgerReader, OpRecord, OpState};

/// Its name.
pub(crate) const FILE: &str = "brought_back.csv";

/// Writes the old and the new id of every record that was made anew; no file when none was.
pub(crate) fn write(ledger: &LedgerReader, out: &Path) -> Result<Option<PathBuf>, Error> {
    let mut lines: Vec<[String; 4]> = Vec::new();
    ledger.each_op(|op| {
        lines.extend(line(&op));
        Ok::<(), run::Error>(())
    })?;
    if lines.is_empty() {
        return Ok(None);
    }
    let header = ["row", "record", "old_id", "new_id"].map(str::to_owned);
    let mut table = Table::new(out, FILE, &header)?;
    lines.iter().try_for_each(|line| table.record(line))?;
    table.close().map(Some)
}

/// What an op has made anew, if it has.
fn line(op: &OpRecord) -> Option<[String; 4]> {
    let done = matches!(op.state, OpState::Applied | OpState::Differs);
    let new = op.made.clone().filter(|_| done)?;
    let body: Value = serde_json::from_str(&op.body).ok()?;
    let old = former(&body["before"])?.to_owned();
    let record = match serde_json::from_value(body["change"].clone()).ok()? {
        Change::CreateNote { .. } => "note",
        Change::CreateTask { .. } => "task",
        _ => "contact",
    };
    Some([op.row.to_string(), record.to_owned(), old, new])
}
