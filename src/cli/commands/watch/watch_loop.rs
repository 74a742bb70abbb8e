//! The work of `watch`: a sync, its events, and their delivery, again and again.
//!
//! Syncs and deliveries go on beside each other: a sink that is slow or down holds up neither a sync nor another sink.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::WatchArgs;
use super::watch_report::WatchReport;
use crate::cli::account::LocationAccounts;
use crate::cli::commands::sync::repeat::{PassingFailures, RepeatedSync, sleep_unless_stopped};
use crate::cli::commands::sync::{SyncOptionArgs, SyncTarget, sync_lines};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::service::ServiceManager;
use crate::cli::settings::Settings;
use crate::concurrency;
use crate::context::EngineContext;
use crate::diagnostic::EventWarningCode;
use crate::event::{CancelCause, CancelSignal, RunEvent, RunWarning};
use crate::mirror::MirrorReader;
use crate::text::format_plural;
use crate::watch::{
    DeliveryMode, DeliveryResult, EventFeed, FeedOptions, Sink, SinkStart, SinkWorker, WatchError,
    WatchedMirror,
};

/// A watch of one location.
pub(super) struct WatchJob<'a> {
    pub(super) args: &'a WatchArgs,
    pub(super) feed: FeedOptions,
    pub(super) settings: &'a Settings,
    pub(super) accounts: &'a LocationAccounts,
    pub(super) screen: &'a CliReporter,
    pub(super) stop: CancelSignal,
    /// The time between two syncs; `None` for a single one.
    pub(super) every: Option<Duration>,
}

/// What a watch needs in all its parts.
struct WatchSession {
    context: EngineContext,
    /// Cancelled when the watch is stopped, or one of its parts has failed.
    stop: CancelSignal,
    dir: PathBuf,
    sinks: Vec<String>,
    watched: WatchedMirror,
    /// The mirror that the sinks are fed from, once there is one.
    mirror_id: RefCell<Option<String>>,
    /// The sinks whose places were lost with another mirror.
    restarted: RefCell<Vec<String>>,
    /// Wakes the workers.
    filled: Arc<Notify>,
}

impl WatchSession {
    /// Remembers which mirror the sinks are fed from. The workers would not notice that it has been replaced.
    fn check_mirror(&self, id: &str) -> Result<(), CliError> {
        match self.mirror_id.replace(Some(id.to_owned())) {
            Some(before) if before != id => Err(CliError::new(
                CliExitCode::Damaged,
                "the local copy was removed while it was watched",
            )
            .with_hint("start `ghl-bulk watch` again; it goes on with the new copy")),
            _ => Ok(()),
        }
    }

    /// Says that sinks start again because their places were lost.
    fn report_restarted(&self, restarted: Vec<String>, start: SinkStart) {
        if restarted.is_empty() {
            return;
        }
        let sinks = format_plural(restarted.len() as u64, "sink");
        let meaning = match start {
            SinkStart::Now => "what changed in between is not sent",
            SinkStart::Beginning => "everything is sent from the beginning",
        };
        let message = format!(
            "the local copy that was watched is gone; {sinks} start again with a new copy, and {meaning}"
        );
        let warning = RunWarning::new(EventWarningCode::SinksRestarted, message).about(&restarted);
        self.context.observer.observe(&RunEvent::Warning(warning));
        self.restarted.borrow_mut().extend(restarted);
    }
}

/// What the next sync has from those before.
struct LoopState {
    how: SyncOptionArgs,
    failures: PassingFailures,
}

