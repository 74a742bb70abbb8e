//! Notes and tasks of a row.
//!
//! A row of a contact file has a note if its note cell is not empty; in a file of notes or tasks, a row without one
//! is an error. A row with the id of a note or task changes it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::RowValidator;
use super::cleaned_value::CleanedValue;
use super::field_rule::{FieldRule, FieldRuleSource};
use super::note_text;
use super::read_cell::{read_boolean, single_line};
use super::row_context::{RowContext, whole_row_rejection};
use super::severity;
use super::value_type::TargetValueType;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::draft::set_priority_line;
use crate::model::target::{NotePart, TaskPart};
use crate::model::{MappingTarget, NoteDateRule, NoteDraft, TaskDraft, TaskPriorityRule};
use crate::value;

impl RowValidator {
    pub(super) fn set_note_part(
        &self,
        part: NotePart,
        step: &FieldRule,
        column: Option<usize>,
        value: CleanedValue,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        match part {
            NotePart::Body => work.note.bodies.push((column, step.format_text(value))),
            NotePart::Id => set_if_unset(&mut work.note.id, single_line(value.into_text())),
            NotePart::Title => set_if_unset(&mut work.note.title, single_line(value.into_text())),
            NotePart::Color => set_if_unset(&mut work.note.color, single_line(value.into_text())),
            NotePart::User => {
                let user = self.resolve_user_id(step, column, &value.into_text(), work)?;
                set_if_unset(&mut work.note.user, user);
            }
            NotePart::Pinned => match read_boolean(&value) {
                Ok(pinned) => work.note.pinned = work.note.pinned.or(pinned),
                Err(trouble) => return self.report_unreadable(step, column, trouble, work),
            },
            NotePart::Date if self.policy.note_date == NoteDateRule::Prefix => {
                match self.read_date(step, value) {
                    Ok(read) => {
                        work.add_notices(read.notices, step, column);
                        work.note.date = read.value;
                    }
                    Err(trouble) => return self.report_unreadable(step, column, trouble, work),
                }
            }
            NotePart::Date => {
                let message = "the API sets the date of a note itself; `--note-date prefix` writes this \
                     one into the text";
                let warning = Diagnostic::new(DiagnosticCode::W_NOTE_DATE_NOT_SETTABLE, message);
                // The date that the note has is no wish.
                work.defer_warning(step, work.locate(warning, column, "note.dateAdded"));
            }
        }
        Ok(())
    }

    pub(super) fn set_task_part(
        &self,
        part: TaskPart,
        step: &FieldRule,
        column: Option<usize>,
        value: CleanedValue,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        // A constant such as `completed = "no"` does not give every row a task, but a title does.
        work.task.given |=
            matches!(step.source, FieldRuleSource::Columns { .. }) || part == TaskPart::Title;
        match part {
            TaskPart::Id => set_if_unset(&mut work.task.id, single_line(value.into_text())),
            TaskPart::Title => set_if_unset(&mut work.task.title, single_line(value.into_text())),
            TaskPart::Body => set_if_unset(&mut work.task.body, step.format_text(value)),
            TaskPart::Priority => {
                set_if_unset(&mut work.task.priority, single_line(value.into_text()));
            }
            TaskPart::AssignedTo => {
                let user = self.resolve_user_id(step, column, &value.into_text(), work)?;
                set_if_unset(&mut work.task.user, user);
            }
            TaskPart::Completed => {
                let done = match value {
                    CleanedValue::Bool(done) => Ok(done),
                    value => value::parse_task_status(&value.into_text()),
                };
                let done = done.map_err(|trouble| {
                    work.rejection_for_rule(
                        severity::rejection_code(trouble.code),
                        step,
                        column,
                        trouble.message,
                    )
                })?;
                work.task.completed.get_or_insert(done);
            }
            TaskPart::DueDate => self.set_task_due_date(step, column, value, work)?,
        }
        Ok(())
    }

    /// The API requires a due date, so one that cannot be read rejects the row.
    fn set_task_due_date(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        value: CleanedValue,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        let read = self.read_datetime(step, value).map_err(|trouble| {
            work.rejection_for_rule(
                severity::rejection_code(trouble.code),
                step,
                column,
                trouble.message,
            )
        })?;
        work.add_notices(read.notices, step, column);
        if let Some(due) = read.value {
            set_if_unset(&mut work.task.due, due);
        }
        Ok(())
    }

    /// Builds the row's notes and task from the parts that were read.
    pub(super) fn build_notes_and_tasks(&self, work: &mut RowContext<'_>) {
        if self.resolved.has_tasks {
            self.build_task_draft(work);
        }
        if self.resolved.has_notes {
            self.build_note_drafts(work);
        }
    }

