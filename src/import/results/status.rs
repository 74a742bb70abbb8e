//! How far an import or undo has got, read without locking it.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use super::RowOutcomeCounts;
use super::row_outcome::RowOutcomes;
use super::source_sheet::SourceSheet;
use crate::id::RunId;
use crate::import::restore::RestoreRequest;
use crate::import::results;
use crate::import::undo::{CreatedContactRule, UndoRequest};
use crate::import::{ImportError, ImportRequest, ImportStage, facts};
use crate::run::{self, ImportStore, LedgerReader, RunKind, RunMetadata, RunState};

/// The status of an import or undo.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportStatus {
    /// `planning`, `planned`, `applying` or `done`.
    pub stage: &'static str,
    /// The directory of the result files.
    pub out: PathBuf,
    /// For an import: the sheet, the source of the mapping, and the mode.
    #[serde(flatten)]
    pub input: Option<ImportSourceInfo>,
    /// For an undo: what it reverts.
    #[serde(flatten)]
    pub takes_back: Option<UndoTarget>,
    /// The undo that reverted this import.
    pub undone_by: Option<RunId>,
    /// The file of the rejected rows that is fixed and imported again.
    #[serde(skip)]
    pub rejected_file: &'static str,
    /// How many rows ended with each outcome; `None` before there is a plan.
    pub rows: Option<RowOutcomeCounts>,
    /// How many values the server accepted and the account did not keep.
    pub values_not_kept: u64,
}

/// The input of an import.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportSourceInfo {
    /// The sheet.
    pub file: PathBuf,
    /// The mapping file, `preset NAME`, or `detected`.
    pub mapping: String,
    /// The mode; `None` before the sheet was understood.
    pub mode: Option<Value>,
}

/// What an undo reverts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UndoTarget {
    /// The id of the import.
    pub of: RunId,
    /// What to do with contacts that it created.
    #[serde(rename = "created_contacts")]
    pub created: CreatedContactRule,
}

/// The status of a run of these kinds; `meta` and `state` are its own.
///
/// # Errors
/// When the run cannot be read.
pub fn read_status(
    run: &run::RunSummary,
    meta: &RunMetadata,
    state: RunState,
) -> Result<ImportStatus, ImportError> {
    let wrong = |error: serde_json::Error| ImportError::Bug(format!("the run's options: {error}"));
    let own = |out: &Option<PathBuf>, base: &PathBuf| {
        out.clone().unwrap_or_else(|| base.join(meta.run.escaped_segment()))
    };
    let options = meta.options.clone();
    let (out, input, takes_back) = if meta.kind == RunKind::Restore {
        let restore: RestoreRequest = serde_json::from_value(options).map_err(wrong)?;
        (own(&restore.out, &restore.base), None, None)
    } else if meta.kind == RunKind::Undo {
        let undo: UndoRequest = serde_json::from_value(options).map_err(wrong)?;
        let back = UndoTarget { of: undo.of, created: undo.created };
        (own(&undo.out, &undo.base), None, Some(back))
    } else {
        let request: ImportRequest = serde_json::from_value(options).map_err(wrong)?;
        let out = own(&request.out, &request.base);
        (out, Some(describe_source(run, request)?), None)
    };
    let is_workbook = run.read_fact(&facts::IS_WORKBOOK)?.unwrap_or(false);
    let sheet = SourceSheet { is_workbook, ..SourceSheet::default() };
    let (rows, values_not_kept) = row_counts(run)?.unzip();
    Ok(ImportStatus {
        stage: match run.read_fact(&facts::STAGE)?.unwrap_or(ImportStage::Planning) {
            _ if state.is_finished() => "done",
            ImportStage::Planning => "planning",
            ImportStage::Planned => "planned",
            ImportStage::Applying => "applying",
        },
        out,
        input,
        takes_back,
        undone_by: run.read_fact(&facts::UNDONE_BY)?,
        rejected_file: sheet.rejected_file(),
        rows,
        values_not_kept: values_not_kept.unwrap_or(0),
    })
}

/// The rows of a run's sheet; `None` before there is a plan.
///
/// # Errors
/// When the run cannot be read.
pub fn planned_rows(run: &run::RunSummary) -> Result<Option<u64>, ImportError> {
    Ok(run.read_fact(&facts::SUMMARY)?.map(|summary| summary.rows))
}

fn describe_source(
    run: &run::RunSummary,
    request: ImportRequest,
) -> Result<ImportSourceInfo, ImportError> {
    let mapping = match (&request.mapping, &request.preset) {
        (Some(path), _) => path.display().to_string(),
        (None, Some(preset)) => format!("preset {preset}"),
        (None, None) => "detected".to_owned(),
    };
    let policy = run.read_fact(&facts::POLICY)?;
    let mode = policy.and_then(|policy| serde_json::to_value(policy.mode).ok());
    Ok(ImportSourceInfo { file: request.file, mapping, mode })
}

/// How the rows ended, and how many values were not kept; `None` before there is a plan.
fn row_counts(run: &run::RunSummary) -> Result<Option<(RowOutcomeCounts, u64)>, ImportError> {
    if run.read_fact(&facts::SUMMARY)?.is_none() {
        return Ok(None);
    }
    let db = run.dir.join("run.db");
    let outcomes = RowOutcomes::from_ledger(&LedgerReader::open(&db)?)?;
    let tally = results::count_outcomes(&ImportStore::open(&db)?, &outcomes)?;
    Ok(Some((tally, outcomes.not_kept().total())))
}
