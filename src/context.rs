//! What every verb works with, and how it says that it ended early.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::api::ApiClient;
use crate::event::{CancelSignal, SharedObserver};
use crate::id::RunId;
use crate::run::RunStore;

/// What a verb works with.
#[derive(Clone)]
pub struct EngineContext {
    /// The API of the location.
    pub client: ApiClient,
    /// Where runs live.
    pub home: RunStore,
    /// The tap. It is closed here when one half of the work fails.
    pub stop: CancelSignal,
    /// Who watches.
    pub watcher: SharedObserver,
    /// Requests in flight at most.
    pub concurrency: NonZeroUsize,
    /// How long a record may be hidden from the search while it exists.
    pub settle: Duration,
}

/// A run that ended early, and why. It can be resumed.
#[derive(Debug)]
pub struct HaltedRun<E> {
    /// The run, if one was made and stays.
    pub run: Option<RunId>,
    /// Why.
    pub error: E,
}
