//! Verdicts: what becomes of a row, and what its reader should know.

use serde::Serialize;

use crate::model::ContactDraft;

/// Why a row is not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowRejection {
    /// A stable name: `R_INVALID_EMAIL`, …
    pub code: &'static str,
    /// The source column's header, or the target where no column is to blame.
    pub field: String,
    /// The column's index, where it is about one.
    pub column: Option<usize>,
    /// What is wrong and what to do about it. May hold text from outside.
    pub message: String,
}

/// Something about a row, or about the sheet as a whole, that does not stop it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanWarning {
    /// A stable name: `W_DATE_AMBIGUOUS`, …
    pub code: &'static str,
    /// The column's index, where it is about one.
    pub column: Option<usize>,
    /// The source column's header, or the target where it is about no column.
    pub field: String,
    /// What was found. May hold text from outside.
    pub message: String,
}

/// A row's verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidatedRow {
    /// What the row asks for, or why it is not imported.
    pub outcome: Result<ContactDraft, RowRejection>,
    /// What is noteworthy; of a row that is rejected, only about its form and about who it is.
    pub warnings: Vec<PlanWarning>,
}
