//! Import: writes a sheet into a location.
//!
//! [`plan_import`] validates the whole sheet, reads the account and decides what each row does; it sends no
//! request that changes anything. [`apply_plan()`] carries the plan out, each op once, and records the
//! outcomes. The user may review the plan between the two; a dry run is a run that stops there. If either is
//! interrupted, [`resume`] continues: an unfinished plan is made again, a finished plan is carried out exactly
//! as it is.

mod apply;
mod conflicts;
mod deletion;
mod drift;
mod error;
mod facts;
mod inherit;
mod late_writes;
mod piped_input;
mod planning;
mod recovery;
mod request;
mod restore;
mod results;
mod run_files;
mod sample;
mod source;
mod stored_contact;
mod undo;

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::api::ApiClient;
use crate::concurrency;
use crate::context::{self, EngineContext};
use crate::event::{RunEvent, RunPhase};
use crate::id::RunId;
use crate::mapping::{may_mean_custom_field, suggest_custom_fields};
use crate::plan::DeletedRecordKind;
use crate::run::{FileLock, Run, RunKind, RunMetadata, RunState};

pub use apply::{ImportReport, apply_plan, rewrite_results};
pub use error::ImportError;
pub use inherit::inherit_request;
pub use piped_input::PipedInput;
pub use planning::summary::{DeletionSummary, PlanSummary, ProblemSummary, RestoreSummary};
pub use recovery::recover_run;
pub use request::{ImportRequest, MaxErrors, PriorConsent, UnmappedRule};
pub use restore::{
    AddressTakenRule, ContactSelection, LackingNamesRule, RestoreOrder, RestoreRequest,
    RestoreScope, RestoreSource, load_source_directory, plan_restore,
};
pub use results::RowOutcomeCounts;
pub use results::field_outcome::{FieldOutcome, FieldOutcomeKind};
pub use results::resolve::{ResolveReport, resolve_in_doubt};
pub use results::status::{ImportStatus, planned_rows, read_status};
pub use source::left_out::LeftOutColumn;
pub use source::preset_library::{InvalidPreset, PresetLibrary};
pub use source::propose_mapping::{
    ProposalReport, ProposalRequest, fetch_custom_fields, propose_mapping,
};
pub use source::same_header::ensure_one_header;
pub use source::{ColumnMapping, problem_lines};
pub use undo::{CreatedContactRule, UndoRequest, plan_undo, undone_by};

use planning::PlanningJob;
use source::ImportSource;

/// Contacts in a request for tags, initially (api.md §5: the maximum is unknown).
const TAG_BATCH: usize = 100;
/// Rows that are read to understand a sheet that has no mapping.
const SAMPLES: usize = 200;

/// An import that stopped early, and why.
pub type ImportHalted = context::HaltedRun<ImportError>;

impl<E: Into<ImportError>> From<E> for ImportHalted {
    fn from(error: E) -> Self {
        Self { run: None, error: error.into() }
    }
}

/// A plan that is older than this is compared with the account again before anything is deleted or undone.
const FRESH: std::time::Duration = std::time::Duration::from_mins(1);

/// A plan that is ready to be applied. It holds the locks of the run and the location.
pub struct ImportPlan {
    run: Run,
    /// The summary of the plan.
    pub summary: PlanSummary,
    /// The directory of its files.
    pub out: PathBuf,
    sample: Option<u64>,
    max_errors: Option<MaxErrors>,
    /// What the user agreed to before the plan was made.
    consent: PriorConsent,
    dry_run: bool,
    /// When the account was read for the plan.
    account_read_at: Instant,
    _location: FileLock,
}

impl ImportPlan {
    /// The run's id.
    #[must_use]
    pub fn run_id(&self) -> &RunId {
        &self.run.meta.run
    }

    /// The name of the location, once it is known.
    #[must_use]
    pub fn location_name(&self) -> Option<String> {
        let directory = self.run.read_fact(&facts::DIRECTORY).ok().flatten();
        directory.and_then(|directory| directory.name)
    }

    /// The import that it reverts, if it is an undo.
    #[must_use]
    pub fn undo_target(&self) -> Option<RunId> {
        let undo = (self.run.meta.kind == RunKind::Undo).then(|| undo::stored_request(&self.run));
        undo.and_then(Result::ok).map(|undo| undo.of)
    }

