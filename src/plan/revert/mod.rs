//! Revert: the writes that undo an op of an import.
//!
//! Only what the op wrote is restored, and only where it is still as written: later edits are kept
//! and reported instead. A created contact is tagged; it is deleted only on request and only if
//! nothing was added to it, because a deletion also deletes its notes and tasks irrevocably. All
//! decisions are based on what the caller has read; nothing is read or sent here.

mod contact;
mod delete_created;
mod describe;
mod note_or_task;
mod server_values;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::model::IdempotencyClass;
use crate::model::op::{Op, OpChange};
use crate::model::remote::RemoteContact;

pub use describe::describe_step;
pub use server_values::apply_server_values;

/// The current state of what an op has written.
#[derive(Debug, Clone, Copy, Default)]
pub struct RevertContext<'a> {
    /// The contact; `None` if it no longer exists.
    pub remote: Option<&'a RemoteContact>,
    /// The note or task that the op wrote, for ops of children; `None` if it no longer exists.
    pub child: Option<&'a Value>,
    /// Later writes of the import to the contact, in order, for ops that create it.
    pub others: &'a [OpChange],
    /// Records of the contact that the import did not create, for ops that create it.
    pub grown: ForeignRecordCounts,
}

/// How many records of a contact the import did not create.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ForeignRecordCounts {
    /// Notes.
    pub notes: usize,
    /// Tasks.
    pub tasks: usize,
    /// Appointments.
    pub appointments: usize,
    /// Opportunities.
    pub opportunities: usize,
}

/// What to do with created contacts.
#[derive(Debug, Clone, Copy)]
pub struct RevertOptions<'a> {
    /// The tag that they get.
    pub tag: &'a str,
    /// Whether they are deleted instead.
    pub delete_created: bool,
    /// When the import began, in milliseconds since 1970, less an allowance for clock differences:
    /// the import did not create contacts that are older, whatever the op was.
    pub since_ms: Option<i64>,
}

/// One write of a revert.
#[derive(Debug, Clone, PartialEq)]
pub struct RevertStep {
    /// What to write.
    pub change: OpChange,
    /// How it is kept from being applied twice.
    pub class: IdempotencyClass,
    /// What it replaces, as in [`Op::before`].
    pub before: Value,
}

/// How to revert an op.
#[derive(Debug, Clone, PartialEq)]
pub enum RevertPlan {
    /// By these writes.
    Ops {
        /// The writes, in order; at least one.
        steps: Vec<RevertStep>,
        /// Fields that are kept, because they were edited since.
        conflicts: Vec<String>,
    },
    /// There is nothing to revert, with the reason.
    Nothing(&'static str),
    /// Nothing is reverted: these fields were edited or added since.
    Conflict(Vec<String>),
}

/// How to revert an op that was applied. `made` is the id of the contact, note or task that it
/// created.
#[must_use]
pub fn plan_op_revert(
    op: &Op,
    made: Option<&str>,
    standing: &RevertContext<'_>,
    wish: &RevertOptions<'_>,
) -> RevertPlan {
    match &op.change {
        OpChange::CreateNote { .. }
        | OpChange::UpdateNote { .. }
        | OpChange::CreateTask { .. }
        | OpChange::UpdateTask { .. }
        | OpChange::CompleteTask { .. } => {
            note_or_task::plan_child_revert(op, made, standing.child)
        }
        OpChange::Delete | OpChange::DeleteNote { .. } | OpChange::DeleteTask { .. } => {
            RevertPlan::Nothing("what was deleted cannot be restored")
        }
        _ => match standing.remote {
            None => RevertPlan::Nothing("the contact no longer exists"),
            Some(remote) if op.change.creates_contact() => {
                delete_created::plan_created_contact_revert(op, remote, standing, wish)
            }
            Some(remote) => contact::plan_contact_revert(op, remote),
        },
    }
}

/// Combines writes and conflicts; with neither, there is nothing to revert.
fn combine_steps(
    steps: Vec<RevertStep>,
    conflicts: Vec<String>,
    nothing: &'static str,
) -> RevertPlan {
    match (steps.is_empty(), conflicts.is_empty()) {
        (false, _) => RevertPlan::Ops { steps, conflicts },
        (true, false) => RevertPlan::Conflict(conflicts),
        (true, true) => RevertPlan::Nothing(nothing),
    }
}

fn single_step_plan(change: OpChange, before: Value) -> RevertPlan {
    RevertPlan::Ops { steps: vec![revert_step(change, before)], conflicts: Vec::new() }
}

/// All writes of a revert set whole values, add or remove tags, or delete by id, so they are
/// idempotent.
fn revert_step(change: OpChange, before: Value) -> RevertStep {
    RevertStep { change, class: IdempotencyClass::Replayable, before }
}
