//! The requests that a sync sends, counted in the mirror while it sends them: those of a sync that is killed count, too, but
//! for its last second.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use super::request_budget::today;
use crate::api::ApiClient;
use crate::mirror::{MirrorError, MirrorWriter};

/// How often requests are counted.
const PERIOD: Duration = Duration::from_secs(1);

/// The requests of one sync.
pub(super) struct RequestLog {
    client: ApiClient,
    /// What the client had sent before.
    before: BTreeMap<String, u64>,
    /// How many of the sync's requests are counted in the mirror.
    counted: Cell<u64>,
}

impl RequestLog {
    /// Begins with the next request.
    pub(super) fn new(client: &ApiClient) -> Self {
        let before = client.request_counts();
        Self { client: client.clone(), before, counted: Cell::new(0) }
    }

    /// The requests that were sent, by endpoint.
    pub(super) fn sent_by_endpoint(&self) -> BTreeMap<String, u64> {
        let mut sent = self.client.request_counts();
        for (route, sent) in &mut sent {
            *sent -= self.before.get(route).copied().unwrap_or_default();
        }
        sent.retain(|_, sent| *sent > 0);
        sent
    }

    /// Counts what was sent since the last time.
    pub(super) fn count(&self, mirror: &MirrorWriter) -> Result<(), MirrorError> {
        let sent: u64 = self.sent_by_endpoint().values().sum();
        let new = sent - self.counted.get();
        if new > 0 {
            mirror.add_requests(&today(), new)?;
            self.counted.set(sent);
        }
        Ok(())
    }

    /// Does work, and counts the requests that it sends meanwhile.
    pub(super) async fn count_during<T>(
        &self,
        mirror: &MirrorWriter,
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                ended = &mut work => return ended,
                // What cannot be counted now is counted the next time.
                () = tokio::time::sleep(PERIOD) => drop(self.count(mirror)),
            }
        }
    }
}
