//! Restore: contacts of a snapshot come back, by the import's engine with the snapshot as its sheet.
//!
//! The contacts that may be concerned are taken into the run's own store; the account is read; each is compared and
//! becomes a row with its writes, which are applied, resumed, reported and undone as those of an import. What cannot be
//! brought back is named before anything is sent.

mod confirm_missing;
mod contact_selection;
mod decide_rows;
mod losses;
mod prior_restores;
mod request;
mod restore_decider;
mod restored_row;
mod source_directory;
mod store_rows;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use self::prior_restores::PriorRestores;
use self::restore_decider::RestoreDecider;
use self::store_rows::{COLUMNS, SnapshotRowWriter, StoredRows};
use super::planning::fetch_remote::RemoteFetcher;
use super::planning::op_buffer::OpBuffer;
use super::planning::ordering_groups::OrderingGroups;
use super::planning::summary::{PlanSummary, RestoreSummary};
use super::planning::validate_rows::to_json;
use super::results::source_sheet::SourceSheet;
use super::source::load_directory::LocationResponses;
use super::{
    FRESH, ImportError, ImportHalted, ImportPlan, ImportStage, TAG_BATCH, drift, facts,
    mark_planned, results, run_files,
};
use crate::concurrency;
use crate::context::EngineContext;
use crate::event::RunPhase;
use crate::failpoint::{self, FailPoint};
use crate::id::RunId;
use crate::model::{ImportPolicy, LocationDirectory, NoIdentityRule};
use crate::plan::diff::RowPlanner;
use crate::plan::restore::{RestorableField, Translation};
use crate::repository::Chain;
use crate::run::{self, ImportStore, Run, RunKind, RunMetadata};

pub use contact_selection::ContactSelection;
pub use request::{AddressTakenRule, LackingNamesRule, RestoreOrder, RestoreRequest, RestoreScope};
pub use source_directory::load_source_directory;

/// What is restored from.
#[derive(Clone)]
pub struct RestoreSource {
    /// The snapshot.
    pub chain: Chain,
    /// The later snapshot, where the changes between two are taken back.
    pub later: Option<Chain>,
    /// The chosen contacts, if they were chosen one by one.
    pub contacts: Option<ContactSelection>,
}

/// Plans a restore; sends no request that changes anything.
///
/// # Errors
/// [`ImportError::LackingNames`] when the target lacks fields, users or businesses that are needed; also when the
/// snapshot is damaged or the account cannot be read. A plan that could not be made leaves no run behind.
pub async fn plan_restore(
    context: &EngineContext,
    source: RestoreSource,
    request: RestoreRequest,
) -> Result<ImportPlan, ImportHalted> {
    let meta = RunMetadata {
        run: RunId::new(jiff::Timestamp::now()),
        location: context.client.location_id().clone(),
        kind: RunKind::Restore,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        created: jiff::Timestamp::now(),
        options: serde_json::to_value(&request)
            .map_err(|error| ImportError::Bug(error.to_string()))?,
    };
    let held = super::lock_location(context, &meta).await?;
    let run = context.home.create_run(meta)?;
    context.client.rate_limiter().announce_run(&run.meta.run);
    context.observer.observe(&super::started_event(&run, false));
    let id = run.meta.run.clone();
    let work = RestorePlanningJob { context, run: &run, source, request: &request };
    match work.run().await {
        Ok(summary) => Ok(assemble_plan(run, &request, summary, true, held)),
        Err(error) => {
            let out = output_dir(&run, &request);
            drop(run);
            // Nothing was sent, and another attempt reads the snapshot again. The error matters more than directories that
            // could not be removed; one with other files stays.
            let _ = context.home.remove_run(&id);
            let _ = std::fs::remove_dir(&out);
            Err(error.into())
        }
    }
}

