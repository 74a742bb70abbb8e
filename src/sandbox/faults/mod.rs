//! Faults that a test or a person switches on.

pub(super) mod barrier;
pub(super) mod fault;
pub(super) mod inject;
