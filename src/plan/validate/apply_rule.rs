//! Applies one field rule to one row: reads its cells and stores their values in the draft.

use super::RowValidator;
use super::cleaned_value::{CellOutcome, CleanedValue};
use super::field_rule::{ColumnJoin, FieldRule, FieldRuleSource};
use super::row_context::RowContext;
use super::severity;
use crate::diagnostic::{Diagnostic, DiagnosticCode, DiagnosticSeverity};
use crate::model::BlankRule;

impl RowValidator {
    /// Reads the rule's values from a row and stores them in their target.
    pub(super) fn apply_rule(
        &self,
        step: &FieldRule,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        self.try_apply_rule(step, work).or_else(|rejection| work.defer_rejection(step, rejection))
    }

    fn try_apply_rule(
        &self,
        step: &FieldRule,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        if !step.applies_to_row(work) {
            return Ok(());
        }
        match &step.source {
            FieldRuleSource::Constant(text) => {
                self.store_value(step, None, CleanedValue::Text(text.clone()), work)
            }
            FieldRuleSource::Columns { columns, join: Some(join) } => {
                self.apply_joined_columns(step, columns, join, work)
            }
            FieldRuleSource::Columns { columns, join: None } => {
                let mut blank = true;
                for column in columns {
                    match self.read_cell(step, *column, work)? {
                        CellOutcome::Value(value) => {
                            blank = false;
                            self.store_value(step, Some(*column), value, work)?;
                            work.store_literal_text(step, *column);
                        }
                        CellOutcome::Unusable => blank = false,
                        CellOutcome::Blank => {}
                    }
                }
                if blank { self.apply_blank(step, columns.first().copied(), work) } else { Ok(()) }
            }
        }
    }

    /// Joins several columns into one value, without the empty ones.
    fn apply_joined_columns(
        &self,
        step: &FieldRule,
        columns: &[usize],
        join: &ColumnJoin,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        let mut texts = Vec::with_capacity(columns.len());
        let mut unusable = false;
        for column in columns {
            let taken = self.read_cell(step, *column, work)?;
            unusable |= matches!(taken, CellOutcome::Unusable);
            texts.push(match taken {
                CellOutcome::Value(value) => Some(value.into_text()),
                CellOutcome::Unusable | CellOutcome::Blank => None,
            });
        }
        let first = columns.first().copied();
        if texts.iter().any(Option::is_some) {
            let text = step.words.add_prefix(join.join_texts(&step.names, &texts));
            return self.store_value(step, first, CleanedValue::Text(text), work);
        }
        if unusable { Ok(()) } else { self.apply_blank(step, first, work) }
    }

    /// Applies a rule whose cells are all empty.
    fn apply_blank(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        match step.blank {
            BlankRule::Leave => Ok(()),
            BlankRule::Error => Err(work.rejection_for_rule(
                DiagnosticCode::R_BLANK,
                step,
                column,
                format!(
                    "the cell is empty, but the mapping requires a value for `{}`",
                    step.target
                ),
            )),
            BlankRule::Clear if work.is_short_row() || step.is_stored_in_extra(work) => Ok(()),
            BlankRule::Clear if !self.policy.allow_clear => {
                self.tally.count_uncleared(step.place);
                Ok(())
            }
            BlankRule::Clear => {
                step.clear_target(work);
                Ok(())
            }
        }
    }

    /// Reports a value that cannot be read: it rejects its row, or is left out.
    pub(super) fn report_unreadable(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        trouble: Diagnostic,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        let code = if step.identity { trouble.code } else { severity::warning_code(trouble.code) };
        let target = step.target.to_string();
        let located = work.locate(trouble, column, &target);
        if self.policy.strict
            || step.identity && step.custom.is_some()
            || code.severity() == DiagnosticSeverity::Rejection
        {
            return Err(located.with_code(severity::rejection_code(code)));
        }
        let message = format!("{}; `{target}` is left out", located.message);
        work.defer_warning(step, located.with_code(code).with_message(message));
        Ok(())
    }
}
