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
mod merge_failures;
mod note_plan;
mod notes_again;
mod plausibility;
mod request;
mod request_budget;
mod request_log;
mod retention;
mod sync_job;
mod sync_report;

use std::time::Duration;

use crate::context::EngineContext;
use crate::event::{CoverageEvent, RunEvent};
use crate::id::RunId;
use crate::mirror::NoteCoverage;
use crate::pull::changes::NoteListsEnd;
use crate::run::{Run, RunError, RunKind, RunMetadata};

use locked_mirror::LockedMirror;
use note_plan::NoteRotation;
use request::SyncPlan;
use sync_job::SyncJob;

pub use error::{SyncError, SyncHalted};
pub use extra_tables::ExtraTables;
pub use request::{NotesMaxAge, SyncRequest};
pub use sync_report::SyncReport;

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
    let plan = SyncPlan::decide(request.clone(), &mirror.reader()?, jiff::Timestamp::now())?;
    let run = create_run(context, &mirror, id, &plan)?;
    let (mirror, report) = Box::pin(SyncJob::new(context, run, mirror, false)?.run()).await?;
    let report = read_notes_in_turn(context, &request, mirror, report).await?;
    Ok(SyncReport { export, ..report })
}

fn create_run(
    context: &EngineContext,
    mirror: &LockedMirror,
    id: RunId,
    plan: &SyncPlan,
) -> Result<Run, SyncError> {
    // First, so that no run is left that no sync knows of.
    mirror.writer.set_pending_run(Some(&id))?;
    let run = context.home.create_run(RunMetadata {
        run: id,
        location: context.client.location_id().clone(),
        kind: RunKind::Sync,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        created: jiff::Timestamp::now(),
        options: plan.to_json(),
    });
    Ok(run?)
}

/// Reads the notes of contacts whose turn it is, after everything else: each part is a run of its own, so that the mirror
/// has it whatever happens next.
async fn read_notes_in_turn(
    context: &EngineContext,
    request: &SyncRequest,
    mut mirror: LockedMirror,
    mut report: SyncReport,
) -> Result<SyncReport, SyncHalted> {
    let now_ms = context.server_time().as_millisecond();
    let reader = mirror.reader().map_err(SyncError::from)?;
    let rotation = NoteRotation::begin(&reader, request, now_ms);
    let Some(mut rotation) = rotation.map_err(SyncError::from)? else {
        return Ok(finish_report(context, request, report));
    };
    while report.note_lists == NoteListsEnd::Complete {
        let reader = mirror.reader().map_err(SyncError::from)?;
        let turn = rotation.next_turn(&reader).map_err(SyncError::from)?;
        let Some(turn) = turn else { break };
        let plan = SyncPlan::for_notes(request.clone(), &reader, (turn.contacts, turn.rotates))
            .map_err(SyncError::from)?;
        drop(reader);
        let run = create_run(context, &mirror, RunId::new(jiff::Timestamp::now()), &plan)?;
        let (held, next) = Box::pin(SyncJob::new(context, run, mirror, false)?.run()).await?;
        (mirror, report) = (held, report.add_notes(next));
    }
    Ok(finish_report(context, request, report))
}

/// Tells how old what the mirror says may be.
fn finish_report(context: &EngineContext, request: &SyncRequest, report: SyncReport) -> SyncReport {
    let (notes, now) = (&report.note_coverage, context.server_time());
    let tasks_s = NoteCoverage::age_s(report.tasks_read, now);
    let tasks_bound_s = request.tasks_every_s.unwrap_or(request.walk_every_s);
    let is_kept = tasks_s.is_some_and(|age_s| age_s <= tasks_bound_s);
    let coverage = [
        CoverageEvent {
            table: "tasks",
            oldest_s: tasks_s,
            p50_s: tasks_s,
            bound_s: Some(tasks_bound_s),
            within_bound: if is_kept { 1.0 } else { 0.0 },
        },
        CoverageEvent {
            table: "notes",
            oldest_s: NoteCoverage::age_s(notes.oldest, now),
            p50_s: NoteCoverage::age_s(notes.median, now),
            bound_s: notes.bound_s,
            within_bound: notes.within_bound,
        },
    ];
    for coverage in coverage {
        context.observer.observe(&RunEvent::Coverage(coverage));
    }
    report
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
    let (mirror, report) = Box::pin(SyncJob::new(context, run, mirror, true)?.run()).await?;
    read_notes_in_turn(context, &request, mirror, report).await
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
