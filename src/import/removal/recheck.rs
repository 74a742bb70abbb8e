//! A second look at what is about to be deleted.

use serde_json::{Value, json};

use super::LOT;
use super::read::{Read, Reader};
use crate::context::Context;
use crate::flight;
use crate::import::resolve::settle_all;
use crate::import::{Error, Stage};
use crate::plan::removal::{same_note, same_task};
use crate::plan::{Change, Image, Removed};
use crate::run::{LedgerReader, OpRecord, OpState, Run, Settled};

/// Rows named in an error.
const NAMED: usize = 10;

/// A deletion that must not be sent, and what has changed.
struct Edited {
    op: u64,
    row: u64,
    contact: String,
    fields: String,
}

/// Reads once more what is still to be deleted. At [`Stage::Planned`] a record that has changed refuses the
/// plan; later it is not deleted.
///
/// # Errors
/// [`Error::Stale`], and what keeps the records from being read.
pub(in crate::import) async fn recheck(
    context: &Context,
    run: &Run,
    what: Removed,
    stage: Stage,
) -> Result<(), Error> {
    let reader = Reader::new(context, what);
    let (mut after, mut edited) = (0, Vec::new());
    loop {
        let db = run.db();
        let lot = flight::blocking(move || pending(&LedgerReader::open(&db)?, after)).await?;
        let Some(last) = lot.last() else { break };
        after = last.id;
        let mut contacts: Vec<String> = lot.iter().filter_map(|op| op.contact.clone()).collect();
        contacts.sort_unstable();
        contacts.dedup();
        let now = reader.read(contacts).await?;
        for op in &lot {
            let read = now.iter().find(|(contact, _)| Some(contact) == op.contact.as_ref());
            edited.extend(read.and_then(|(_, read)| compare(op, read, stage)));
        }
    }
    match stage {
        _ if edited.is_empty() => Ok(()),
        Stage::Planned => Err(stale(&edited)),
        _ => settle_all(run, edited.iter().map(|it| (it.op, conflict(it))).collect()).await,
    }
}

fn pending(ledger: &LedgerReader, after: u64) -> Result<Vec<OpRecord>, Error> {
    Ok(ledger.pending(after, LOT)?)
}

fn compare(record: &OpRecord, read: &Read, stage: Stage) -> Option<Edited> {
    let fields = match read {
        // There is nothing left to delete, which the request will tell.
        Read::Gone if stage != Stage::Planned => return None,
        Read::Gone => "it is gone".to_owned(),
        Read::Not(why) => format!("it cannot be read any more: {why}"),
        Read::Whole(now) => changes(record, now)?,
    };
    Some(Edited {
        op: record.id,
        row: record.row,
        contact: record.contact.clone().unwrap_or_default(),
        fields,
    })
}

/// What has changed, if anything.
fn changes(record: &OpRecord, now: &Image) -> Option<String> {
    let body: Value = serde_json::from_str(&record.body).unwrap_or_default();
    let (change, before) = (serde_json::from_value(body["change"].clone()).ok()?, &body["before"]);
    let child = |what, id: &str, same: fn(&Value, &Value) -> bool| {
        (!now.child(what, id).is_some_and(|now| same(before, now))).then(|| what_one(what))
    };
    match &change {
        Change::Delete => {
            let changes = Image::read(before).map(|then| then.changes(now));
            changes.filter(|all| !all.is_empty()).map(|all| all.join(", "))
        }
        Change::DeleteNote { id } => child(Removed::Notes, id, same_note),
        Change::DeleteTask { id } => child(Removed::Tasks, id, same_task),
        _ => None,
    }
}

fn what_one(what: Removed) -> String {
    what.one().to_owned()
}

fn stale(edited: &[Edited]) -> Error {
    let line = |it: &Edited| format!("record {}: contact {}: {}", it.row, it.contact, it.fields);
    let mut which: Vec<String> = edited.iter().take(NAMED).map(line).collect();
    let more = edited.len().saturating_sub(NAMED);
    if more > 0 {
        which.push(format!("and {more} more"));
    }
    Error::Stale { what: "the account".to_owned(), which }
}

fn conflict(edited: &Edited) -> Settled {
    let said = json!({
        "code": "R_CONFLICT",
        "field": edited.fields,
        "message": "changed since the plan was made, and not deleted",
    });
    Settled {
        state: OpState::Conflict,
        how: "look-up",
        status: None,
        trace_id: None,
        made: None,
        said: Some(said.to_string()),
    }
}
