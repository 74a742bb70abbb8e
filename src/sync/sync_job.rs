//! One run of a sync: what is pulled into its spool, and how that is merged into the mirror.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::locked_mirror::LockedMirror;
use super::merge::{self, MergeInput};
use super::note_plan;
use super::request::SyncPlan;
use super::{SyncError, SyncHalted, SyncReport, UNKNOWN_CLOCK, facts, request_budget};
use crate::api::ContactSearchFilter;
use crate::concurrency;
use crate::context::{self, EngineContext};
use crate::event::{CancelSignal, RunEvent, RunPhase, SyncedEvent};
use crate::failpoint::{self, FailPoint};
use crate::mirror::{NoteFacts, NoteRefreshMode, RecordKind, SyncFacts, SyncKind, SyncRecord};
use crate::pull::changes::{self, MirrorScope, NewestNotes};
use crate::pull::{ChildKind, NoteMethod, Pull, PullOptions};
use crate::run::{Run, RunError, RunKind, RunState, Spool, SpoolReader, stream};

/// So many deleted contacts are believed, however few the account has.
const BELIEVED_DELETIONS: u64 = 100;

/// The notes of so many changed contacts are read contact by contact, or of a tenth of all.
const MOST_MOVED: u64 = 2_000;

/// The execution of one run.
pub(super) struct SyncJob {
    context: EngineContext,
    run: Run,
    plan: SyncPlan,
    mirror: LockedMirror,
    resumed: bool,
    /// What the client had sent before this run.
    sent_before: BTreeMap<String, u64>,
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
            sent_before: context.client.request_counts(),
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
            let pulled = self.pull_into_spool().await;
            // Recorded also of a sync that stops; a failure here matters less than the reason.
            let recorded = self.record_progress();
            pulled?;
            recorded?;
            failpoint::kill_if_due(FailPoint::AfterSpool);
        }
        self.context.start_phase(RunPhase::Merging);
        let sync = self.merge().await?;
        failpoint::kill_if_due(FailPoint::AfterMerge);
        let report = self.build_report(&sync)?;
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
            if self.kind()? == SyncKind::Walk {
                let mut walk = pull.clone();
                if !self.reads_all_tasks()? {
                    walk.options.children.remove(&ChildKind::Tasks);
                }
                Box::pin(walk.run()).await?;
            }
            self.ensure_not_emptied()?;
            self.run.write_fact(&facts::PULLED, &true)?;
        }
        let walked = self.kind()? == SyncKind::Walk;
        scope.reads_all_tasks = self.reads_all_tasks()?;
        if !walked && self.plan.notes.reading == NoteRefreshMode::Rotation {
            // Notes come last: contacts and tasks are whole, however many requests are left.
            let mut pull = pull.clone();
            pull.options.children.remove(&ChildKind::Notes);
            pull.confirm_missing(&scope, walked).await?;
        } else {
            pull.confirm_missing(&scope, walked).await?;
        }
        self.ensure_not_decimated()
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

    /// An account that shows no contact where there were some is not believed.
    fn ensure_not_emptied(&self) -> Result<(), SyncError> {
        let known = self.mirror.reader()?.count_live(RecordKind::Contact)?;
        let shown = SpoolReader::open(&self.run.db_path())?.stream_progress(stream::CONTACTS)?.rows;
        if shown == 0 && known > 0 && !self.plan.request.accept_empty {
            return Err(SyncError::Emptied { known });
        }
        Ok(())
    }

    /// A token that suddenly reaches only some of the contacts makes the others look deleted: so much at once is not
    /// believed.
    fn ensure_not_decimated(&self) -> Result<(), SyncError> {
        let known = self.mirror.reader()?.count_live(RecordKind::Contact)?;
        let spool = SpoolReader::open(&self.run.db_path())?;
        let deleted = changes::read_comparison(&spool)?.deleted;
        let is_much = deleted > BELIEVED_DELETIONS && deleted > known / 2;
        if is_much && !self.plan.request.accept_empty {
            return Err(SyncError::Decimated { deleted, known });
        }
        Ok(())
    }

    /// Stores how many requests were sent, and what time the server had when the sync began.
    fn record_progress(&self) -> Result<(), SyncError> {
        let mut requests = self.run.read_fact(&facts::REQUESTS)?.unwrap_or_default();
        let mut sent_now = 0;
        for (route, sent) in self.context.client.request_counts() {
            let before = self.sent_before.get(&route).copied().unwrap_or_default();
            *requests.entry(route).or_default() += sent - before;
            sent_now += sent - before;
        }
        self.mirror.writer.add_requests(&request_budget::today(), sent_now)?;
        requests.retain(|_, sent| *sent > 0);
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
        let spool = SpoolReader::open(&self.run.db_path())?;
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
            SyncKind::Newest => match changes::find_newest_notes(spool)? {
                NewestNotes::Complete => notes.newest_ms = Some(time_ms),
                NewestNotes::TooMany => notes.overflowed = true,
                NewestNotes::Unread | NewestNotes::Incomplete => {}
            },
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
        let mirror = self.mirror.reader()?;
        let (failures, mut rows) = (mirror.load_failures()?, BTreeMap::new());
        for kind in RecordKind::ALL {
            rows.insert(kind.table_name().to_owned(), mirror.count_live(kind)?);
        }
        let counts = |kind: RecordKind| {
            sync.facts.counts.get(kind.table_name()).copied().unwrap_or_default()
        };
        let synced = SyncedEvent {
            mirror: mirror.mirror_id()?,
            seq: sync.seq,
            changed_seq: mirror.last_change()?,
            requests: sync.facts.requests,
            contacts: counts(RecordKind::Contact),
            tasks: counts(RecordKind::Task),
            notes: counts(RecordKind::Note),
        };
        let comparison = changes::read_comparison(&SpoolReader::open(&self.run.db_path())?)?;
        let last_walk = mirror.last_walk()?.map_or(sync.facts.started, |walk| walk.facts.started);
        let every = Duration::from_secs(self.plan.request.walk_every_s);
        Ok(SyncReport {
            run: self.run.meta.run.clone(),
            location: self.run.meta.location.clone(),
            kind: self.kind()?,
            synced,
            deletions: comparison.deletions,
            hidden: comparison.hidden,
            unconfirmed: comparison.unconfirmed,
            silent_changes: sync.facts.silent_changes,
            export: None,
            rows,
            tasks_read: sync
                .facts
                .tasks_ms
                .and_then(|at| jiff::Timestamp::from_millisecond(at).ok()),
            is_first: sync.seq == 1,
            has_longer_bound: note_plan::has_longer_bound(&self.plan.request, &sync.facts.notes),
            note_coverage: mirror.note_coverage(self.context.server_time())?,
            note_lists: changes::find_note_lists_end(&SpoolReader::open(&self.run.db_path())?)?,
            has_failures: !failures.is_empty(),
            unreadable: failures.iter().map(|failure| failure.records).sum(),
            requests: self.run.read_fact(&facts::REQUESTS)?.unwrap_or_default(),
            refused: self.context.client.rate_limiter().throttled_count(),
            walk_due: last_walk.checked_add(every).unwrap_or(last_walk),
            elapsed: self.started.elapsed(),
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
