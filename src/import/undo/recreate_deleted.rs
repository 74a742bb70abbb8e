//! Recreates what an import deleted.
//!
//! The API cannot restore a record, so a new one replaces it, created by the same writes as in any import:
//! nothing is created twice, whatever happens in between. Where another contact has the address by now, no
//! duplicate is created; that is reported. What an earlier undo of the same import has recreated is not
//! created again.

use super::super::ImportError;
use super::plan_rows::op_key;
use super::revert_row::{RowRevert, RowRevertContext, RowRevertStep};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::remote::RemoteContact;
use crate::model::{
    Field, IdempotencyClass, ImportPolicy, LocationDirectory, NoIdentityRule, Op, OpChange,
};
use crate::plan::BeforeImage;
use crate::plan::deletion::{recreated_note_fields, recreated_task_fields};
use crate::plan::diff::{RowOrigin, RowPlan, RowPlanner};
use crate::plan::identity::{ContactAction, is_unique_field};
use crate::plan::revert::{RevertStep, describe_step};
use crate::run::{IdentityKind, RowAction};

const BROUGHT_BACK: &str = "it has already been recreated";

impl RowRevertContext<'_> {
    /// Decides on a row that deleted something.
    pub(super) fn revert_deletion(&self, op: &Op) -> Result<RowRevert, ImportError> {
        let Some(directory) = self.directory else {
            return Err(ImportError::Bug("an undo without the location's names".to_owned()));
        };
        match BeforeImage::from_op_before(&op.before) {
            Some(image) => self.recreate_contact(op, &image, directory),
            None => Ok(self.recreate_child(op, directory)),
        }
    }

    fn recreate_contact(
        &self,
        op: &Op,
        image: &BeforeImage,
        directory: &LocationDirectory,
    ) -> Result<RowRevert, ImportError> {
        let mut undone =
            RowRevert { action: RowAction::Recreate, recreates: true, ..RowRevert::default() };
        let Some(remote) = image.remote_contact() else { return Ok(undone) };
        undone.email = remote.native_field(Field::Email).map(str::to_lowercase);
        undone.phone = remote.native_field(Field::Phone).map(str::to_owned);
        let policy = ImportPolicy {
            no_identity: NoIdentityRule::AtMostOnce,
            marker: self.policy.marker.clone(),
            ..ImportPolicy::default()
        };
        let place = format!("row {}", self.n);
        let source = RowOrigin {
            location: &directory.location,
            input: self.undo.of.as_str(),
            place: &place,
        };
        let action = match self.choose_create_action(&remote, directory)? {
            Ok(action) => action,
            Err(rejection) => {
                undone.refused = Some(rejection);
                ContactAction::Create
            }
        };
        match RowPlanner::new(&policy, directory).plan_recreation(self.n, &source, image, &action) {
            Ok(planned) => self.add_recreation_steps(&mut undone, planned, op),
            Err(rejection) => undone.refused = Some(rejection),
        }
        Ok(undone)
    }

    /// Leaves out what was created already, and what must not be created.
    fn add_recreation_steps(&self, undone: &mut RowRevert, planned: RowPlan, op: &Op) {
        let makes = planned.ops.iter().find(|op| op.change.creates_contact());
        undone.made = makes.and_then(|op| self.done.recreated_contact(&op.key));
        if undone.made.is_some() {
            // The contact that has the address now is the one that was recreated.
            undone.refused = None;
        }
        if let Some(refused) = &undone.refused {
            undone.conflicts.push(refused.field.clone());
            return;
        }
        let ops = planned.ops.into_iter().filter(|op| !self.done.has_op(&op.key));
        let taken = ops.map(|op| RowRevertStep {
            step: RevertStep { change: op.change, class: op.class, before: op.before },
            key: Some(op.key),
            undoes: Vec::new(),
        });
        undone.steps = taken.collect();
        if undone.steps.is_empty() {
            undone.reason = Some(BROUGHT_BACK);
            return;
        }
        let id = op.contact.as_ref().map(ToString::to_string).unwrap_or_default();
        undone.changes.push(super::revert_row::field_change("contact", &id, "a new contact"));
        undone.changes.extend(planned.changes);
        undone.warnings = planned.warnings;
    }

    /// Whether the contact is created as a duplicate of others, or which contact prevents it.
    fn choose_create_action(
        &self,
        remote: &RemoteContact,
        directory: &LocationDirectory,
    ) -> Result<Result<ContactAction, Diagnostic>, ImportError> {
        if let Some(there) = self.remote {
            let message = format!("contact `{}` exists again", there.id);
            return Ok(Err(exists_rejection("contactId", message)));
        }
        let email = remote.native_field(Field::Email).map(str::to_lowercase);
        let phone = remote.native_field(Field::Phone);
        if let Some(other) =
            self.other_contacts_with(IdentityKind::Email, email.as_deref())?.first()
        {
            let message = format!(
                "contact `{other}` now has this e-mail address, so a second one is not created; \
                 change or delete that contact first"
            );
            return Ok(Err(exists_rejection("email", message)));
        }
        let shared = self.other_contacts_with(IdentityKind::Phone, phone)?;
        let alone = email.is_none() || is_unique_field(directory, Field::Phone);
        if let Some(other) = shared.first().filter(|_| alone) {
            let message = format!(
                "contact `{other}` now has this phone number, so a second one is not created; \
                 change or delete that contact first"
            );
            return Ok(Err(exists_rejection("phone", message)));
        }
        let email = self.is_in_earlier_row(IdentityKind::Email, email.as_deref())?;
        let phone = !shared.is_empty() || self.is_in_earlier_row(IdentityKind::Phone, phone)?;
        let beside = directory.allows_duplicates && (email || phone);
        Ok(Ok(if beside {
            ContactAction::CreateBeside { email, phone }
        } else {
            ContactAction::Create
        }))
    }

    /// The contacts that have an address or number now, except those that the import deleted and a lagging
    /// search may still return.
    fn other_contacts_with(
        &self,
        kind: IdentityKind,
        value: Option<&str>,
    ) -> Result<Vec<String>, ImportError> {
        let Some(value) = value else { return Ok(Vec::new()) };
        let mut others = Vec::new();
        for contact in self.rows.matching_contacts(kind, value)? {
            if !self.rows.has_row_value(IdentityKind::ContactId, &contact)? {
                others.push(contact);
            }
        }
        Ok(others)
    }

    /// Whether an earlier row recreates a contact with the same value.
    fn is_in_earlier_row(
        &self,
        kind: IdentityKind,
        value: Option<&str>,
    ) -> Result<bool, ImportError> {
        let Some(value) = value else { return Ok(false) };
        Ok(self.rows.first_row_with_value(kind, value)?.is_some_and(|first| first < self.n))
    }

    /// Recreates a deleted note or task, if its contact exists.
    fn recreate_child(&self, op: &Op, directory: &LocationDirectory) -> RowRevert {
        let mut undone = RowRevert { action: RowAction::Recreate, ..RowRevert::default() };
        let (fields, id) = match &op.change {
            OpChange::DeleteNote { id } => (recreated_note_fields(&op.before, directory), id),
            OpChange::DeleteTask { id } => (recreated_task_fields(&op.before, directory), id),
            _ => {
                undone.reason = Some("what was deleted cannot be brought back");
                return undone;
            }
        };
        if self.done.has_op(&op_key(self.undo, self.n, 0)) {
            undone.reason = Some(BROUGHT_BACK);
            return undone;
        }
        let Some(fields) = fields else {
            undone.reason = Some("it had no text, and the API requires text for a new one");
            return undone;
        };
        if self.remote.is_none() {
            undone.reason = Some("the contact no longer exists");
            return undone;
        }
        let body = fields.into_iter().collect();
        let change = match &op.change {
            OpChange::DeleteTask { .. } => OpChange::CreateTask { body },
            _ => OpChange::CreateNote { body },
        };
        let step = RevertStep {
            change,
            class: IdempotencyClass::Countable,
            before: serde_json::Value::Null,
        };
        undone.changes = describe_step(&step, &|id| id.to_owned());
        let before = serde_json::json!({ "was": id });
        undone.steps.push(RowRevertStep {
            step: RevertStep { before, ..step },
            key: None,
            undoes: Vec::new(),
        });
        undone
    }
}

fn exists_rejection(field: &str, message: String) -> Diagnostic {
    Diagnostic::new(DiagnosticCode::R_EXISTS, message).in_field(field)
}
