//! Values: what a cell's text means.
//!
//! Each reader takes a text and gives the form that the API wants, or says why it cannot. None guesses:
//! what could mean two things is an error or comes with a notice. They know neither rows nor columns.

mod boolean;
mod consent;
mod country;
mod date;
mod datetime;
mod digits;
mod email;
mod evidence;
mod normalize;
mod number;
mod phone;
mod phones;
mod postal_code;
mod quote;
mod split;
mod spreadsheet;
mod task_status;
mod text;
mod timezone;
mod value_list;
mod website;

pub use boolean::boolean;
pub use consent::{Consent, ConsentColumn, consent};
pub use country::country;
pub use date::{Order, UnknownOrder, date, date_of_birth};
pub use datetime::moment;
pub use email::emails;
pub use evidence::DateEvidence;
pub use number::{money, number};
pub use phone::phone;
pub use phones::phones;
pub use postal_code::postal_code;
pub use split::at_any as pieces;
pub use spreadsheet::is_spreadsheet_error;
pub use task_status::completed;
pub use text::{clean, one_line};
pub use timezone::timezone;
pub use value_list::list;
pub use website::url;

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

impl Notice {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl Unreadable {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl<T> Read<T> {
    /// A value about which nothing is noteworthy.
    #[must_use]
    pub fn plain(value: T) -> Self {
        Self { value, notices: Vec::new() }
    }
}
