//! The first sync of a location takes what its newest export has read, so that nothing of it is requested again.

use std::collections::BTreeMap;

use super::extra_tables::ExtraTables;
use super::locked_mirror::LockedMirror;
use super::merge::{self, MergeInput};
use super::note_plan;
use super::request::SyncRequest;
use super::{SyncError, UNKNOWN_CLOCK};
use crate::concurrency;
use crate::context::EngineContext;
use crate::event::{RunKind, RunPhase};
use crate::id::RunId;
use crate::mirror::{MirrorReader, NoteFacts, SyncFacts, SyncKind};
use crate::pull;
use crate::run::{Run, RunMetadata, RunState, RunSummary, SpoolReader, stream};

/// Merges the newest export that has everything into a mirror that has nothing; gives the export's run.
///
/// # Errors
/// When the mirror or the export's run is damaged. Another call goes on from the last transaction.
pub(super) async fn merge_newest_export(
    context: &EngineContext,
    request: &SyncRequest,
    mirror: &LockedMirror,
) -> Result<Option<RunId>, SyncError> {
    if request.full || mirror.reader()?.last_sync()?.is_some() {
        return Ok(None);
    }
    let Some(run) = find_export(context, request, &mirror.reader()?)? else { return Ok(None) };
    context.start_phase(RunPhase::Merging);
    let mut facts = sync_facts(&run.meta);
    let spool = SpoolReader::open(&run.db_path())?;
    facts.notes = note_plan::facts_of_walk(&spool, &facts.notes, facts.watermark_ms)?;
    // The watermark is a day earlier in case a clock is wrong; the rotation need not make up for that day.
    let started_ms = facts.started.as_millisecond();
    facts.notes.rotated_ms = facts.notes.rotated_ms.map(|_| started_ms);
    let limits = context.client.rate_limiter().current_limits();
    let contacts = spool.stream_progress(stream::CONTACTS)?.rows;
    facts.notes.bound_s = note_plan::choose_bound(request, facts.notes.reading, contacts, limits);
    let input = MergeInput {
        db: run.db_path(),
        mirror: mirror.dir.clone(),
        known_until_ms: None,
        read_at_ms: facts.watermark_ms,
        note_contacts: Vec::new(),
        // What the export has of other tables would be of another time than what syncs keep of them.
        tables: ExtraTables::default(),
    };
    let mut writer = mirror.writer.open_again()?;
    let merged = concurrency::run_blocking(move || merge::merge_spool(&input, &mut writer, facts));
    merged.await?;
    Ok(Some(run.meta.run.clone()))
}

fn sync_facts(export: &RunMetadata) -> SyncFacts {
    let watermark_ms = (export.created - UNKNOWN_CLOCK).as_millisecond();
    SyncFacts {
        run: export.run.clone(),
        kind: SyncKind::Walk,
        started: export.created,
        watermark_ms,
        changes_ms: watermark_ms,
        read_until: None,
        counts_agree: true,
        requests: 0,
        counts: BTreeMap::new(),
        silent_changes: 0,
        notes: NoteFacts::default(),
        tasks_ms: Some(watermark_ms),
        readings: BTreeMap::new(),
    }
}

/// The newest export of the whole location that is complete and not older than what a sync reads again anyway. One whose
/// merge was interrupted comes first.
fn find_export(
    context: &EngineContext,
    request: &SyncRequest,
    mirror: &MirrorReader,
) -> Result<Option<Run>, SyncError> {
    let (location, now) = (context.client.location_id(), jiff::Timestamp::now());
    let is_fresh = |created: jiff::Timestamp| {
        let age = u64::try_from(now.as_second() - created.as_second());
        age.is_ok_and(|age| age < request.walk_every_s)
    };
    let is_of_location = |meta: &RunMetadata| {
        meta.kind == RunKind::Export && meta.location == *location && is_fresh(meta.created)
    };
    let is_candidate = |summary: &RunSummary| match &summary.known {
        Ok((meta, RunState::Complete)) => is_of_location(meta) && !summary.running,
        _ => false,
    };
    let server = pull::server_name(&request.url, request.sandbox);
    let begun = mirror.merging_run()?;
    let mut exports: Vec<RunId> =
        context.home.list_runs()?.into_iter().filter(is_candidate).map(|it| it.id).collect();
    exports.sort_by_key(|id| Some(id) == begun.as_ref());
    for id in exports.into_iter().rev() {
        // A run that is damaged or in use is only not taken.
        let Ok(run) = context.home.open_run(&id) else { continue };
        let read = run.read_fact(&pull::WHOLE_LOCATION).ok().flatten();
        if read.as_deref() == Some(server) {
            return Ok(Some(run));
        }
    }
    Ok(None)
}
