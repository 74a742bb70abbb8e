//! Faults that a test or user switches on.

pub(super) mod barrier;
pub(super) mod fault;
pub(super) mod inject;
