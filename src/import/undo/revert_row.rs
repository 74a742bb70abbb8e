//! One row of an undo: which of its writes are taken back, and how that reads.

use serde_json::Value;

use super::super::Error;
use super::super::planning::validate_rows::kind;
use super::recreate_deleted::Done;
use super::{Created, Undo};
use crate::id::ContactId;
use crate::model::remote::Live;
use crate::model::verify::Difference;
use crate::model::{Change, Class, Directory, Op, Policy};
use crate::plan::diff::FieldChange;
use crate::plan::revert::{Grown, Reversal, Standing, Step, Wish, as_taken, reverse, shown};
use crate::plan::validate::{Rejection, Warned};
use crate::run::{OpRecord, OpState, Rows};

/// An allowance for clocks that differ, in milliseconds.
const CLOCKS: i64 = 10 * 60 * 1000;

/// What becomes of a row.
#[derive(Debug, Default)]
pub(super) struct Undone {
    pub(super) action: &'static str,
    pub(super) steps: Vec<Taken>,
    pub(super) changes: Vec<FieldChange>,
    /// What somebody has edited since.
    pub(super) conflicts: Vec<String>,
    /// Whether the conflicts are what keeps a contact from being deleted.
    pub(super) grown: bool,
    /// Whether it was asked for that nothing becomes of it.
    pub(super) kept: bool,
    /// Why nothing is to be done about the row, or about a part of it.
    pub(super) reason: Option<&'static str>,
    /// Whether a contact that was deleted is made anew.
    pub(super) anew: bool,
    /// The contact that an earlier undo has made for it.
    pub(super) made: Option<ContactId>,
    /// Why it is not made.
    pub(super) refused: Option<Rejection>,
    /// What of it cannot be made.
    pub(super) warnings: Vec<Warned>,
    /// By what the new contact is known.
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
}

/// A write, and the stable names of the import's ops of which nothing is left by it.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) step: Step,
    /// Its stable name, where it has another than by its place.
    pub(super) key: Option<String>,
    pub(super) undoes: Vec<String>,
}

/// A row of the import, and what is known of its contact.
pub(super) struct Case<'a> {
    pub(super) rows: &'a Rows,
    /// The row's number.
    pub(super) n: u64,
    /// The ops that were applied, in order.
    pub(super) records: &'a [OpRecord],
    pub(super) contact: Option<&'a str>,
    pub(super) live: Option<&'a Live>,
    pub(super) undo: &'a Undo,
    /// When the import began.
    pub(super) began: jiff::Timestamp,
    pub(super) directory: Option<&'a Directory>,
    /// The import's policy.
    pub(super) policy: &'a Policy,
    /// What earlier undos have made anew.
    pub(super) done: &'a Done,
}

/// An op of a ledger; its change as the server took it.
pub(super) fn op(record: &OpRecord) -> Result<Op, Error> {
    let wrong = |error: serde_json::Error| Error::Bug(format!("op {}: {error}", record.id));
    let mut body: Value = serde_json::from_str(&record.body).map_err(wrong)?;
    let class = match record.class.as_str() {
        "U" => Class::Unique,
        "M" => Class::Marked,
        "C" => Class::Countable,
        "X" => Class::Once,
        _ => Class::Replayable,
    };
    let change: Change = serde_json::from_value(body["change"].take()).map_err(wrong)?;
    Ok(Op {
        id: record.id,
        key: record.key.clone(),
        like: None,
        row: record.row,
        step: record.step,
        lane: record.lane,
        class,
        contact: record.contact.as_ref().and_then(|id| id.parse().ok()),
        change: as_taken(change, &differences(record)),
        before: body["before"].take(),
    })
}

/// What the server took differently.
fn differences(record: &OpRecord) -> Vec<Difference> {
    let said = record.said.as_deref().filter(|_| record.state == OpState::Differs);
    let said = said.and_then(|said| serde_json::from_str::<Value>(said).ok()).unwrap_or_default();
    serde_json::from_value(said["differences"].clone()).unwrap_or_default()
}

