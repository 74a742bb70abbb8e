//! Problems: what is wrong with a mapping, or between it and a sheet or a location.

use crate::diagnostic::DiagnosticCode;
use std::fmt;

/// The code of two columns that go to one target which takes one.
pub const DUPLICATE_HEADER: DiagnosticCode = DiagnosticCode::E_DUPLICATE_HEADER;

/// Something that keeps a mapping from being used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A stable name, for the problems that refuse a file: [`DUPLICATE_HEADER`].
    pub code: Option<DiagnosticCode>,
    /// The line of the mapping file, from 1; 0 where there is none.
    pub line: usize,
    /// What is wrong. May hold text from outside.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without code and hint.
    #[must_use]
    pub fn new(line: usize, message: impl Into<String>) -> Self {
        Self { code: None, line, message: message.into(), hint: None }
    }

    /// The same problem with what to do about it.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same problem with the name that was probably meant, if any is near.
    #[must_use]
    pub fn did_you_mean(self, name: Option<impl fmt::Display>) -> Self {
        match name {
            Some(name) => self.with_hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// The same problem with a stable name.
    #[must_use]
    pub fn with_code(self, code: DiagnosticCode) -> Self {
        Self { code: Some(code), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.message),
            line => write!(f, "line {line}: {}", self.message),
        }
    }
}
