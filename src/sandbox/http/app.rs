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
    pub(crate) gate: RequestBarrier,
    pub(super) numbers: AtomicU64,
}

impl SandboxApp {
    pub(crate) fn new(settings: SandboxSettings) -> Self {
        let state = Mutex::new(SandboxState::new(settings));
        Self { state, gate: RequestBarrier::new(), numbers: AtomicU64::new(0) }
    }

    /// Ends every wait.
    pub(crate) fn close_barrier(&self) {
        self.gate.close();
    }

    /// The memory; a panic of another request does not spoil it for the rest.
    pub(crate) fn lock_state(&self) -> MutexGuard<'_, SandboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