impl WatchJob<'_> {
    fn new_loop_state(&self) -> LoopState {
        LoopState { how: self.args.how.clone(), failures: PassingFailures::default() }
    }

    /// Works until it is stopped, or once.
    pub(super) async fn run(&self, sinks: Vec<Sink>) -> Result<CliExitCode, CliError> {
        let stop = self.stop.child_signal();
        let sandbox = self.settings.sandbox;
        let account = &self.accounts.all[0];
        let target = SyncTarget::new(account, self.accounts, self.settings);
        let context = target.build_context(self.screen.location_observer(None), &stop)?;
        let dir = context.home.mirror_dir(&account.location, sandbox);
        let names = sinks.iter().map(|sink| sink.name().to_owned()).collect();
        let filled = Arc::new(Notify::new());
        let facts = context.home.location_facts(&account.location);
        let session = WatchSession {
            context,
            stop,
            dir,
            sinks: names,
            watched: WatchedMirror::new(facts, sandbox),
            mirror_id: RefCell::new(None),
            restarted: RefCell::new(Vec::new()),
            filled,
        };
        let manager = ServiceManager::from_env();
        let _alive = manager.start_watchdog();
        manager.notify_ready();
        let ended = match self.every {
            None => self.run_once(&session, sinks).await,
            Some(every) => self.run_always(&session, sinks, every).await,
        };
        manager.notify_stopping();
        self.screen.finish();
        let results = ended?;
        let restarted = session.restarted.take();
        let report = WatchReport { results, restarted, is_service: self.every.is_some() };
        Ok(report.show(self.settings, self.screen))
    }

    /// One sync and one delivery. What was kept is delivered even if the sync fails.
    async fn run_once(
        &self,
        session: &WatchSession,
        sinks: Vec<Sink>,
    ) -> Result<Vec<DeliveryResult>, CliError> {
        let synced = self.repeated_sync(&self.args.how, session).sync_after_others().await;
        if synced.is_ok() || has_mirror(session)? {
            fill_outboxes(self, session).await?;
            let workers = self.deliver(session, sinks, DeliveryMode::Once).await?;
            let report = synced?;
            for line in sync_lines::report_lines(&report) {
                self.screen.print_note(&line);
            }
            return Ok(workers);
        }
        Err(synced.err().unwrap_or_else(|| CliError::usage("the location has no mirror")))
    }

    async fn run_always(
        &self,
        session: &WatchSession,
        sinks: Vec<Sink>,
        every: Duration,
    ) -> Result<Vec<DeliveryResult>, CliError> {
        let mut state = self.new_loop_state();
        while !has_mirror(session)? {
            self.sync_and_fill(session, &mut state).await?;
            if !has_mirror(session)? {
                sleep_unless_stopped(every, &session.stop).await;
            }
            if session.stop.is_cancelled() {
                return Ok(Vec::new());
            }
        }
        let work = async {
            let ended = self.repeat_syncs(session, every, &mut state).await;
            // Without events to come, the workers end once they have delivered what they are at.
            session.stop.cancel_with(CancelCause::Failure);
            ended
        };
        let deliver = async {
            let ended = self.deliver(session, sinks, DeliveryMode::Always).await;
            session.stop.cancel_with(CancelCause::Failure);
            ended
        };
        let (synced, delivered) = tokio::join!(work, deliver);
        synced?;
        delivered
    }

    async fn repeat_syncs(
        &self,
        session: &WatchSession,
        every: Duration,
        state: &mut LoopState,
    ) -> Result<(), CliError> {
        while !session.stop.is_cancelled() {
            let next = tokio::time::Instant::now() + every;
            self.sync_and_fill(session, state).await?;
            let left = next.saturating_duration_since(tokio::time::Instant::now());
            sleep_unless_stopped(left, &session.stop).await;
        }
        Ok(())
    }

    /// A sync and its events. A failure that the next sync may not have is only reported.
    async fn sync_and_fill(
        &self,
        session: &WatchSession,
        state: &mut LoopState,
    ) -> Result<(), CliError> {
        match self.repeated_sync(&state.how, session).sync_after_others().await {
            Ok(report) => {
                state.failures.clear();
                state.how.forget_first();
                for line in sync_lines::change_lines(&report) {
                    self.screen.print_note(&line);
                }
            }
            Err(_) if session.stop.is_cancelled() => return Ok(()),
            Err(error) => state.failures.report(error, &session.context.observer)?,
        }
        if has_mirror(session)? {
            fill_outboxes(self, session).await?;
        }
        Ok(())
    }

    fn repeated_sync<'s>(
        &'s self,
        how: &'s SyncOptionArgs,
        session: &'s WatchSession,
    ) -> RepeatedSync<'s> {
        RepeatedSync {
            how,
            target: SyncTarget::new(&self.accounts.all[0], self.accounts, self.settings),
            context: &session.context,
            screen: self.screen,
            stop: &session.stop,
        }
    }

    async fn deliver(
        &self,
        session: &WatchSession,
        sinks: Vec<Sink>,
        mode: DeliveryMode,
    ) -> Result<Vec<DeliveryResult>, CliError> {
        let at_once = NonZeroUsize::new(sinks.len()).expect("there is a sink");
        let workers = sinks.into_iter().map(|sink| {
            let observer = session.context.observer.clone();
            SinkWorker::new(sink, &session.dir, observer, session.stop.clone())
        });
        let workers = workers.collect::<Result<Vec<_>, _>>()?;
        let run = |worker: SinkWorker| worker.run(mode, Arc::clone(&session.filled));
        let ended = concurrency::run_within_task(workers, at_once, run).await;
        Ok(ended.into_iter().collect::<Result<_, WatchError>>()?)
    }
}

/// Turns what has changed into events of every sink.
async fn fill_outboxes(job: &WatchJob<'_>, session: &WatchSession) -> Result<(), CliError> {
    let (dir, sinks) = (session.dir.clone(), session.sinks.clone());
    let location = job.accounts.all[0].location.clone();
    let (options, start, due) = (job.feed.clone(), job.args.sink_start(), job.args.due);
    // The server's time, since the clock of this machine may be wrong or be set back.
    let offset_ms = session.context.client.server_time_offset().unwrap_or_default();
    let now_ms = jiff::Timestamp::now().as_millisecond() + offset_ms;
    let watched = session.watched.clone();
    let filled = concurrency::run_blocking(move || {
        let mut feed = EventFeed::open(&dir, &location, options)?;
        let mut restarted = Vec::new();
        for sink in sinks {
            let sink = &sink;
            if feed.start_sink(sink, start, &watched)? {
                restarted.push(sink.clone());
            }
            feed.fill_outbox(sink)?;
            if let Some(lead) = due {
                feed.fill_reminders(sink, lead, now_ms)?;
            }
        }
        Ok::<_, WatchError>((feed.mirror_id().to_owned(), restarted))
    });
    let (mirror_id, restarted) = filled.await?;
    session.check_mirror(&mirror_id)?;
    session.report_restarted(restarted, start);
    // Only now: a kill in between says it once more.
    session.watched.remember(&session.sinks, &mirror_id);
    session.filled.notify_waiters();
    Ok(())
}

/// Whether a sync has ever been completed.
fn has_mirror(session: &WatchSession) -> Result<bool, CliError> {
    match MirrorReader::open(&session.dir)? {
        Some(reader) => Ok(reader.last_sync()?.is_some()),
        None => Ok(false),
    }
}
