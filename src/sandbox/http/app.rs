//! One running sandbox: its state behind a lock, and the barrier that tests hold requests at.

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sandbox::faults::barrier::RequestBarrier;
use crate::sandbox::sandbox_settings::SandboxSettings;
use crate::sandbox::store::state::SandboxState;

/// One sandbox.
#[derive(Debug)]
pub(crate) struct SandboxApp {
    pub(super) state: Mutex<SandboxState>,
    pub(crate) barrier: RequestBarrier,
    pub(super) numbers: AtomicU64,
}

impl SandboxApp {
    pub(crate) fn new(settings: SandboxSettings) -> Self {
        let state = Mutex::new(SandboxState::new(settings));
        Self { state, barrier: RequestBarrier::new(), numbers: AtomicU64::new(0) }
    }

    /// Ends every wait.
    pub(crate) fn close_barrier(&self) {
        self.barrier.close();
    }

    /// The state. A panic in another request does not poison it for the rest.
    pub(crate) fn lock_state(&self) -> MutexGuard<'_, SandboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
