//! The barrier: where requests wait, and where tests wait for requests.
//!
//! Held and stalled requests stay here until they are released; every wait ends when the sandbox
//! closes. Knows only counts, not what the requests are about.

use std::time::Duration;

use tokio::sync::watch;

#[derive(Debug, Clone, Copy, Default)]
struct BarrierCounts {
    held: u64,
    served: u64,
    releases: u64,
    closing: bool,
}

/// Counts requests and wakes waiters.
#[derive(Debug)]
pub(crate) struct RequestBarrier(watch::Sender<BarrierCounts>);

/// A request at the barrier; dropping the guard lowers the count.
struct BarrierGuard<'a>(&'a RequestBarrier);

impl Drop for BarrierGuard<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|tally| tally.held -= 1);
    }
}

impl RequestBarrier {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(BarrierCounts::default()))
    }

    /// Waits until released, or for `longest`.
    pub(crate) async fn wait_for_release(&self, longest: Option<Duration>) {
        let mut watcher = self.0.subscribe();
        // Read before the count goes up: a release that the count triggers must release this
        // request too.
        let before = watcher.borrow().releases;
        self.0.send_modify(|tally| tally.held += 1);
        let _held = BarrierGuard(self);
        let wakes = watcher.wait_for(|tally| tally.closing || tally.releases > before);
        match longest {
            Some(longest) => drop(tokio::time::timeout(longest, wakes).await),
            None => drop(wakes.await),
        }
    }

    /// Waits for `duration`, or until the sandbox closes.
    pub(crate) async fn delay_for(&self, duration: Duration) {
        let mut watcher = self.0.subscribe();
        drop(tokio::time::timeout(duration, watcher.wait_for(|tally| tally.closing)).await);
    }

    pub(crate) fn release_all(&self) {
        self.0.send_modify(|tally| tally.releases += 1);
    }

    pub(crate) fn close(&self) {
        self.0.send_modify(|tally| tally.closing = true);
    }

    pub(crate) fn count_served(&self) {
        self.0.send_modify(|tally| tally.served += 1);
    }

    /// Waits until at least `count` requests are held; returns how many are.
    pub(crate) async fn wait_until_held(&self, count: u64) -> u64 {
        self.wait_until(|tally| tally.held >= count).await.held
    }

    /// Waits until at least `count` requests were served; returns how many were.
    pub(crate) async fn wait_until_served(&self, count: u64) -> u64 {
        self.wait_until(|tally| tally.served >= count).await.served
    }

    async fn wait_until(&self, mut reached: impl FnMut(&BarrierCounts) -> bool) -> BarrierCounts {
        let mut watcher = self.0.subscribe();
        watcher
            .wait_for(|tally| tally.closing || reached(tally))
            .await
            .map_or_else(|_| BarrierCounts::default(), |tally| *tally)
    }
}
