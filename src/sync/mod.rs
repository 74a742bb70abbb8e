//! Sync: brings the mirror of a location up to date.
//!
//! A sync creates a run. The pull fills its spool with everything, or with what was updated since the last sync; then the
//! spool is merged into the mirror, and the run is removed. Whatever stops it, the next sync or `resume` goes on with the
//! run. Nothing is merged before everything is read, and nothing counts as deleted unless its own endpoint says so.

mod error;
mod extra_tables;
mod facts;
mod first_merge;
mod locked_mirror;
mod merge;
mod plausibility;
mod request;
mod request_budget;
mod request_log;
mod retention;
mod sync_report;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::api::ContactSearchFilter;
use crate::concurrency;
use crate::context::{self, EngineContext};
use crate::event::{CancelSignal, RunEvent, RunPhase};
use crate::failpoint::{self, FailPoint};
use crate::id::RunId;
use crate::mirror::{RecordKind, SyncFacts, SyncKind, SyncRecord};
use crate::pull::changes::{self, MirrorScope};
use crate::pull::{ChildKind, OptionalList, Pull, PullOptions};
use crate::run::{Run, RunError, RunKind, RunMetadata, RunState, Spool, SpoolReader};

use locked_mirror::LockedMirror;
use merge::MergePaths;
use request::SyncPlan;
use request_log::RequestLog;

pub use error::{SyncError, SyncHalted};
pub use extra_tables::ExtraTables;
pub use request::SyncRequest;
pub use sync_report::SyncReport;

/// The notes of so many changed contacts are read contact by contact, or of a tenth of all.
const MOST_MOVED: u64 = 2_000;

/// How far back the first clock goes that is not the server's, where the server does not say its time.
const UNKNOWN_CLOCK: Duration = Duration::from_hours(24);

/// Brings the mirror of a location up to date. A sync that was interrupted is finished first.
///
/// # Errors
/// Whatever stops it; another sync, or [`resume`], continues the run in the error.
pub async fn sync_location(
    context: &EngineContext,
    request: SyncRequest,
) -> Result<SyncReport, SyncHalted> {
    let id = RunId::new(jiff::Timestamp::now());
    let location = context.client.location_id().clone();
    let mut mirror = LockedMirror::open(context, &location, request.sandbox, &id)?;
    request_budget::apply_budget(context, &mirror, &request)?;
    if let Some(run) = mirror.open_pending_run(context)? {
        (mirror, _) = Box::pin(SyncJob::new(context, run, mirror, true)?.run()).await?;
    }
    let export = first_merge::merge_newest_export(context, &request, &mirror).await?;
    let now = jiff::Timestamp::now();
    let plan = SyncPlan::decide(request, &mirror.reader()?, now)?;
    // First, so that no run is left that no sync knows of.
    mirror.writer.set_pending_run(Some(&id))?;
    let run = context.home.create_run(RunMetadata {
        run: id,
        location,
        kind: RunKind::Sync,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        created: now,
        options: plan.to_json(),
    })?;
    let (_, report) = Box::pin(SyncJob::new(context, run, mirror, false)?.run()).await?;
    Ok(SyncReport { export, ..report })
}

/// Finishes a sync that was interrupted.
///
/// # Errors
/// As [`sync_location`].
pub async fn resume(context: &EngineContext, run: Run) -> Result<SyncReport, SyncHalted> {
    let request = stored_request(&run)?;
    let location = &run.meta.location;
    let mirror = LockedMirror::open(context, location, request.sandbox, &run.meta.run)?;
    request_budget::apply_budget(context, &mirror, &request)?;
    let pending = mirror.writer.pending_run().map_err(SyncError::from)?;
    if pending.as_ref() != Some(&run.meta.run) {
        return Err(SyncError::Superseded { run: run.meta.run.clone() }.into());
    }
    let (_, report) = Box::pin(SyncJob::new(context, run, mirror, true)?.run()).await?;
    Ok(report)
}

/// The request that a run was created with.
///
/// # Errors
/// When the run has none.
pub fn stored_request(run: &Run) -> Result<SyncRequest, RunError> {
    stored_plan(run).map(|plan| plan.request)
}

fn stored_plan(run: &Run) -> Result<SyncPlan, RunError> {
    serde_json::from_value(run.meta.options.clone())
        .map_err(|error| RunError::damaged(&run.db_path(), format!("its options: {error}")))
}

/// The execution of one run.
struct SyncJob {
    context: EngineContext,
    run: Run,
    plan: SyncPlan,
    mirror: LockedMirror,
    resumed: bool,
    requests: RequestLog,
    started: Instant,
}

impl SyncJob {
    fn new(
        context: &EngineContext,
        run: Run,
        mirror: LockedMirror,
        resumed: bool,
    ) -> Result<Self, SyncError> {
        Ok(Self {
            context: context.clone(),
            plan: stored_plan(&run)?,
            run,
            mirror,
            resumed,
            requests: RequestLog::new(&context.client),
            started: Instant::now(),
        })
    }

