//! Undo: the reversal of an import, as a plan of its own.
//!
//! The import's ledger contains what it wrote and what that replaced. Each write is compared with the current
//! state of the account and reverted only where nothing has changed since; what was edited since is left
//! unchanged and listed. The plan is applied, resumed and reported like any other. If it is applied later
//! than it was made, the account is read again first: what was edited in between is left unchanged.

mod applied_ops;
mod created_fields;
mod fetch_current;
mod plan_rows;
mod prior_undos;
mod recheck;
mod recreate_deleted;
mod revert_row;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use self::prior_undos::PriorUndos;
use self::revert_row::RowRevert;
use super::planning::summary::PlanSummary;
use super::planning::validate_rows::to_json;
use super::source::load_directory::LocationResponses;
use super::{
    FRESH, ImportAccount, ImportError, ImportHalted, ImportPlan, ImportStage, PriorConsent,
    deletion_target, facts, run_files,
};
use crate::concurrency;
use crate::context::EngineContext;
use crate::diagnostic::EventWarningCode;
use crate::event::{RunEvent, RunPhase, RunWarning};
use crate::id::RunId;
use crate::model::{ImportPolicy, LocationDirectory};
use crate::run::{
    self, IdentityKind, ImportStore, LedgerReader, OpRecord, OpState, Run, RunKind, RunMetadata,
    RunState,
};
use crate::text::format_plural;

/// What to undo, and how. Stored in the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoRequest {
    /// The id of the import.
    pub of: RunId,
    /// What to do with contacts that it created.
    pub created: CreatedContactRule,
    /// The tag that they get.
    pub tag: String,
    /// The directory of the result files, absolute; `None` for one in `base` that is named after the run.
    pub out: Option<PathBuf>,
    /// The directory in which unnamed result directories are created, absolute.
    pub base: PathBuf,
    /// Whether nothing is sent until the plan is applied.
    #[serde(default)]
    pub dry_run: bool,
    /// What the user agreed to before the plan was made.
    #[serde(default)]
    pub consent: PriorConsent,
    /// The account.
    pub account: ImportAccount,
}

/// What to do with contacts that an import created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreatedContactRule {
    /// They get a tag.
    Tag,
    /// They are deleted, if nothing was changed or attached since; else they get the tag.
    Delete,
    /// They stay as they are.
    Keep,
}

/// Plans an undo; sends no request that changes anything.
///
/// # Errors
/// [`ImportError::Unsettled`] when the outcome of some of the import's requests is not known yet; also when
/// the import is still being applied or cannot be read, or the account cannot be read.
pub async fn plan_undo(
    context: &EngineContext,
    of: Run,
    undo: UndoRequest,
) -> Result<ImportPlan, ImportHalted> {
    let meta = RunMetadata {
        run: RunId::new(jiff::Timestamp::now()),
        location: of.meta.location.clone(),
        kind: RunKind::Undo,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        created: jiff::Timestamp::now(),
        options: serde_json::to_value(&undo)
            .map_err(|error| ImportError::Bug(error.to_string()))?,
    };
    let held = super::lock_location(context, &meta).await?;
    let run = context.home.create_run(meta)?;
    run_planning(context, run, of, undo, held, false).await
}

/// Continues an undo where it stopped.
pub(super) async fn resume(
    context: &EngineContext,
    run: Run,
    stage: ImportStage,
    held: run::FileLock,
) -> Result<ImportPlan, ImportHalted> {
    let undo = stored_request(&run)?;
    if stage == ImportStage::Planning {
        let of = context.home.open_run(&undo.of)?;
        return run_planning(context, run, of, undo, held, true).await;
    }
    context.client.rate_limiter().announce_run(&run.meta.run);
    context.observer.observe(&super::started_event(&run, true));
    context.start_phase(RunPhase::Checking);
    let summary = match recheck::recheck_records(context, &run, &undo, stage).await {
        Ok(()) => super::stored_summary(&run),
        Err(error) => Err(error),
    };
    let summary = summary.map_err(|error| super::halt_run(context, &run, error))?;
    Ok(assemble_plan(run, &undo, summary, held))
}

/// The request that an undo was started with.
pub(super) fn stored_request(run: &Run) -> Result<UndoRequest, ImportError> {
    serde_json::from_value(run.meta.options.clone())
        .map_err(|error| ImportError::Bug(format!("the run's options: {error}")))
}

/// The directory of an undo's files.
pub(super) fn output_dir(run: &Run, undo: &UndoRequest) -> PathBuf {
    undo.out.clone().unwrap_or_else(|| undo.base.join(run.meta.run.escaped_segment()))
}

