//! One row of an undo: which of its writes are taken back, and how that reads.

use serde_json::{Map, Value};

use super::Error;
use super::judge::kind;
use super::undo::{Created, Undo};
use crate::plan::diff::FieldChange;
use crate::plan::live::Live;
use crate::plan::reverse::{Grown, Reversal, Standing, Step, Wish, reverse};
use crate::plan::{Change, Class, Op};
use crate::run::{OpRecord, Rows};

/// An allowance for clocks that differ, in milliseconds.
const CLOCKS: i64 = 10 * 60 * 1000;

/// What becomes of a row.
#[derive(Debug, Default)]
pub(super) struct Undone {
    pub(super) action: &'static str,
    pub(super) steps: Vec<Step>,
    pub(super) changes: Vec<FieldChange>,
    pub(super) conflicts: Vec<String>,
    /// Why nothing is to be done, where nothing is.
    pub(super) reason: Option<&'static str>,
}

/// An op of the import's ledger.
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
    Ok(Op {
        id: record.id,
        key: record.key.clone(),
        row: record.row,
        step: record.step,
        lane: record.lane,
        class,
        contact: record.contact.as_ref().and_then(|id| id.parse().ok()),
        change: serde_json::from_value(body["change"].take()).map_err(wrong)?,
        before: body["before"].take(),
    })
}

/// Holds a row's writes against the account.
pub(super) fn undo(
    rows: &Rows,
    records: &[OpRecord],
    contact: Option<&str>,
    live: Option<&Live>,
    undo: &Undo,
    began: jiff::Timestamp,
) -> Result<Undone, Error> {
    let ops: Vec<Op> = records.iter().map(op).collect::<Result<_, _>>()?;
    let made = |at: usize| records[at].made.as_deref();
    let wish = |delete: bool| Wish {
        tag: &undo.tag,
        delete_created: delete,
        since_ms: Some(began.as_millisecond() - CLOCKS),
    };
    let mut undone = Undone { action: "restore", ..Undone::default() };
    let creation = (0..ops.len()).find(|at| ops[*at].change.makes_the_contact());
    if let Some(at) = creation {
        let others: Vec<Change> =
            ops.iter().filter(|op| op.id != ops[at].id).map(|op| op.change.clone()).collect();
        let grown = grown(rows, records, contact)?;
        let standing = Standing { live, child: None, others: &others, grown };
        let take_back = |delete| reverse(&ops[at], made(at), &standing, &wish(delete));
        match undo.created {
            Created::Keep => undone.reason = Some("created contacts are kept"),
            Created::Tag => undone.take(take_back(false), "tag created"),
            Created::Delete => match take_back(true) {
                // Something hangs on it now: it can still be marked.
                Reversal::Conflict(fields) => {
                    undone.take(take_back(false), "tag created");
                    undone.conflicts.extend(fields);
                }
                reversal => undone.take(reversal, "delete created"),
            },
        }
        return Ok(undone);
    }
    for at in (0..ops.len()).rev() {
        let child = child(rows, &ops[at].change, made(at), contact)?;
        let standing =
            Standing { live, child: child.as_ref(), others: &[], grown: Grown::default() };
        undone.take(reverse(&ops[at], made(at), &standing, &wish(false)), "restore");
    }
    Ok(undone)
}

impl Undone {
    fn take(&mut self, reversal: Reversal, action: &'static str) {
        match reversal {
            Reversal::Nothing(why) => self.reason = Some(why),
            Reversal::Conflict(fields) => self.conflicts.extend(fields),
            Reversal::Ops { steps, conflicts } => {
                self.action = action;
                self.conflicts.extend(conflicts);
                for step in steps {
                    self.changes.extend(changes(&step));
                    self.steps.push(step);
                }
            }
        }
    }
}

/// What hangs on a contact beside what the import made.
fn grown(rows: &Rows, records: &[OpRecord], contact: Option<&str>) -> Result<Grown, Error> {
    let Some(contact) = contact else { return Ok(Grown::default()) };
    let made: Vec<&str> = records.iter().filter_map(|op| op.made.as_deref()).collect();
    let foreign = |kind: &str| -> Result<usize, Error> {
        let children = rows.children(kind, contact)?;
        let id = |body: &String| serde_json::from_str(body).ok().and_then(|body| id_of(&body));
        Ok(children.iter().filter(|body| id(body).is_none_or(|id| !made.contains(&&*id))).count())
    };
    Ok(Grown {
        notes: foreign(kind::NOTES)?,
        tasks: foreign(kind::TASKS)?,
        appointments: rows.children(kind::APPOINTMENTS, contact)?.len(),
        opportunities: rows.children(kind::OPPORTUNITIES, contact)?.len(),
    })
}

fn id_of(child: &Value) -> Option<String> {
    child["id"].as_str().or_else(|| child["_id"].as_str()).map(str::to_owned)
}

/// The note or task that an op wrote, as it is now.
fn child(
    rows: &Rows,
    change: &Change,
    made: Option<&str>,
    contact: Option<&str>,
) -> Result<Option<Value>, Error> {
    let (kind, id) = match change {
        Change::CreateNote { .. } => (kind::NOTES, made),
        Change::UpdateNote { id, .. } => (kind::NOTES, Some(id.as_str())),
        Change::CreateTask { .. } => (kind::TASKS, made),
        Change::UpdateTask { id, .. } | Change::CompleteTask { id, .. } => {
            (kind::TASKS, Some(id.as_str()))
        }
        _ => return Ok(None),
    };
    let (Some(id), Some(contact)) = (id, contact) else { return Ok(None) };
    let children = rows.children(kind, contact)?;
    let mut children = children.iter().filter_map(|body| serde_json::from_str::<Value>(body).ok());
    Ok(children.find(|child| id_of(child).is_some_and(|own| own == id)))
}

/// How a step reads in a plan.
fn changes(step: &Step) -> Vec<FieldChange> {
    let one = |field: &str, old: String, new: String| {
        vec![FieldChange { field: field.to_owned(), old, new }]
    };
    let of = |body: &Map<String, Value>| {
        let change = |(field, value): (&String, &Value)| FieldChange {
            field: field.clone(),
            old: shown(&step.before[field]),
            new: shown(value),
        };
        body.iter().map(change).collect()
    };
    match &step.change {
        Change::Create { body } | Change::Upsert { body } | Change::Update { body } => of(body),
        Change::CreateNote { body }
        | Change::UpdateNote { body, .. }
        | Change::CreateTask { body }
        | Change::UpdateTask { body, .. } => of(body),
        Change::Delete => one("contact", "made by the import".to_owned(), "deleted".to_owned()),
        Change::AddTags { tags } => one("tags", String::new(), tags.join("; ")),
        Change::RemoveTags { tags } => one("tags", tags.join("; "), String::new()),
        Change::SetBusiness { business } => {
            one("business", shown(&step.before), business.clone().unwrap_or_default())
        }
        Change::CompleteTask { completed, .. } => {
            one("task.completed", (!completed).to_string(), completed.to_string())
        }
        Change::DeleteNote { .. } => {
            one("note", "made by the import".to_owned(), "deleted".to_owned())
        }
        Change::DeleteTask { .. } => {
            one("task", "made by the import".to_owned(), "deleted".to_owned())
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
