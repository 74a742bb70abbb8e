//! Phase 2: what many contacts share goes out together.
//!
//! Ops with the same change make batches, in the order of the changes and of the ops, so that the same
//! plan always sends the same requests. A contact stands in one request at a time: two that write its
//! tags at once could undo each other. The answer is read contact by contact; a batch that is refused or
//! not answered is halved. All of this is replay-safe, so what was not answered is simply sent again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream;

use super::batch::{self, Batch, Member};
use super::{Error, Work, op_codec, server_reply};
use crate::concurrency;
use crate::id::ContactId;
use crate::model::Change;
use crate::run::{self, LedgerReader, OpRecord, OpState};

/// Contacts in one change of businesses (api.md §1, table).
pub(super) const BUSINESS_BATCH: usize = 50;
/// No failure of one batch makes those of others smaller than this: one bad contact is found by halving
/// its own batch.
const SMALLEST: usize = 10;
/// Ops read and sent together.
const LOT: usize = 10_000;

/// An op that goes out with others, and what its row has come to.
struct Found {
    record: OpRecord,
    contact: Option<String>,
    /// Why it is not to be sent any more.
    ended: Option<String>,
}

impl Work {
    /// Sends all that goes out with others.
    pub(super) async fn bulk(self: &Arc<Self>) -> Result<(), Error> {
        let mut after = 0;
        loop {
            if self.stop.closed() {
                return Err(Error::stopped());
            }
            let lot = self.read(move |reader| lot(reader, after)).await?;
            let Some(last) = lot.last() else { return Ok(()) };
            after = last.record.id;
            for layer in layers(self.sift(lot).await?) {
                let batches = layer.into_values().flat_map(|(change, members)| {
                    split(members, self.batch_size(&change).load(Ordering::Relaxed))
                        .into_iter()
                        .map(move |members| Batch { change: change.clone(), members })
                });
                let batches: Vec<Batch> = batches.collect();
                let work = Arc::clone(self);
                let sent = concurrency::each(stream::iter(batches), self.at_once, move |batch| {
                    batch::run(Arc::clone(&work), batch)
                });
                self.drain(sent).await?;
            }
        }
    }

    /// Takes out what is not to be sent: rows that are not wanted, and rows that failed.
    async fn sift(&self, lot: Vec<Found>) -> Result<Vec<(Change, Member)>, Error> {
        let mut ready = Vec::with_capacity(lot.len());
        for found in lot {
            let op = op_codec::op(&found.record)?;
            // Sent before and not answered, it is sent again whatever rows are wanted now.
            if found.record.state == OpState::Pending && !self.wants(op.row) {
                continue;
            }
            let contact = found.contact.as_deref().and_then(|id| id.parse::<ContactId>().ok());
            match (contact, found.ended) {
                (Some(contact), None) => {
                    ready.push((op.change, Member { op: op.id, row: op.row, contact }));
                }
                (_, ended) => {
                    let why = ended.unwrap_or_else(|| "its row has no contact".to_owned());
                    self.count(op.row, OpState::Skipped);
                    self.ledger.set(op.id, server_reply::skipped(&why)).await?;
                }
            }
        }
        Ok(ready)
    }

    /// How many contacts go into one request with this change.
    pub(super) fn batch_size(&self, change: &Change) -> &AtomicUsize {
        match change {
            Change::SetBusiness { .. } => &self.business_batch,
            _ => &self.tag_batch,
        }
    }

    /// Makes batches smaller after one of so many contacts has failed. They never grow again.
    pub(super) fn shrink(&self, change: &Change, failed: usize) {
        self.batch_size(change).fetch_min((failed / 2).max(SMALLEST), Ordering::Relaxed);
    }
}

/// The next ops that go out with others, each with its row's contact and fate.
fn lot(reader: &LedgerReader, after: u64) -> Result<Vec<Found>, run::Error> {
    let found = |record: OpRecord| {
        let siblings = reader.ops_of_row(record.row)?;
        let contact = match &record.contact {
            Some(contact) => Some(contact.clone()),
            None => reader.made_contact(record.row)?,
        };
        Ok(Found { ended: ended(&siblings, record.id), contact, record })
    };
    reader.bulk(after, LOT)?.into_iter().map(found).collect()
}

/// Why a row goes no further.
fn ended(ops: &[OpRecord], own: u64) -> Option<String> {
    let ends = |record: &&OpRecord| {
        record.id != own
            && !matches!(record.state, OpState::Pending | OpState::Applied | OpState::Differs)
            && op_codec::op(record).is_ok_and(|op| {
                server_reply::ends_row(&op.change, record.state, record.said.as_deref())
            })
    };
    ops.iter().find(ends).map(|record| format!("op {} of its row failed", record.id))
}

/// Ops by change, in layers: within a layer every contact stands once, and a contact's ops stand in
/// layers in their order.
fn layers(ops: Vec<(Change, Member)>) -> Vec<BTreeMap<String, (Change, Vec<Member>)>> {
    let mut layers: Vec<BTreeMap<String, (Change, Vec<Member>)>> = Vec::new();
    let mut depths: HashMap<ContactId, usize> = HashMap::new();
    for (change, member) in ops {
        let depth = depths.entry(member.contact.clone()).or_insert(0);
        if *depth == layers.len() {
            layers.push(BTreeMap::new());
        }
        let key = serde_json::to_string(&change).expect("a change is plain JSON");
        let group = layers[*depth].entry(key).or_insert_with(|| (change, Vec::new()));
        group.1.push(member);
        *depth += 1;
    }
    layers
}

/// Cuts a list into parts of so many at most.
pub(super) fn split(members: Vec<Member>, size: usize) -> Vec<Vec<Member>> {
    let mut parts = Vec::with_capacity(members.len().div_ceil(size.max(1)));
    let mut members = members.into_iter().peekable();
    while members.peek().is_some() {
        parts.push(members.by_ref().take(size.max(1)).collect());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(tag: &str) -> Change {
        Change::AddTags { tags: vec![tag.to_owned()] }
    }

    fn member(op: u64, contact: &str) -> Member {
        Member { op, row: op, contact: contact.parse().unwrap() }
    }

    #[test]
    fn equal_changes_go_together_and_a_contact_stands_once_in_a_layer() {
        let ops = vec![
            (add("b"), member(1, "x")),
            (add("a"), member(2, "y")),
            (add("a"), member(3, "x")),
            (add("b"), member(4, "z")),
        ];
        let seen: Vec<Vec<Vec<u64>>> = layers(ops)
            .into_iter()
            .map(|layer| {
                layer.into_values().map(|(_, all)| all.iter().map(|it| it.op).collect()).collect()
            })
            .collect();
        assert_eq!(seen, [vec![vec![2], vec![1, 4]], vec![vec![3]]]);
    }

    #[test]
    fn a_list_is_cut_into_parts() {
        let members = |n: u64| (0..n).map(|op| member(op, "x")).collect::<Vec<_>>();
        let sizes = |n, size| split(members(n), size).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(5, 2), [2, 2, 1]);
        assert_eq!(sizes(4, 4), [4]);
        assert_eq!(sizes(2, 0), [1, 1]);
        assert_eq!(sizes(0, 3), [0; 0]);
    }
}
