//! What could not be read of a row that names its contact: set aside, until it is known what the contact has.
//!
//! An account holds what no check would let in today: a cell that says the same asks for nothing, so it is
//! no reason to reject a row or to warn. A row that names no contact has nothing to be compared with, and is
//! judged at once.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::RowValidator;
use super::field_rule::{FieldRule, FieldRuleSource};
use super::outcome::{PlanWarning, RowRejection};
use super::row_context::RowContext;
use super::value_type::TargetValueType;
use crate::model::target::{NotePart, TaskPart};
use crate::model::{MappingTarget, UnreadableCell};
use crate::sheet::SheetCell;
use crate::value;

/// The column of exports for what has no column, or does not fit its own.
const EXTRA: &str = "extra";

/// A verdict on one cell that waits.
#[derive(Debug)]
pub(super) enum DeferredIssue {
    Rejected(UnreadableCell, RowRejection),
    /// With whether it is about whom the row is about.
    Warned(UnreadableCell, PlanWarning, bool),
}

impl FieldRule {
    /// Whether its cells can be compared with what the account has.
    fn is_comparable_with_remote(&self) -> bool {
        let plain = matches!(self.source, FieldRuleSource::Columns { join: None, .. })
            && self.words.is_empty();
        plain
            && match self.target {
                MappingTarget::Field(_)
                | MappingTarget::Custom(_)
                | MappingTarget::Owner
                | MappingTarget::Business => true,
                MappingTarget::Note(part) => !matches!(part, NotePart::Id | NotePart::Date),
                MappingTarget::Task(part) => !matches!(part, TaskPart::Id | TaskPart::Priority),
                _ => false,
            }
    }

    /// Whether it takes a text as it stands.
    fn preserves_text(&self, text: &str) -> bool {
        let one_line = matches!(self.kind, TargetValueType::Text) || !text.contains(['\n', '\r']);
        one_line && value::clean_text(text).is_ok_and(|read| read.value == text)
    }

    /// Whether its cell is empty only because an export keeps beside the columns what does not fit them.
    pub(super) fn is_stored_in_extra(&self, work: &RowContext<'_>) -> bool {
        let name = match (&self.target, &self.custom) {
            (MappingTarget::Field(field), _) => field.name(),
            (_, Some(custom)) => &custom.id,
            _ => return false,
        };
        work.extra_column().is_some_and(|extra| extra.contains(&format!("\"{name}\"")))
    }

    /// The target's name, with a custom field's id.
    fn target_path(&self) -> String {
        match &self.custom {
            Some(custom) => MappingTarget::Custom(custom.id.clone()).to_string(),
            None => self.target.to_string(),
        }
    }
}

