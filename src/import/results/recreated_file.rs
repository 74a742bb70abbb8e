//! The file that lists which new record replaces which old one.

use std::path::{Path, PathBuf};

use super::AtomicCsvWriter;
use crate::import::ImportError;
use crate::model::{OpChange, op_codec};
use crate::plan::diff::former_id;
use crate::run::{self, LedgerReader, OpRecord, OpState, RunKind};

/// The form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecreatedFile {
    /// Of an undo: `recreated.csv`, by the rows of the import.
    Undo,
    /// Of a restore: `idmap.csv`, which other systems use to follow records by their tables and former ids.
    Restore,
}

impl RecreatedFile {
    /// The form that runs of a kind write.
    pub(crate) fn of_run(kind: RunKind) -> Self {
        if kind == RunKind::Restore { Self::Restore } else { Self::Undo }
    }

    /// The file's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Undo => "recreated.csv",
            Self::Restore => "idmap.csv",
        }
    }
}

/// Writes the old and the new id of every recreated record; writes no file if there were no such records.
pub(crate) fn write_csv(
    ledger: &LedgerReader,
    out: &Path,
    form: RecreatedFile,
) -> Result<Option<PathBuf>, ImportError> {
    let mut lines: Vec<[String; 4]> = Vec::new();
    ledger.for_each_op(|op| {
        lines.extend(recreated_record(&op)?);
        Ok::<(), run::RunError>(())
    })?;
    if lines.is_empty() {
        return Ok(None);
    }
    if form == RecreatedFile::Restore {
        let header = ["table", "former_id", "new_id"].map(str::to_owned);
        let mut table = AtomicCsvWriter::new(out, form.name(), &header)?;
        for [_, record, former, new] in lines {
            table.write_record(&[format!("{record}s"), former, new])?;
        }
        return table.commit().map(Some);
    }
    let header = ["row", "record", "old_id", "new_id"].map(str::to_owned);
    let mut table = AtomicCsvWriter::new(out, form.name(), &header)?;
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
