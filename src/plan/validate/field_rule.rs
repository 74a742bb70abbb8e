//! Steps: what is done with one rule's columns, or with one constant, in every row.

use std::collections::HashMap;

use super::RowValidator;
use super::cell_value::{CellOutcome, CleanedValue};
use super::row_context::RowContext;
use super::row_filter::RuleScope;
use super::severity;
use super::value_type::TargetValueType;
use crate::diagnostic::{Diagnostic, DiagnosticCode, DiagnosticSeverity};
use crate::mapping::{MappingRule, SplitPart, TextTemplate};
use crate::model::target::{Channel, NotePart};
use crate::model::{BlankRule, MappingTarget};
use crate::value::DateOrder;

/// A rule whose target is resolved.
#[derive(Debug)]
pub(super) struct FieldRule {
    /// Where values go.
    pub(super) target: MappingTarget,
    /// The custom field's id and whether it takes only text, for custom fields.
    pub(super) custom: Option<CustomFieldTarget>,
    /// The channel that a consent column is about.
    pub(super) channel: Option<Channel>,
    pub(super) kind: TargetValueType,
    pub(super) source: FieldRuleSource,
    /// The letters of its columns in brackets, as templates name them.
    pub(super) names: Vec<String>,
    pub(super) blank: BlankRule,
    pub(super) words: TextTransform,
    pub(super) split: Option<Vec<String>>,
    /// Whether tags take the place of others.
    pub(super) replaces: bool,
    /// The order of day, month and year in its values.
    pub(super) order: Option<DateOrder>,
    /// Whether nothing is to be left out: a value that cannot be read rejects its row.
    pub(super) identity: bool,
    /// Which of a cell's values is taken.
    pub(super) part: Option<SplitPart>,
    /// In which rows it applies.
    pub(super) scope: RuleScope,
    /// Its place among the steps.
    pub(super) place: usize,
}

/// A custom field that values go to.
#[derive(Debug)]
pub(super) struct CustomFieldTarget {
    pub(super) id: String,
    /// Whether it takes texts only: what a converter made of other type is written out.
    pub(super) is_text: bool,
}

/// Where values come from.
#[derive(Debug)]
pub(super) enum FieldRuleSource {
    /// Columns: each for itself, or joined.
    Columns { columns: Vec<usize>, join: Option<ColumnJoin> },
    /// Every row has the same.
    Constant(String),
}

/// How several columns make one value.
#[derive(Debug)]
pub(super) enum ColumnJoin {
    /// One after the other, without the empty ones.
    With(String),
    /// As a template says.
    Template(TextTemplate),
}

impl ColumnJoin {
    /// The value of some columns' texts, of which at least one is not empty; `names` are the columns'.
    fn join_texts(&self, names: &[String], texts: &[Option<String>]) -> String {
        match self {
            Self::With(between) => {
                let filled: Vec<&str> = texts.iter().flatten().map(String::as_str).collect();
                filled.join(between)
            }
            Self::Template(template) => template.render_with(|name| {
                let at = names.iter().position(|own| own == name)?;
                texts[at].as_deref()
            }),
        }
    }
}

/// What is done to the words of a value before it is read.
#[derive(Debug, Default)]
pub(super) struct TextTransform {
    values: HashMap<String, String>,
    prefix: String,
    strip: String,
}

impl TextTransform {
    pub(super) fn new(rule: &MappingRule) -> Self {
        let value = |(from, to): (&String, &String)| (from.trim().to_lowercase(), to.clone());
        Self {
            values: rule.values.iter().map(value).collect(),
            prefix: rule.prefix.clone(),
            strip: rule.strip_prefix.clone(),
        }
    }

    /// Whether nothing is done.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.prefix.is_empty() && self.strip.is_empty()
    }

    /// The word that stands for a whole cell, if one does.
    pub(super) fn replacement_for(&self, text: &str) -> Option<&str> {
        if self.values.is_empty() {
            return None;
        }
        self.values.get(&text.trim().to_lowercase()).map(String::as_str)
    }

    /// A cell's text as a value: what it stands for, without the prefix to take off.
    pub(super) fn replace_and_strip(&self, text: String) -> String {
        let text = match self.replacement_for(&text) {
            Some(word) => word.to_owned(),
            None => text,
        };
        match text.strip_prefix(self.strip.as_str()) {
            Some(rest) if !self.strip.is_empty() => rest.trim_start().to_owned(),
            _ => text,
        }
    }

    /// A value with the prefix to put before it.
    pub(super) fn add_prefix(&self, text: String) -> String {
        if self.prefix.is_empty() || text.is_empty() {
            text
        } else {
            format!("{}{text}", self.prefix)
        }
    }
}

impl FieldRule {
    /// Whether values are taken as they are.
    pub(super) fn has_no_transform(&self) -> bool {
        self.words.is_empty() && self.part.is_none()
    }

    /// Whether several columns make one value.
    pub(super) fn joins_columns(&self) -> bool {
        matches!(&self.source, FieldRuleSource::Columns { join: Some(_), .. })
    }

    /// Whether it reads a note's text, which has a length limit of its own.
    pub(super) fn is_note_body(&self) -> bool {
        self.target == MappingTarget::Note(NotePart::Body)
    }
}

impl RowValidator {
    /// Takes a rule's values from a row and puts them where they go.
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

    /// Several columns make one value, without the empty ones.
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

    /// A rule whose cells are all empty.
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

    /// A value that cannot be read rejects its row, or is left out.
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