    async fn run(self) -> Result<(LockedMirror, SyncReport), SyncHalted> {
        let run = self.run.meta.run.clone();
        self.context.client.rate_limiter().announce_run(&run);
        self.context.observer.observe(&RunEvent::Started {
            run: run.clone(),
            location: self.run.meta.location.clone(),
            kind: RunKind::Sync,
            resumed: self.resumed,
        });
        let (recorder, stop, home) =
            (self.run.new_recorder(), self.context.stop.clone(), self.context.home.clone());
        let db = self.run.db_path();
        let ended = self.run_to_completion().await;
        ended.map_err(|error| {
            if matches!(error, SyncError::Emptied { .. } | SyncError::Decimated { .. }) {
                // What was read is not believed, so that the next sync reads again.
                let _ = home.remove_run(&run);
                return SyncHalted { run: None, error };
            }
            let began = SpoolReader::open(&db).and_then(|spool| spool.last_seq());
            let (state, reason) = state_after_error(&error, &stop, began.is_ok_and(|seq| seq > 0));
            // The error itself matters more than a record of it.
            let _ = recorder.record_stop(state, reason);
            SyncHalted { run: Some((run, state)), error }
        })
    }

    async fn run_to_completion(self) -> Result<(LockedMirror, SyncReport), SyncError> {
        self.run.set_state(RunState::Running)?;
        if !self.mirror.writer.is_merged(&self.run.meta.run)? {
            self.context.start_phase(RunPhase::Reading);
            let pulling = self.pull_into_spool();
            let pulled = self.requests.count_during(&self.mirror.writer, pulling).await;
            // Recorded also of a sync that stops; a failure here matters less than the reason.
            let recorded = self.record_progress();
            pulled?;
            recorded?;
            failpoint::kill_if_due(FailPoint::AfterSpool);
        }
        self.context.start_phase(RunPhase::Merging);
        let sync = self.merge().await?;
        failpoint::kill_if_due(FailPoint::AfterMerge);
        let requested = self.plan.request.retention;
        let removed = retention::remove_old_rows(&self.mirror, requested, &sync).await?;
        let report = SyncReport { removed, ..self.build_report(&sync)? };
        self.run.set_state(RunState::Complete)?;
        let (id, home) = (self.run.meta.run.clone(), self.context.home.clone());
        drop(self.run);
        // The mirror has everything; a run that cannot be removed now only takes space.
        let _ = home.remove_run(&id);
        self.mirror.writer.set_pending_run(None)?;
        self.context.observer.observe(&RunEvent::Synced(report.synced.clone()));
        Ok((self.mirror, report))
    }

    async fn pull_into_spool(&self) -> Result<(), SyncError> {
        let (spool, writer) = Spool::open(&self.run.db_path())?;
        let no_thread = |source| RunError::NoThread { source };
        let writing = concurrency::start_thread("spool", writer).map_err(no_thread)?;
        let pulling = async {
            let pull = self.new_pull(&spool);
            let result = self.pull(&pull).await;
            drop(pull);
            // The spool knows what stopped it; the pull knows only that it accepts no more writes.
            spool.close().await?;
            result
        };
        let ((), pulled) = tokio::join!(writing, pulling);
        pulled
    }

    async fn pull(&self, pull: &Pull) -> Result<(), SyncError> {
        let scope = MirrorScope {
            dir: self.mirror.dir.clone(),
            since_ms: self.plan.since_ms,
            trusts_counts: self.plan.trusts_counts,
            hints: self.plan.request.hints.clone(),
        };
        if !self.run.read_fact(&facts::PULLED)?.unwrap_or(false) {
            if self.kind()? == SyncKind::Newest {
                pull.pull_changes(&scope).await?;
                self.read_all_if_cheaper(pull, &scope).await?;
            }
            let pull = self.with_extra_tables(pull)?;
            match self.kind()? {
                SyncKind::Walk => Box::pin(pull.run()).await?,
                SyncKind::Newest if self.plan.due != ExtraTables::default() => {
                    pull.pull_extra_tables().await?;
                }
                SyncKind::Newest => {}
            }
            if !self.plan.request.accept_empty {
                plausibility::ensure_not_emptied(&self.mirror, &self.open_spool()?)?;
            }
            self.run.write_fact(&facts::PULLED, &true)?;
        }
        let pull = self.with_extra_tables(pull)?;
        pull.confirm_missing(&scope, self.kind()? == SyncKind::Walk).await?;
        if self.plan.request.accept_empty {
            return Ok(());
        }
        plausibility::ensure_not_decimated(&self.mirror, &self.open_spool()?)
    }

    fn open_spool(&self) -> Result<SpoolReader, RunError> {
        SpoolReader::open(&self.run.db_path())
    }

    /// How the run reads.
    fn kind(&self) -> Result<SyncKind, RunError> {
        let reads_all = self.run.read_fact(&facts::READS_ALL)?.unwrap_or(false);
        Ok(if reads_all { SyncKind::Walk } else { self.plan.kind })
    }

