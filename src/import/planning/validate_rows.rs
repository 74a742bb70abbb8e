//! Validation: every row of the sheet becomes a draft or a rejection in the run's store.
//!
//! The sheet is read twice: once for what only all values of a column together can show, and once row by row.
//! Only the store grows with the sheet.

use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::event::{RunEvent, SharedObserver};
use crate::import::ImportError;
use crate::import::source::{ImportSource, ResolvedSource};
use crate::model::{
    ContactDraft, ExtraValuesRule, IdentityKey, ImportPolicy, LocationDirectory, MatchKey,
};
use crate::plan::validate::{ColumnScan, RowValidator, UnknownOptionCell, UnresolvedName};
use crate::run::{IdentityKind, ImportStore, RowAction, RowDecision, RowMark, StoredRow};
use crate::sheet::{SheetColumn, SheetRow};

/// Rows between two progress reports.
const PROGRESS_INTERVAL: u64 = 5_000;
/// A column that holds the surplus cells of a row of `rejected.csv`.
const EXTRA: &str = "_extra_";

/// What validation found about the sheet as a whole.
pub(crate) struct SheetValidation {
    pub(crate) children_only: bool,
    /// Names of users or businesses that the location does not have: they stop the plan.
    pub(crate) unknown: Vec<UnresolvedName>,
    /// How many rows name one of them and may be excused, because the account may have the same value.
    pub(crate) excusable: u64,
    /// Cells with values that are not options of their field and that the policy asks about: they stop the plan.
    pub(crate) unknown_options: Vec<UnknownOptionCell>,
    /// How many rows have such a cell and may be excused in the same way.
    pub(crate) excusable_options: u64,
    /// Columns without a target that say of people that they must not be contacted.
    pub(crate) opt_outs_left_out: Vec<Diagnostic>,
}

impl SheetValidation {
    /// Whether rows name something that is unknown whatever the account has.
    pub(crate) fn has_unexcused_names(&self) -> bool {
        self.unknown.iter().map(|name| name.rows).sum::<u64>() > self.excusable
    }

    /// Whether rows have values that are not options of their field, whatever the account has.
    pub(crate) fn has_unexcused_options(&self) -> bool {
        self.unknown_options.iter().map(|cell| cell.rows).sum::<u64>() > self.excusable_options
    }
}

/// Validates all rows.
pub(crate) fn validate_rows(
    input: &ImportSource,
    understood: &ResolvedSource,
    directory: &LocationDirectory,
    rows: &ImportStore,
    observer: &SharedObserver,
) -> Result<SheetValidation, ImportError> {
    let mut survey = ColumnScan::new(&understood.plan, directory, &understood.policy);
    if survey.is_needed() {
        for row in input.sheet.rows()? {
            survey.scan_row(&row?);
        }
    }
    let findings = survey.into_findings();
    let columns = &input.sheet.columns;
    let today = jiff::Zoned::now().date();
    for warned in findings.warnings() {
        rows.insert_warning(0, warned)?;
    }
    let checker = RowValidator::new(
        understood.plan.clone(),
        columns,
        directory.clone(),
        understood.policy.clone(),
        findings,
        today,
    )
    .map_err(|problems| input.mapping_error(&understood.name, problems))?;
    let mut writer = ValidatedRowWriter {
        extra: columns.iter().map(|column| column.name.starts_with(EXTRA)).collect(),
        key: resolve_match_key(&understood.policy.key, directory)?,
        removes: understood.removes.is_some(),
        checker,
        columns,
        rows,
        count: 0,
        excusable: 0,
        excusable_options: 0,
    };
    for row in input.sheet.rows()? {
        writer.validate_and_store(&row?)?;
        if writer.count.is_multiple_of(PROGRESS_INTERVAL) {
            report_progress(observer, writer.count, None);
        }
    }
    report_progress(observer, writer.count, Some(writer.count));
    for warned in writer.checker.sheet_warnings() {
        rows.insert_warning(0, &warned)?;
    }
    let children_only = writer.checker.is_children_only();
    let adds_people = !children_only && understood.removes.is_none();
    let opt_outs = if adds_people { writer.checker.opt_outs_left_out() } else { Vec::new() };
    Ok(SheetValidation {
        children_only,
        unknown: writer.checker.unresolved_names(),
        excusable: writer.excusable,
        unknown_options: writer.checker.unknown_options(),
        excusable_options: writer.excusable_options,
        opt_outs_left_out: opt_outs,
    })
}

