//! What could not be read of a row that names its contact: set aside, until it is known what the contact has.
//!
//! An account holds what no check would let in today: a cell that says the same asks for nothing, so it is
//! no reason to reject a row or to warn. A row that names no contact has nothing to be compared with, and is
//! judged at once.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::Checker;
use super::field_rule::{Source, Step};
use super::outcome::{Rejection, Warned};
use super::row_context::Work;
use super::value_type::Kind;
use crate::model::target::{NotePart, TaskPart};
use crate::model::{Target, Unread};
use crate::sheet::Cell;
use crate::value;

/// The column of exports for what has no column, or does not fit its own.
const EXTRA: &str = "extra";

/// A verdict on one cell that waits.
#[derive(Debug)]
pub(super) enum Waiting {
    Rejected(Unread, Rejection),
    /// With whether it is about whom the row is about.
    Warned(Unread, Warned, bool),
}

impl Step {
    /// Whether its cells can be compared with what the account has.
    fn is_comparable(&self) -> bool {
        let plain =
            matches!(self.source, Source::Columns { join: None, .. }) && self.words.is_empty();
        plain
            && match self.target {
                Target::Field(_) | Target::Custom(_) | Target::Owner | Target::Business => true,
                Target::Note(part) => !matches!(part, NotePart::Id | NotePart::Date),
                Target::Task(part) => !matches!(part, TaskPart::Id | TaskPart::Priority),
                _ => false,
            }
    }

    /// Whether it takes a text as it stands.
    fn keeps(&self, text: &str) -> bool {
        let one_line = matches!(self.kind, Kind::Text) || !text.contains(['\n', '\r']);
        one_line && value::clean(text).is_ok_and(|read| read.value == text)
    }

    /// Whether its cell is empty only because an export keeps beside the columns what does not fit them.
    pub(super) fn is_in_extra(&self, work: &Work<'_>) -> bool {
        let name = match (&self.target, &self.custom) {
            (Target::Field(field), _) => field.name(),
            (_, Some(custom)) => &custom.id,
            _ => return false,
        };
        work.extra().is_some_and(|extra| extra.contains(&format!("\"{name}\"")))
    }

    /// The target's name, with a custom field's id.
    fn place(&self) -> String {
        match &self.custom {
            Some(custom) => Target::Custom(custom.id.clone()).to_string(),
            None => self.target.to_string(),
        }
    }
}

impl Work<'_> {
    /// What an export keeps beside the columns: JSON.
    fn extra(&self) -> Option<Cow<'_, str>> {
        let at = self.columns.iter().position(|column| column.name == EXTRA)?;
        self.row.cells.get(at).map(Cell::text).filter(|text| text.starts_with('{'))
    }

    /// Lets a rejection wait, where there may be something to compare the cell with.
    pub(super) fn set_aside(&mut self, step: &Step, rejection: Rejection) -> Result<(), Rejection> {
        let place = step.place();
        let unread = Some(rejection.column).filter(|_| step.is_comparable());
        let Some(unread) = unread.and_then(|column| self.unread(place, column)) else {
            return Err(rejection);
        };
        self.wait(unread, rejection);
        Ok(())
    }

    /// The same for the text of a note.
    pub(super) fn set_aside_note(&mut self, rejection: Rejection) -> Result<(), Rejection> {
        let place = Target::Note(NotePart::Body).to_string();
        let Some(unread) = self.unread(place, rejection.column) else { return Err(rejection) };
        self.wait(unread, rejection);
        Ok(())
    }

    fn wait(&mut self, unread: Unread, rejection: Rejection) {
        let unread = Unread {
            code: rejection.code.to_owned(),
            message: rejection.message.clone(),
            field: rejection.field.clone(),
            rejects: true,
            ..unread
        };
        self.waiting.push(Waiting::Rejected(unread, rejection));
    }

    /// Lets a warning wait; gives it back where there is nothing to compare the cell with.
    pub(super) fn warn_later(&mut self, step: &Step, warned: Warned) {
        let unread = Some(warned.column).filter(|_| step.is_comparable());
        let Some(unread) = unread.and_then(|column| self.unread(step.place(), column)) else {
            self.warn(warned.code, step, warned.column, warned.message);
            return;
        };
        let unread = Unread {
            code: warned.code.to_owned(),
            message: warned.message.clone(),
            field: warned.field.clone(),
            ..unread
        };
        self.waiting.push(Waiting::Warned(unread, warned, step.identity));
    }

    /// Keeps what a cell says literally, where it was read as something else.
    pub(super) fn remember(&mut self, step: &Step, column: usize) {
        let Some(cell) = self.row.cells.get(column).filter(|_| step.is_comparable()) else {
            return;
        };
        let text = cell.text();
        let value = match (&step.target, &step.custom) {
            (Target::Field(field), _) => self.draft.fields.get(field).and_then(Json::as_str),
            (_, Some(custom)) => self.draft.custom.get(&custom.id).and_then(Json::as_str),
            _ => None,
        };
        let is_child = matches!(step.target, Target::Note(_) | Target::Task(_));
        let kept = |value: &str| value == text || text.trim_end() == value;
        if value.is_some_and(|value| !kept(value)) || is_child && !step.keeps(&text) {
            self.draft.written.insert(step.place(), text.into_owned());
        }
    }

    /// Whether the row names the note or task that a cell is about, if it is about one.
    fn names(&self, to: &str) -> bool {
        let draft = &self.draft;
        match to.parse() {
            Ok(Target::Note(_)) => draft.notes.iter().any(|note| note.id.is_some()),
            Ok(Target::Task(_)) => draft.tasks.iter().any(|task| task.id.is_some()),
            _ => true,
        }
    }

    fn unread(&self, to: String, column: Option<usize>) -> Option<Unread> {
        let cell = self.row.cells.get(column?)?.text();
        let text = value::clean(&cell).map_or(cell, |read| Cow::Owned(read.value));
        Some(Unread { to, column, text: text.into_owned(), ..Unread::default() })
    }
}

impl Checker {
    /// Decides on what was set aside, unless the row names its contact: then what waits goes with it.
    pub(super) fn settle(
        work: &mut Work<'_>,
        outcome: Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        let waiting = std::mem::take(&mut work.waiting);
        let named = work.draft.contact.is_some() && outcome.is_ok();
        let written = std::mem::take(&mut work.draft.written);
        work.draft.written = written.into_iter().filter(|(to, _)| work.names(to)).collect();
        for one in waiting {
            match one {
                Waiting::Rejected(unread, _) | Waiting::Warned(unread, ..)
                    if named && work.names(&unread.to) =>
                {
                    work.draft.unread.push(unread);
                }
                Waiting::Rejected(_, rejection) => return Err(rejection),
                Waiting::Warned(_, warned, identity) => work.warn_with(warned, identity),
            }
        }
        outcome
    }
}