    /// The file of the rejected rows that is fixed and imported again.
    #[must_use]
    pub fn rejected_file(&self) -> &'static str {
        facts::load_source_sheet(&self.run).unwrap_or_default().rejected_file()
    }

    /// Whether anything has been sent already.
    ///
    /// # Errors
    /// When the run cannot be read.
    pub fn has_started_applying(&self) -> Result<bool, ImportError> {
        Ok(current_stage(&self.run)? == ImportStage::Applying)
    }

    /// What the user agreed to before the plan was made.
    #[must_use]
    pub fn prior_consent(&self) -> PriorConsent {
        self.consent
    }

    /// Whether it was made by a dry run, which ends with the plan.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Closes the plan: the user declined it, and nothing applies it any more.
    ///
    /// # Errors
    /// When the run cannot be written.
    pub fn decline(&self) -> Result<(), ImportError> {
        Ok(self.run.new_recorder().record_stop(RunState::Declined, "declined".to_owned())?)
    }
}

/// The account that a run was started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportAccount {
    /// The API's address.
    pub url: String,
    /// The environment variable that holds the token, if it is not the usual one.
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
/// When the run does not contain it.
pub fn stored_account(run: &Run) -> Result<ImportAccount, ImportError> {
    serde_json::from_value(run.meta.options["account"].clone())
        .map_err(|error| ImportError::Bug(format!("the run's account: {error}")))
}

/// How far an import has got.
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

/// Stores that the plan is made. Unless the user has agreed to it already, the run waits to be applied.
fn mark_planned(run: &Run, confirmed: bool) -> Result<(), ImportError> {
    let state = (!confirmed).then_some(RunState::Planned);
    Ok(run.complete_plan(&facts::STAGE, &ImportStage::Planned, state)?)
}

/// Plans an import; sends no request that changes anything.
///
/// # Errors
/// Any error that stops it. A run that is named in it can be continued with [`resume`]; a file, mapping or
/// plan that is refused leaves no run behind.
pub async fn plan_import(
    context: &EngineContext,
    request: ImportRequest,
) -> Result<ImportPlan, ImportHalted> {
    // First everything that needs no request: most mistakes are in the file or the mapping.
    let (input, request) =
        concurrency::run_blocking(move || (ImportSource::open(&request), request)).await;
    let input = match input {
        Err(error) => return Err(suggest_location_fields(&context.client, error).await.into()),
        Ok(input) => input,
    };
    let id = RunId::new(jiff::Timestamp::now());
    let (mut request, mut input) = (request, input);
    let piped = request.piped.then(|| {
        let copy = piped_input::copy_path(&context.home.run_dir(&id), &request.file);
        std::mem::replace(&mut request.file, copy)
    });
    let meta = RunMetadata {
        run: id.clone(),
        location: context.client.location_id().clone(),
        kind: RunKind::Import,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        created: jiff::Timestamp::now(),
        options: serde_json::to_value(&request)
            .map_err(|error| ImportError::Request(error.to_string()))?,
    };
    let held = lock_location(context, &meta).await?;
    let run = context.home.create_run(meta)?;
    if let Some(piped) = piped {
        let copied =
            concurrency::run_blocking(move || piped_input::store_copy(&piped, request)).await;
        (input, request) = match copied {
            Ok(copied) => copied,
            Err(error) => return Err(halt_or_discard_run(context, run, &id, error)),
        };
    }
    run_planning(context, run, request, input, held, false).await
}

/// Lets an error about a mapping's unknown targets name the location's custom fields. Other mistakes need no request.
async fn suggest_location_fields(client: &ApiClient, mut error: ImportError) -> ImportError {
    if let ImportError::Mapping { problems, .. } = &mut error
        && problems.iter().any(may_mean_custom_field)
        // The error itself matters more than why its hint could not be improved.
        && let Ok(fields) = fetch_custom_fields(client).await
    {
        suggest_custom_fields(problems, &fields);
    }
    error
}