    /// Turns a sync into a walk if so many contacts have changed that reading the notes of each would take more requests.
    async fn read_all_if_cheaper(&self, pull: &Pull, scope: &MirrorScope) -> Result<(), SyncError> {
        let known = self.mirror.reader()?.count_live(RecordKind::Contact)?;
        let limit = MOST_MOVED.max(known / 10);
        if pull.count_moved(scope).await? > limit {
            pull.discard_changes().await?;
            self.run.write_fact(&facts::READS_ALL, &true)?;
        }
        Ok(())
    }

    /// The tables that the run reads in addition to the usual ones.
    fn extra_tables(&self) -> Result<ExtraTables, RunError> {
        let reads_all = self.kind()? == SyncKind::Walk;
        Ok(if reads_all { self.plan.request.with } else { self.plan.due })
    }

    /// A pull with these tables.
    fn with_extra_tables(&self, pull: &Pull) -> Result<Pull, RunError> {
        let (mut pull, tables) = (pull.clone(), self.extra_tables()?);
        pull.options.children.extend(tables.appointments.then_some(ChildKind::Appointments));
        pull.options.lists.extend(tables.businesses.then_some(OptionalList::Businesses));
        Ok(pull)
    }

    fn new_pull(&self, spool: &Spool) -> Pull {
        Pull {
            client: self.context.client.clone(),
            options: PullOptions {
                filter: ContactSearchFilter::default(),
                selected_only: false,
                business: None,
                children: BTreeSet::from([ChildKind::Tasks, ChildKind::Notes]),
                lists: BTreeSet::new(),
                concurrency: self.context.concurrency,
                settle: self.context.settle,
                errors_only: false,
                search_notes: true,
            },
            db: self.run.db_path(),
            writes: spool.writer(),
            observer: self.context.observer.clone(),
            cancel: self.context.stop.clone(),
            location_facts: self.context.home.location_facts(&self.run.meta.location),
            started: tokio::time::Instant::now(),
        }
    }

    /// Stores how many requests were sent, and what time the server had when the sync began.
    fn record_progress(&self) -> Result<(), SyncError> {
        let mut requests = self.run.read_fact(&facts::REQUESTS)?.unwrap_or_default();
        for (route, sent) in self.requests.sent_by_endpoint() {
            *requests.entry(route).or_default() += sent;
        }
        self.requests.count(&self.mirror.writer)?;
        self.run.write_fact(&facts::REQUESTS, &requests)?;
        let created_ms = self.run.meta.created.as_millisecond();
        if let Some(offset) = self.context.client.server_time_offset()
            && self.run.read_fact(&facts::WATERMARK_MS)?.is_none()
        {
            self.run.write_fact(&facts::WATERMARK_MS, &(created_ms + offset))?;
        }
        Ok(())
    }

    async fn merge(&self) -> Result<SyncRecord, SyncError> {
        let facts = self.sync_facts()?;
        let (db, mirror) = (self.run.db_path(), self.mirror.dir.clone());
        let paths = MergePaths { db, mirror, tables: self.extra_tables()? };
        let (mut writer, known) = (self.mirror.writer.open_again()?, self.plan.known_until_ms);
        let merged = concurrency::run_blocking(move || {
            merge::merge_spool(&paths, known, &mut writer, facts)
        });
        merged.await
    }

    fn sync_facts(&self) -> Result<SyncFacts, SyncError> {
        let failures = self.open_spool()?.load_failures()?;
        let readings = self.extra_tables()?.readings(&failures).into_iter();
        let comparison = changes::read_comparison(&self.open_spool()?)?;
        let created = self.run.meta.created;
        let watermark_ms = self
            .run
            .read_fact(&facts::WATERMARK_MS)?
            .unwrap_or_else(|| (created - UNKNOWN_CLOCK).as_millisecond());
        let requests: BTreeMap<String, u64> =
            self.run.read_fact(&facts::REQUESTS)?.unwrap_or_default();
        Ok(SyncFacts {
            run: self.run.meta.run.clone(),
            kind: self.kind()?,
            started: created,
            read_until: Some(jiff::Timestamp::now()),
            watermark_ms,
            changes_ms: watermark_ms,
            counts_agree: comparison.counts_agree,
            requests: requests.values().sum(),
            counts: BTreeMap::new(),
            silent_changes: 0,
            readings: readings.map(|(kind, whole)| (kind.table_name().to_owned(), whole)).collect(),
        })
    }

    fn build_report(&self, sync: &SyncRecord) -> Result<SyncReport, SyncError> {
        let asked = self.plan.request.with;
        Ok(SyncReport {
            kind: self.kind()?,
            refused: self.context.client.rate_limiter().throttled_count(),
            elapsed: self.started.elapsed(),
            requests: self.run.read_fact(&facts::REQUESTS)?.unwrap_or_default(),
            walk_due: self.plan.next_walk(&self.mirror.reader()?, sync)?,
            ..SyncReport::describe(&self.run, &self.mirror.reader()?, sync, asked)?
        })
    }
}

/// The state of a sync that an error stopped, and the reason. `began` is whether it has read anything.
fn state_after_error(error: &SyncError, stop: &CancelSignal, began: bool) -> (RunState, String) {
    match error {
        SyncError::Api(error) => context::state_after_api_error(error, stop, began),
        error => (context::state_after_error(began), error.to_string()),
    }
}
