//! Rule scopes: the rows to which a field rule applies.

use super::field_rule::{CellCondition, FieldRule};
use super::row_context::RowContext;
use crate::mapping::CellTest;
use crate::model::MappingTarget;
use crate::model::target::{Field, NotePart, TaskPart};
use crate::sheet::SheetCell;

impl FieldRule {
    /// Whether the rule applies to a row.
    pub(super) fn applies_to_row(&self, work: &RowContext<'_>) -> bool {
        let scope = &self.scope;
        scope.conditions.iter().all(|condition| condition.matches_row(work))
            && !(scope.fallback && self.target_has_value(work))
    }

    /// Whether an earlier rule found a value for the target.
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
            // For the others, the first value wins anyway, or any number of values is allowed.
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
            CellTest::Contains(_) => {
                let text = text.to_lowercase();
                self.words.iter().any(|part| text.contains(part))
            }
            CellTest::Matches(_) | CellTest::Filled(_) | CellTest::Id(_) => {
                self.test.matches_text(text)
            }
            CellTest::Is(_) => self.words.contains(&text.to_lowercase()),
            CellTest::Not(_) => !self.words.contains(&text.to_lowercase()),
        }
    }
}

fn is_non_null(value: Option<&serde_json::Value>) -> bool {
    value.is_some_and(|value| !value.is_null())
}
