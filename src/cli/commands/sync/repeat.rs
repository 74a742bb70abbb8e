//! Syncs again and again: what `sync --every` and `watch` have in common.

use std::time::Duration;

use super::options::SyncOptionArgs;
use super::target::SyncTarget;
use crate::api::is_loopback_url;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::{CliReporter, OutputStyle};
use crate::context::EngineContext;
use crate::diagnostic::EventWarningCode;
use crate::event::{CancelSignal, RunEvent, RunWarning, SharedObserver};
use crate::sync::SyncReport;

/// The least time between two syncs: a request every 30 s takes 1.5 % of the daily quota.
const SHORTEST: Duration = Duration::from_secs(30);
/// How long to wait for another sync of the location before the next attempt.
const LOCK_PAUSE: Duration = Duration::from_secs(1);

/// What a sync that is repeated works with.
pub(in crate::cli::commands) struct RepeatedSync<'a> {
    pub(in crate::cli::commands) how: &'a SyncOptionArgs,
    pub(in crate::cli::commands) target: SyncTarget<'a>,
    pub(in crate::cli::commands) context: &'a EngineContext,
    pub(in crate::cli::commands) screen: &'a CliReporter,
    pub(in crate::cli::commands) stop: &'a CancelSignal,
}

impl RepeatedSync<'_> {
    /// Syncs, once no other process does.
    pub(in crate::cli::commands) async fn sync_after_others(&self) -> Result<SyncReport, CliError> {
        let mut is_said = false;
        loop {
            let synced = self.target.sync(self.how, self.context, self.stop).await;
            match synced {
                Err(error) if error.code == CliExitCode::Locked && !self.stop.is_cancelled() => {
                    if !std::mem::replace(&mut is_said, true) {
                        self.screen.print_note(&format!("{}; waiting for it", error.message));
                    }
                    sleep_unless_stopped(LOCK_PAUSE, self.stop).await;
                }
                synced => return synced,
            }
        }
    }
}

/// Failures of syncs that the next one may not have.
#[derive(Debug, Default)]
pub(in crate::cli::commands) struct PassingFailures {
    last: Option<String>,
}

impl PassingFailures {
    /// Reports a failure, unless the sync before had the same. One that only a person can cure is passed on.
    pub(in crate::cli::commands) fn report(
        &mut self,
        error: CliError,
        observer: &SharedObserver,
    ) -> Result<(), CliError> {
        if matches!(error.code, CliExitCode::Access | CliExitCode::Damaged | CliExitCode::Bug) {
            return Err(error);
        }
        if self.last.as_ref() != Some(&error.message) {
            let message = format!("a sync failed, and the next one goes on: {}", error.message);
            let warning = RunWarning::new(EventWarningCode::SyncFailed, message);
            observer.observe(&RunEvent::Warning(warning));
            self.last = Some(error.message);
        }
        Ok(())
    }

    /// Forgets the failure before: a sync has succeeded.
    pub(in crate::cli::commands) fn clear(&mut self) {
        self.last = None;
    }
}

/// Checks the time between two syncs. What is on this machine is a simulator, which has no quota to waste.
pub(in crate::cli::commands) fn check_interval(
    every: Duration,
    url: &str,
    sandbox: bool,
) -> Result<Duration, CliError> {
    if every.is_zero() || every < SHORTEST && !sandbox && !is_loopback_url(url) {
        return Err(CliError::usage("`--every` must be at least 30s").with_hint(
            "every other app of the location needs a part of the daily quota of requests, too",
        ));
    }
    Ok(every)
}

/// How a command shows what it does that syncs for days: the progress of each sync would be a flood of lines.
pub(in crate::cli::commands) fn calm_style(style: OutputStyle) -> OutputStyle {
    match style {
        OutputStyle::Bars | OutputStyle::Plain => OutputStyle::None,
        style => style,
    }
}

/// Waits; ends early when the command is stopped.
pub(in crate::cli::commands) async fn sleep_unless_stopped(time: Duration, stop: &CancelSignal) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = stop.wait_for_cancel() => {}
    }
}
