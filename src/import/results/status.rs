//! How far an import or undo has come, read without holding it.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use super::Tally;
use super::row_outcome::Fates;
use crate::id::RunId;
use crate::import::results;
use crate::import::undo::{Created, UNDONE_BY, Undo};
use crate::import::{Error, Request, Stage, Summary, UNDO};
use crate::model::Policy;
use crate::run::{self, LedgerReader, Meta, Rows, State};

/// Where an import or undo stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// `planning`, `planned`, `applying` or `done`.
    pub stage: &'static str,
    /// The directory of the result files.
    pub out: PathBuf,
    /// Of an import: the sheet, what says what its columns mean, and the mode.
    #[serde(flatten)]
    pub input: Option<Input>,
    /// Of an undo: what it takes back.
    #[serde(flatten)]
    pub takes_back: Option<TakesBack>,
    /// The undo that took this import back.
    pub undone_by: Option<RunId>,
    /// How many rows ended how; nothing before there is a plan.
    pub rows: Option<Tally>,
}

/// What an import reads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Input {
    /// The sheet.
    pub file: PathBuf,
    /// The mapping's file, `preset NAME`, or `found out`.
    pub mapping: String,
    /// The mode; nothing before the sheet was understood.
    pub mode: Option<Value>,
}

/// What an undo takes back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TakesBack {
    /// The import.
    pub of: RunId,
    /// What becomes of contacts that it made.
    #[serde(rename = "created_contacts")]
    pub created: Created,
}

/// Where a run of these kinds stands; `meta` and `state` are its own.
///
/// # Errors
/// When the run cannot be read.
pub fn standing(run: &run::Summary, meta: &Meta, state: State) -> Result<Standing, Error> {
    let wrong = |error: serde_json::Error| Error::Bug(format!("the run's options: {error}"));
    let own = |out: &Option<PathBuf>, base: &PathBuf| {
        out.clone().unwrap_or_else(|| base.join(meta.run.segment()))
    };
    let options = meta.options.clone();
    let (out, input, takes_back) = if meta.kind == UNDO {
        let undo: Undo = serde_json::from_value(options).map_err(wrong)?;
        let back = TakesBack { of: undo.of, created: undo.created };
        (own(&undo.out, &undo.base), None, Some(back))
    } else {
        let request: Request = serde_json::from_value(options).map_err(wrong)?;
        let out = own(&request.out, &request.base);
        (out, Some(input(run, request)?), None)
    };
    Ok(Standing {
        stage: match run.noted("stage")?.unwrap_or(Stage::Planning) {
            _ if state != State::Unfinished => "done",
            Stage::Planning => "planning",
            Stage::Planned => "planned",
            Stage::Applying => "applying",
        },
        out,
        input,
        takes_back,
        undone_by: run.noted(UNDONE_BY)?,
        rows: rows(run)?,
    })
}

fn input(run: &run::Summary, request: Request) -> Result<Input, Error> {
    let mapping = match (&request.mapping, &request.preset) {
        (Some(path), _) => path.display().to_string(),
        (None, Some(preset)) => format!("preset {preset}"),
        (None, None) => "found out".to_owned(),
    };
    let policy: Option<Policy> = run.noted("policy")?;
    let mode = policy.and_then(|policy| serde_json::to_value(policy.mode).ok());
    Ok(Input { file: request.file, mapping, mode })
}

fn rows(run: &run::Summary) -> Result<Option<Tally>, Error> {
    if run.noted::<Summary>("summary")?.is_none() {
        return Ok(None);
    }
    let db = run.dir.join("run.db");
    let fates = Fates::read(&LedgerReader::open(&db)?)?;
    results::tally(&Rows::open(&db)?, &fates).map(Some)
}
