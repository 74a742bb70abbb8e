//! The environment of every engine, and the error of a run that stopped early.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::api::{ApiClient, ApiError, ApiErrorKind, HaltReason};
use crate::event::{CancelCause, CancelSignal, RunEvent, RunPhase, SharedObserver};
use crate::id::RunId;
use crate::run::{RunState, RunStore};

/// What every engine works with.
#[derive(Clone)]
pub struct EngineContext {
    /// The API of the location.
    pub client: ApiClient,
    /// The store of all runs.
    pub home: RunStore,
    /// The cancellation signal. It is also cancelled when one half of the work fails.
    pub stop: CancelSignal,
    /// The observer of the run's events.
    pub observer: SharedObserver,
    /// The maximum number of requests in flight.
    pub concurrency: NonZeroUsize,
    /// How long the search may hide a record that exists.
    pub settle: Duration,
}

impl EngineContext {
    /// Tells the user that a part of the work begins.
    pub(crate) fn start_phase(&self, phase: RunPhase) {
        self.observer.observe(&RunEvent::Phase { phase });
    }

    /// The time by the server's clock, as far as it has said so.
    pub(crate) fn server_time(&self) -> jiff::Timestamp {
        let now = jiff::Timestamp::now();
        let offset_ms = self.client.server_time_offset().unwrap_or(0);
        jiff::Timestamp::from_millisecond(now.as_millisecond() + offset_ms).unwrap_or(now)
    }
}

/// The state of a run that a failed request stopped, and the reason in one sentence. `began` is whether the
/// run has read or sent anything.
pub(crate) fn state_after_api_error(
    error: &ApiError,
    stop: &CancelSignal,
    began: bool,
) -> (RunState, String) {
    let said = |state, reason: &str| (state, reason.to_owned());
    match (&error.kind, stop.root_cause()) {
        (ApiErrorKind::Halted(HaltReason::DailyQuota { .. }), _) => {
            said(RunState::Paused, "the daily request quota was used up")
        }
        (ApiErrorKind::Halted(HaltReason::Budget { .. }), _) => {
            said(RunState::Paused, "the requests that `--max-requests` allows were used up")
        }
        (ApiErrorKind::Halted(HaltReason::RateLimit { .. }), _) => {
            said(RunState::Paused, "the API asked to wait for longer than five minutes")
        }
        (ApiErrorKind::Halted(HaltReason::SilentRefusal), _) => {
            said(RunState::Paused, "the API refused every request")
        }
        (ApiErrorKind::Halted(HaltReason::Cancelled), Some(CancelCause::Deadline)) => {
            said(RunState::Paused, "the deadline passed")
        }
        (ApiErrorKind::Halted(HaltReason::Cancelled), Some(CancelCause::Terminate)) => {
            said(RunState::Interrupted, "SIGTERM")
        }
        (ApiErrorKind::Halted(HaltReason::Cancelled), Some(CancelCause::Hangup)) => {
            said(RunState::Interrupted, "the terminal was closed")
        }
        (ApiErrorKind::Halted(HaltReason::Cancelled), _) => said(RunState::Interrupted, "Ctrl-C"),
        _ => (state_after_error(began), error.to_string()),
    }
}

/// The state of a run that an error stopped.
pub(crate) fn state_after_error(began: bool) -> RunState {
    if began { RunState::Interrupted } else { RunState::Failed }
}

/// A run that stopped early, and why.
#[derive(Debug)]
pub struct HaltedRun<E> {
    /// The run, if one was created and not removed again, and the state in which it stopped.
    pub run: Option<(RunId, RunState)>,
    /// Why it stopped.
    pub error: E,
}
