//! The environment of every engine, and the error of a run that stopped early.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::api::ApiClient;
use crate::event::{CancelSignal, SharedObserver};
use crate::id::RunId;
use crate::run::RunStore;

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

/// A run that stopped early, and why. It can be resumed.
#[derive(Debug)]
pub struct HaltedRun<E> {
    /// The run, if one was created and not removed again.
    pub run: Option<RunId>,
    /// Why it stopped.
    pub error: E,
}