/// What `--key` means in the location.
pub(crate) fn resolve_match_key(
    key: &IdentityKey,
    directory: &LocationDirectory,
) -> Result<Option<MatchKey>, ImportError> {
    MatchKey::resolve(key, directory)
        .map_err(|error| ImportError::Request(format!("`--key`: {error}")))
}

/// Refuses a field for markers or further values that cannot be written or searched.
pub(crate) fn check_text_fields(
    policy: &ImportPolicy,
    directory: &LocationDirectory,
) -> Result<(), ImportError> {
    if let Some(name) = &policy.marker {
        check_text_field("--marker-field", "a marker needs", name, directory)?;
    }
    if let ExtraValuesRule::Custom(name) = &policy.extra_values {
        check_text_field("--extra-values", "further values need", name, directory)?;
    }
    Ok(())
}

fn check_text_field(
    flag: &str,
    needs: &str,
    name: &str,
    directory: &LocationDirectory,
) -> Result<(), ImportError> {
    let wrong = |why: String| Err(ImportError::Request(format!("`{flag}`: {why}")));
    match directory.find_field(name) {
        Err(error) => wrong(error.to_string()),
        Ok(field) if !["TEXT", "LARGE_TEXT"].contains(&field.data_type.as_str()) => wrong(format!(
            "the custom field `{name}` has the type {}, but {needs} a text field",
            field.data_type
        )),
        Ok(_) => Ok(()),
    }
}

fn report_progress(observer: &SharedObserver, done: u64, total: Option<u64>) {
    observer.observe(&RunEvent::Progress { what: "rows", done, total });
}

struct ValidatedRowWriter<'a> {
    checker: RowValidator,
    columns: &'a [SheetColumn],
    extra: Vec<bool>,
    key: Option<MatchKey>,
    removes: bool,
    rows: &'a ImportStore,
    count: u64,
    excusable: u64,
    excusable_options: u64,
}

