//! Decides on rows that delete: which contact or record each one means, and whether the copy of it is complete.
//!
//! The rows are processed twice: first to find the contacts that must be read completely, and when those have
//! been read, to plan the ops. Several rows that delete the same record are one deletion.

use serde_json::Value;

use super::{
    ImportError, LOT, RowDecider, RowDecision, StoredRow, decision_with_reason, parse_draft,
    rejection_decision,
};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::id::ContactId;
use crate::model::ContactDraft;
use crate::plan::diff::{RemoteChildren, RowOrigin, RowPlan};
use crate::plan::identity;
use crate::plan::{BeforeImage, DeletedRecordKind};
use crate::run::{ContactPart, IdentityKind, ImportStore, RowAction, RowMark};

/// What a row deletes, by id.
struct RecordToDelete<'d> {
    contact: ContactId,
    /// The note or task.
    child: Option<&'d str>,
}

impl RecordToDelete<'_> {
    /// The key that is equal for two rows that delete the same record.
    fn duplicate_key(&self) -> String {
        match self.child {
            Some(id) => format!("{} {id}", self.contact),
            None => self.contact.to_string(),
        }
    }
}

impl RowDecider<'_> {
    /// Records the contacts that must be read completely before anything is deleted.
    pub(in crate::import) fn mark_contacts_to_read(
        &self,
        what: DeletedRecordKind,
    ) -> Result<(), ImportError> {
        self.rows.in_transaction(|rows| {
            let mut after = 0;
            loop {
                let lot = rows.rows_after(after, LOT)?;
                let Some(last) = lot.last() else { return Ok(()) };
                after = last.n;
                for row in &lot {
                    let Some(text) = &row.draft else { continue };
                    if let Ok(Some(named)) =
                        self.find_record_to_delete(&parse_draft(text)?, what)?
                    {
                        rows.add_row_value(
                            RowMark::ContactToDelete,
                            named.contact.as_str(),
                            row.n,
                        )?;
                    }
                }
            }
        })
    }

    /// What a row deletes; `None` if it no longer exists.
    fn find_record_to_delete<'d>(
        &self,
        draft: &'d ContactDraft,
        what: DeletedRecordKind,
    ) -> Result<Result<Option<RecordToDelete<'d>>, Diagnostic>, ImportError> {
        let child = match what {
            DeletedRecordKind::Contacts => None,
            DeletedRecordKind::Notes => draft.notes.iter().find_map(|note| note.id.as_deref()),
            DeletedRecordKind::Tasks => draft.tasks.iter().find_map(|task| task.id.as_deref()),
        };
        let nameless = draft.contact.is_none()
            && draft.email_key().is_none()
            && draft.phone_key().is_none()
            && draft.custom.is_empty();
        if let Some(id) = child.filter(|_| nameless) {
            let owner = self
                .rows
                .matching_contacts(IdentityKind::TaskId, id)?
                .into_iter()
                .find_map(|it| it.parse().ok());
            return Ok(Ok(owner.map(|contact| RecordToDelete { contact, child })));
        }
        let mut found = self.find_matches(draft)?;
        let mut who = identity::resolve_for_deletion(draft, &found, self.policy, self.directory);
        if who.is_err() {
            // Only a message needs the names of the contacts.
            self.label_contacts(&mut found)?;
            who = identity::resolve_for_deletion(draft, &found, self.policy, self.directory);
        }
        Ok(who.map(|who| who.map(|contact| RecordToDelete { contact, child })))
    }

    /// Decides on a row that deletes.
    pub(super) fn plan_deletion(
        &self,
        row: &StoredRow,
        draft: &ContactDraft,
        what: DeletedRecordKind,
    ) -> Result<Result<RowPlan, RowDecision>, ImportError> {
        let named = match self.find_record_to_delete(draft, what)? {
            Err(rejection) => return Ok(Err(rejection_decision(vec![rejection]))),
            Ok(None) => return Ok(Err(already_gone_decision(what, None))),
            Ok(Some(named)) => named,
        };
        if let Some(first) =
            self.rows.first_row_with_value(RowMark::DeletedRecord, &named.duplicate_key())?
        {
            let line = self.rows.find_row(first)?.map_or(0, |row| row.line);
            let one = what.singular_name();
            let reason = format!("record {first} (line {line}) deletes the same {one}");
            let merged = decision_with_reason(RowAction::Merged, reason);
            return Ok(Err(RowDecision { merged_into: Some(first), ..merged }));
        }
        let image = match load_before_image(self.rows, &named.contact)? {
            Err(decision) => return Ok(Err(decision)),
            Ok(None) => return Ok(Err(already_gone_decision(what, Some(&named.contact)))),
            Ok(Some(image)) => image,
        };
        let remote = image.remote_contact();
        if let Some(rejection) = remote.as_ref().and_then(|remote| self.reject_foreign(remote)) {
            return Ok(Err(rejection));
        }
        let children = RemoteChildren::default();
        if let Some(decision) =
            self.apply_deferred_errors(row, draft, remote.as_ref(), &children)?
        {
            return Ok(Err(decision));
        }
        let Some(planned) = self.build_deletion(row, draft, &named, what, &image) else {
            return Ok(Err(already_gone_decision(what, Some(&named.contact))));
        };
        self.rows.add_row_value(RowMark::DeletedRecord, &named.duplicate_key(), row.n)?;
        Ok(Ok(planned))
    }

    /// The deletion of what a row names; `None` if its note or task no longer exists.
    fn build_deletion(
        &self,
        row: &StoredRow,
        draft: &ContactDraft,
        named: &RecordToDelete<'_>,
        what: DeletedRecordKind,
        image: &BeforeImage,
    ) -> Option<RowPlan> {
        let source = RowOrigin {
            location: &self.directory.location,
            input: &self.input_digest,
            place: &row.place,
        };
        let RecordToDelete { contact, child } = named;
        let Some(id) = child else {
            return Some(self.planner.plan_contact_deletion(row.n, &source, draft, contact, image));
        };
        let record: (&str, &Value) = (id, image.find_child(what, id)?);
        Some(match what {
            DeletedRecordKind::Tasks => {
                self.planner.plan_task_deletion(row.n, &source, draft, contact, record)
            }
            _ => self.planner.plan_note_deletion(row.n, &source, draft, contact, record),
        })
    }
}

