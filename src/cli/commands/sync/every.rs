//! `sync --every`: each location again and again. One that takes long, or fails, holds up no other.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::SyncCommand;
use super::repeat::{self, PassingFailures, RepeatedSync};
use super::sync_lines;
use crate::cli::account::LocationAccount;
use crate::cli::commands::several_locations::{
    LocationReport, LocationResult, emit_summary, report_locations,
};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::service::ServiceManager;
use crate::concurrency;
use crate::diagnostic::EventWarningCode;
use crate::event::{RunEvent, RunWarning, SharedObserver};
use crate::sync::SyncReport;

/// A location that was synced until the command was stopped.
struct StoppedSync;

impl LocationReport for StoppedSync {
    fn exit_code(&self) -> CliExitCode {
        CliExitCode::Done
    }

    fn to_json(&self) -> Value {
        json!({ "outcome": "complete" })
    }

    fn summary_line(&self) -> Option<String> {
        None
    }
}

impl SyncCommand<'_> {
    /// Syncs until the command is stopped, which is no failure, or a person must do something.
    pub(super) async fn run_always(&self, every: Duration) -> Result<CliExitCode, CliError> {
        let manager = ServiceManager::from_env();
        let _alive = manager.start_watchdog();
        manager.notify_ready();
        let slots = Semaphore::new(self.locations_at_once().get());
        let all = &self.accounts.all;
        let repeat = |account| self.repeat_location(account, every, &slots);
        // Each waits for its own time to come; the slots limit how many of them sync.
        let at_once = all.len().try_into().expect("there is a location");
        let mut ended = concurrency::run_within_task(all, at_once, repeat).await;
        manager.notify_stopping();
        self.screen.finish();
        self.report_stopped(&mut ended)
    }

    async fn repeat_location(
        &self,
        account: &LocationAccount,
        every: Duration,
        slots: &Semaphore,
    ) -> LocationResult<StoppedSync> {
        (account.location.clone(), self.sync_until_stopped(account, every, slots).await)
    }

    /// Syncs a location until the command is stopped or the location can no longer be synced.
    async fn sync_until_stopped(
        &self,
        account: &LocationAccount,
        every: Duration,
        slots: &Semaphore,
    ) -> Result<StoppedSync, CliError> {
        let observer = self.observer_of(account);
        let (mut how, mut failures) = (self.args.options(), PassingFailures::default());
        while !self.stop.is_cancelled() {
            let next = tokio::time::Instant::now() + every;
            let synced = {
                let _slot = slots.acquire().await.expect("the slots are never closed");
                self.sync_after_others(account, &how, &observer).await
            };
            match synced {
                Ok(report) => {
                    failures.clear();
                    how.forget_first();
                    for line in sync_lines::change_lines(&report) {
                        self.screen.print_note(&self.label_line(account, &line));
                    }
                }
                Err(_) if self.stop.is_cancelled() => {}
                Err(error) => {
                    failures.report(error, &observer).inspect_err(|error| {
                        self.warn_of_end(error, &observer);
                    })?;
                }
            }
            let left = next.saturating_duration_since(tokio::time::Instant::now());
            repeat::sleep_unless_stopped(left, self.stop).await;
        }
        Ok(StoppedSync)
    }

    async fn sync_after_others(
        &self,
        account: &LocationAccount,
        how: &super::SyncOptionArgs,
        observer: &SharedObserver,
    ) -> Result<SyncReport, CliError> {
        if self.stop.is_cancelled() {
            return Err(CliError::new(CliExitCode::Interrupted, "interrupted"));
        }
        let target = self.target_of(account);
        // A client of its own for each sync, so that locations that wait have no open connections.
        let context = &target.build_context(observer.clone(), self.stop)?;
        let (screen, stop) = (self.screen, self.stop);
        RepeatedSync { how, target, context, screen, stop }.sync_after_others().await
    }

    /// Among several locations, the end of one must show when it happens and not when the command is stopped.
    fn warn_of_end(&self, error: &CliError, observer: &SharedObserver) {
        if self.many {
            let message = format!("the location is no longer synced: {}", error.message);
            let warning = RunWarning::new(EventWarningCode::SyncFailed, message);
            observer.observe(&RunEvent::Warning(warning));
        }
    }

    fn report_stopped(
        &self,
        ended: &mut Vec<LocationResult<StoppedSync>>,
    ) -> Result<CliExitCode, CliError> {
        let (settings, screen, kind) = (self.settings, self.screen, json!({ "kind": "sync" }));
        if self.many {
            ended.sort_by_key(|(location, _)| self.place_of(location));
            return Ok(report_locations(ended, "synced", kind, settings, screen));
        }
        let (_, result) = ended.pop().expect("one account was asked for");
        result?;
        if settings.json {
            let done = json!({ "outcome": "complete", "kind": "sync" });
            emit_summary(screen, CliExitCode::Done, done);
        }
        Ok(CliExitCode::Done)
    }
}
