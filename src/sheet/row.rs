//! A row: typed cells, its position, and what is wrong with its form.

use std::fmt;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;

/// A row below the header. Rows without any text are not counted.
#[derive(Debug, Clone, PartialEq)]
pub struct SheetRow {
    /// Its record number, from 1.
    pub record: u64,
    /// Its position in the file.
    pub place: RowPosition,
    /// As many cells as the header has columns; more only with the fault `R_ROW_TOO_LONG`.
    pub cells: Vec<SheetCell>,
    /// Why the row cannot be used, if so; the cells are then what could be read.
    pub fault: Option<Diagnostic>,
    /// Warnings about its form.
    pub warnings: Vec<Diagnostic>,
}

/// The position where a row begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPosition {
    /// The physical line of a text file, or the row of a spreadsheet, from 1.
    pub line: u64,
    /// The sheet's name in a spreadsheet.
    pub sheet: Option<Arc<str>>,
}

impl RowPosition {
    /// The position of one cell, for people: `Contacts!C5`, or `line 5, column C`.
    #[must_use]
    pub fn cell_reference(&self, letters: &str) -> String {
        match &self.sheet {
            Some(sheet) => format!("{sheet}!{letters}{}", self.line),
            None => format!("line {}, column {letters}", self.line),
        }
    }
}

impl fmt::Display for RowPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sheet {
            Some(sheet) => write!(f, "{sheet}, row {}", self.line),
            None => write!(f, "line {}", self.line),
        }
    }
}

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum SheetCell {
    /// No text, or only spaces.
    Empty,
    /// Text as written in the file; only the outer quotes of a text file are removed.
    Text(String),
    /// A spreadsheet's number, and the text to send for it: an integer without `.0` or exponent, and with the
    /// leading zeros of a number format such as `00000`.
    Number(f64, String),
    /// A spreadsheet's boolean.
    Bool(bool),
    /// A spreadsheet's date, taken from its value, never from how it is displayed.
    Date(jiff::civil::DateTime),
    /// A spreadsheet's error value, such as `#N/A`.
    Error(String),
    /// A formula without a stored result.
    NoValue,
}

impl SheetCell {
    /// The cell as text for a result file.
    #[must_use]
    pub fn to_text(&self) -> std::borrow::Cow<'_, str> {
        use std::borrow::Cow;
        match self {
            Self::Empty | Self::NoValue => Cow::Borrowed(""),
            Self::Text(text) | Self::Number(_, text) | Self::Error(text) => Cow::Borrowed(text),
            Self::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Date(date) if date.time() == jiff::civil::Time::midnight() => {
                Cow::Owned(date.date().to_string())
            }
            Self::Date(date) => Cow::Owned(date.to_string()),
        }
    }
}

/// Whether a text contains only spaces and invisible characters.
pub(super) fn is_blank_text(text: &str) -> bool {
    match text.as_bytes().first() {
        None => true,
        Some(b'!'..=b'~') => false,
        Some(_) => text.chars().all(|c| {
            c.is_whitespace() || matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}')
        }),
    }
}
