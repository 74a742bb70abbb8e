//! The result of reading a cell: a value independent of its spreadsheet form, nothing, or an unusable cell.

use jiff::civil::DateTime;

use crate::sheet::SheetCell;

/// A cell's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum CleanedValue {
    Text(String),
    /// A spreadsheet's number and its text.
    Number(f64, String),
    Bool(bool),
    Date(DateTime),
}

impl CleanedValue {
    /// The value as text.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) | Self::Number(_, text) => text,
            Self::Bool(value) => value.to_string(),
            Self::Date(date) => SheetCell::Date(date).to_text().into_owned(),
        }
    }
}

/// The result of reading a cell.
#[derive(Debug)]
pub(super) enum CellOutcome {
    Value(CleanedValue),
    /// The cell is empty.
    Blank,
    /// The content cannot be used; a warning was added.
    Unusable,
}
