//! Scope: in which rows a step applies.

use std::collections::HashSet;

use super::field_rule::FieldRule;
use super::row_context::RowContext;
use crate::mapping::{BoundRule, CellTest};
use crate::model::MappingTarget;
use crate::model::target::{Field, NotePart, TaskPart};
use crate::sheet::SheetCell;

/// In which rows a step applies.
#[derive(Debug, Default)]
pub(super) struct RuleScope {
    conditions: Vec<CellCondition>,
    /// Only where nothing else has found a value.
    fallback: bool,
}

/// What a column must hold.
#[derive(Debug)]
struct CellCondition {
    column: usize,
    test: CellTest,
    /// The test's texts, in lower case.
    words: HashSet<String>,
}

impl RuleScope {
    pub(super) fn from_bound_rule(bound: &BoundRule) -> Self {
        let mut scope = Self { conditions: Vec::new(), fallback: bound.rule.fallback };
        if let (Some(column), Some(when)) = (bound.when, &bound.rule.when) {
            scope.add_condition(column, when.test.clone());
        }
        scope
    }

    /// Whether it is for rows in which nothing else was found.
    pub(super) fn is_fallback(&self) -> bool {
        self.fallback
    }

    /// Narrows it to rows in which a column passes a test.
    pub(super) fn add_condition(&mut self, column: usize, test: CellTest) {
        let words = match &test {
            CellTest::Is(words) | CellTest::Not(words) => {
                words.iter().map(|word| word.trim().to_lowercase()).collect()
            }
            CellTest::Filled(_) | CellTest::Id(_) => HashSet::new(),
        };
        self.conditions.push(CellCondition { column, test, words });
    }
}

impl FieldRule {
    /// Whether it has anything to do in a row.
    pub(super) fn applies_to_row(&self, work: &RowContext<'_>) -> bool {
        let scope = &self.scope;
        scope.conditions.iter().all(|condition| condition.matches_row(work))
            && !(scope.fallback && self.target_has_value(work))
    }

    /// Whether a step before it has found a value for the target.
    fn target_has_value(&self, work: &RowContext<'_>) -> bool {
        let (draft, note, task) = (&work.draft, &work.note, &work.task);
        match &self.target {
            MappingTarget::ContactId => draft.contact.is_some(),
            MappingTarget::SourceId => draft.source_id.is_some(),
            MappingTarget::Field(field) => is_non_null(draft.fields.get(field)),
            MappingTarget::Custom(_) => {
                self.custom.as_ref().is_some_and(|custom| is_non_null(draft.custom.get(&custom.id)))
            }
            MappingTarget::Tags => !draft.tags.is_empty(),
            MappingTarget::AdditionalEmails => draft.fields.contains_key(&Field::Email),
            MappingTarget::AdditionalPhones => draft.fields.contains_key(&Field::Phone),
            MappingTarget::Owner => is_non_null(draft.owner.as_ref()),
            MappingTarget::Business => draft.business.is_some(),
            MappingTarget::Note(NotePart::Body) => !note.bodies.is_empty(),
            MappingTarget::Note(NotePart::Id) => note.id.is_some(),
            MappingTarget::Note(NotePart::Title) => note.title.is_some(),
            MappingTarget::Task(TaskPart::Id) => task.id.is_some(),
            MappingTarget::Task(TaskPart::Title) => task.title.is_some(),
            MappingTarget::Task(TaskPart::Body) => task.body.is_some(),
            MappingTarget::Task(TaskPart::DueDate) => task.due.is_some(),
            MappingTarget::Task(TaskPart::Completed) => task.completed.is_some(),
            // Of the others the first value counts anyway, or none is too many.
            _ => false,
        }
    }
}

impl CellCondition {
    fn matches_row(&self, work: &RowContext<'_>) -> bool {
        let cell = work.row.cells.get(self.column).unwrap_or(&SheetCell::Empty);
        let text = cell.to_text();
        let text = text.trim();
        match &self.test {
            CellTest::Filled(_) | CellTest::Id(_) => self.test.matches_text(text),
            CellTest::Is(_) => self.words.contains(&text.to_lowercase()),
            CellTest::Not(_) => !self.words.contains(&text.to_lowercase()),
        }
    }
}

fn is_non_null(value: Option<&serde_json::Value>) -> bool {
    value.is_some_and(|value| !value.is_null())
}
