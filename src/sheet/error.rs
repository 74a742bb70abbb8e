//! Refusals of a file that do not depend on its format.

use std::path::Path;

use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// The maximum length of a text in a spreadsheet or of a row in a text file, in bytes. Spreadsheet programs have at most
/// 32,767 characters in a cell.
pub(super) const MAX_TEXT: u64 = 16 * 1024 * 1024;

/// The system cannot read the file.
pub(super) fn io_error(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(DiagnosticCode::E_IO, format!("cannot read `{}`: {error}", path.display()))
}

/// The file has changed since it was prescanned.
pub(super) fn file_changed_error(path: &Path) -> Diagnostic {
    let message = format!("`{}` changed while it was read", path.display());
    Diagnostic::new(DiagnosticCode::E_CHANGED, message)
        .with_hint("run the command again when no program writes to the file")
}
