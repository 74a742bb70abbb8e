//! The outcome of a row: what it asks for or why it is rejected, and its warnings.

use crate::diagnostic::Diagnostic;
use crate::model::{ContactDraft, UnreadableCell};

/// A row that was validated.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatedRow {
    /// What the row asks for, or why it is not imported.
    pub outcome: Result<ContactDraft, Diagnostic>,
    /// What is noteworthy; of a row that is rejected, only about its form and about who it is.
    pub warnings: Vec<Diagnostic>,
}

/// A problem of one cell whose effect is not decided yet.
#[derive(Debug)]
pub(super) struct DeferredIssue {
    pub(super) cell: UnreadableCell,
    /// Whether the contact's identity depends on the cell.
    pub(super) identity: bool,
}
