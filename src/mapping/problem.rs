//! What is wrong with a mapping, or between it and a sheet or a location.

use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// The code of two columns that go to one target which takes one.
pub const DUPLICATE_HEADER: DiagnosticCode = DiagnosticCode::E_DUPLICATE_HEADER;

/// A problem at a line of the mapping file, from 1; 0 where there is none.
#[must_use]
pub fn mapping_problem(line: usize, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(DiagnosticCode::E_MAPPING, message).at_line(line)
}
