//! One row of an undo: which of its writes are reverted, and how that is reported.

use serde_json::Value;

use super::super::ImportError;
use super::prior_undos::PriorUndos;
use super::{CreatedContactRule, UndoRequest};
use crate::diagnostic::Diagnostic;
use crate::id::ContactId;
use crate::model::remote::RemoteContact;
use crate::model::remote::equality::child_id;
use crate::model::{ImportPolicy, LocationDirectory, Op, OpChange, OpDetails, op_codec};
use crate::plan::diff::FieldChange;
use crate::plan::revert::{
    ForeignRecordCounts, RevertContext, RevertOptions, RevertPlan, RevertStep, apply_server_values,
    describe_step, plan_op_revert,
};
use crate::run::{ContactPart, ImportStore, OpRecord, OpState, RowAction};

/// The tolerance for differing clocks, in milliseconds.
const CLOCKS: i64 = 10 * 60 * 1000;

/// The result for a row.
#[derive(Debug, Default)]
pub(super) struct RowRevert {
    pub(super) action: RowAction,
    pub(super) steps: Vec<RowRevertStep>,
    pub(super) changes: Vec<FieldChange>,
    /// The fields that were edited since.
    pub(super) conflicts: Vec<String>,
    /// Whether the conflicts prevent a contact from being deleted.
    pub(super) grown: bool,
    /// Whether the request was to leave it as it is.
    pub(super) kept: bool,
    /// Why nothing is done about the row, or about a part of it.
    pub(super) reason: Option<&'static str>,
    /// Whether a deleted contact is recreated.
    pub(super) recreates: bool,
    /// The contact that an earlier undo has recreated for it.
    pub(super) made: Option<ContactId>,
    /// Why it is not recreated.
    pub(super) refused: Option<Diagnostic>,
    /// Parts of it that cannot be recreated.
    pub(super) warnings: Vec<Diagnostic>,
    /// The identities of the new contact.
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
}

/// A write, and the stable names of the import's ops that it reverts completely.
#[derive(Debug)]
pub(super) struct RowRevertStep {
    pub(super) step: RevertStep,
    /// Its stable name, if that is not derived from its place.
    pub(super) key: Option<String>,
    pub(super) undoes: Vec<String>,
}

/// A row of the import, and what is known about its contact.
pub(super) struct RowRevertContext<'a> {
    pub(super) rows: &'a ImportStore,
    /// The row's number.
    pub(super) n: u64,
    /// The applied ops, in order.
    pub(super) records: &'a [OpRecord],
    pub(super) contact: Option<&'a str>,
    pub(super) remote: Option<&'a RemoteContact>,
    pub(super) undo: &'a UndoRequest,
    /// When the import was started.
    pub(super) began: jiff::Timestamp,
    pub(super) directory: Option<&'a LocationDirectory>,
    /// The import's policy.
    pub(super) policy: &'a ImportPolicy,
    /// What earlier undos have recreated.
    pub(super) done: &'a PriorUndos,
}

/// An op of a ledger; its change as the server accepted it.
pub(super) fn decode_applied_op(record: &OpRecord) -> Result<Op, ImportError> {
    let mut op = op_codec::decode_op(record)?;
    if record.state == OpState::Differs
        && let Some(OpDetails::Differs { differences, .. }) = op_codec::decode_details(record)?
    {
        op.change = apply_server_values(op.change, &differences);
    }
    Ok(op)
}

impl RowRevert {
    /// Another row of the import has overwritten this one: fields that the other row reverts were not edited by
    /// anyone else.
    pub(super) fn drop_conflicts_overwritten_by(&mut self, other: &Self) {
        let before = self.conflicts.len();
        // Notes and tasks belong to one row each, although they have the same name in a plan.
        let of_child = |field: &str| field.starts_with("note") || field.starts_with("task");
        let taken = |field: &str| other.changes.iter().any(|it| it.field == field);
        self.conflicts.retain(|field| of_child(field) || !taken(field));
        if self.conflicts.len() < before && self.steps.is_empty() {
            self.reason = Some("another row of the import overwrote it, and that write is undone");
        }
    }
}

