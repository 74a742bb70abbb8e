//! Cells: cleans their text, and reports what makes it unusable.

use std::borrow::Cow;

use super::RowValidator;
use super::cleaned_value::{CellOutcome, CleanedValue};
use super::field_rule::FieldRule;
use super::row_context::RowContext;
use super::value_type::TargetValueType;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::MappingTarget;
use crate::model::target::Field;
use crate::sheet::SheetCell;
use crate::value::{self, Placeholder};

/// The maximum size of a cell that is not a note, in bytes.
const LONGEST_CELL: usize = 64 * 1024;
/// The start of the cells in the test leads of Facebook's lead ads testing tool: `<test lead: dummy data for
/// full_name>`.
const TEST_LEAD: &str = "<test lead:";

impl RowValidator {
    /// Reads a cell, cleans it and applies the rule's text transform.
    pub(super) fn read_cell(
        &self,
        step: &FieldRule,
        column: usize,
        work: &mut RowContext<'_>,
    ) -> Result<CellOutcome, Diagnostic> {
        let row = work.row;
        let value = match row.cells.get(column).unwrap_or(&SheetCell::Empty) {
            SheetCell::Empty => return Ok(CellOutcome::Blank),
            SheetCell::Text(raw) => return self.read_text_cell(step, column, raw, work),
            SheetCell::Error(text) if self.resolved.is_empty_value(text) => {
                return Ok(CellOutcome::Blank);
            }
            SheetCell::Error(text) => return self.report_error_value(step, column, text, work),
            SheetCell::NoValue => return self.report_uncomputed_formula(step, column, work),
            SheetCell::Number(number, text) => CleanedValue::Number(*number, text.clone()),
            SheetCell::Bool(value) => CleanedValue::Bool(*value),
            SheetCell::Date(date) => CleanedValue::Date(*date),
        };
        if step.has_no_transform() && self.resolved.empty_values.is_empty() {
            return Ok(CellOutcome::Value(value));
        }
        let text = value.clone().into_text();
        if self.resolved.is_empty_value(&text) {
            return Ok(CellOutcome::Blank);
        }
        if step.has_no_transform() {
            return Ok(CellOutcome::Value(value));
        }
        Ok(transform_text(step, text))
    }

    fn read_text_cell(
        &self,
        step: &FieldRule,
        column: usize,
        raw: &str,
        work: &mut RowContext<'_>,
    ) -> Result<CellOutcome, Diagnostic> {
        if raw.len() > LONGEST_CELL && !step.is_note_body() {
            let message = format!(
                "the cell contains {} bytes; only notes can have more than {LONGEST_CELL}",
                raw.len()
            );
            return Err(work.rejection_for_rule(
                DiagnosticCode::R_CELL_TOO_LONG,
                step,
                Some(column),
                message,
            ));
        }
        let raw = self.decode_entities(step, column, raw, work);
        let read = match value::clean_text(&raw) {
            Ok(read) => read,
            Err(trouble) => {
                self.report_unreadable(step, Some(column), trouble, work)?;
                return Ok(CellOutcome::Unusable);
            }
        };
        work.add_notices(read.notices, step, Some(column));
        let text = read.value;
        if text.is_empty() || self.resolved.is_empty_value(&text) {
            return Ok(CellOutcome::Blank);
        }
        if text.starts_with('#') && value::is_spreadsheet_error(&text) {
            return self.report_error_value(step, column, &text, work);
        }
        if let Some(kind) = value::find_placeholder(&text)
            && !self.keeps_placeholder(kind, step, column, &text, work)?
        {
            return Ok(CellOutcome::Unusable);
        }
        if is_test_lead(&text) {
            let message = format!("`{}` marks a test lead", shorten_for_message(&text));
            return Err(work.rejection_for_rule(
                DiagnosticCode::R_TEST_LEAD,
                step,
                Some(column),
                message,
            ));
        }
        Ok(transform_text(step, text))
    }

    /// The rejection of a row that a column of its own marks as a test lead.
    pub(super) fn find_test_lead_mark(&self, work: &RowContext<'_>) -> Option<Diagnostic> {
        let is_marked = |cell: &SheetCell| match cell {
            SheetCell::Bool(yes) => *yes,
            cell => value::parse_boolean(cell.to_text().trim()).is_ok_and(|yes| yes == Some(true)),
        };
        let mut columns = self.resolved.test_lead_columns.iter();
        let column = *columns.find(|at| work.row.cells.get(**at).is_some_and(is_marked))?;
        let message = format!(
            "`{}` in `{}` marks a test lead; `--ignore-column` imports such rows",
            shorten_for_message(&work.row.cells[column].to_text()),
            shorten_for_message(work.field_label(Some(column), "").as_str())
        );
        let code = DiagnosticCode::R_TEST_LEAD;
        Some(work.rejection_for_column(code, Some(column), "", message))
    }