fn assemble_plan(
    run: Run,
    undo: &UndoRequest,
    summary: PlanSummary,
    held: run::FileLock,
) -> ImportPlan {
    ImportPlan {
        out: output_dir(&run, undo),
        sample: None,
        max_errors: None,
        consent: undo.consent,
        dry_run: undo.dry_run,
        account_read_at: Instant::now(),
        run,
        summary,
        _location: held,
    }
}

async fn run_planning(
    context: &EngineContext,
    run: Run,
    of: Run,
    undo: UndoRequest,
    held: run::FileLock,
    resumed: bool,
) -> Result<ImportPlan, ImportHalted> {
    context.client.rate_limiter().announce_run(&run.meta.run);
    context.observer.observe(&super::started_event(&run, resumed));
    let id = run.meta.run.clone();
    let work = UndoPlanningJob { context, run: &run, of: &of, undo: &undo };
    match work.run().await {
        Ok(summary) => Ok(assemble_plan(run, &undo, summary, held)),
        Err(error) => Err(super::halt_or_discard_run(context, run, &id, error)),
    }
}

/// Prepares an undo that is about to be applied: a plan that was made a while ago is compared with the account
/// again, and the import is marked as undone.
pub(super) async fn recheck_and_mark_undone(
    context: &EngineContext,
    planned: &ImportPlan,
) -> Result<(), ImportError> {
    let undo = stored_request(&planned.run)?;
    if planned.account_read_at.elapsed() > FRESH {
        recheck::recheck_records(context, &planned.run, &undo, ImportStage::Applying).await?;
    }
    if !planned.summary.has_writes() {
        return Ok(());
    }
    match context.home.open_run(&undo.of) {
        Ok(of) => {
            of.write_fact(&facts::UNDONE_BY, &planned.run.meta.run)?;
            // `resume`, which takes the latest unfinished run, must not apply the rest of the import.
            if of.state()?.is_resumable() {
                of.set_state(RunState::Partial)?;
            }
            Ok(())
        }
        Err(error) if error.kind() == run::RunErrorKind::Missing => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The undo that reverted an import, or began to.
///
/// # Errors
/// When the run cannot be read.
pub fn undone_by(run: &Run) -> Result<Option<RunId>, ImportError> {
    Ok(run.read_fact(&facts::UNDONE_BY)?)
}

struct UndoPlanningJob<'a> {
    context: &'a EngineContext,
    run: &'a Run,
    of: &'a Run,
    undo: &'a UndoRequest,
}

impl UndoPlanningJob<'_> {
    async fn run(&self) -> Result<PlanSummary, ImportError> {
        self.check_unfinished_ops().await?;
        let columns: Vec<String> = self.of.read_fact(&facts::COLUMNS)?.unwrap_or_default();
        self.run.write_fact(&facts::COLUMNS, &columns)?;
        if deletion_target(self.of)?.is_some() {
            // What is recreated must fit the location as it is now.
            let client = &self.context.client;
            let directory =
                LocationResponses::fetch(client).await?.fetch_names(client, true, true).await?;
            self.run.write_fact(&facts::DIRECTORY, &directory)?;
        } else if let Some(directory) = facts::load_directory(self.of)? {
            self.run.write_fact(&facts::DIRECTORY, &directory)?;
        }
        let (db, of, created) = (self.run.db_path(), self.of.db_path(), self.undo.created);
        concurrency::run_blocking(move || applied_ops::copy_applied_rows(&db, &of, created))
            .await?;
        self.context.start_phase(RunPhase::Comparing);
        self.remote_fetcher().fetch_all().await?;
        let fields = created_fields::fetch_created_fields(self.context, &self.of.db_path()).await?;
        self.context.start_phase(RunPhase::Planning);
        let (db, out, taking) =
            (self.run.db_path(), output_dir(self.run, self.undo), self.undo_context()?);
        let path = out.join("summary.json");
        let work = move || plan_rows::decide_rows(&db, &taking, &out, &columns, fields);
        let summary = concurrency::run_blocking(work).await?;
        self.run.write_fact(&facts::SUMMARY, &summary)?;
        run_files::write_atomically(&path, to_json(&summary).as_bytes())?;
        super::mark_planned(self.run, self.undo.consent.covers(summary.deletions()))?;
        Ok(summary)
    }

    /// Warns of writes of the import that were never sent or whose outcome is unknown: they are not undone.
    async fn check_unfinished_ops(&self) -> Result<(), ImportError> {
        let db = self.of.db_path();
        let counts =
            concurrency::run_blocking(move || LedgerReader::open(&db)?.count_by_state()).await?;
        let count = |state| counts.get(&state).copied().unwrap_or(0);
        let id = &self.of.meta.run;
        if count(OpState::Sent) > 0 {
            return Err(ImportError::Unsettled { run: id.clone(), ops: count(OpState::Sent) });
        }
        let say = |code, message| {
            let warning = RunWarning::new(code, message);
            self.context.observer.observe(&RunEvent::Warning(warning));
        };
        match count(OpState::Pending) {
            0 => {}
            ops => say(
                EventWarningCode::UndoPending,
                format!("never sent, so not undone: {} of run `{id}`", format_plural(ops, "write")),
            ),
        }
        match count(OpState::InDoubt) {
            0 => {}
            ops => say(
                EventWarningCode::UndoInDoubt,
                format!(
                    "it is not known whether {} of run `{id}` succeeded, so they are not undone. \
                     Settle them with `ghl-bulk runs resolve {id} in_doubt.csv`, then run the \
                     undo again",
                    format_plural(ops, "write")
                ),
            ),
        }
        Ok(())
    }

    fn remote_fetcher(&self) -> fetch_current::UndoRemoteFetcher<'_> {
        fetch_current::UndoRemoteFetcher {
            context: self.context,
            run: self.run,
            of: self.of,
            undo: self.undo,
        }
    }

    fn undo_context(&self) -> Result<UndoContext, ImportError> {
        UndoContext::from_runs(self.context, self.run, self.of, self.undo)
    }
}

