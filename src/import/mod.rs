//! Import: a sheet into a location.
//!
//! [`plan_import`] judges the whole sheet, looks at the account and decides what each row is to do; nothing is
//! sent that changes anything. [`apply_plan()`] carries the plan out, each op once, and writes down what became
//! of it. Between the two a person may look; a dry run is a run that stops there. Whatever stops either,
//! [`resume`] goes on: a plan that was not finished is made anew, one that was is carried out exactly.

mod apply;
mod conflicts;
mod deletion;
mod drift;
mod error;
mod facts;
mod planning;
mod request;
mod results;
mod run_files;
mod source;
mod undo;

use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::concurrency;
use crate::context::{self, EngineContext};
use crate::event::RunEvent;
use crate::id::RunId;
use crate::plan::DeletedRecordKind;
use crate::run::{FileLock, Run, RunKind, RunMetadata};

pub use apply::{ImportReport, apply_plan, rewrite_results};
pub use error::ImportError;
pub use planning::summary::{DeletionSummary, PlanSummary};
pub use request::{ImportRequest, MaxErrors, UnmappedRule};
pub use results::RowOutcomeCounts;
pub use results::resolve::{ResolveReport, resolve_in_doubt};
pub use results::status::{ImportStatus, read_status};
pub use source::propose_mapping::{ProposalReport, ProposalRequest, propose_mapping};
pub use source::user_presets::{InvalidPreset, PresetLibrary};
pub use source::{ColumnMapping, problem_lines};
pub use undo::{CreatedContactRule, UndoRequest, plan_undo, undone_by};

use planning::PlanningJob;
use source::ImportSource;

/// Contacts in a request for tags, to begin with (api.md §5: the maximum is unknown).
const TAG_BATCH: usize = 100;
/// Rows that are looked at to understand a sheet that no mapping explains.
const SAMPLES: usize = 200;

/// An import that ended early, and why.
pub type ImportHalted = context::HaltedRun<ImportError>;

impl<E: Into<ImportError>> From<E> for ImportHalted {
    fn from(error: E) -> Self {
        Self { run: None, error: error.into() }
    }
}

/// A plan that is older than this is held against the account once more before anything is deleted or taken
/// back.
const FRESH: std::time::Duration = std::time::Duration::from_mins(1);

/// A plan, ready to be applied. It holds the run and the location.
pub struct ImportPlan {
    run: Run,
    /// What it comes to.
    pub summary: PlanSummary,
    /// The directory of its files.
    pub out: PathBuf,
    sample: Option<u64>,
    max_errors: Option<MaxErrors>,
    /// When the account was looked at for it.
    looked: Instant,
    _location: FileLock,
}

impl ImportPlan {
    /// The run.
    #[must_use]
    pub fn run_id(&self) -> &RunId {
        &self.run.meta.run
    }

    /// The location's name, once it is known.
    #[must_use]
    pub fn location_name(&self) -> Option<String> {
        let directory = self.run.read_fact(&facts::DIRECTORY).ok().flatten();
        directory.and_then(|directory| directory.name)
    }

    /// The import that it takes back, if it is an undo.
    #[must_use]
    pub fn undo_target(&self) -> Option<RunId> {
        let undo = (self.run.meta.kind == RunKind::Undo).then(|| undo::stored_request(&self.run));
        undo.and_then(Result::ok).map(|undo| undo.of)
    }

    /// Whether anything was sent already.
    ///
    /// # Errors
    /// When the run cannot be read.
    pub fn has_started_applying(&self) -> Result<bool, ImportError> {
        Ok(current_stage(&self.run)? == ImportStage::Applying)
    }
}

/// The account that a run was begun with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportAccount {
    /// The API's address.
    pub url: String,
    /// The environment variable that holds the token, where it is another than the usual one.
    pub token_variable: Option<String>,
    /// The profile that was chosen, if one was.
    #[serde(default)]
    pub profile: Option<String>,
    /// Whether the location is served by the embedded sandbox.
    pub sandbox: bool,
}

