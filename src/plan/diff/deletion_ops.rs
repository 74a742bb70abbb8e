//! Deletions: a single write, with the whole record as its before-value.

use serde_json::Value;

use super::{RowOrigin, RowPlan, RowPlanBuilder, RowPlanner, change_text, child_target};
use crate::id::ContactId;
use crate::model::IdempotencyClass;
use crate::model::draft::ContactDraft;
use crate::model::op::OpChange;
use crate::model::target::Field;
use crate::plan::deletion::BeforeImage;
use crate::run::RowAction;

const DELETED: &str = "deleted";
/// The properties of a deleted task that a plan shows.
const TASK: [&str; 4] = ["title", "body", "dueDate", "completed"];
const NOTE: [&str; 2] = ["title", "body"];

impl RowPlanner<'_> {
    /// Plans the deletion of a contact.
    #[must_use]
    pub fn plan_contact_deletion(
        &self,
        row: u64,
        source: &RowOrigin<'_>,
        draft: &ContactDraft,
        contact: &ContactId,
        image: &BeforeImage,
    ) -> RowPlan {
        let mut work = self.start_deletion(row, source, draft, contact, RowAction::Delete);
        work.add_field_change("contact", contact.to_string(), DELETED.to_owned());
        if let Some(remote) = image.remote_contact() {
            let field = |field: Field| remote.native_field(field).unwrap_or_default().to_owned();
            let shown = [
                ("name", remote.full_name()),
                ("email", field(Field::Email)),
                ("phone", field(Field::Phone)),
            ];
            for (name, value) in shown.into_iter().filter(|(_, value)| !value.is_empty()) {
                work.add_field_change(name, value, String::new());
            }
        }
        for (name, count) in [
            ("notes", image.notes.len()),
            ("tasks", image.tasks.len()),
            ("opportunities", image.opportunities),
        ] {
            if count > 0 {
                work.add_field_change(name, count.to_string(), "0".to_owned());
            }
        }
        let before = serde_json::to_value(image).unwrap_or_default();
        work.push_op("delete", 0, IdempotencyClass::Replayable, OpChange::Delete, before);
        work.planned
    }

    /// Plans the deletion of a contact's task.
    #[must_use]
    pub fn plan_task_deletion(
        &self,
        row: u64,
        source: &RowOrigin<'_>,
        draft: &ContactDraft,
        contact: &ContactId,
        (id, task): (&str, &Value),
    ) -> RowPlan {
        let mut work = self.start_deletion(row, source, draft, contact, RowAction::DeleteTask);
        work.add_deleted_child_changes("task", &TASK, id, task);
        let change = OpChange::DeleteTask { id: id.to_owned() };
        work.push_op("delete", 0, IdempotencyClass::Replayable, change, task.clone());
        work.planned
    }

    /// Plans the deletion of a contact's note.
    #[must_use]
    pub fn plan_note_deletion(
        &self,
        row: u64,
        source: &RowOrigin<'_>,
        draft: &ContactDraft,
        contact: &ContactId,
        (id, note): (&str, &Value),
    ) -> RowPlan {
        let mut work = self.start_deletion(row, source, draft, contact, RowAction::DeleteNote);
        work.add_deleted_child_changes("note", &NOTE, id, note);
        let change = OpChange::DeleteNote { id: id.to_owned() };
        work.push_op("delete", 0, IdempotencyClass::Replayable, change, note.clone());
        work.planned
    }

    fn start_deletion<'w>(
        &'w self,
        row: u64,
        source: &'w RowOrigin<'w>,
        draft: &'w ContactDraft,
        contact: &ContactId,
        action: RowAction,
    ) -> RowPlanBuilder<'w> {
        let contact = Some(contact.clone());
        let planned = RowPlan { action, contact, ..RowPlan::default() };
        RowPlanBuilder { planner: self, row, source, draft, planned }
    }
}

impl RowPlanBuilder<'_> {
    /// Adds the properties of a deleted note or task to the plan.
    fn add_deleted_child_changes(&mut self, kind: &str, keys: &[&str], id: &str, record: &Value) {
        self.add_field_change(&format!("{kind}.id"), id.to_owned(), DELETED.to_owned());
        for key in keys {
            let text = change_text::format_value(&record[*key]);
            if !text.is_empty() {
                self.add_field_change(&child_target(kind, key), text, String::new());
            }
        }
    }
}
