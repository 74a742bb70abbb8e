//! The outcome of a row: what it asks for or why it is rejected, and its warnings.

use crate::diagnostic::Diagnostic;
use crate::model::ContactDraft;

/// A row that was validated.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatedRow {
    /// What the row asks for, or why it is not imported.
    pub outcome: Result<ContactDraft, Diagnostic>,
    /// What is noteworthy; of a row that is rejected, only about its form and about who it is.
    pub warnings: Vec<Diagnostic>,
}
