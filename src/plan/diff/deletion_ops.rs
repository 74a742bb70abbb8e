//! Deleting: the one write, with the whole record as what it replaces.

use serde_json::Value;

use super::{Planned, Planner, Source, Work, change_text, target};
use crate::id::ContactId;
use crate::model::draft::Draft;
use crate::model::op::{Change, Class};
use crate::model::target::Field;
use crate::plan::deletion::Image;

const DELETED: &str = "deleted";
/// What a plan shows of a task, or a note, that goes.
const TASK: [&str; 4] = ["title", "body", "dueDate", "completed"];
const NOTE: [&str; 2] = ["title", "body"];

impl Planner<'_> {
    /// Plans the deletion of a contact.
    #[must_use]
    pub fn remove_contact(
        &self,
        row: u64,
        source: &Source<'_>,
        draft: &Draft,
        contact: &ContactId,
        image: &Image,
    ) -> Planned {
        let mut work = self.removal(row, source, draft, contact, "delete");
        work.change("contact", contact.to_string(), DELETED.to_owned());
        if let Some(live) = image.live() {
            let field = |field: Field| live.field(field).unwrap_or_default().to_owned();
            let shown = [
                ("name", live.whole_name()),
                ("email", field(Field::Email)),
                ("phone", field(Field::Phone)),
            ];
            for (name, value) in shown.into_iter().filter(|(_, value)| !value.is_empty()) {
                work.change(name, value, String::new());
            }
        }
        for (name, count) in [
            ("notes", image.notes.len()),
            ("tasks", image.tasks.len()),
            ("opportunities", image.opportunities),
        ] {
            if count > 0 {
                work.change(name, count.to_string(), "0".to_owned());
            }
        }
        let before = serde_json::to_value(image).unwrap_or_default();
        work.push("delete", 0, Class::Replayable, Change::Delete, before);
        work.planned
    }

    /// Plans the deletion of a contact's task.
    #[must_use]
    pub fn remove_task(
        &self,
        row: u64,
        source: &Source<'_>,
        draft: &Draft,
        contact: &ContactId,
        (id, task): (&str, &Value),
    ) -> Planned {
        let mut work = self.removal(row, source, draft, contact, "delete_task");
        work.gone("task", &TASK, id, task);
        let change = Change::DeleteTask { id: id.to_owned() };
        work.push("delete", 0, Class::Replayable, change, task.clone());
        work.planned
    }

    /// Plans the deletion of a contact's note.
    #[must_use]
    pub fn remove_note(
        &self,
        row: u64,
        source: &Source<'_>,
        draft: &Draft,
        contact: &ContactId,
        (id, note): (&str, &Value),
    ) -> Planned {
        let mut work = self.removal(row, source, draft, contact, "delete_note");
        work.gone("note", &NOTE, id, note);
        let change = Change::DeleteNote { id: id.to_owned() };
        work.push("delete", 0, Class::Replayable, change, note.clone());
        work.planned
    }

    fn removal<'w>(
        &'w self,
        row: u64,
        source: &'w Source<'w>,
        draft: &'w Draft,
        contact: &ContactId,
        action: &'static str,
    ) -> Work<'w> {
        let contact = Some(contact.clone());
        let planned = Planned { action, contact, ..Planned::default() };
        Work { planner: self, row, source, draft, planned }
    }
}

impl Work<'_> {
    /// Shows a note or task that goes.
    fn gone(&mut self, kind: &str, keys: &[&str], id: &str, record: &Value) {
        self.change(&format!("{kind}.id"), id.to_owned(), DELETED.to_owned());
        for key in keys {
            let text = change_text::text(&record[*key]);
            if !text.is_empty() {
                self.change(&target(kind, key), text, String::new());
            }
        }
    }
}