/// Continues a restore where it stopped.
pub(super) async fn resume(
    context: &EngineContext,
    run: Run,
    stage: ImportStage,
    held: run::FileLock,
) -> Result<ImportPlan, ImportHalted> {
    let request = stored_request(&run)?;
    if stage == ImportStage::Planning {
        let id = run.meta.run.clone();
        drop(run);
        let _ = context.home.remove_run(&id);
        return Err(ImportError::Request(format!(
            "the plan of run `{id}` was not finished and nothing was sent, so there is nothing to resume; run \
             `ghl-bulk restore` again"
        ))
        .into());
    }
    context.client.rate_limiter().announce_run(&run.meta.run);
    context.observer.observe(&super::started_event(&run, true));
    context.start_phase(RunPhase::Checking);
    let checked = async {
        if stage == ImportStage::Planned {
            drift::check_account(context, &run).await?;
        }
        confirm_missing::recheck_missing(context, &run, stage).await?;
        super::stored_summary(&run)
    };
    let summary = checked.await.map_err(|error| super::halt_run(context, &run, error))?;
    // Resuming a sample applies the rest.
    Ok(assemble_plan(run, &request, summary, stage == ImportStage::Planned, held))
}

/// Prepares a restore that is about to be applied: contacts that are recreated are asked for by their ids, if that was
/// not done or is a while ago.
pub(super) async fn recheck(
    context: &EngineContext,
    planned: &ImportPlan,
) -> Result<(), ImportError> {
    let unconfirmed = planned.run.read_fact(&facts::UNCONFIRMED)?.unwrap_or(0);
    if unconfirmed == 0 && planned.account_read_at.elapsed() <= FRESH {
        return Ok(());
    }
    confirm_missing::recheck_missing(context, &planned.run, ImportStage::Applying).await
}

/// The request that a restore was started with.
pub(super) fn stored_request(run: &Run) -> Result<RestoreRequest, ImportError> {
    serde_json::from_value(run.meta.options.clone())
        .map_err(|error| ImportError::Bug(format!("the run's options: {error}")))
}

/// The directory of a restore's files.
pub(super) fn output_dir(run: &Run, request: &RestoreRequest) -> PathBuf {
    request.out.clone().unwrap_or_else(|| request.base.join(run.meta.run.escaped_segment()))
}

fn assemble_plan(
    run: Run,
    request: &RestoreRequest,
    summary: PlanSummary,
    fresh: bool,
    held: run::FileLock,
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

/// Makes the plan of a restore.
struct RestorePlanningJob<'a> {
    context: &'a EngineContext,
    run: &'a Run,
    source: RestoreSource,
    request: &'a RestoreRequest,
}

