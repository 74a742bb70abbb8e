//! Reversal: the writes that take an op of an import back.
//!
//! Only what the op wrote is restored, and only where it still stands as it was written: what somebody
//! edited since is theirs, and is named instead. A created contact is tagged; it is deleted only when
//! that was asked for and nothing has grown on it, because a deletion takes notes and tasks with it for
//! good. All is judged from what the caller read; nothing is read or sent here.

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

/// What stands now where an op has written.
#[derive(Debug, Clone, Copy, Default)]
pub struct RevertContext<'a> {
    /// The contact; nothing when it is gone.
    pub live: Option<&'a RemoteContact>,
    /// The note or task that the op wrote, for ops of children; nothing when it is gone.
    pub child: Option<&'a Value>,
    /// What else the import wrote to the contact, in order, for ops that create it.
    pub others: &'a [OpChange],
    /// What hangs on the contact beside what the import made, for ops that create it.
    pub grown: ForeignRecordCounts,
}

/// How many records hang on a contact that the import did not make.
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

/// What is to become of created contacts.
#[derive(Debug, Clone, Copy)]
pub struct RevertOptions<'a> {
    /// The tag that they get.
    pub tag: &'a str,
    /// Whether they are deleted instead.
    pub delete_created: bool,
    /// When the import began, in milliseconds since 1970, less an allowance for clocks that differ: a
    /// contact that is older was not created by it, whatever the op was.
    pub since_ms: Option<i64>,
}

/// One write of a reversal.
#[derive(Debug, Clone, PartialEq)]
pub struct RevertStep {
    /// What to write.
    pub change: OpChange,
    /// How it is kept from happening twice.
    pub class: IdempotencyClass,
    /// What it replaces, as in [`Op::before`].
    pub before: Value,
}

/// How an op is taken back.
#[derive(Debug, Clone, PartialEq)]
pub enum RevertPlan {
    /// By these writes.
    Ops {
        /// The writes, in order; at least one.
        steps: Vec<RevertStep>,
        /// Fields that stay, because somebody edited them since.
        conflicts: Vec<String>,
    },
    /// There is nothing to take back, and why.
    Nothing(&'static str),
    /// Nothing is taken back: these fields were edited, or have grown, since.
    Conflict(Vec<String>),
}

/// How to take back an op that was applied. `made` is the id of the contact, note or task that it made.
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
            RevertPlan::Nothing("what was deleted cannot be brought back")
        }
        _ => match standing.live {
            None => RevertPlan::Nothing("the contact is gone"),
            Some(live) if op.change.creates_contact() => {
                delete_created::plan_created_contact_revert(op, live, standing, wish)
            }
            Some(live) => contact::plan_contact_revert(op, live),
        },
    }
}

/// Writes and conflicts as a reversal; with neither there is nothing to take back.
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

/// All writes of a reversal say whole values, add or remove tags, or delete by id: doing them twice is
/// doing them once.
fn revert_step(change: OpChange, before: Value) -> RevertStep {
    RevertStep { change, class: IdempotencyClass::Replayable, before }
}
