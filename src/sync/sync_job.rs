//! One run of a sync: what is pulled into its spool, and how that is merged into the mirror.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::locked_mirror::LockedMirror;
use super::merge::{self, MergeInput};
use super::request::SyncPlan;
use super::request_log::RequestLog;
use super::{ExtraTables, SyncError, SyncHalted, SyncReport, UNKNOWN_CLOCK};
use super::{facts, note_plan, plausibility, retention};
use crate::api::ContactSearchFilter;
use crate::concurrency;
use crate::context::{self, EngineContext};
use crate::event::{CancelSignal, RunEvent, RunPhase};
use crate::failpoint::{self, FailPoint};
use crate::mirror::{NoteFacts, NoteRefreshMode, RecordKind, SyncFacts, SyncKind, SyncRecord};
use crate::pull::changes::{self, MirrorScope, NewestNotes};
use crate::pull::{ChildKind, NoteMethod, OptionalList, Pull, PullOptions};
use crate::run::{Run, RunError, RunKind, RunState, Spool, SpoolReader, stream};

/// The notes of so many changed contacts are read contact by contact, or of a tenth of all.
const MOST_MOVED: u64 = 2_000;

/// The execution of one run.
pub(super) struct SyncJob {
    context: EngineContext,
    run: Run,
    plan: SyncPlan,
    mirror: LockedMirror,
    resumed: bool,
    requests: RequestLog,
    started: Instant,
}

impl SyncJob {
    pub(super) fn new(
        context: &EngineContext,
        run: Run,
        mirror: LockedMirror,
        resumed: bool,
    ) -> Result<Self, SyncError> {
        Ok(Self {
            context: context.clone(),
            plan: super::stored_plan(&run)?,
            run,
            mirror,
            resumed,
            requests: RequestLog::new(&context.client),
            started: Instant::now(),
        })
    }

    /// Executes the run, and removes it once the mirror has everything.
    pub(super) async fn run(self) -> Result<(LockedMirror, SyncReport), SyncHalted> {
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
        let mut scope = MirrorScope {
            dir: self.mirror.dir.clone(),
            since_ms: self.plan.since_ms,
            trusts_counts: self.plan.trusts_counts,
            hints: self.plan.request.hints.clone(),
            newest_notes_since_ms: self.plan.newest_notes_since_ms,
            reads_all_tasks: self.plan.reads_all_tasks,
            searches_notes: self.plan.notes.reading == NoteRefreshMode::Search,
            notes_again: self.plan.notes_again.clone(),
        };
        if self.plan.kind == SyncKind::Notes {
            // One that was interrupted is only merged: contacts are read first, and then it is decided again whose turn it is.
            let contacts = if self.resumed { &[][..] } else { &self.plan.note_contacts };
            return Ok(pull.pull_note_lists(&scope, contacts).await?);
        }
        if !self.run.read_fact(&facts::PULLED)?.unwrap_or(false) {
            if self.kind()? == SyncKind::Newest {
                pull.pull_changes(&scope).await?;
                self.read_all_if_cheaper(pull, &scope).await?;
            }
            self.pull_tables(pull).await?;
            if !self.plan.request.accept_empty {
                plausibility::ensure_not_emptied(&self.mirror, &self.open_spool()?)?;
            }
            self.run.write_fact(&facts::PULLED, &true)?;
        }
        let walked = self.kind()? == SyncKind::Walk;
        scope.reads_all_tasks = self.reads_all_tasks()?;
        let mut pull = self.with_extra_tables(pull)?;
        if !walked && self.plan.notes.reading == NoteRefreshMode::Rotation {
            // Notes come last: contacts and tasks are whole, however many requests are left.
            pull.options.children.remove(&ChildKind::Notes);
        }
        pull.confirm_missing(&scope, walked).await?;
        if self.plan.request.accept_empty {
            return Ok(());
        }
        plausibility::ensure_not_decimated(&self.mirror, &self.open_spool()?)
    }

    /// Pulls everything, or in addition to what was updated the tables that are due.
    async fn pull_tables(&self, pull: &Pull) -> Result<(), SyncError> {
        let mut pull = self.with_extra_tables(pull)?;
        if self.kind()? == SyncKind::Walk {
            if !self.reads_all_tasks()? {
                pull.options.children.remove(&ChildKind::Tasks);
            }
            Box::pin(pull.run()).await?;
        } else if self.plan.due != ExtraTables::default() {
            pull.pull_extra_tables().await?;
        }
        Ok(())
    }

