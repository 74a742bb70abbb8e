//! Rows of a file that deletes: which record each one names.
//!
//! Nothing of a row counts but by what its contact, note or task is known.

use super::RowValidator;
use super::row_context::{RowContext, whole_row_rejection};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{NoteDraft, TaskDraft};

impl RowValidator {
    /// Makes of what was read the names of what is to go.
    ///
    /// # Errors
    /// When the row names nothing, or not well enough.
    pub(super) fn finish_deletion(&self, work: &mut RowContext<'_>) -> Result<(), Diagnostic> {
        // Others of its addresses than the first do not make a contact known.
        work.draft.additional_emails.clear();
        work.draft.additional_phones.clear();
        if self.resolved.has_tasks {
            let id = work.task.id.take().ok_or_else(|| missing_record_id("task"))?;
            work.draft.tasks.push(TaskDraft { id: Some(id), ..TaskDraft::default() });
            // Of a task the location-wide search tells whose it is.
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
        let key = self.resolved.key.as_ref().and_then(|key| draft.custom.get(key));
        let known = draft.contact.is_some()
            || draft.email_key().is_some()
            || draft.phone_key().is_some()
            || key.is_some_and(|value| !value.is_null());
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
