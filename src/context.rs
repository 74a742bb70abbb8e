//! What every verb works with, and how it says that it ended early.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::api::Client;
use crate::event::{Stop, Watcher};
use crate::id::RunId;
use crate::run::Home;

/// What a verb works with.
#[derive(Clone)]
pub struct Context {
    /// The API of the location.
    pub client: Client,
    /// Where runs live.
    pub home: Home,
    /// The tap. It is closed here when one half of the work fails.
    pub stop: Stop,
    /// Who watches.
    pub watcher: Watcher,
    /// Requests in flight at most.
    pub concurrency: NonZeroUsize,
    /// How long a record may be hidden from the search while it exists.
    pub settle: Duration,
}

/// A run that ended early, and why. It can be resumed.
#[derive(Debug)]
pub struct Halted<E> {
    /// The run, if one was made and stays.
    pub run: Option<RunId>,
    /// Why.
    pub error: E,
}