    fn open_spool(&self) -> Result<SpoolReader, RunError> {
        SpoolReader::open(&self.run.db_path())
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

    /// How the run reads.
    fn kind(&self) -> Result<SyncKind, RunError> {
        let reads_all = self.run.read_fact(&facts::READS_ALL)?.unwrap_or(false);
        Ok(if reads_all { SyncKind::Walk } else { self.plan.kind })
    }

    /// Whether all tasks are read. A sync that was turned into a walk reads everything.
    fn reads_all_tasks(&self) -> Result<bool, RunError> {
        Ok(self.plan.reads_all_tasks || self.kind()? != self.plan.kind)
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
                note_method: NoteMethod::SearchOrLeave,
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
        let (facts, mut writer) = (self.sync_facts()?, self.mirror.writer.open_again()?);
        let input = MergeInput {
            db: self.run.db_path(),
            mirror: self.mirror.dir.clone(),
            known_until_ms: self.plan.known_until_ms,
            read_at_ms: self.server_time_ms()?,
            note_contacts: self.plan.note_contacts.iter().map(ToString::to_string).collect(),
            tables: self.extra_tables()?,
        };
        let merged =
            concurrency::run_blocking(move || merge::merge_spool(&input, &mut writer, facts));
        merged.await
    }

    /// The server's time when the sync began, in milliseconds since 1970.
    fn server_time_ms(&self) -> Result<i64, RunError> {
        let known = self.run.read_fact(&facts::WATERMARK_MS)?;
        Ok(known.unwrap_or_else(|| (self.run.meta.created - UNKNOWN_CLOCK).as_millisecond()))
    }

    fn sync_facts(&self) -> Result<SyncFacts, SyncError> {
        let spool = self.open_spool()?;
        let readings = self.extra_tables()?.readings(&spool.load_failures()?).into_iter();
        let (kind, time_ms) = (self.kind()?, self.server_time_ms()?);
        let requests: BTreeMap<String, u64> =
            self.run.read_fact(&facts::REQUESTS)?.unwrap_or_default();
        let mut facts = SyncFacts {
            run: self.run.meta.run.clone(),
            kind,
            started: self.run.meta.created,
            read_until: Some(jiff::Timestamp::now()),
            watermark_ms: time_ms,
            changes_ms: time_ms,
            counts_agree: changes::read_comparison(&spool)?.counts_agree,
            requests: requests.values().sum(),
            counts: BTreeMap::new(),
            silent_changes: 0,
            notes: self.note_facts(&spool, kind, time_ms)?,
            tasks_ms: self.plan.tasks_ms,
            readings: readings.map(|(kind, whole)| (kind.table_name().to_owned(), whole)).collect(),
        };
        if self.reads_all_tasks()? && changes::has_all_tasks(&spool, kind == SyncKind::Walk)? {
            facts.tasks_ms = Some(time_ms);
        }
        if kind == SyncKind::Notes
            && let Some(last) = self.mirror.reader()?.last_sync()?
        {
            // It says nothing about contacts: the next sync goes on where the last one of those was.
            facts.watermark_ms = last.facts.watermark_ms;
            facts.counts_agree = last.facts.counts_agree;
        }
        Ok(facts)
    }

    /// What is known of the notes after the sync.
    fn note_facts(
        &self,
        spool: &SpoolReader,
        kind: SyncKind,
        time_ms: i64,
    ) -> Result<NoteFacts, SyncError> {
        let mut notes = self.plan.notes.clone();
        match kind {
            SyncKind::Walk => notes = note_plan::facts_of_walk(spool, &notes, time_ms)?,
            SyncKind::Newest => {
                notes.unsettled |= changes::has_unsettled_notes(spool)?;
                match changes::find_newest_notes(spool)? {
                    NewestNotes::Complete => notes.newest_ms = Some(time_ms),
                    NewestNotes::TooMany => notes.overflowed = true,
                    NewestNotes::Unread | NewestNotes::Incomplete => {}
                }
            }
            // At its end: a sync that comes right after a long one has nothing to do.
            SyncKind::Notes if self.plan.rotates => {
                notes.rotated_ms = Some(self.context.server_time().as_millisecond());
            }
            SyncKind::Notes => {}
        }
        let contacts = match kind {
            SyncKind::Walk => spool.stream_progress(stream::CONTACTS)?.rows,
            _ => self.mirror.reader()?.count_live(RecordKind::Contact)?,
        };
        let limits = self.context.client.rate_limiter().current_limits();
        notes.bound_s =
            note_plan::choose_bound(&self.plan.request, notes.reading, contacts, limits);
        Ok(notes)
    }

    fn build_report(&self, sync: &SyncRecord) -> Result<SyncReport, SyncError> {
        let (request, mirror) = (&self.plan.request, self.mirror.reader()?);
        let now = self.context.server_time();
        Ok(SyncReport {
            kind: self.kind()?,
            has_longer_bound: note_plan::has_longer_bound(request, &sync.facts.notes),
            refused: self.context.client.rate_limiter().throttled_count(),
            elapsed: self.started.elapsed(),
            requests: self.run.read_fact(&facts::REQUESTS)?.unwrap_or_default(),
            walk_due: self.plan.next_walk(&mirror, sync)?,
            ..SyncReport::describe(&self.run, &mirror, sync, request.with, now)?
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