impl RowContext<'_> {
    /// What an export keeps beside the columns: JSON.
    fn extra_column(&self) -> Option<Cow<'_, str>> {
        let at = self.columns.iter().position(|column| column.name == EXTRA)?;
        self.row.cells.get(at).map(SheetCell::to_text).filter(|text| text.starts_with('{'))
    }

    /// Lets a rejection wait, where there may be something to compare the cell with.
    pub(super) fn defer_rejection(
        &mut self,
        step: &FieldRule,
        rejection: RowRejection,
    ) -> Result<(), RowRejection> {
        let place = step.target_path();
        let unread = Some(rejection.column).filter(|_| step.is_comparable_with_remote());
        let Some(unread) = unread.and_then(|column| self.unreadable_cell(place, column)) else {
            return Err(rejection);
        };
        self.push_deferred_rejection(unread, rejection);
        Ok(())
    }

    /// The same for the text of a note.
    pub(super) fn defer_note_rejection(
        &mut self,
        rejection: RowRejection,
    ) -> Result<(), RowRejection> {
        let place = MappingTarget::Note(NotePart::Body).to_string();
        let Some(unread) = self.unreadable_cell(place, rejection.column) else {
            return Err(rejection);
        };
        self.push_deferred_rejection(unread, rejection);
        Ok(())
    }

    fn push_deferred_rejection(&mut self, unread: UnreadableCell, rejection: RowRejection) {
        let unread = UnreadableCell {
            code: rejection.code.to_owned(),
            message: rejection.message.clone(),
            field: rejection.field.clone(),
            rejects: true,
            ..unread
        };
        self.waiting.push(DeferredIssue::Rejected(unread, rejection));
    }

    /// Lets a warning wait; gives it back where there is nothing to compare the cell with.
    pub(super) fn defer_warning(&mut self, step: &FieldRule, warned: PlanWarning) {
        let unread = Some(warned.column).filter(|_| step.is_comparable_with_remote());
        let Some(unread) =
            unread.and_then(|column| self.unreadable_cell(step.target_path(), column))
        else {
            self.add_warning(warned.code, step, warned.column, warned.message);
            return;
        };
        let unread = UnreadableCell {
            code: warned.code.to_owned(),
            message: warned.message.clone(),
            field: warned.field.clone(),
            ..unread
        };
        self.waiting.push(DeferredIssue::Warned(unread, warned, step.identity));
    }

    /// Keeps what a cell says literally, where it was read as something else.
    pub(super) fn store_literal_text(&mut self, step: &FieldRule, column: usize) {
        let Some(cell) = self.row.cells.get(column).filter(|_| step.is_comparable_with_remote())
        else {
            return;
        };
        let text = cell.to_text();
        let value = match (&step.target, &step.custom) {
            (MappingTarget::Field(field), _) => self.draft.fields.get(field).and_then(Json::as_str),
            (_, Some(custom)) => self.draft.custom.get(&custom.id).and_then(Json::as_str),
            _ => None,
        };
        let is_child = matches!(step.target, MappingTarget::Note(_) | MappingTarget::Task(_));
        let kept = |value: &str| value == text || text.trim_end() == value;
        if value.is_some_and(|value| !kept(value)) || is_child && !step.preserves_text(&text) {
            self.draft.written.insert(step.target_path(), text.into_owned());
        }
    }

    /// Whether the row names the note or task that a cell is about, if it is about one.
    fn has_child_id_for(&self, to: &str) -> bool {
        let draft = &self.draft;
        match to.parse() {
            Ok(MappingTarget::Note(_)) => draft.notes.iter().any(|note| note.id.is_some()),
            Ok(MappingTarget::Task(_)) => draft.tasks.iter().any(|task| task.id.is_some()),
            _ => true,
        }
    }

    fn unreadable_cell(&self, to: String, column: Option<usize>) -> Option<UnreadableCell> {
        let cell = self.row.cells.get(column?)?.to_text();
        let text = value::clean_text(&cell).map_or(cell, |read| Cow::Owned(read.value));
        Some(UnreadableCell { to, column, text: text.into_owned(), ..UnreadableCell::default() })
    }
}

impl RowValidator {
    /// Decides on what was set aside, unless the row names its contact: then what waits goes with it.
    pub(super) fn resolve_deferred(
        work: &mut RowContext<'_>,
        outcome: Result<(), RowRejection>,
    ) -> Result<(), RowRejection> {
        let waiting = std::mem::take(&mut work.waiting);
        let named = work.draft.contact.is_some() && outcome.is_ok();
        let written = std::mem::take(&mut work.draft.written);
        work.draft.written =
            written.into_iter().filter(|(to, _)| work.has_child_id_for(to)).collect();
        for one in waiting {
            match one {
                DeferredIssue::Rejected(unread, _) | DeferredIssue::Warned(unread, ..)
                    if named && work.has_child_id_for(&unread.to) =>
                {
                    work.draft.unread.push(unread);
                }
                DeferredIssue::Rejected(_, rejection) => return Err(rejection),
                DeferredIssue::Warned(_, warned, identity) => work.push_warning(warned, identity),
            }
        }
        outcome
    }
}
