//! How far an import or undo has come, read without holding it.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use super::RowOutcomeCounts;
use super::row_outcome::RowOutcomes;
use crate::id::RunId;
use crate::import::results;
use crate::import::undo::{CreatedContactRule, UndoRequest};
use crate::import::{ImportError, ImportRequest, ImportStage, facts};
use crate::run::{self, ImportStore, LedgerReader, RunKind, RunMetadata, RunState};

/// Where an import or undo stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportStatus {
    /// `planning`, `planned`, `applying` or `done`.
    pub stage: &'static str,
    /// The directory of the result files.
    pub out: PathBuf,
    /// Of an import: the sheet, what says what its columns mean, and the mode.
    #[serde(flatten)]
    pub input: Option<ImportSourceInfo>,
    /// Of an undo: what it takes back.
    #[serde(flatten)]
    pub takes_back: Option<UndoTarget>,
    /// The undo that took this import back.
    pub undone_by: Option<RunId>,
    /// How many rows ended how; nothing before there is a plan.
    pub rows: Option<RowOutcomeCounts>,
}

/// What an import reads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportSourceInfo {
    /// The sheet.
    pub file: PathBuf,
    /// The mapping's file, `preset NAME`, or `found out`.
    pub mapping: String,
    /// The mode; nothing before the sheet was understood.
    pub mode: Option<Value>,
}

/// What an undo takes back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UndoTarget {
    /// The import.
    pub of: RunId,
    /// What becomes of contacts that it made.
    #[serde(rename = "created_contacts")]
    pub created: CreatedContactRule,
}

/// Where a run of these kinds stands; `meta` and `state` are its own.
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
    let (out, input, takes_back) = if meta.kind == RunKind::Undo {
        let undo: UndoRequest = serde_json::from_value(options).map_err(wrong)?;
        let back = UndoTarget { of: undo.of, created: undo.created };
        (own(&undo.out, &undo.base), None, Some(back))
    } else {
        let request: ImportRequest = serde_json::from_value(options).map_err(wrong)?;
        let out = own(&request.out, &request.base);
        (out, Some(describe_source(run, request)?), None)
    };
    Ok(ImportStatus {
        stage: match run.read_fact(&facts::STAGE)?.unwrap_or(ImportStage::Planning) {
            _ if state != RunState::Unfinished => "done",
            ImportStage::Planning => "planning",
            ImportStage::Planned => "planned",
            ImportStage::Applying => "applying",
        },
        out,
        input,
        takes_back,
        undone_by: run.read_fact(&facts::UNDONE_BY)?,
        rows: row_counts(run)?,
    })
}

fn describe_source(
    run: &run::RunSummary,
    request: ImportRequest,
) -> Result<ImportSourceInfo, ImportError> {
    let mapping = match (&request.mapping, &request.preset) {
        (Some(path), _) => path.display().to_string(),
        (None, Some(preset)) => format!("preset {preset}"),
        (None, None) => "found out".to_owned(),
    };
    let policy = run.read_fact(&facts::POLICY)?;
    let mode = policy.and_then(|policy| serde_json::to_value(policy.mode).ok());
    Ok(ImportSourceInfo { file: request.file, mapping, mode })
}

fn row_counts(run: &run::RunSummary) -> Result<Option<RowOutcomeCounts>, ImportError> {
    if run.read_fact(&facts::SUMMARY)?.is_none() {
        return Ok(None);
    }
    let db = run.dir.join("run.db");
    let fates = RowOutcomes::from_ledger(&LedgerReader::open(&db)?)?;
    results::count_outcomes(&ImportStore::open(&db)?, &fates).map(Some)
}
