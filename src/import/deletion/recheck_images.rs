//! A second look at what is about to be deleted.

use serde_json::Value;

use super::LOT;
use super::before_image::{Read, Reader};
use crate::concurrency;
use crate::context::Context;
use crate::import::conflicts::{Edited, hold_back};
use crate::import::{Error, Stage};
use crate::model::Change;
use crate::plan::deletion::{same_note, same_task};
use crate::plan::{Image, Removed};
use crate::run::{LedgerReader, OpRecord, Run};

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
        let lot = concurrency::blocking(move || pending(&LedgerReader::open(&db)?, after)).await?;
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
    hold_back(run, &edited, stage, "changed since the plan was made, and not deleted").await
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
