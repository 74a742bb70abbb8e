//! The facts that an export keeps in its run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::run::RunFact;

/// Whether only the records that could not be read are asked for.
pub(super) const ERRORS_ONLY: RunFact<bool> = RunFact::new("errors_only");
/// When everything had been read.
pub(super) const FETCHED_AT: RunFact<jiff::Timestamp> = RunFact::new("fetched_at");
/// Requests sent, by route, by all processes.
pub(super) const REQUESTS: RunFact<BTreeMap<String, u64>> = RunFact::new("requests");
/// What the run warned of.
pub(super) const WARNINGS: RunFact<Vec<ExportWarning>> = RunFact::new("warnings");

/// A warning, as its run stores it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportWarning {
    /// The spelling of its code; not the code itself, because a later version may have written it.
    pub code: String,
    /// What it is about.
    pub subjects: Vec<String>,
    /// A sentence for people. May contain untrusted text.
    pub message: String,
}
