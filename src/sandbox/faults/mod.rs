//! Faults that a test or user switches on.

mod action;
mod alter_request;
mod alter_rows;
mod alteration;
pub(super) mod barrier;
pub(super) mod fault;
mod fault_options;
pub(super) mod inject;
mod json_rows;
mod replacement;
