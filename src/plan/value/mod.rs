//! Values: what a cell's text means.
//!
//! Each reader takes a text and gives the form that the API wants, or says why it cannot. None guesses:
//! what could mean two things is an error or comes with a notice. They know neither rows nor columns.

/// Something noteworthy about a value that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// A stable name: `W_PHONE_EXTENSION`, …
    pub code: &'static str,
    /// What was found, for people. May hold text from outside.
    pub message: String,
}

/// A value that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unreadable {
    /// A stable name: `R_INVALID_PHONE`, `W_DATE_AMBIGUOUS`, … `R_` rejects the row, `W_` drops the field.
    pub code: &'static str,
    /// What is wrong, for people. May hold text from outside.
    pub message: String,
}

/// A value, and what is noteworthy about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<T> {
    /// The value.
    pub value: T,
    /// What is noteworthy.
    pub notices: Vec<Notice>,
}
