//! Phase 2: sends the changes that many contacts share in batches.
//!
//! Ops with the same change form batches, in the order of the changes and of the ops, so that the same plan always
//! sends the same requests. A contact is in only one request at a time: two concurrent writes of its tags could undo
//! each other. The response is read contact by contact; a batch that is refused or not answered is halved. All these
//! changes are idempotent, so a batch without a response is simply sent again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream;

use super::batch::{self, BatchMember, ChangeBatch, split_members};
use super::{PushContext, PushError, server_reply};
use crate::concurrency;
use crate::id::ContactId;
use crate::model::{OpChange, op_codec};
use crate::run::{self, LedgerReader, OpRecord, OpState};

/// The number of contacts in one change of businesses (api.md §1, table).
pub(super) const BUSINESS_BATCH: usize = 50;
/// The lower limit of the batch size after failures: a single bad contact is found by halving its own batch, not by
/// making all others smaller.
const SMALLEST: usize = 10;
/// The number of ops read and sent together.
const LOT: usize = 10_000;

/// An op that is sent in a batch, and the state of its row.
struct BulkOp {
    record: OpRecord,
    contact: Option<ContactId>,
    /// Why it must no longer be sent.
    ended: Option<String>,
}

impl PushContext {
    /// Sends all ops that go in batches.
    pub(super) async fn send_bulk_ops(self: &Arc<Self>) -> Result<(), PushError> {
        let mut after = 0;
        loop {
            if self.stop.is_cancelled() {
                return Err(PushError::stopped());
            }
            let lot = self.read_ledger(move |reader| load_bulk_ops(reader, after)).await?;
            let Some(last) = lot.last() else { return Ok(()) };
            after = last.record.id;
            for layer in group_into_layers(self.select_sendable(lot).await?) {
                let batches = layer.into_values().flat_map(|(change, members)| {
                    split_members(members, self.batch_size(&change).load(Ordering::Relaxed))
                        .into_iter()
                        .map(move |members| ChangeBatch { change: change.clone(), members })
                });
                let batches: Vec<ChangeBatch> = batches.collect();
                let work = Arc::clone(self);
                let sent =
                    concurrency::run_unordered(stream::iter(batches), self.at_once, move |batch| {
                        batch::send_batch(Arc::clone(&work), batch)
                    });
                self.drain_results(sent).await?;
            }
        }
    }

    /// Removes ops that must not be sent: those of rows that are not selected or have failed.
    async fn select_sendable(
        &self,
        lot: Vec<BulkOp>,
    ) -> Result<Vec<(OpChange, BatchMember)>, PushError> {
        let mut ready = Vec::with_capacity(lot.len());
        for found in lot {
            let op = op_codec::decode_op(&found.record)?;
            // Sent before without a response: it is sent again even if its row is not selected now.
            if found.record.state == OpState::Pending && !self.includes_row(op.row) {
                continue;
            }
            match (found.contact, found.ended) {
                (Some(contact), None) => {
                    ready.push((op.change, BatchMember { op: op.id, row: op.row, contact }));
                }
                (_, ended) => {
                    let why = ended.unwrap_or_else(|| "its row has no contact".to_owned());
                    self.count_settled_op(op.row, OpState::Skipped);
                    self.ledger.set_op_state(op.id, server_reply::settled_as_skipped(&why)).await?;
                }
            }
        }
        Ok(ready)
    }

    /// The number of contacts in one request with this change.
    pub(super) fn batch_size(&self, change: &OpChange) -> &AtomicUsize {
        match change {
            OpChange::SetBusiness { .. } => &self.business_batch,
            _ => &self.tag_batch,
        }
    }

    /// Makes batches smaller after one of `size` contacts has failed. They never grow again.
    pub(super) fn reduce_batch_size(&self, change: &OpChange, failed: usize) {
        self.batch_size(change).fetch_min((failed / 2).max(SMALLEST), Ordering::Relaxed);
    }
}

/// Loads the next ops that are sent in batches, each with its row's contact and state.
fn load_bulk_ops(reader: &LedgerReader, after: u64) -> Result<Vec<BulkOp>, run::RunError> {
    let found = |record: OpRecord| {
        let siblings = reader.ops_of_row(record.row)?;
        let contact = match &record.contact {
            Some(contact) => Some(contact.clone()),
            None => reader.contact_id_of_row(record.row)?,
        };
        Ok(BulkOp { ended: row_failure_reason(&siblings, record.id)?, contact, record })
    };
    reader.unfinished_bulk_ops(after, LOT)?.into_iter().map(found).collect()
}

/// Why a row has ended, if it has.
fn row_failure_reason(ops: &[OpRecord], own: u64) -> Result<Option<String>, run::RunError> {
    let open_or_done =
        |state| matches!(state, OpState::Pending | OpState::Applied | OpState::Differs);
    for record in ops.iter().filter(|it| it.id != own && !open_or_done(it.state)) {
        let change = op_codec::decode_op(record)?.change;
        let details = op_codec::decode_details(record)?;
        if server_reply::ends_row(&change, record.state, details.as_ref()) {
            return Ok(Some(format!("op {} of its row failed", record.id)));
        }
    }
    Ok(None)
}

/// Groups ops by change, in layers: within a layer every contact occurs once, and a contact's ops are in consecutive
/// layers, in their order.
fn group_into_layers(
    ops: Vec<(OpChange, BatchMember)>,
) -> Vec<BTreeMap<String, (OpChange, Vec<BatchMember>)>> {
    let mut layers: Vec<BTreeMap<String, (OpChange, Vec<BatchMember>)>> = Vec::new();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn add(tag: &str) -> OpChange {
        OpChange::AddTags { tags: vec![tag.to_owned()] }
    }

    fn member(op: u64, contact: &str) -> BatchMember {
        BatchMember { op, row: op, contact: contact.parse().unwrap() }
    }

    #[test]
    fn equal_changes_go_together_and_a_contact_stands_once_in_a_layer() {
        let ops = vec![
            (add("b"), member(1, "x")),
            (add("a"), member(2, "y")),
            (add("a"), member(3, "x")),
            (add("b"), member(4, "z")),
        ];
        let seen: Vec<Vec<Vec<u64>>> = group_into_layers(ops)
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
        let sizes =
            |n, size| split_members(members(n), size).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(5, 2), [2, 2, 1]);
        assert_eq!(sizes(4, 4), [4]);
        assert_eq!(sizes(2, 0), [1, 1]);
        assert_eq!(sizes(0, 3), [0; 0]);
    }
}
