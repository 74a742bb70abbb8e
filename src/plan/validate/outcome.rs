//! The outcome of a row: its draft or the reason for its rejection, and its warnings.

use crate::diagnostic::Diagnostic;
use crate::model::{ContactDraft, UnreadableCell};

/// A row that was validated.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatedRow {
    /// The draft of the contact, or all reasons why the row is not imported, in the order of the columns.
    pub outcome: Result<ContactDraft, Vec<Diagnostic>>,
    /// The warnings; for a rejected row, only those about its form and its identity.
    pub warnings: Vec<Diagnostic>,
}

/// An issue of one cell whose effect is not decided yet.
#[derive(Debug)]
pub(super) struct DeferredIssue {
    pub(super) cell: UnreadableCell,
    /// Whether the contact's identity depends on the cell.
    pub(super) identity: bool,
}
