//! The final check for duplicates: records of ops that were sent more than once are searched again and counted.

use std::sync::Arc;

use futures::StreamExt;

use super::{DuplicatedRow, PushContext, PushError};
use crate::concurrency;
use crate::id::ContactId;
use crate::model::{Op, OpChange, op_codec};
use crate::reconcile::{ChildBaseline, InDoubtOp};
use crate::run::{self, AttemptRecord, LedgerReader, OpRecord, OpState, SettledBy};

/// An op that was sent more than once.
struct SuspectedDuplicate {
    record: OpRecord,
    attempts: Vec<AttemptRecord>,
    /// The contact that its row created.
    made: Option<ContactId>,
    group_ops: Vec<OpRecord>,
}

impl PushContext {
    /// Finds the records that are in the account more than once, among all ops that were sent more than once.
    pub(super) async fn find_duplicates(self: &Arc<Self>) -> Result<Vec<DuplicatedRow>, PushError> {
        let ops = self.read_ledger(LedgerReader::retried_op_ids).await?;
        let work = Arc::clone(self);
        let counted =
            concurrency::run_unordered(futures::stream::iter(ops), self.at_once, move |op| {
                let work = Arc::clone(&work);
                async move { work.find_op_duplicates(op).await }
            });
        let counted: Vec<Result<Option<DuplicatedRow>, PushError>> = counted.collect().await;
        let mut duplicates = Vec::new();
        for duplicate in counted {
            duplicates.extend(duplicate?);
        }
        duplicates.sort_by_key(|duplicate| duplicate.row);
        Ok(duplicates)
    }

    async fn find_op_duplicates(&self, op: u64) -> Result<Option<DuplicatedRow>, PushError> {
        let _open = self.doubt.shared.begin_work();
        let suspect = self.read_ledger(move |reader| SuspectedDuplicate::load(reader, op)).await?;
        let op = op_codec::decode_op(&suspect.record)?;
        if !op.change.creates_record() {
            return Ok(None);
        }
        let sent = suspect.first_and_last_sent(op.change.creates_contact());
        let Some((first, last)) = sent else { return Ok(None) };
        let contact = op.contact.clone().or_else(|| suspect.made.clone());
        let case = InDoubtOp {
            op: &op,
            contact: contact.as_ref(),
            since_ms: first.at_ms,
            at_ms: last.at_ms,
            reference: ChildBaseline::parse_stored(first.reference.as_deref()),
            assumed: None,
        };
        let ids = self
            .doubt
            .find_duplicates(&case, count_equal_siblings(&op, &suspect.group_ops)?)
            .await?;
        Ok((!ids.is_empty()).then_some(DuplicatedRow { row: op.row, ids }))
    }
}

impl SuspectedDuplicate {
    fn load(reader: &LedgerReader, op: u64) -> Result<Self, run::RunError> {
        let record = reader.load_op(op)?;
        let made = reader.contact_id_of_row(record.row)?;
        Ok(Self {
            attempts: reader.load_attempts(op)?,
            group_ops: reader.ops_in_serial_group(record.serial_group)?,
            made,
            record,
        })
    }

    /// The first and the last attempt that may have reached the server, if there are two. Without a recorded
    /// attempt it is unknown which children existed before.
    fn first_and_last_sent(&self, with_assumed: bool) -> Option<(&AttemptRecord, &AttemptRecord)> {
        let sent = |attempt: &&AttemptRecord| {
            let outcome = attempt.outcome.as_ref();
            (with_assumed || !attempt.is_assumed())
                && outcome.is_none_or(|outcome| outcome.settled_by != SettledBy::NotSent)
        };
        let mut sent = self.attempts.iter().filter(sent);
        let first = sent.next()?;
        sent.next_back().map(|last| (first, last))
    }
}

/// Counts the equal notes or tasks that later ops created for the same contact.
fn count_equal_siblings(op: &Op, group_ops: &[OpRecord]) -> Result<usize, PushError> {
    if !matches!(op.change, OpChange::CreateNote { .. } | OpChange::CreateTask { .. }) {
        return Ok(0);
    }
    let mut siblings = 0;
    for record in group_ops {
        let applied = matches!(record.state, OpState::Applied | OpState::Differs);
        if record.id > op.id && applied {
            let other = op_codec::decode_op(record)?;
            let same_contact =
                other.contact == op.contact && (op.contact.is_some() || other.row == op.row);
            siblings += usize::from(same_contact && other.change == op.change);
        }
    }
    Ok(siblings)
}
