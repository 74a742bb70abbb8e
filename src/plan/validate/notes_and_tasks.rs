//! Notes and tasks of a row.
//!
//! A row of a contact file has a note where its note cell holds something; a row of a file of notes or
//! tasks that has none is a mistake. One that names the id of a note or task changes it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Checker;
use super::cell_value::Value;
use super::field_rule::{Source, Step};
use super::note_text;
use super::outcome::Rejection;
use super::read_cell::{line, yes};
use super::row_context::{Work, whole_row};
use super::severity;
use super::value_type::Kind;
use crate::model::draft::with_priority;
use crate::model::target::{NotePart, TaskPart};
use crate::model::{NoteDraft, TaskDraft};
use crate::value;

impl Checker {
    pub(super) fn put_note(
        &self,
        part: NotePart,
        step: &Step,
        column: Option<usize>,
        value: Value,
        work: &mut Work<'_>,
    ) -> Result<(), Rejection> {
        match part {
            NotePart::Body => work.note.bodies.push((column, step.text(value))),
            NotePart::Id => fill(&mut work.note.id, line(value.into_text())),
            NotePart::Title => fill(&mut work.note.title, line(value.into_text())),
            NotePart::Color => fill(&mut work.note.color, line(value.into_text())),
            NotePart::User => {
                let user = self.user(step, column, &value.into_text(), work)?;
                fill(&mut work.note.user, user);
            }
            NotePart::Pinned => match yes(&value) {
                Ok(pinned) => work.note.pinned = work.note.pinned.or(pinned),
                Err(trouble) => return self.unreadable(step, column, &trouble, work),
            },
            NotePart::Date if self.policy.note_date_prefix => match self.day(step, value) {
                Ok(read) => {
                    work.note_all(read.notices, step, column);
                    work.note.date = read.value;
                }
                Err(trouble) => return self.unreadable(step, column, &trouble, work),
            },
            NotePart::Date => {
                let message = "the API sets the date of a note itself; `--note-date prefix` writes this \
                     one into the text";
                work.warn("W_NOTE_DATE_NOT_SETTABLE", step, column, message);
            }
        }
        Ok(())
    }

    pub(super) fn put_task(
        &self,
        part: TaskPart,
        step: &Step,
        column: Option<usize>,
        value: Value,
        work: &mut Work<'_>,
    ) -> Result<(), Rejection> {
        // A constant such as `completed = "no"` does not give every row a task, but a title does.
        work.task.given |= matches!(step.source, Source::Columns { .. }) || part == TaskPart::Title;
        match part {
            TaskPart::Id => fill(&mut work.task.id, line(value.into_text())),
            TaskPart::Title => fill(&mut work.task.title, line(value.into_text())),
            TaskPart::Body => fill(&mut work.task.body, step.text(value)),
            TaskPart::Priority => fill(&mut work.task.priority, line(value.into_text())),
            TaskPart::AssignedTo => {
                let user = self.user(step, column, &value.into_text(), work)?;
                fill(&mut work.task.user, user);
            }
            TaskPart::Completed => {
                let done = match value {
                    Value::Bool(done) => Ok(done),
                    value => value::completed(&value.into_text()),
                };
                let done = done.map_err(|trouble| {
                    work.reject(severity::rejecting(trouble.code), step, column, trouble.message)
                })?;
                work.task.completed.get_or_insert(done);
            }
            TaskPart::DueDate => self.put_due(step, column, value, work)?,
        }
        Ok(())
    }

    /// The API wants a due date: one that cannot be read rejects the row.
    fn put_due(
        &self,
        step: &Step,
        column: Option<usize>,
        value: Value,
        work: &mut Work<'_>,
    ) -> Result<(), Rejection> {
        let read = self.moment(step, value).map_err(|trouble| {
            work.reject(severity::rejecting(trouble.code), step, column, trouble.message)
        })?;
        work.note_all(read.notices, step, column);
        if let Some(due) = read.value {
            fill(&mut work.task.due, due);
        }
        Ok(())
    }

    /// Makes the row's notes and task of what was read.
    pub(super) fn finish_children(&self, work: &mut Work<'_>) -> Result<(), Rejection> {
        if self.resolved.has_tasks {
            self.finish_task(work)?;
        }
        if self.resolved.has_notes {
            self.finish_notes(work)?;
        }
        Ok(())
    }

