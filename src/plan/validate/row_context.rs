//! The context of a row while it is validated.

use super::field_rule::FieldRule;
use super::outcome::{DeferredIssue, ValidatedRow};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::target::Channel;
use crate::model::{ContactDraft, MappingTarget};
use crate::sheet::{SheetColumn, SheetRow};

/// The warning for a row that ends before its last column.
const SHORT: DiagnosticCode = DiagnosticCode::W_SHORT_ROW;

/// The results for a row so far.
#[derive(Debug)]
pub(super) struct RowContext<'r> {
    pub(super) row: &'r SheetRow,
    pub(super) columns: &'r [SheetColumn],
    pub(super) draft: ContactDraft,
    pub(super) warnings: Vec<Diagnostic>,
    /// The indexes of warnings that are irrelevant if the row is rejected.
    passing: Vec<usize>,
    /// The row's own country.
    pub(super) country: Option<&'static str>,
    /// The country of its phone numbers, if a cell says it otherwise.
    pub(super) phone_country: Option<PhoneCountry>,
    pub(super) consents: ConsentAnswers,
    pub(super) note: NoteParts,
    pub(super) task: TaskParts,
    /// The issues that are not decided yet.
    pub(super) waiting: Vec<DeferredIssue>,
    /// Why the row is rejected.
    rejections: Vec<Diagnostic>,
    /// The targets whose values reject the row.
    rejected_targets: Vec<MappingTarget>,
    /// Whether a value that identifies the contact rejects the row.
    identity_rejected: bool,
}

/// What a row says about the country of its phone numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PhoneCountry {
    /// This country, ISO 3166-1 alpha-2.
    Known(&'static str),
    /// This text, which is neither a country nor a dialling code.
    Unreadable(String),
}

/// The parts of a row's notes.
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

/// The parts of a row's task.
#[derive(Debug, Default)]
pub(super) struct TaskParts {
    /// Whether any of its cells has a value.
    pub(super) given: bool,
    pub(super) id: Option<String>,
    pub(super) title: Option<String>,
    pub(super) body: Option<String>,
    pub(super) due: Option<String>,
    pub(super) completed: Option<bool>,
    pub(super) user: Option<String>,
    pub(super) priority: Option<String>,
}

impl<'r> RowContext<'r> {
    pub(super) fn new(row: &'r SheetRow, columns: &'r [SheetColumn]) -> Self {
        Self {
            row,
            columns,
            draft: ContactDraft::default(),
            warnings: Vec::new(),
            passing: Vec::new(),
            country: None,
            phone_country: None,
            consents: ConsentAnswers::default(),
            note: NoteParts::default(),
            task: TaskParts::default(),
            waiting: Vec::new(),
            rejections: Vec::new(),
            rejected_targets: Vec::new(),
            identity_rejected: false,
        }
    }

    /// Adds the sheet's findings about the row's form.
    pub(super) fn check_row_structure(&mut self) -> Result<(), Diagnostic> {
        for warning in &self.row.warnings {
            let field = self.column_header(warning.place.column);
            self.warnings.push(warning.clone().in_field(field));
        }
        match &self.row.fault {
            None => Ok(()),
            Some(fault) => Err(fault.clone().in_field(self.column_header(fault.place.column))),
        }
    }

    /// Rejects the row.
    pub(super) fn reject(&mut self, rejection: Diagnostic) {
        self.rejections.push(rejection);
    }

    /// Rejects the row because of a rule's value.
    pub(super) fn reject_for_rule(&mut self, step: &FieldRule, rejection: Diagnostic) {
        self.rejected_targets.push(step.target.clone());
        self.identity_rejected |= step.identity;
        self.reject(rejection);
    }

    /// Whether the row is rejected, whatever becomes of the issues that are not decided yet.
    pub(super) fn is_rejected(&self) -> bool {
        !self.rejections.is_empty()
    }

    /// Whether a value of the target rejects the row, so that it is no news that the target has no value.
    pub(super) fn is_target_rejected(&self, target: &MappingTarget) -> bool {
        let waits =
            |issue: &DeferredIssue| issue.cell.rejects_row() && issue.cell.to == target.to_string();
        self.rejected_targets.contains(target) || self.waiting.iter().any(waits)
    }

    /// Whether a value that identifies the contact rejects the row, so that it is no news that nothing does.
    pub(super) fn is_identity_rejected(&self) -> bool {
        let waits = |issue: &DeferredIssue| issue.identity && issue.cell.rejects_row();
        self.identity_rejected || self.waiting.iter().any(waits)
    }

