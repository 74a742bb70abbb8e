//! Work: a row while it is judged.

use super::consent::Consents;
use super::deferred::Waiting;
use super::field_rule::Step;
use super::outcome::{Rejection, Warned};
use crate::model::Draft;
use crate::sheet::{Column, Row};
use crate::value::Notice;

/// The warning of a row that ends before its last column.
const SHORT: &str = "W_SHORT_ROW";

/// What is known of a row so far.
#[derive(Debug)]
pub(super) struct Work<'r> {
    pub(super) row: &'r Row,
    pub(super) columns: &'r [Column],
    pub(super) draft: Draft,
    pub(super) warnings: Vec<Warned>,
    /// The warnings, by index, that are of no interest once the row is rejected.
    passing: Vec<usize>,
    /// The country that the row itself names.
    pub(super) country: Option<&'static str>,
    pub(super) consents: Consents,
    pub(super) note: NoteParts,
    pub(super) task: TaskParts,
    /// What could not be read.
    pub(super) waiting: Vec<Waiting>,
}

/// What a row says about its notes.
#[derive(Debug, Default)]
pub(super) struct NoteParts {
    pub(super) bodies: Vec<(Option<usize>, String)>,
    pub(super) id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) color: Option<String>,
    pub(super) pinned: Option<bool>,
    pub(super) user: Option<String>,
    pub(super) date: Option<jiff::civil::Date>,
}

/// What a row says about its task.
#[derive(Debug, Default)]
pub(super) struct TaskParts {
    /// Whether any of its cells holds something.
    pub(super) given: bool,
    pub(super) id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) body: Option<String>,
    pub(super) due: Option<String>,
    pub(super) completed: Option<bool>,
    pub(super) user: Option<String>,
    pub(super) priority: Option<String>,
}

impl<'r> Work<'r> {
    pub(super) fn new(row: &'r Row, columns: &'r [Column]) -> Self {
        Self {
            row,
            columns,
            draft: Draft::default(),
            warnings: Vec::new(),
            passing: Vec::new(),
            country: None,
            consents: Consents::default(),
            note: NoteParts::default(),
            task: TaskParts::default(),
            waiting: Vec::new(),
        }
    }

    /// Takes over what the sheet says about the row's form.
    pub(super) fn form(&mut self) -> Result<(), Rejection> {
        for warning in &self.row.warnings {
            self.warnings.push(Warned {
                code: warning.code,
                column: warning.column,
                field: self.header(warning.column).to_owned(),
                message: warning.message.clone(),
            });
        }
        match &self.row.fault {
            None => Ok(()),
            Some(fault) => Err(Rejection {
                code: fault.code,
                field: self.header(fault.column).to_owned(),
                column: fault.column,
                message: fault.message.clone(),
            }),
        }
    }

    /// The warnings of a row that is rejected: about its form, and about whom it is about.
    pub(super) fn lasting(self) -> Vec<Warned> {
        let mut passing = self.passing.into_iter().peekable();
        let warnings = self.warnings.into_iter().enumerate();
        warnings.filter(|(at, _)| passing.next_if_eq(at).is_none()).map(|(_, it)| it).collect()
    }

    /// Whether the row may have lost its last cells: then their emptiness says nothing.
    pub(super) fn is_short(&self) -> bool {
        self.row.warnings.iter().any(|warning| warning.code == SHORT)
    }

    pub(super) fn warn(
        &mut self,
        code: &'static str,
        step: &Step,
        column: Option<usize>,
        message: impl Into<String>,
    ) {
        let field = self.named(column, &step.target.to_string());
        self.warn_with(Warned { code, column, field, message: message.into() }, step.identity);
    }

    /// Warns; whether it is about whom the row is about decides if it lasts.
    pub(super) fn warn_with(&mut self, warned: Warned, identity: bool) {
        if !identity {
            self.passing.push(self.warnings.len());
        }
        self.warnings.push(warned);
    }

    /// Warns of what came with a value that was read.
    pub(super) fn note_all(
        &mut self,
        notices: impl IntoIterator<Item = Notice>,
        step: &Step,
        column: Option<usize>,
    ) {
        for notice in notices {
            self.warn(notice.code, step, column, notice.message);
        }
    }

    pub(super) fn reject(
        &self,
        code: &'static str,
        step: &Step,
        column: Option<usize>,
        message: impl Into<String>,
    ) -> Rejection {
        self.reject_at(code, column, &step.target.to_string(), message)
    }

    /// Warns of what stands in a column, or of what goes to a target.
    pub(super) fn warn_at(
        &mut self,
        code: &'static str,
        column: Option<usize>,
        target: &str,
        message: impl Into<String>,
    ) {
        let field = self.named(column, target);
        self.warnings.push(Warned { code, column, field, message: message.into() });
    }

    /// Rejects for what stands in a column, or for what goes to a target.
    pub(super) fn reject_at(
        &self,
        code: &'static str,
        column: Option<usize>,
        target: &str,
        message: impl Into<String>,
    ) -> Rejection {
        Rejection { code, field: self.named(column, target), column, message: message.into() }
    }

    /// What a message is about: the column's header, or the target.
    pub(super) fn named(&self, column: Option<usize>, target: &str) -> String {
        match self.header(column) {
            "" => target.to_owned(),
            header => header.to_owned(),
        }
    }

    fn header(&self, column: Option<usize>) -> &'r str {
        let column = column.and_then(|index| self.columns.get(index));
        column.map_or("", |column| match column.name.as_str() {
            "" => column.letters.as_str(),
            name => name,
        })
    }
}

/// A rejection of the row as a whole.
pub(super) fn whole_row(code: &'static str, field: &str, message: impl Into<String>) -> Rejection {
    Rejection { code, field: field.to_owned(), column: None, message: message.into() }
}
