//! The facts that a sync keeps in its run.

use std::collections::BTreeMap;

use crate::run::RunFact;

/// Whether the location was read; what the mirror has in addition may still have to be looked for.
pub(super) const PULLED: RunFact<bool> = RunFact::new("pulled");
/// Whether everything is read although the plan was to read what was updated: so many contacts have changed.
pub(super) const READS_ALL: RunFact<bool> = RunFact::new("reads_all");
/// The server's time when the sync began, in milliseconds since 1970.
pub(super) const WATERMARK_MS: RunFact<i64> = RunFact::new("watermark_ms");
/// Requests sent, by route, by all processes.
pub(super) const REQUESTS: RunFact<BTreeMap<String, u64>> = RunFact::new("requests");