    /// The row's draft, or all reasons for its rejection in the order of the columns.
    pub(super) fn into_validated_row(mut self) -> ValidatedRow {
        let mut rejections = std::mem::take(&mut self.rejections);
        if rejections.is_empty() {
            return ValidatedRow { outcome: Ok(self.draft), warnings: self.warnings };
        }
        // Every cell of a test lead says the same, and nothing else about it matters.
        if let Some(at) = rejections.iter().position(|it| it.code == DiagnosticCode::R_TEST_LEAD) {
            rejections = vec![rejections.swap_remove(at)];
        }
        rejections.sort_by_key(|it| it.place.column.unwrap_or(usize::MAX));
        // Two rules may read the same cell.
        rejections.dedup();
        ValidatedRow { outcome: Err(rejections), warnings: self.into_rejected_row_warnings() }
    }

    /// The warnings of a rejected row: about its form, and about its identity.
    fn into_rejected_row_warnings(self) -> Vec<Diagnostic> {
        let mut passing = self.passing.into_iter().peekable();
        let warnings = self.warnings.into_iter().enumerate();
        warnings.filter(|(at, _)| passing.next_if_eq(at).is_none()).map(|(_, it)| it).collect()
    }

    /// Whether the row may have lost its last cells, so that empty ones mean nothing.
    pub(super) fn is_short_row(&self) -> bool {
        self.row.warnings.iter().any(|warning| warning.code == SHORT)
    }

    pub(super) fn add_warning(
        &mut self,
        code: DiagnosticCode,
        step: &FieldRule,
        column: Option<usize>,
        message: impl Into<String>,
    ) {
        let warning = self.locate(Diagnostic::new(code, message), column, &step.target.to_string());
        self.push_warning(warning, step.identity);
    }

    /// Adds a warning; `identity` decides whether it remains if the row is rejected.
    pub(super) fn push_warning(&mut self, warned: Diagnostic, identity: bool) {
        if !identity {
            self.passing.push(self.warnings.len());
        }
        self.warnings.push(warned);
    }

    /// Adds the notices of a value that was read.
    pub(super) fn add_notices(
        &mut self,
        notices: impl IntoIterator<Item = Diagnostic>,
        step: &FieldRule,
        column: Option<usize>,
    ) {
        for notice in notices {
            let warning = self.locate(notice, column, &step.target.to_string());
            self.push_warning(warning, step.identity);
        }
    }

    pub(super) fn rejection_for_rule(
        &self,
        code: DiagnosticCode,
        step: &FieldRule,
        column: Option<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        self.rejection_for_column(code, column, &step.target.to_string(), message)
    }

    /// Adds a warning about a column, or about a target.
    pub(super) fn add_column_warning(
        &mut self,
        code: DiagnosticCode,
        column: Option<usize>,
        target: &str,
        message: impl Into<String>,
    ) {
        self.warnings.push(self.locate(Diagnostic::new(code, message), column, target));
    }

    /// Creates a rejection because of a column, or of a target.
    pub(super) fn rejection_for_column(
        &self,
        code: DiagnosticCode,
        column: Option<usize>,
        target: &str,
        message: impl Into<String>,
    ) -> Diagnostic {
        self.locate(Diagnostic::new(code, message), column, target)
    }

    /// Sets a diagnostic's place: the column and its header, or the target if there is no column.
    pub(super) fn locate(
        &self,
        diagnostic: Diagnostic,
        column: Option<usize>,
        target: &str,
    ) -> Diagnostic {
        diagnostic.at_column(column).in_field(self.field_label(column, target))
    }

    /// The subject of a message: the column's header, or the target.
    pub(super) fn field_label(&self, column: Option<usize>, target: &str) -> String {
        match self.column_header(column) {
            "" => target.to_owned(),
            header => header.to_owned(),
        }
    }

    fn column_header(&self, column: Option<usize>) -> &'r str {
        let column = column.and_then(|index| self.columns.get(index));
        column.map_or("", |column| match column.name.as_str() {
            "" => column.letters.as_str(),
            name => name,
        })
    }
}

/// Creates a rejection of the row as a whole.
pub(super) fn whole_row_rejection(
    code: DiagnosticCode,
    field: &str,
    message: impl Into<String>,
) -> Diagnostic {
    Diagnostic::new(code, message).in_field(field)
}

/// The answers in the consent columns of a row.
#[derive(Debug, Default)]
pub(super) struct ConsentAnswers(pub(super) Vec<ConsentAnswer>);

#[derive(Debug)]
pub(super) struct ConsentAnswer {
    pub(super) channel: Channel,
    pub(super) out: bool,
    /// Whether the answer is from an opt-out column.
    pub(super) of_opt_outs: bool,
    pub(super) column: Option<usize>,
    pub(super) target: String,
}