    fn build_note_drafts(&self, work: &mut RowContext<'_>) {
        let parts = std::mem::take(&mut work.note);
        if parts.bodies.is_empty() && parts.id.is_none() {
            let body = MappingTarget::Note(NotePart::Body);
            if self.resolved.children_only && !work.task.given && !work.is_target_rejected(&body) {
                let message = "the note has no text, which the API requires";
                work.reject(whole_row_rejection(DiagnosticCode::R_NOTE_EMPTY, "note", message));
            }
            return;
        }
        let mut shared = BTreeMap::new();
        insert_if_some(&mut shared, "title", parts.title);
        insert_if_some(&mut shared, "color", parts.color);
        insert_if_some(&mut shared, "pinned", parts.pinned);
        insert_if_some(&mut shared, "userId", parts.user);
        let mut id = parts.id;
        if parts.bodies.is_empty() {
            work.draft.notes.push(NoteDraft { id: id.take(), fields: shared.clone() });
        }
        for (column, body) in parts.bodies {
            // The text of an existing note already contains its date, or never had one.
            let date = parts.date.filter(|_| id.is_none());
            let body = date.map_or(body.clone(), |date| format!("[{date}] {body}"));
            let pieces = match note_text::fit_to_limit(body, id.is_some(), &self.policy) {
                Ok(pieces) => pieces,
                Err(trouble) => {
                    let rejection = work.locate(trouble, column, "note");
                    if let Err(rejection) = work.defer_note_rejection(rejection) {
                        work.reject(rejection);
                    }
                    note_text::FittedNote::default()
                }
            };
            if let Some(warning) = pieces.warning {
                work.warnings.push(work.locate(warning, column, "note"));
            }
            if pieces.texts.is_empty() {
                work.draft.notes.push(NoteDraft { id: id.take(), fields: shared.clone() });
            }
            for piece in pieces.texts {
                let mut fields = shared.clone();
                insert_if_some(&mut fields, "body", Some(piece));
                work.draft.notes.push(NoteDraft { id: id.take(), fields });
            }
        }
    }

    fn build_task_draft(&self, work: &mut RowContext<'_>) {
        let only_tasks = self.resolved.children_only && !self.resolved.has_notes;
        if !work.task.given && !only_tasks {
            return;
        }
        let exists = work.task.id.is_some();
        if !exists && !self.has_required_task_parts(work) {
            return;
        }
        let task = &mut work.task;
        let due = task.due.take();
        let mut fields = BTreeMap::new();
        insert_if_some(&mut fields, "title", task.title.take());
        let mut priority =
            task.priority.take().filter(|_| self.policy.task_priority == TaskPriorityRule::Line);
        let mut body = task.body.take();
        if (body.is_some() || !exists)
            && let Some(priority) = priority.take()
        {
            body = Some(set_priority_line(body.as_deref().unwrap_or_default(), &priority));
        }
        insert_if_some(&mut fields, "body", body);
        insert_if_some(&mut fields, "dueDate", due);
        insert_if_some(&mut fields, "completed", task.completed.or((!exists).then_some(false)));
        insert_if_some(&mut fields, "assignedTo", task.user.take());
        if exists || !fields.is_empty() || priority.is_some() {
            work.draft.tasks.push(TaskDraft { id: task.id.take(), fields, priority });
        }
    }

    /// Whether a new task has a title and a due date, which the API requires; by default the policy's due date.
    /// Rejects the row for each that is missing, unless a value of it was rejected.
    fn has_required_task_parts(&self, work: &mut RowContext<'_>) -> bool {
        if work.task.title.is_none()
            && !work.is_target_rejected(&MappingTarget::Task(TaskPart::Title))
        {
            work.reject(whole_row_rejection(
                DiagnosticCode::R_TASK_NO_TITLE,
                "task.title",
                "the task has no title, which the API requires",
            ));
        }
        if work.task.due.is_none()
            && !work.is_target_rejected(&MappingTarget::Task(TaskPart::DueDate))
        {
            match self.default_due_date() {
                Ok(due) => work.task.due = Some(due),
                Err(rejection) => work.reject(rejection),
            }
        }
        work.task.title.is_some() && work.task.due.is_some()
    }

    fn default_due_date(&self) -> Result<String, Diagnostic> {
        let reject = |code, message: &str| whole_row_rejection(code, "task.dueDate", message);
        let Some(days) = self.policy.default_due else {
            let message =
                "the task has no due date, which the API requires; `--default-due 7d` sets one";
            return Err(reject(DiagnosticCode::R_TASK_NO_DUE, message));
        };
        self.midnight_days_from_today(days)
            .map_err(|trouble| reject(trouble.code, &trouble.message))
    }
}

impl FieldRule {
    fn format_text(&self, value: CleanedValue) -> String {
        match self.kind {
            TargetValueType::Line => single_line(value.into_text()),
            _ => value.into_text(),
        }
    }
}

/// The first value wins: constants come last.
fn set_if_unset(part: &mut Option<String>, text: String) {
    if !text.is_empty() {
        part.get_or_insert(text);
    }
}

fn insert_if_some(fields: &mut BTreeMap<String, Json>, name: &str, value: Option<impl Into<Json>>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), value.into());
    }
}