impl ValidatedRowWriter<'_> {
    fn validate_and_store(&mut self, row: &SheetRow) -> Result<(), ImportError> {
        self.count = row.record;
        let judged = self.checker.validate_row(row);
        for warned in &judged.warnings {
            self.rows.insert_warning(row.record, &self.locate_in_row(row, warned.clone()))?;
        }
        let outcome = match self.reject_extra_cells(row) {
            Some(rejection) => Err(vec![rejection]),
            None => judged.outcome,
        };
        let outcome = outcome.map(|draft| self.annotate_deferred_errors(row, draft));
        let cells: Vec<_> = row.cells.iter().map(|cell| cell.to_text()).collect();
        let draft = outcome.as_ref().ok().map(to_json);
        self.rows.insert_row(&StoredRow {
            n: row.record,
            line: row.place.line,
            place: row.place.to_string(),
            cells: to_json(&cells),
            draft,
        })?;
        match outcome {
            Ok(draft) => self.store_identities(row.record, &draft),
            Err(rejections) => {
                let located = rejections.into_iter().map(|it| self.locate_in_row(row, it));
                let decision = rejection_decision(located.collect());
                Ok(self.rows.put_decision(row.record, &decision)?)
            }
        }
    }

    /// Adds the cells to the diagnostics of what could not be read, and counts the unknown names among
    /// them.
    fn annotate_deferred_errors(
        &mut self,
        row: &SheetRow,
        mut draft: ContactDraft,
    ) -> ContactDraft {
        for unread in &mut draft.unread {
            unread.diagnostic = self.locate_in_row(row, unread.diagnostic.clone());
            let named = matches!(
                unread.diagnostic.code,
                DiagnosticCode::R_OWNER_UNKNOWN
                    | DiagnosticCode::R_OWNER_AMBIGUOUS
                    | DiagnosticCode::R_BUSINESS_UNKNOWN
                    | DiagnosticCode::R_BUSINESS_AMBIGUOUS
            );
            self.excusable += u64::from(named);
            let is_option = unread.diagnostic.code == DiagnosticCode::R_OPTION_UNKNOWN;
            self.excusable_options += u64::from(is_option);
        }
        draft
    }

    /// Rejects a row that was too long in an earlier run, as long as its surplus cells are still there.
    fn reject_extra_cells(&self, row: &SheetRow) -> Option<Diagnostic> {
        let cell =
            |index: usize| row.cells.get(index).is_some_and(|cell| !cell.to_text().is_empty());
        let index = (0..self.extra.len()).find(|index| self.extra[*index] && cell(*index))?;
        let message = "the row still has one cell too many; move its text to where it belongs and empty this cell";
        Some(
            Diagnostic::new(DiagnosticCode::R_ROW_TOO_LONG, message)
                .in_field(self.columns[index].name.clone())
                .at_column(index),
        )
    }

    /// A diagnostic with its cell, if it concerns one.
    fn locate_in_row(&self, row: &SheetRow, diagnostic: Diagnostic) -> Diagnostic {
        match diagnostic.place.column.and_then(|index| self.columns.get(index)) {
            Some(column) => diagnostic.in_cell(row.place.cell_reference(&column.letters)),
            None => diagnostic,
        }
    }

    fn store_identities(&self, n: u64, draft: &ContactDraft) -> Result<(), ImportError> {
        let named = draft_identities(draft, self.key.as_ref());
        for (kind, value) in &named {
            self.rows.add_row_value(*kind, value, n)?;
        }
        if named.is_empty() && (self.removes || self.checker.is_children_only()) {
            // The contacts that they belong to are found out first.
            let tasks = draft.tasks.iter().filter_map(|task| task.id.as_ref());
            tasks
                .into_iter()
                .try_for_each(|id| self.rows.add_row_value(IdentityKind::TaskId, id, n))?;
        }
        if self.removes {
            return Ok(());
        }
        if let Some(own) = self.duplicate_key(draft, &named) {
            self.rows.add_row_value(IdentityKind::SameRecord, &own, n)?;
        }
        let notes = draft.notes.iter().any(|note| note.id.is_some());
        let tasks = draft.tasks.iter().any(|task| task.id.is_some());
        let all = [
            (notes, RowMark::NotesOfContact, RowMark::NotesOfIdentity),
            (tasks, RowMark::TasksOfContact, RowMark::TasksOfIdentity),
        ];
        for (_, by_id, by_other) in all.into_iter().filter(|(named, ..)| *named) {
            match &draft.contact {
                Some(id) => self.rows.add_row_value(by_id, id.as_str(), n)?,
                None => named.iter().try_for_each(|(kind, value)| {
                    self.rows.add_row_value(by_other, &kind.qualify(value), n)
                })?,
            }
        }
        Ok(())
    }

    /// What makes another row a duplicate of this one: the contact, or the note or task in a file of notes or
    /// tasks.
    fn duplicate_key(
        &self,
        draft: &ContactDraft,
        named: &[(IdentityKind, String)],
    ) -> Option<String> {
        if self.checker.is_children_only() {
            let note = draft.notes.iter().find_map(|note| note.id.as_ref());
            let task = draft.tasks.iter().find_map(|task| task.id.as_ref());
            return note
                .map(|id| format!("note {id}"))
                .or_else(|| task.map(|id| format!("task {id}")));
        }
        // The first identity is used, in order of precedence; with `--key` only that one.
        let wanted = if self.key.is_some() { Some(IdentityKind::KeyField) } else { None };
        let own = named.iter().find(|(kind, _)| wanted.is_none_or(|wanted| *kind == wanted));
        own.map(|(kind, value)| kind.qualify(value))
    }
}

/// The values that identify a draft's contact, with their kinds, the strongest first.
pub(crate) fn draft_identities(
    draft: &ContactDraft,
    key: Option<&MatchKey>,
) -> Vec<(IdentityKind, String)> {
    let all = [
        (IdentityKind::ContactId, draft.contact.as_ref().map(ToString::to_string)),
        (IdentityKind::Email, draft.email_key()),
        (IdentityKind::Phone, draft.phone_key().map(str::to_owned)),
    ];
    let keys = key.map(|key| key.values_in_draft(draft)).unwrap_or_default();
    let keys = keys.into_iter().map(|value| (IdentityKind::KeyField, value));
    let usual = all.into_iter().filter_map(|(kind, value)| value.map(|value| (kind, value)));
    usual.chain(keys).collect()
}

/// The decision for a row that is rejected for these reasons.
pub(crate) fn rejection_decision(rejections: Vec<Diagnostic>) -> RowDecision {
    RowDecision { action: RowAction::Rejected, rejections, ..RowDecision::default() }
}

pub(crate) fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("texts, numbers and lists are JSON")
}

/// A draft as the run stores it.
pub(crate) fn parse_draft(text: &str) -> Result<ContactDraft, ImportError> {
    serde_json::from_str(text).map_err(|error| ImportError::Bug(format!("a draft: {error}")))
}
