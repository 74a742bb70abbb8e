//! Scope: in which rows a step applies.

use std::collections::HashSet;

use super::field_rule::Step;
use super::row_context::Work;
use crate::mapping::{Bound, Test};
use crate::model::Target;
use crate::model::target::{Field, NotePart, TaskPart};
use crate::sheet::Cell;

/// In which rows a step applies.
#[derive(Debug, Default)]
pub(super) struct Scope {
    conditions: Vec<Condition>,
    /// Only where nothing else has found a value.
    fallback: bool,
}

/// What a column must hold.
#[derive(Debug)]
struct Condition {
    column: usize,
    test: Test,
    /// The test's texts, in lower case.
    words: HashSet<String>,
}

impl Scope {
    pub(super) fn of(bound: &Bound) -> Self {
        let mut scope = Self { conditions: Vec::new(), fallback: bound.rule.fallback };
        if let (Some(column), Some(when)) = (bound.when, &bound.rule.when) {
            scope.only(column, when.test.clone());
        }
        scope
    }

    /// Whether it is for rows in which nothing else was found.
    pub(super) fn is_fallback(&self) -> bool {
        self.fallback
    }

    /// Narrows it to rows in which a column passes a test.
    pub(super) fn only(&mut self, column: usize, test: Test) {
        let words = match &test {
            Test::Is(words) | Test::Not(words) => {
                words.iter().map(|word| word.trim().to_lowercase()).collect()
            }
            Test::Filled(_) | Test::Id(_) => HashSet::new(),
        };
        self.conditions.push(Condition { column, test, words });
    }
}

impl Step {
    /// Whether it has anything to do in a row.
    pub(super) fn applies(&self, work: &Work<'_>) -> bool {
        let scope = &self.scope;
        scope.conditions.iter().all(|condition| condition.holds(work))
            && !(scope.fallback && self.has_value(work))
    }

    /// Whether a step before it has found a value for the target.
    fn has_value(&self, work: &Work<'_>) -> bool {
        let (draft, note, task) = (&work.draft, &work.note, &work.task);
        match &self.target {
            Target::ContactId => draft.contact.is_some(),
            Target::SourceId => draft.source_id.is_some(),
            Target::Field(field) => has(draft.fields.get(field)),
            Target::Custom(_) => {
                self.custom.as_ref().is_some_and(|custom| has(draft.custom.get(&custom.id)))
            }
            Target::Tags => !draft.tags.is_empty(),
            Target::AdditionalEmails => draft.fields.contains_key(&Field::Email),
            Target::AdditionalPhones => draft.fields.contains_key(&Field::Phone),
            Target::Owner => has(draft.owner.as_ref()),
            Target::Business => draft.business.is_some(),
            Target::Note(NotePart::Body) => !note.bodies.is_empty(),
            Target::Note(NotePart::Id) => note.id.is_some(),
            Target::Note(NotePart::Title) => note.title.is_some(),
            Target::Task(TaskPart::Id) => task.id.is_some(),
            Target::Task(TaskPart::Title) => task.title.is_some(),
            Target::Task(TaskPart::Body) => task.body.is_some(),
            Target::Task(TaskPart::DueDate) => task.due.is_some(),
            Target::Task(TaskPart::Completed) => task.completed.is_some(),
            // Of the others the first value counts anyway, or none is too many.
            _ => false,
        }
    }
}

impl Condition {
    fn holds(&self, work: &Work<'_>) -> bool {
        let cell = work.row.cells.get(self.column).unwrap_or(&Cell::Empty);
        let text = cell.text();
        let text = text.trim();
        match &self.test {
            Test::Filled(_) | Test::Id(_) => self.test.holds(text),
            Test::Is(_) => self.words.contains(&text.to_lowercase()),
            Test::Not(_) => !self.words.contains(&text.to_lowercase()),
        }
    }
}

fn has(value: Option<&serde_json::Value>) -> bool {
    value.is_some_and(|value| !value.is_null())
}
