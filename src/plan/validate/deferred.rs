//! Issues of rows that identify an existing contact, deferred until the contact's data is known.
//!
//! An account may contain values that would fail validation today. A cell with the same value changes nothing, so
//! it is no reason to reject the row or to warn. A row without a contact id has nothing to compare with, so its
//! issues are decided immediately.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::RowValidator;
use super::field_rule::{FieldRule, FieldRuleSource};
use super::outcome::DeferredIssue;
use super::row_context::RowContext;
use super::value_type::TargetValueType;
use crate::diagnostic::Diagnostic;
use crate::model::target::{Field, NotePart, TaskPart};
use crate::model::{MappingTarget, MatchKey, UnreadableCell};
use crate::sheet::SheetCell;
use crate::value;

/// The export column for values that have no column, or do not fit theirs.
const EXTRA: &str = "extra";

impl FieldRule {
    /// Whether its cells can be compared with the account's data.
    fn is_comparable_with_remote(&self) -> bool {
        let plain = matches!(self.source, FieldRuleSource::Columns { join: None, .. })
            && self.words.is_empty();
        plain
            && match self.target {
                MappingTarget::Field(_)
                | MappingTarget::Custom(_)
                | MappingTarget::Owner
                | MappingTarget::Business => true,
                MappingTarget::Note(part) => part != NotePart::Id,
                MappingTarget::Task(part) => !matches!(part, TaskPart::Id | TaskPart::Priority),
                _ => false,
            }
    }

    /// Whether it stores a text unchanged.
    fn preserves_text(&self, text: &str) -> bool {
        let one_line = matches!(self.kind, TargetValueType::Text) || !text.contains(['\n', '\r']);
        one_line && value::clean_text(text).is_ok_and(|read| read.value == text)
    }

    /// Whether its cell is empty only because an export put the value into the extra column.
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
    /// The extra column of an export, which contains JSON.
    fn extra_column(&self) -> Option<Cow<'_, str>> {
        let at = self.columns.iter().position(|column| column.name == EXTRA)?;
        self.row.cells.get(at).map(SheetCell::to_text).filter(|text| text.starts_with('{'))
    }

    /// Defers a rejection if there may be something to compare the cell with.
    pub(super) fn defer_rejection(
        &mut self,
        step: &FieldRule,
        rejection: Diagnostic,
    ) -> Result<(), Diagnostic> {
        if !step.is_comparable_with_remote() {
            return Err(rejection);
        }
        self.push_deferred(step.target_path(), rejection, step.identity)
    }

    /// Defers a rejection of a note's text in the same way.
    pub(super) fn defer_note_rejection(&mut self, rejection: Diagnostic) -> Result<(), Diagnostic> {
        self.push_deferred(MappingTarget::Note(NotePart::Body).to_string(), rejection, false)
    }

    /// Defers a warning, or adds it immediately if there is nothing to compare the cell with.
    pub(super) fn defer_warning(&mut self, step: &FieldRule, warning: Diagnostic) {
        let warning = if step.is_comparable_with_remote() {
            self.push_deferred(step.target_path(), warning, step.identity)
        } else {
            Err(warning)
        };
        if let Err(warning) = warning {
            self.push_warning(warning, step.identity);
        }
    }

    /// Defers an issue; returns it if there is no cell.
    fn push_deferred(
        &mut self,
        to: String,
        diagnostic: Diagnostic,
        identity: bool,
    ) -> Result<(), Diagnostic> {
        let cell = diagnostic.place.column.and_then(|column| self.row.cells.get(column));
        let Some(cell) = cell.map(SheetCell::to_text) else { return Err(diagnostic) };
        let text = value::clean_text(&cell).map_or(cell, |read| Cow::Owned(read.value));
        let cell = UnreadableCell { to, text: text.into_owned(), diagnostic };
        self.waiting.push(DeferredIssue { cell, identity });
        Ok(())
    }

    /// Stores a cell's literal text if it was read as something else.
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
        let is_unchanged = |value: &str| value == text || text.trim_end() == value;
        if value.is_some_and(|value| !is_unchanged(value))
            || is_child && !step.preserves_text(&text)
        {
            self.draft.written.insert(step.target_path(), text.into_owned());
        }
    }

    /// Stores a cell's literal text for a value that is only a part of it.
    pub(super) fn store_cell_text(&mut self, step: &FieldRule, column: usize) {
        if step.is_comparable_with_remote()
            && let Some(cell) = self.row.cells.get(column)
        {
            self.draft.written.insert(step.target_path(), cell.to_text().into_owned());
        }
    }

    /// Whether a cell may be what a spreadsheet leaves of the phone number of the contact with the row's e-mail address.
    fn may_be_damaged_phone(&self, cell: &UnreadableCell) -> bool {
        let is_number = (8..=15).contains(&cell.text.len())
            && cell.text.bytes().all(|byte| byte.is_ascii_digit());
        is_number
            && cell.to == MappingTarget::Field(Field::Phone).to_string()
            && self.draft.email_key().is_some()
            && !self.is_rejected()
    }

    /// Whether the row has the id of the note or task that the cell belongs to, if it belongs to one.
    fn has_child_id_for(&self, to: &str) -> bool {
        let draft = &self.draft;
        match to.parse() {
            Ok(MappingTarget::Note(_)) => draft.notes.iter().any(|note| note.id.is_some()),
            Ok(MappingTarget::Task(_)) => draft.tasks.iter().any(|task| task.id.is_some()),
            _ => true,
        }
    }
}

impl RowValidator {
    /// Whether a cell is the name by which the row's contact is found all the same, in the form that it has there.
    pub(super) fn is_unreadable_key(&self, cell: &UnreadableCell) -> bool {
        self.resolved.key == Some(MatchKey::FullName) && cell.to == Field::Name.name()
    }

    /// Decides the deferred issues, unless the row identifies its contact: then they stay in the draft.
    pub(super) fn resolve_deferred(&self, work: &mut RowContext<'_>) {
        let waiting = std::mem::take(&mut work.waiting);
        let named = work.draft.contact.is_some() && !work.is_rejected();
        let written = std::mem::take(&mut work.draft.written);
        work.draft.written =
            written.into_iter().filter(|(to, _)| work.has_child_id_for(to)).collect();
        for DeferredIssue { cell, identity } in waiting {
            let may_be_known =
                named || work.may_be_damaged_phone(&cell) || self.is_unreadable_key(&cell);
            if may_be_known && work.has_child_id_for(&cell.to) {
                work.draft.unread.push(cell);
            } else if cell.rejects_row() {
                work.reject(cell.diagnostic);
            } else {
                work.push_warning(cell.diagnostic, identity);
            }
        }
    }
}
