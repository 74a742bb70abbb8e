//! Diagnostics: errors and warnings about the user's data, in one form from where they are found to where they are
//! shown.
//!
//! A value parser, a sheet, a mapping or a plan creates a [`Diagnostic`] with a code and a message. Each caller on
//! the way up adds the part of the place that it knows: the column, the field, the row, the cell. The run's store, the
//! result files, the JSON events and the terminal use it unchanged; place, message and hint become one text only where
//! they are shown. This module does not know the modules that use it.

mod codes;
mod event_codes;
mod phrases;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use codes::{DiagnosticCode, DiagnosticSeverity, UnknownDiagnosticCode};
pub use event_codes::{EventWarningCode, FetchFailureCode, UnknownEventCode};
pub use phrases::{ProblemPhrase, ProblemSubject};

/// A warning, a rejection of a row or a refusal of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Diagnostic {
    /// The stable name, which also determines the severity.
    pub code: DiagnosticCode,
    /// Where it was found, as far as known. Boxed, so that results with a diagnostic stay small.
    #[serde(default)]
    pub place: Box<DiagnosticPlace>,
    /// The column's header, or the target if no column is to blame; empty if it is about the whole row or file.
    #[serde(default)]
    pub field: String,
    /// What is wrong: lower case, without a full stop. May contain untrusted text.
    pub message: String,
    /// What to do about it, unless the message says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Box<str>>,
}

/// Where a diagnostic was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagnosticPlace {
    /// The row number, from 1; `None` for the file as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// The line of a text file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column's index, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The cell of the sheet as users know it: `Contacts!C5`, or `line 5, column C`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<Box<str>>,
}

impl Diagnostic {
    /// A diagnostic without a place.
    #[must_use]
    pub fn new(code: DiagnosticCode, message: impl Into<String>) -> Self {
        Self {
            code,
            place: Box::default(),
            field: String::new(),
            message: message.into(),
            hint: None,
        }
    }

    /// The effect on the row or file.
    #[must_use]
    pub fn severity(&self) -> DiagnosticSeverity {
        self.code.severity()
    }

    /// The place, if known, the message and the hint, for output with a single cell for all of them.
    #[must_use]
    pub fn full_message(&self) -> String {
        let message = self.message_with_place();
        match &self.hint {
            Some(hint) => format!("{message}; {hint}"),
            None => message,
        }
    }

    /// Sets the hint.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<Box<str>>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Sets a hint with the name that was probably meant, if one is similar.
    #[must_use]
    pub fn did_you_mean(self, name: Option<impl fmt::Display>) -> Self {
        match name {
            Some(name) => self.with_hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// Changes the code: a warning that rejects its row, or a rejection that is only a warning.
    #[must_use]
    pub fn with_code(self, code: DiagnosticCode) -> Self {
        Self { code, ..self }
    }

    /// Changes the message.
    #[must_use]
    pub fn with_message(self, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..self }
    }

    /// Sets the field: a column's header or a target.
    #[must_use]
    pub fn in_field(self, field: impl Into<String>) -> Self {
        Self { field: field.into(), ..self }
    }

    /// Sets the column, if there is one.
    #[must_use]
    pub fn at_column(mut self, column: impl Into<Option<usize>>) -> Self {
        self.place.column = column.into();
        self
    }

    /// Sets the line of a text file, from 1; 0 for no line.
    #[must_use]
    pub fn at_line(mut self, line: usize) -> Self {
        self.place.line = u64::try_from(line).ok().filter(|line| *line > 0);
        self
    }

    /// Sets the sheet's cell, as users know it.
    #[must_use]
    pub fn in_cell(mut self, cell: impl Into<Box<str>>) -> Self {
        self.place.cell = Some(cell.into());
        self
    }

    /// The message with its cell or else its line, if known, in front.
    #[must_use]
    pub fn message_with_place(&self) -> String {
        match (&self.place.cell, self.place.line) {
            (Some(cell), _) => format!("{cell}: {}", self.message),
            (None, Some(line)) => format!("line {line}: {}", self.message),
            (None, None) => self.message.clone(),
        }
    }

    /// An entry of a list: the line, the message, the code unless it is that of the list's heading, and the hint.
    #[must_use]
    pub fn list_line(&self, heading: DiagnosticCode) -> String {
        let code = if self.code == heading { String::new() } else { format!(" ({})", self.code) };
        let hint = self.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}{code}{hint}", self.message_with_place())
    }

    /// Sets the row number, from 1.
    #[must_use]
    pub fn at_record(mut self, record: u64) -> Self {
        self.place.record = Some(record);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_and_writes_its_spelling_and_its_first_letter_is_its_severity() {
        for code in DiagnosticCode::ALL {
            assert_eq!(code.spelling().parse(), Ok(*code));
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(json, format!("\"{code}\""));
            assert_eq!(serde_json::from_str::<DiagnosticCode>(&json).unwrap(), *code);
            let severity = match code.spelling().as_bytes()[0] {
                b'W' => DiagnosticSeverity::Warning,
                b'R' => DiagnosticSeverity::Rejection,
                _ => DiagnosticSeverity::Refusal,
            };
            assert_eq!(code.severity(), severity, "{code}");
        }
        assert!("w_date_invalid".parse::<DiagnosticCode>().is_err());
    }

    #[test]
    fn every_code_is_documented_in_one_sentence_and_listed_in_order() {
        for code in DiagnosticCode::ALL {
            let meaning = code.meaning();
            assert!(meaning.len() > 20 && meaning.ends_with('.'), "{code}: {meaning}");
            assert!(meaning.starts_with(char::is_uppercase), "{code}: {meaning}");
        }
        let sorted = |of: DiagnosticSeverity| {
            let codes = DiagnosticCode::ALL.iter().filter(|code| code.severity() == of);
            codes.map(|code| code.spelling()).is_sorted()
        };
        assert!(DiagnosticSeverity::ALL.into_iter().all(sorted));
    }

    #[test]
    fn a_stored_diagnostic_is_read_back() {
        let whole = Diagnostic::new(DiagnosticCode::W_DATE_AMBIGUOUS, "two readings")
            .with_hint("set the order")
            .in_field("Born")
            .at_column(3)
            .at_record(7)
            .in_cell("Contacts!D8");
        let json = serde_json::to_string(&whole).unwrap();
        assert_eq!(serde_json::from_str::<Diagnostic>(&json).unwrap(), whole);
    }

    #[test]
    fn a_message_is_shown_with_its_cell_or_else_its_line() {
        let plain = Diagnostic::new(DiagnosticCode::W_DATE_AMBIGUOUS, "two readings");
        assert_eq!(plain.full_message(), "two readings");
        let in_line = plain.at_line(5);
        assert_eq!(in_line.message_with_place(), "line 5: two readings");
        let in_cell = in_line.in_cell("Contacts!D5").with_hint("set the order");
        assert_eq!(in_cell.full_message(), "Contacts!D5: two readings; set the order");
        assert_eq!(in_cell.message, "two readings");
    }
}