    fn finish_notes(&self, work: &mut Work<'_>) -> Result<(), Rejection> {
        let parts = std::mem::take(&mut work.note);
        if parts.bodies.is_empty() && parts.id.is_none() {
            if self.resolved.children_only && !work.task.given {
                let message = "the note has no text, which the API wants";
                return Err(whole_row("R_NOTE_EMPTY", "note", message));
            }
            return Ok(());
        }
        let mut shared = BTreeMap::new();
        insert(&mut shared, "title", parts.title);
        insert(&mut shared, "color", parts.color);
        insert(&mut shared, "pinned", parts.pinned);
        insert(&mut shared, "userId", parts.user);
        let mut id = parts.id;
        if parts.bodies.is_empty() {
            work.draft.notes.push(NoteDraft { id: id.take(), fields: shared.clone() });
        }
        for (column, body) in parts.bodies {
            // That of a note that exists has its date in it already, or never had.
            let date = parts.date.filter(|_| id.is_none());
            let body = date.map_or(body.clone(), |date| format!("[{date}] {body}"));
            let pieces = match note_text::fitted(body, id.is_some(), &self.policy) {
                Ok(pieces) => pieces,
                Err(trouble) => {
                    let rejection = work.reject_at(trouble.code, column, "note", trouble.message);
                    work.set_aside_note(rejection)?;
                    note_text::Fitted::default()
                }
            };
            if let Some((code, message)) = pieces.warning {
                work.warn_at(code, column, "note", message);
            }
            if pieces.texts.is_empty() {
                work.draft.notes.push(NoteDraft { id: id.take(), fields: shared.clone() });
            }
            for piece in pieces.texts {
                let mut fields = shared.clone();
                insert(&mut fields, "body", Some(piece));
                work.draft.notes.push(NoteDraft { id: id.take(), fields });
            }
        }
        Ok(())
    }

    fn finish_task(&self, work: &mut Work<'_>) -> Result<(), Rejection> {
        let only_tasks = self.resolved.children_only && !self.resolved.has_notes;
        if !work.task.given && !only_tasks {
            return Ok(());
        }
        let task = &mut work.task;
        let exists = task.id.is_some();
        if task.title.is_none() && !exists {
            return Err(whole_row(
                "R_TASK_NO_TITLE",
                "task.title",
                "the task has no title, which the API wants",
            ));
        }
        let due = match task.due.take() {
            None if !exists => Some(self.default_due()?),
            due => due,
        };
        let mut fields = BTreeMap::new();
        insert(&mut fields, "title", task.title.take());
        let mut priority = task.priority.take().filter(|_| !self.policy.drop_task_priority);
        let mut body = task.body.take();
        if (body.is_some() || !exists)
            && let Some(priority) = priority.take()
        {
            body = Some(with_priority(body.as_deref().unwrap_or_default(), &priority));
        }
        insert(&mut fields, "body", body);
        insert(&mut fields, "dueDate", due);
        insert(&mut fields, "completed", task.completed.or((!exists).then_some(false)));
        insert(&mut fields, "assignedTo", task.user.take());
        if exists || !fields.is_empty() || priority.is_some() {
            work.draft.tasks.push(TaskDraft { id: task.id.take(), fields, priority });
        }
        Ok(())
    }

    fn default_due(&self) -> Result<String, Rejection> {
        let reject = |code, message: &str| whole_row(code, "task.dueDate", message);
        let Some(days) = self.policy.default_due_days else {
            let message =
                "the task has no due date, which the API wants; `--default-due 7d` gives one";
            return Err(reject("R_TASK_NO_DUE", message));
        };
        self.days_from_today(days).map_err(|trouble| reject(trouble.code, &trouble.message))
    }
}

impl Step {
    fn text(&self, value: Value) -> String {
        match self.kind {
            Kind::Line => line(value.into_text()),
            _ => value.into_text(),
        }
    }
}

/// What comes first counts: constants come last.
fn fill(part: &mut Option<String>, text: String) {
    if !text.is_empty() {
        part.get_or_insert(text);
    }
}

fn insert(fields: &mut BTreeMap<String, Json>, name: &str, value: Option<impl Into<Json>>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), value.into());
    }
}