impl Undone {
    /// Another row of the import has written over this one: what that row takes back, nobody else edited.
    pub(super) fn leave_to(&mut self, other: &Self) {
        let before = self.conflicts.len();
        // Notes and tasks are each row's own, though they have the same name in a plan.
        let of_child = |field: &str| field.starts_with("note") || field.starts_with("task");
        let taken = |field: &str| other.changes.iter().any(|it| it.field == field);
        self.conflicts.retain(|field| of_child(field) || !taken(field));
        if self.conflicts.len() < before && self.steps.is_empty() {
            self.reason = Some("another row of the import wrote over it, and is taken back");
        }
    }
}

impl Case<'_> {
    /// Holds the row's writes against the account.
    pub(super) fn undone(&self) -> Result<Undone, Error> {
        let mut undone = Undone { action: "restore", ..Undone::default() };
        if self.contact.is_none() {
            undone.reason = Some("nobody knows which contact it made");
            return Ok(undone);
        }
        let ops: Vec<Op> = self.records.iter().map(op).collect::<Result<_, _>>()?;
        if let Some(op) = ops.iter().find(|op| op.change.deletes()) {
            return self.anew(op);
        }
        if let Some(at) = ops.iter().position(|op| op.change.makes_the_contact()) {
            self.creation(&ops, at, &mut undone)?;
            return Ok(undone);
        }
        for (op, record) in ops.iter().zip(self.records).rev() {
            let made = record.made.as_deref();
            let child = self.child(&op.change, made)?;
            let standing =
                Standing { live: self.live, child: child.as_ref(), ..Standing::default() };
            let reversal = reverse(op, made, &standing, &self.wish(false));
            self.take(&mut undone, reversal, "restore", std::slice::from_ref(&op.key));
        }
        Ok(undone)
    }

    /// A row that made its contact: the contact stands for all that the row wrote.
    fn creation(&self, ops: &[Op], at: usize, undone: &mut Undone) -> Result<(), Error> {
        let others = ops.iter().filter(|op| op.id != ops[at].id);
        let others: Vec<Change> = others.map(|op| op.change.clone()).collect();
        let made = self.records[at].made.as_deref();
        let standing =
            Standing { live: self.live, child: None, others: &others, grown: self.grown(ops)? };
        let back = |delete| reverse(&ops[at], made, &standing, &self.wish(delete));
        match self.undo.created {
            Created::Keep => {
                undone.kept = true;
                undone.reason = Some("created contacts are kept");
            }
            Created::Tag => self.take(undone, back(false), "tag created", &[]),
            Created::Delete => match back(true) {
                // Something hangs on it now: it can still be marked.
                Reversal::Conflict(fields) => {
                    self.take(undone, back(false), "tag created", &[]);
                    undone.grown = true;
                    undone.conflicts.extend(fields.iter().map(|field| self.named(field)));
                }
                reversal => {
                    let keys: Vec<String> = ops.iter().map(|op| op.key.clone()).collect();
                    self.take(undone, reversal, "delete created", &keys);
                }
            },
        }
        Ok(())
    }

    fn wish(&self, delete_created: bool) -> Wish<'_> {
        let since_ms = Some(self.began.as_millisecond() - CLOCKS);
        Wish { tag: &self.undo.tag, delete_created, since_ms }
    }

    fn take(
        &self,
        undone: &mut Undone,
        reversal: Reversal,
        action: &'static str,
        undoes: &[String],
    ) {
        match reversal {
            Reversal::Nothing(why) => undone.reason = Some(why),
            Reversal::Conflict(fields) => {
                undone.conflicts.extend(fields.iter().map(|field| self.named(field)));
            }
            Reversal::Ops { steps, conflicts } => {
                undone.action = action;
                undone.conflicts.extend(conflicts.iter().map(|field| self.named(field)));
                for step in steps {
                    undone.changes.extend(shown(&step, &|id| self.key(id)));
                    let removes = matches!(
                        step.change,
                        Change::Delete | Change::DeleteNote { .. } | Change::DeleteTask { .. }
                    );
                    let undoes = if removes { undoes.to_vec() } else { Vec::new() };
                    undone.steps.push(Taken { step, key: None, undoes });
                }
            }
        }
    }

    /// A field's name, with the custom field's key for its id.
    fn named(&self, field: &str) -> String {
        match field.strip_prefix("customFields.") {
            Some(id) => format!("customFields.{}", self.key(id)),
            None => field.to_owned(),
        }
    }

    /// A custom field's key, where the location knows it.
    fn key(&self, id: &str) -> String {
        let fields = self.directory.map(|directory| &directory.fields);
        let found = fields.into_iter().flatten().find(|field| field.id == id);
        found.map_or_else(|| id.to_owned(), |field| field.key.clone())
    }

    /// What hangs on the contact beside what the row made: a note or task that was edited counts as
    /// somebody else's.
    fn grown(&self, ops: &[Op]) -> Result<Grown, Error> {
        let Some(contact) = self.contact.filter(|_| self.undo.created == Created::Delete) else {
            return Ok(Grown::default());
        };
        let foreign = |kind: &str| -> Result<usize, Error> {
            let mut count = 0;
            for body in self.rows.children(kind, contact)? {
                let child: Value = serde_json::from_str(&body).unwrap_or_default();
                count += usize::from(!self.is_own(ops, &child));
            }
            Ok(count)
        };
        Ok(Grown {
            notes: foreign(kind::NOTES)?,
            tasks: foreign(kind::TASKS)?,
            appointments: self.rows.children(kind::APPOINTMENTS, contact)?.len(),
            opportunities: self.rows.children(kind::OPPORTUNITIES, contact)?.len(),
        })
    }

    /// Whether a note or task is one that the row made, as it made it.
    fn is_own(&self, ops: &[Op], child: &Value) -> bool {
        let Some(id) = id_of(child) else { return false };
        let written = ops.iter().zip(self.records);
        let own = written.filter(|(_, record)| record.made.as_deref() == Some(&*id));
        own.into_iter().any(|(op, record)| {
            let standing = Standing { child: Some(child), ..Standing::default() };
            let reversal = reverse(op, record.made.as_deref(), &standing, &self.wish(false));
            matches!(reversal, Reversal::Ops { .. })
        })
    }

    /// The note or task that an op wrote, as it is now.
    fn child(&self, change: &Change, made: Option<&str>) -> Result<Option<Value>, Error> {
        let (kind, id) = match change {
            Change::CreateNote { .. } => (kind::NOTES, made),
            Change::UpdateNote { id, .. } => (kind::NOTES, Some(id.as_str())),
            Change::CreateTask { .. } => (kind::TASKS, made),
            Change::UpdateTask { id, .. } | Change::CompleteTask { id, .. } => {
                (kind::TASKS, Some(id.as_str()))
            }
            _ => return Ok(None),
        };
        let (Some(id), Some(contact)) = (id, self.contact) else { return Ok(None) };
        let children = self.rows.children(kind, contact)?;
        let mut children =
            children.iter().filter_map(|body| serde_json::from_str::<Value>(body).ok());
        Ok(children.find(|child| id_of(child).is_some_and(|own| own == id)))
    }
}

fn id_of(child: &Value) -> Option<String> {
    child["id"].as_str().or_else(|| child["_id"].as_str()).map(str::to_owned)
}

/// One line of a plan.
pub(super) fn change(field: &str, old: &str, new: &str) -> FieldChange {
    FieldChange { field: field.to_owned(), old: old.to_owned(), new: new.to_owned() }
}