    /// Whether a cell that stands for no value is used nevertheless; reports it in any case, unless it will be
    /// reported as invalid.
    fn keeps_placeholder(
        &self,
        kind: Placeholder,
        step: &FieldRule,
        column: usize,
        text: &str,
        work: &mut RowContext<'_>,
    ) -> Result<bool, Diagnostic> {
        if !step.reports_placeholders() || step.words.replacement_for(text).is_some() {
            return Ok(true);
        }
        let adds_record = matches!(
            step.target,
            MappingTarget::Note(_) | MappingTarget::Task(_) | MappingTarget::Tags
        );
        let is_name = matches!(
            step.target,
            MappingTarget::Field(Field::FirstName | Field::LastName | Field::Name)
        );
        let is_text = matches!(
            step.kind,
            TargetValueType::Line | TargetValueType::Text | TargetValueType::PostalCode
        );
        let keeps = match kind {
            Placeholder::Certain => false,
            Placeholder::Word => is_name,
            Placeholder::Filler => !adds_record,
        };
        let advice = format!("`--empty-values '{}'` empties such cells", shorten_for_message(text));
        if !keeps {
            let message = format!("the cell stands for no value, so it is left out; {advice}");
            if self.policy.strict {
                let code = DiagnosticCode::R_VALUE_INVALID;
                return Err(work.rejection_for_rule(code, step, Some(column), message));
            }
            work.add_warning(DiagnosticCode::W_PLACEHOLDER, step, Some(column), message);
        } else if is_text {
            let message =
                format!("the cell seems to stand for no value, but it is stored; {advice}");
            work.add_warning(DiagnosticCode::W_PLACEHOLDER_KEPT, step, Some(column), message);
        }
        Ok(keeps)
    }

    /// Decodes a text's HTML entities where it is not HTML. Notes may be, and what was exported from an account
    /// is as it is there.
    fn decode_entities<'t>(
        &self,
        step: &FieldRule,
        column: usize,
        raw: &'t str,
        work: &mut RowContext<'_>,
    ) -> Cow<'t, str> {
        if !raw.contains('&') {
            return Cow::Borrowed(raw);
        }
        let Some(decoded) = value::decode_html_entities(raw) else { return Cow::Borrowed(raw) };
        let may_be_html = matches!(step.target, MappingTarget::Note(_) | MappingTarget::Task(_))
            || value::has_markup(raw);
        if may_be_html || self.resolved.has_contact_ids {
            let message = format!(
                "the text has HTML entities such as `{}`; it is left unchanged",
                decoded.first
            );
            work.add_warning(DiagnosticCode::W_HTML_ENTITY_KEPT, step, Some(column), message);
            return Cow::Borrowed(raw);
        }
        let message = format!("HTML entities such as `{}` were decoded", decoded.first);
        work.add_warning(DiagnosticCode::W_HTML_ENTITY, step, Some(column), message);
        Cow::Owned(decoded.text)
    }

    /// Reports a spreadsheet's error value.
    fn report_error_value(
        &self,
        step: &FieldRule,
        column: usize,
        text: &str,
        work: &mut RowContext<'_>,
    ) -> Result<CellOutcome, Diagnostic> {
        let code = if step.identity {
            DiagnosticCode::R_SPREADSHEET_ERROR
        } else {
            DiagnosticCode::W_SPREADSHEET_ERROR
        };
        let message = format!("`{text}` is a spreadsheet error");
        self.report_unusable_cell(step, column, Diagnostic::new(code, message), work)
    }

    /// Reports a formula without a stored result.
    fn report_uncomputed_formula(
        &self,
        step: &FieldRule,
        column: usize,
        work: &mut RowContext<'_>,
    ) -> Result<CellOutcome, Diagnostic> {
        let code = if step.identity {
            DiagnosticCode::R_FORMULA_NO_VALUE
        } else {
            DiagnosticCode::W_FORMULA_NO_VALUE
        };
        let message = "the cell contains a formula without a result; open the file in a spreadsheet program and save it";
        self.report_unusable_cell(step, column, Diagnostic::new(code, message), work)
    }

    fn report_unusable_cell(
        &self,
        step: &FieldRule,
        column: usize,
        trouble: Diagnostic,
        work: &mut RowContext<'_>,
    ) -> Result<CellOutcome, Diagnostic> {
        if matches!(
            step.target,
            MappingTarget::Field(Field::Phone) | MappingTarget::AdditionalPhones
        ) && matches!(step.kind, TargetValueType::Phone)
        {
            self.report_invalid_phone(step, Some(column), trouble, work)?;
        } else {
            self.report_unreadable(step, Some(column), trouble, work)?;
        }
        Ok(CellOutcome::Unusable)
    }
}

/// Lists are transformed after they are split; joined columns get their prefix together.
fn transform_text(step: &FieldRule, text: String) -> CellOutcome {
    let words = &step.words;
    let text = match (step.part, &step.split) {
        (Some(part), Some(separators)) => {
            part.select_value(&value::pieces(&text, separators), &text)
        }
        _ => text,
    };
    let text = if words.is_empty() {
        text
    } else if step.kind.is_multi_valued() {
        if words.replacement_for(&text) == Some("") { String::new() } else { text }
    } else if step.joins_columns() {
        words.replace_and_strip(text)
    } else {
        words.add_prefix(words.replace_and_strip(text))
    };
    if text.is_empty() { CellOutcome::Blank } else { CellOutcome::Value(CleanedValue::Text(text)) }
}

fn is_test_lead(text: &str) -> bool {
    // Phone numbers have a label before them: `p:<test lead: …>`.
    let text = text.strip_prefix("p:").unwrap_or(text);
    text.get(..TEST_LEAD.len()).is_some_and(|front| front.eq_ignore_ascii_case(TEST_LEAD))
}

/// The beginning of a text, for messages.
pub(super) fn shorten_for_message(text: &str) -> String {
    const SHOWN: usize = 60;
    crate::text::truncate_text(text, SHOWN)
}