impl RowRevertContext<'_> {
    /// Compares the row's writes with the account.
    pub(super) fn plan_revert(&self) -> Result<RowRevert, ImportError> {
        let mut undone = RowRevert { action: RowAction::Restore, ..RowRevert::default() };
        if self.contact.is_none() {
            undone.reason = Some("it is not known which contact it created");
            return Ok(undone);
        }
        let ops: Vec<Op> = self.records.iter().map(decode_applied_op).collect::<Result<_, _>>()?;
        if let Some(op) = ops.iter().find(|op| op.change.is_deletion()) {
            return self.revert_deletion(op);
        }
        if let Some(at) = ops.iter().position(|op| op.change.creates_contact()) {
            self.revert_creation(&ops, at, &mut undone)?;
            return Ok(undone);
        }
        for (op, record) in ops.iter().zip(self.records).rev() {
            let made = record.made.as_deref();
            let child = self.find_child(&op.change, made)?;
            let standing = RevertContext {
                remote: self.remote,
                child: child.as_ref(),
                ..RevertContext::default()
            };
            let reversal = plan_op_revert(op, made, &standing, &self.revert_options(false));
            self.add_reversal(
                &mut undone,
                reversal,
                RowAction::Restore,
                std::slice::from_ref(&op.key),
            );
        }
        Ok(undone)
    }

    /// A row that created its contact: the contact represents everything that the row wrote.
    fn revert_creation(
        &self,
        ops: &[Op],
        at: usize,
        undone: &mut RowRevert,
    ) -> Result<(), ImportError> {
        let others = ops.iter().filter(|op| op.id != ops[at].id);
        let others: Vec<OpChange> = others.map(|op| op.change.clone()).collect();
        let made = self.records[at].made.as_deref();
        let standing = RevertContext {
            remote: self.remote,
            child: None,
            others: &others,
            grown: self.foreign_attachments(ops)?,
        };
        let back = |delete| plan_op_revert(&ops[at], made, &standing, &self.revert_options(delete));
        match self.undo.created {
            CreatedContactRule::Keep => {
                undone.kept = true;
                undone.reason = Some("created contacts are kept");
            }
            CreatedContactRule::Tag => {
                self.add_reversal(undone, back(false), RowAction::TagCreated, &[]);
            }
            CreatedContactRule::Delete => match back(true) {
                // Other records are attached to it now: it can still be tagged.
                RevertPlan::Conflict(fields) => {
                    self.add_reversal(undone, back(false), RowAction::TagCreated, &[]);
                    undone.grown = true;
                    undone
                        .conflicts
                        .extend(fields.iter().map(|field| self.field_display_name(field)));
                }
                reversal => {
                    let keys: Vec<String> = ops.iter().map(|op| op.key.clone()).collect();
                    self.add_reversal(undone, reversal, RowAction::DeleteCreated, &keys);
                }
            },
        }
        Ok(())
    }

    fn revert_options(&self, delete_created: bool) -> RevertOptions<'_> {
        let since_ms = Some(self.began.as_millisecond() - CLOCKS);
        RevertOptions { tag: &self.undo.tag, delete_created, since_ms }
    }

    fn add_reversal(
        &self,
        undone: &mut RowRevert,
        reversal: RevertPlan,
        action: RowAction,
        undoes: &[String],
    ) {
        match reversal {
            RevertPlan::Nothing(why) => undone.reason = Some(why),
            RevertPlan::Conflict(fields) => {
                undone.conflicts.extend(fields.iter().map(|field| self.field_display_name(field)));
            }
            RevertPlan::Ops { steps, conflicts } => {
                undone.action = action;
                undone
                    .conflicts
                    .extend(conflicts.iter().map(|field| self.field_display_name(field)));
                for step in steps {
                    undone.changes.extend(describe_step(&step, &|id| self.custom_field_key(id)));
                    let removes = matches!(
                        step.change,
                        OpChange::Delete
                            | OpChange::DeleteNote { .. }
                            | OpChange::DeleteTask { .. }
                    );
                    let undoes = if removes { undoes.to_vec() } else { Vec::new() };
                    undone.steps.push(RowRevertStep { step, key: None, undoes });
                }
            }
        }
    }

    /// The name of a field, with the custom field's key in place of its id.
    fn field_display_name(&self, field: &str) -> String {
        match field.strip_prefix("customFields.") {
            Some(id) => format!("customFields.{}", self.custom_field_key(id)),
            None => field.to_owned(),
        }
    }

    /// The key of a custom field, if the location has it.
    fn custom_field_key(&self, id: &str) -> String {
        let fields = self.directory.map(|directory| &directory.fields);
        let found = fields.into_iter().flatten().find(|field| field.id == id);
        found.map_or_else(|| id.to_owned(), |field| field.key.clone())
    }

    /// Records attached to the contact that the row did not create; a note or task that was edited counts as
    /// such.
    fn foreign_attachments(&self, ops: &[Op]) -> Result<ForeignRecordCounts, ImportError> {
        let Some(contact) =
            self.contact.filter(|_| self.undo.created == CreatedContactRule::Delete)
        else {
            return Ok(ForeignRecordCounts::default());
        };
        let foreign = |part: ContactPart| -> Result<usize, ImportError> {
            let mut count = 0;
            for body in self.rows.contact_children(part, contact)? {
                let child: Value = serde_json::from_str(&body).unwrap_or_default();
                count += usize::from(!self.is_unchanged_child(ops, &child));
            }
            Ok(count)
        };
        Ok(ForeignRecordCounts {
            notes: foreign(ContactPart::Notes)?,
            tasks: foreign(ContactPart::Tasks)?,
            appointments: self.rows.contact_children(ContactPart::Appointments, contact)?.len(),
            opportunities: self.rows.contact_children(ContactPart::Opportunities, contact)?.len(),
        })
    }

    /// Whether a note or task is one that the row created, and unchanged since.
    fn is_unchanged_child(&self, ops: &[Op], child: &Value) -> bool {
        let Some(id) = child_id(child) else { return false };
        let written = ops.iter().zip(self.records);
        let own = written.filter(|(_, record)| record.made.as_deref() == Some(&*id));
        own.into_iter().any(|(op, record)| {
            let standing = RevertContext { child: Some(child), ..RevertContext::default() };
            let reversal =
                plan_op_revert(op, record.made.as_deref(), &standing, &self.revert_options(false));
            matches!(reversal, RevertPlan::Ops { .. })
        })
    }

    /// The current state of the note or task that an op wrote.
    fn find_child(
        &self,
        change: &OpChange,
        made: Option<&str>,
    ) -> Result<Option<Value>, ImportError> {
        let (part, id) = match change {
            OpChange::CreateNote { .. } => (ContactPart::Notes, made),
            OpChange::UpdateNote { id, .. } => (ContactPart::Notes, Some(id.as_str())),
            OpChange::CreateTask { .. } => (ContactPart::Tasks, made),
            OpChange::UpdateTask { id, .. } | OpChange::CompleteTask { id, .. } => {
                (ContactPart::Tasks, Some(id.as_str()))
            }
            _ => return Ok(None),
        };
        let (Some(id), Some(contact)) = (id, self.contact) else { return Ok(None) };
        let children = self.rows.contact_children(part, contact)?;
        let mut children =
            children.iter().filter_map(|body| serde_json::from_str::<Value>(body).ok());
        Ok(children.find(|child| child_id(child).is_some_and(|own| own == id)))
    }
}

/// One line of a plan.
pub(super) fn field_change(field: &str, old: &str, new: &str) -> FieldChange {
    FieldChange { field: field.to_owned(), old: old.to_owned(), new: new.to_owned() }
}
