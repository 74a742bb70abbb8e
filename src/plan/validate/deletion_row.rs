//! Rows of a deletion file: which record each one identifies.
//!
//! Only the identity of the contact, note or task matters; all other cells are ignored.

use super::RowValidator;
use super::row_context::{RowContext, whole_row_rejection};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{NoteDraft, TaskDraft};

impl RowValidator {
    /// Builds the identity of the record to delete from the values read. Rejects a row that identifies no record.
    pub(super) fn finish_deletion(&self, work: &mut RowContext<'_>) {
        if let Err(rejection) = self.identify_record(work)
            && !work.is_identity_rejected()
        {
            work.reject(rejection);
        }
    }

    fn identify_record(&self, work: &mut RowContext<'_>) -> Result<(), Diagnostic> {
        // Only the first address identifies a contact.
        work.draft.additional_emails.clear();
        work.draft.additional_phones.clear();
        if self.resolved.has_tasks {
            let id = work.task.id.take().ok_or_else(|| missing_record_id("task"))?;
            work.draft.tasks.push(TaskDraft { id: Some(id), ..TaskDraft::default() });
            // For a task, the location-wide search returns the contact.
            return Ok(());
        }
        if self.resolved.has_notes {
            let id = work.note.id.take().ok_or_else(|| missing_record_id("note"))?;
            work.draft.notes.push(NoteDraft { id: Some(id), ..NoteDraft::default() });
        }
        self.require_contact_reference(work)
    }

    fn require_contact_reference(&self, work: &RowContext<'_>) -> Result<(), Diagnostic> {
        let draft = &work.draft;
        let key = self.resolved.key.as_ref().is_some_and(|key| key.identifies_row(draft));
        let known = draft.contact.is_some()
            || draft.email_key().is_some()
            || draft.phone_key().is_some()
            || key;
        if known {
            return Ok(());
        }
        Err(if self.resolved.has_notes {
            let message = "a note needs its contact: an id, an e-mail address or a phone number";
            whole_row_rejection(DiagnosticCode::R_NO_CONTACT_ID, "contactId", message)
        } else {
            let message = "the row has no usable contact id, e-mail address or phone number";
            whole_row_rejection(DiagnosticCode::R_NO_IDENTITY, "contactId", message)
        })
    }
}

fn missing_record_id(kind: &str) -> Diagnostic {
    let message = format!("the row has no {kind} id; this file deletes {kind}s, not contacts");
    whole_row_rejection(DiagnosticCode::R_NO_RECORD_ID, &format!("{kind}.id"), message)
}
