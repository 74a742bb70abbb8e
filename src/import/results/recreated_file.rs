//! The file that lists which new record replaces which old one.

use std::path::{Path, PathBuf};

use super::AtomicCsvWriter;
use crate::import::ImportError;
use crate::model::{OpChange, op_codec};
use crate::plan::diff::former_id;
use crate::run::{self, LedgerReader, OpRecord, OpState};

/// The file's name.
pub(crate) const FILE: &str = "recreated.csv";

/// Writes the old and the new id of every recreated record; writes no file if there were no such records.
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

/// The record that an op has recreated, if any.
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