/// The stored copy of a contact; `None` if the contact no longer exists, a decision if it cannot be read.
fn load_before_image(
    rows: &ImportStore,
    contact: &ContactId,
) -> Result<Result<Option<BeforeImage>, RowDecision>, ImportError> {
    if let Some(why) = rows.contact_children(ContactPart::ReadError, contact.as_str())?.pop() {
        let message = format!(
            "not all of the contact can be read, so it could not be restored and is not deleted: {why}"
        );
        let rejection = Diagnostic::new(DiagnosticCode::R_NOT_KEPT, message).in_field("contactId");
        return Ok(Err(RowDecision {
            contact: Some(contact.to_string()),
            ..rejection_decision(vec![rejection])
        }));
    }
    let Some(text) = rows.contact_children(ContactPart::BeforeImage, contact.as_str())?.pop()
    else {
        return Ok(Ok(None));
    };
    let mut image: BeforeImage = serde_json::from_str(&text)
        .map_err(|error| ImportError::Bug(format!("the image of contact `{contact}`: {error}")))?;
    image.opportunities =
        rows.contact_children(ContactPart::Opportunities, contact.as_str())?.len();
    Ok(Ok(Some(image)))
}

/// The decision for what no longer exists and needs no deletion.
fn already_gone_decision(what: DeletedRecordKind, contact: Option<&ContactId>) -> RowDecision {
    let reason = match (what, contact) {
        (DeletedRecordKind::Contacts, _) => {
            "the location has no such contact; it was already deleted, or never existed".to_owned()
        }
        (what, Some(contact)) => format!(
            "contact `{contact}` has no such {0}; it was already deleted, or belongs to another contact",
            what.singular_name()
        ),
        (what, None) => format!(
            "the location has no such {}, or not the contact; it was already deleted, or never existed",
            what.singular_name()
        ),
    };
    let contact = contact.map(ToString::to_string);
    RowDecision { contact, ..decision_with_reason(RowAction::AlreadyGone, reason) }
}
