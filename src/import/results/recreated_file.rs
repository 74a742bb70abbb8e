//! The file that says which record has taken the place of which.

use std::path::{Path, PathBuf};

use super::AtomicCsvWriter;
use crate::import::ImportError;
use crate::model::{OpChange, op_codec};
use crate::plan::diff::former_id;
use crate::run::{self, LedgerReader, OpRecord, OpState};

/// Its name.
pub(crate) const FILE: &str = "recreated.csv";

/// Writes the old and the new id of every record that was made anew; no file when none was.
pub(crate) fn write_csv(ledger: &LedgerReader, out: &Path) -> Result<Option<PathBuf>, ImportError> {
    let mut lines: Vec<[String; 4]> = Vec::new();
    ledger.for_each_op(|op| {
        lines.extend(recreated_record(&op)?);
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
fn recreated_record(record: &OpRecord) -> Result<Option<[String; 4]>, run::RunError> {
    let done = matches!(record.state, OpState::Applied | OpState::Differs);
    let Some(new) = record.made.clone().filter(|_| done) else { return Ok(None) };
    let op = op_codec::decode_op(record)?;
    let Some(old) = former_id(&op.before) else { return Ok(None) };
    let kind = match op.change {
        OpChange::CreateNote { .. } => "note",
        OpChange::CreateTask { .. } => "task",
        _ => "contact",
    };
    Ok(Some([op.row.to_string(), kind.to_owned(), old.to_owned(), new]))
}