/// Decides what to revert for each row.
struct UndoContext {
    /// The import's database.
    of: PathBuf,
    undo: UndoRequest,
    /// When the import was started.
    began: jiff::Timestamp,
    directory: Option<LocationDirectory>,
    /// If the import deleted: its policy, and what earlier undos of it have recreated.
    policy: ImportPolicy,
    done: PriorUndos,
}

impl UndoContext {
    fn from_runs(
        context: &EngineContext,
        run: &Run,
        of: &Run,
        undo: &UndoRequest,
    ) -> Result<Self, ImportError> {
        let done = match deletion_target(of)? {
            Some(_) => PriorUndos::load_ledgers(&context.home, &of.meta, &run.meta.run)?,
            None => PriorUndos::default(),
        };
        Ok(Self {
            policy: of.read_fact(&facts::POLICY)?.unwrap_or_default(),
            done,
            of: of.db_path(),
            undo: undo.clone(),
            began: of.meta.created,
            directory: run.read_fact(&facts::DIRECTORY)?,
        })
    }

    /// Decides on every row for which the import applied something, in order.
    fn for_each_row(
        &self,
        rows: &ImportStore,
        mut take: impl FnMut(u64, Option<&str>, RowRevert) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let applied = applied_ops::AppliedOps::open(&self.of)?;
        let shared: HashMap<String, Vec<u64>> =
            rows.duplicate_values(IdentityKind::ContactId)?.into_iter().collect();
        applied.for_each_row(|row, ops| {
            let contact = applied_ops::row_contact_id(&ops);
            let mut undone = self.revert_row(rows, row.n, &ops, contact.as_deref())?;
            let siblings = contact.as_ref().and_then(|contact| shared.get(contact));
            for n in siblings.into_iter().flatten().filter(|n| **n != row.n) {
                if undone.conflicts.is_empty() {
                    break;
                }
                let ops = applied.ops_of_row(*n)?;
                undone.drop_conflicts_overwritten_by(&self.revert_row(
                    rows,
                    *n,
                    &ops,
                    contact.as_deref(),
                )?);
            }
            take(row.n, contact.as_deref(), undone)
        })
    }

    /// The pairs of rows of which the import wrote the first before the second.
    fn rows_written_before(&self) -> Result<Vec<(u64, u64)>, ImportError> {
        applied_ops::AppliedOps::open(&self.of)?.rows_written_before()
    }

    fn revert_row(
        &self,
        rows: &ImportStore,
        n: u64,
        records: &[OpRecord],
        contact: Option<&str>,
    ) -> Result<RowRevert, ImportError> {
        let remote = applied_ops::load_remote_contact(rows, contact)?;
        let case = revert_row::RowRevertContext {
            rows,
            n,
            records,
            contact,
            remote: remote.as_ref(),
            undo: &self.undo,
            began: self.began,
            directory: self.directory.as_ref(),
            policy: &self.policy,
            done: &self.done,
        };
        case.plan_revert()
    }
}
