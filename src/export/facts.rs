//! The facts that an export keeps in its run.

use std::collections::BTreeMap;

use crate::run::RunFact;

/// Whether only the records that could not be read are asked for.
pub(super) const ERRORS_ONLY: RunFact<bool> = RunFact::new("errors_only");
/// When everything had been read.
pub(super) const FETCHED_AT: RunFact<jiff::Timestamp> = RunFact::new("fetched_at");
/// Requests sent, by route, by all processes.
pub(super) const REQUESTS: RunFact<BTreeMap<String, u64>> = RunFact::new("requests");
