//! Problems with a mapping, or between it and a sheet or a location.

use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// The code for two columns with the same single-column target.
pub const DUPLICATE_HEADER: DiagnosticCode = DiagnosticCode::E_DUPLICATE_HEADER;

/// Creates a problem at a line of the mapping file, from 1; 0 if there is no file.
#[must_use]
pub fn mapping_problem(line: usize, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(DiagnosticCode::E_MAPPING, message).at_line(line)
}
