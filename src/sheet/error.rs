//! Why a file is refused as a whole, and what is noteworthy about one that is not.

use std::path::Path;

/// A file that is not imported. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SheetError {
    /// A stable name: `E_EMPTY_FILE`, `E_NO_HEADER`, …; `E_IO` when the system cannot read the file and
    /// `E_CHANGED` when it changed while it was read.
    pub code: &'static str,
    /// What is wrong, where (line, record, cell), lower case, without a full stop. May hold text from
    /// outside.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Something about the file or a row that does not stop it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetWarning {
    /// A stable name: `W_ENCODING_GUESSED`, …
    pub code: &'static str,
    /// The column's index, where it is about one.
    pub column: Option<usize>,
    /// What was found, for people.
    pub message: String,
}

impl SheetError {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The system cannot read the file.
    pub(super) fn from_io(path: &Path, error: &std::io::Error) -> Self {
        Self::new("E_IO", format!("`{}` cannot be read: {error}", path.display()))
    }

    /// The file is not the one that was looked over.
    pub(super) fn file_changed(path: &Path) -> Self {
        Self::new("E_CHANGED", format!("`{}` changed after it was looked over", path.display()))
            .with_hint("start again when nothing writes to the file any more")
    }
}

impl SheetWarning {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, column: None, message: message.into() }
    }
}