impl RestorePlanningJob<'_> {
    async fn run(&self) -> Result<PlanSummary, ImportError> {
        self.context.start_phase(RunPhase::Reading);
        let client = &self.context.client;
        let responses = LocationResponses::fetch(client).await?;
        let directory = responses.fetch_names(client, true, true).await?;
        let policy = ImportPolicy {
            // The account is read before and after each one, and a lost answer is a doubt, not a second try.
            no_identity: NoIdentityRule::AtMostOnce,
            ..ImportPolicy::default()
        };
        self.run.write_fact(&facts::DIRECTORY, &directory)?;
        self.run.write_fact(&facts::POLICY, &policy)?;
        self.run.write_fact(&facts::COLUMNS, &COLUMNS.map(str::to_owned).to_vec())?;
        let prior = PriorRestores::load_ledgers(&self.context.home, &self.run.meta, self.request)?;
        let prior = Arc::new(prior);
        let stored = self.store_rows(&directory, &prior).await?;
        failpoint::kill_if_due(FailPoint::DuringRestorePlan);
        self.context.start_phase(RunPhase::Comparing);
        RemoteFetcher::new(self.context, self.run.db_path(), None).fetch_all().await?;
        let unconfirmed = if self.request.scope.recreates() {
            confirm_missing::confirm_missing(self.context, self.run).await?
        } else {
            0
        };
        self.run.write_fact(&facts::UNCONFIRMED, &unconfirmed)?;
        self.context.start_phase(RunPhase::Planning);
        let mut summary = self.decide_rows(directory, policy, prior).await?;
        if let Some(restore) = &mut summary.restore {
            restore.erased = stored.erased;
            restore.added_since = stored.added_since;
            restore.unconfirmed = unconfirmed;
        }
        self.run.write_fact(&facts::SUMMARY, &summary)?;
        let path = output_dir(self.run, self.request).join("summary.json");
        run_files::write_atomically(&path, to_json(&summary).as_bytes())?;
        mark_planned(self.run, self.request.consent.covers(summary.deletions()))?;
        Ok(summary)
    }

    async fn store_rows(
        &self,
        directory: &LocationDirectory,
        prior: &Arc<PriorRestores>,
    ) -> Result<StoredRows, ImportError> {
        let (db, source, request) = (self.run.db_path(), self.source.clone(), self.request.clone());
        let (target, prior) = (directory.location.clone(), Arc::clone(prior));
        concurrency::run_blocking(move || {
            let rows = ImportStore::open(&db)?;
            rows.clear()?;
            rows.in_transaction(|rows| {
                let writer = SnapshotRowWriter {
                    rows,
                    source: &source,
                    request: &request,
                    target: &target,
                    prior: &prior,
                };
                let stored = writer.store_rows()?;
                if request.scope.compares_children() {
                    writer.store_records()?;
                }
                Ok::<_, ImportError>(stored)
            })
        })
        .await
    }

    async fn decide_rows(
        &self,
        directory: LocationDirectory,
        policy: ImportPolicy,
        prior: Arc<PriorRestores>,
    ) -> Result<PlanSummary, ImportError> {
        let (db, dir) = (self.run.db_path(), self.run.dir().to_owned());
        let (source, request) = (self.source.clone(), self.request.clone());
        let out = output_dir(self.run, self.request);
        let work = move || {
            let rows = ImportStore::open(&db)?;
            let names = load_source_directory(&source.chain)?;
            let users = decide_rows::resolve_users(&request, &directory)?;
            let translation = Translation::new(&names, &directory, &users);
            if !request.scope.compares_children() {
                store_needed_records(&rows, &source, &request, &directory, &prior)?;
            }
            let decider = RestoreDecider {
                rows: &rows,
                directory: &directory,
                translation: &translation,
                planner: RowPlanner::new(&policy, &directory),
                request: &request,
                prior: &prior,
                fields: parse_fields(&request, &directory)?,
            };
            run_files::create_dir_all(&out)?;
            let (mut groups, mut ops) = (OrderingGroups::default(), OpBuffer::new(&dir)?);
            let decisions = decider.decide_rows(&mut groups, &mut ops, &out)?;
            let mut summary =
                PlanSummary::from_rows_and_ops(&rows, ops.read_ops()?, Vec::new(), TAG_BATCH)?;
            let left_out = decisions.missing.0.iter();
            summary.restore = Some(RestoreSummary {
                snapshot: request.snapshot.clone(),
                later: request.later.clone(),
                as_of: request.as_of,
                losses: decisions.losses,
                without: left_out
                    .map(|(it, count)| {
                        (format!("{} `{}`", it.kind.singular_name(), it.name), *count)
                    })
                    .collect(),
                ..RestoreSummary::default()
            });
            ops.store_in_ledger(&db, &mut groups)?;
            let columns = COLUMNS.map(str::to_owned).to_vec();
            let sheet = SourceSheet { columns, is_workbook: false };
            results::write_plan_files(&rows, &out, &sheet, &summary.field_rows())?;
            Ok(summary)
        };
        concurrency::run_blocking(work).await
    }
}

/// Removes the rows of contacts that the account has, where those need nothing, and stores what the snapshot has of the
/// others.
fn store_needed_records(
    rows: &ImportStore,
    source: &RestoreSource,
    request: &RestoreRequest,
    directory: &LocationDirectory,
    prior: &PriorRestores,
) -> Result<(), ImportError> {
    let only_missing = matches!(request.scope, RestoreScope::Missing | RestoreScope::All);
    rows.in_transaction(|rows| {
        if only_missing && !request.chosen {
            store_rows::remove_rows_that_exist(rows)?;
        }
        let target = &directory.location;
        SnapshotRowWriter { rows, source, request, target, prior }.store_records()
    })
}

/// The fields to put back: those that are named, else all.
fn parse_fields(
    request: &RestoreRequest,
    directory: &LocationDirectory,
) -> Result<Vec<RestorableField>, ImportError> {
    if request.fields.is_empty() {
        return Ok(RestorableField::all(directory));
    }
    let named = request.fields.iter().map(|name| RestorableField::parse(name, directory));
    named.collect::<Result<_, _>>().map_err(ImportError::Request)
}