/// Continues an import where it stopped: plans it again, or returns the plan if it is still valid.
///
/// # Errors
/// As [`plan_import`]; [`ImportError::Stale`] when the sheet, the mapping, or a contact has changed since the plan.
pub async fn resume(context: &EngineContext, run: Run) -> Result<ImportPlan, ImportHalted> {
    run.ensure_own_place()?;
    let held = lock_location(context, &run.meta).await?;
    let halted = |error: ImportError| halt_run(context, &run, error);
    let stage = current_stage(&run).map_err(halted)?;
    if stage != ImportStage::Planned {
        run.set_state(RunState::Running)?;
    }
    match run.meta.kind {
        RunKind::Undo => return undo::resume(context, run, stage, held).await,
        RunKind::Restore => return restore::resume(context, run, stage, held).await,
        _ => {}
    }
    let request = stored_request(&run)?;
    if stage == ImportStage::Planning {
        let (input, request) =
            concurrency::run_blocking(move || (ImportSource::open(&request), request)).await;
        return run_planning(context, run, request, input?, held, true).await;
    }
    context.client.rate_limiter().announce_run(&run.meta.run);
    context.observer.observe(&started_event(&run, true));
    context.start_phase(RunPhase::Checking);
    drift::check_source_files(&run, &request).map_err(halted)?;
    if stage == ImportStage::Planned {
        drift::check_account(context, &run).await.map_err(halted)?;
    }
    if let Some(what) = deletion_target(&run).map_err(halted)? {
        deletion::recheck_records(context, &run, what, stage).await.map_err(halted)?;
    }
    let summary = stored_summary(&run).map_err(halted)?;
    // Resuming a sample applies the rest.
    Ok(assemble_plan(run, &request, summary, stage == ImportStage::Planned, held))
}

/// Locks the location for a run, says to other processes what the run does, and waits until no write of an earlier run
/// can be applied any more.
async fn lock_location(
    context: &EngineContext,
    meta: &RunMetadata,
) -> Result<FileLock, ImportError> {
    let file = meta.options["file"].as_str().and_then(|file| Path::new(file).file_name());
    let task = match file {
        Some(file) => format!("{} {}", meta.kind, file.to_string_lossy()),
        None => meta.kind.to_string(),
    };
    let held = context.home.lock_location(meta, &task)?;
    late_writes::wait_for_earlier_runs(context, &meta.location, &meta.run).await?;
    Ok(held)
}

fn stored_summary(run: &Run) -> Result<PlanSummary, ImportError> {
    run.read_fact(&facts::SUMMARY)?
        .ok_or_else(|| ImportError::Bug("a plan without summary".to_owned()))
}

/// What an import deletes, if it deletes.
fn deletion_target(run: &Run) -> Result<Option<DeletedRecordKind>, ImportError> {
    Ok(run.read_fact(&facts::DELETES)?.flatten())
}

/// The request that an import was started with.
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
        consent: request.consent,
        dry_run: request.dry_run,
        account_read_at: Instant::now(),
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
    context.client.rate_limiter().announce_run(&run.meta.run);
    context.observer.observe(&started_event(&run, resumed));
    let id = run.meta.run.clone();
    let work = PlanningJob { context, run: &run, request: &request };
    match work.run(input).await {
        Ok(summary) => Ok(assemble_plan(run, &request, summary, true, held)),
        Err(error) => Err(halt_or_discard_run(context, run, &id, error)),
    }
}

/// Records why a run stopped.
fn halt_run(context: &EngineContext, run: &Run, error: ImportError) -> ImportHalted {
    let (state, reason) = state_after_error(context, run, &error);
    // The error itself matters more than a record of it.
    let _ = run.new_recorder().record_stop(state, reason);
    ImportHalted { run: Some((run.meta.run.clone(), state)), error }
}

/// The state of an import or undo that an error stopped, and the reason in one sentence.
fn state_after_error(
    context: &EngineContext,
    run: &Run,
    error: &ImportError,
) -> (RunState, String) {
    let planned = matches!(current_stage(run), Ok(ImportStage::Planned));
    // A plan that was agreed to before it was made never waits; see `mark_planned`.
    let waits = planned && matches!(run.state(), Ok(RunState::Planned | RunState::Refused));
    // The directory is what is read first.
    let began = run.read_fact(&facts::DIRECTORY).is_ok_and(|directory| directory.is_some());
    match error {
        // Nothing of the plan was sent, and it can be applied later.
        ImportError::Api(_) | ImportError::Run(_) if waits => {
            (RunState::Planned, error.to_string())
        }
        ImportError::Stale { .. } if planned => (RunState::Refused, error.to_string()),
        ImportError::Api(error) => context::state_after_api_error(error, &context.stop, began),
        ImportError::MaxErrors(_) => (RunState::Paused, error.to_string()),
        error => (context::state_after_error(began), error.to_string()),
    }
}

/// Handles a plan that could not be made. If it is refused, nothing was sent and another attempt would give
/// the same result, so no run is left behind.
fn halt_or_discard_run(
    context: &EngineContext,
    run: Run,
    id: &RunId,
    error: ImportError,
) -> ImportHalted {
    if !error.is_refusal() {
        return halt_run(context, &run, error);
    }
    drop(run);
    // The reason for the refusal matters more than a directory that could not be removed.
    let _ = context.home.remove_run(id);
    ImportHalted { run: None, error }
}