/// The account of an import or undo.
///
/// # Errors
/// When the run does not say.
pub fn stored_account(run: &Run) -> Result<ImportAccount, ImportError> {
    serde_json::from_value(run.meta.options["account"].clone())
        .map_err(|error| ImportError::Bug(format!("the run's account: {error}")))
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ImportStage {
    Planning,
    Planned,
    Applying,
}

fn current_stage(run: &Run) -> Result<ImportStage, ImportError> {
    Ok(run.read_fact(&facts::STAGE)?.unwrap_or(ImportStage::Planning))
}

/// Plans an import; sends nothing that changes anything.
///
/// # Errors
/// Whatever stops it. A run that is named there goes on with [`resume`]; a file, mapping or plan that is
/// refused leaves none.
pub async fn plan_import(
    context: &EngineContext,
    request: ImportRequest,
) -> Result<ImportPlan, ImportHalted> {
    // What needs no request comes first: most mistakes are in the file or the mapping.
    let (input, request) =
        concurrency::run_blocking(move || (ImportSource::open(&request), request)).await;
    let input = input?;
    let location = context.client.location_id().clone();
    let held = context.home.lock_location(&location)?;
    let id = RunId::new(jiff::Timestamp::now());
    let meta = RunMetadata {
        run: id.clone(),
        location,
        kind: RunKind::Import,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        created: jiff::Timestamp::now(),
        options: serde_json::to_value(&request)
            .map_err(|error| ImportError::Request(error.to_string()))?,
    };
    let run = context.home.create_run(meta)?;
    run_planning(context, run, request, input, held, false).await
}

/// Takes up an import where it stands: plans it anew, or gives the plan back if it still holds.
///
/// # Errors
/// As [`plan_import`]; [`ImportError::Stale`] when the sheet, the mapping, or a contact has changed since the plan.
pub async fn resume(context: &EngineContext, run: Run) -> Result<ImportPlan, ImportHalted> {
    let held = context.home.lock_location(&run.meta.location)?;
    let id = run.meta.run.clone();
    let halted = |error: ImportError| ImportHalted { run: Some(id.clone()), error };
    let stage = current_stage(&run).map_err(halted)?;
    if run.meta.kind == RunKind::Undo {
        return undo::resume(context, run, stage, held).await;
    }
    let request = stored_request(&run)?;
    if stage == ImportStage::Planning {
        let (input, request) =
            concurrency::run_blocking(move || (ImportSource::open(&request), request)).await;
        return run_planning(context, run, request, input?, held, true).await;
    }
    context.observer.observe(&started_event(&run, true));
    drift::check_source_files(&run, &request).map_err(halted)?;
    if stage == ImportStage::Planned {
        drift::check_account(context, &run).await.map_err(halted)?;
    }
    if let Some(what) = deletion_target(&run).map_err(halted)? {
        deletion::recheck_records(context, &run, what, stage).await.map_err(halted)?;
    }
    let summary = stored_summary(&run).map_err(halted)?;
    // Whoever resumes a sample wants the rest.
    Ok(assemble_plan(run, &request, summary, stage == ImportStage::Planned, held))
}

fn stored_summary(run: &Run) -> Result<PlanSummary, ImportError> {
    run.read_fact(&facts::SUMMARY)?
        .ok_or_else(|| ImportError::Bug("a plan without summary".to_owned()))
}

/// What an import deletes, if it deletes.
fn deletion_target(run: &Run) -> Result<Option<DeletedRecordKind>, ImportError> {
    Ok(run.read_fact(&facts::DELETES)?.flatten())
}

/// The request that made an import.
fn stored_request(run: &Run) -> Result<ImportRequest, ImportError> {
    serde_json::from_value(run.meta.options.clone())
        .map_err(|error| ImportError::Bug(format!("the run's options: {error}")))
}

fn assemble_plan(
    run: Run,
    request: &ImportRequest,
    summary: PlanSummary,
    fresh: bool,
    held: FileLock,
) -> ImportPlan {
    ImportPlan {
        out: output_dir(&run, request),
        sample: request.sample.filter(|_| fresh),
        max_errors: request.max_errors,
        looked: Instant::now(),
        run,
        summary,
        _location: held,
    }
}

fn started_event(run: &Run, resumed: bool) -> RunEvent {
    RunEvent::Started {
        run: run.meta.run.clone(),
        location: run.meta.location.clone(),
        kind: run.meta.kind,
        resumed,
    }
}

/// The directory of a run's files.
fn output_dir(run: &Run, request: &ImportRequest) -> PathBuf {
    request.out.clone().unwrap_or_else(|| request.base.join(run.meta.run.escaped_segment()))
}

async fn run_planning(
    context: &EngineContext,
    run: Run,
    request: ImportRequest,
    input: ImportSource,
    held: FileLock,
    resumed: bool,
) -> Result<ImportPlan, ImportHalted> {
    context.observer.observe(&started_event(&run, resumed));
    let id = run.meta.run.clone();
    let work = PlanningJob { context, run: &run, request: &request };
    match work.run(input).await {
        Ok(summary) => Ok(assemble_plan(run, &request, summary, true, held)),
        Err(error) => Err(halt_or_discard_run(context, run, &id, error)),
    }
}

/// A plan that could not be made. Where it is refused nothing was sent and nothing would be different
/// tomorrow: no run is left behind.
fn halt_or_discard_run(
    context: &EngineContext,
    run: Run,
    id: &RunId,
    error: ImportError,
) -> ImportHalted {
    drop(run);
    if !error.is_refusal() {
        return ImportHalted { run: Some(id.clone()), error };
    }
    // The reason of the refusal matters more than a directory that stays.
    let _ = context.home.remove_run(id);
    ImportHalted { run: None, error }
}
