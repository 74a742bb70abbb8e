//! The recount at the end: what was sent more than once is searched once more, and doubles are named.

use std::sync::Arc;

use futures::StreamExt;

use super::{Duplicate, Error, Work, op_codec};
use crate::concurrency;
use crate::id::ContactId;
use crate::model::{Change, Op};
use crate::reconcile::{Case, Reference};
use crate::run::{self, AttemptRecord, LedgerReader, OpRecord, OpState};

/// An op that was sent more than once.
struct Suspect {
    record: OpRecord,
    attempts: Vec<AttemptRecord>,
    /// The contact that its row made.
    made: Option<String>,
    lane: Vec<OpRecord>,
}

impl Work {
    /// What stands in the account more than once, of all ops that were ever sent more than once.
    pub(super) async fn recount(self: &Arc<Self>) -> Result<Vec<Duplicate>, Error> {
        let ops = self.read(LedgerReader::sent_twice).await?;
        let work = Arc::clone(self);
        let counted = concurrency::each(futures::stream::iter(ops), self.at_once, move |op| {
            let work = Arc::clone(&work);
            async move { work.recount_one(op).await }
        });
        let counted: Vec<Result<Option<Duplicate>, Error>> = counted.collect().await;
        let mut duplicates = Vec::new();
        for duplicate in counted {
            duplicates.extend(duplicate?);
        }
        duplicates.sort_by_key(|duplicate| duplicate.row);
        Ok(duplicates)
    }

    async fn recount_one(&self, op: u64) -> Result<Option<Duplicate>, Error> {
        let _open = self.doubt.shared.enter();
        let suspect = self.read(move |reader| Suspect::read(reader, op)).await?;
        let Some((first, last)) = suspect.sent_again() else { return Ok(None) };
        let op = op_codec::op(&suspect.record)?;
        // What a deletion keeps may hold any word.
        if op.change.deletes() {
            return Ok(None);
        }
        let made = suspect.made.as_deref().and_then(|id| id.parse::<ContactId>().ok());
        let contact = op.contact.clone().or(made);
        let case = Case {
            op: &op,
            contact: contact.as_ref(),
            since_ms: first.at_ms,
            at_ms: last.at_ms,
            reference: Reference::read(first.reference.as_deref()),
        };
        let ids = self.doubt.doubles(&case, siblings(&op, &suspect.lane)?).await?;
        Ok((!ids.is_empty()).then_some(Duplicate { row: op.row, ids }))
    }
}

impl Suspect {
    fn read(reader: &LedgerReader, op: u64) -> Result<Self, run::Error> {
        let record = reader.op(op)?;
        let made = reader.made_contact(record.row)?;
        Ok(Self { attempts: reader.attempts(op)?, lane: reader.lane(record.lane)?, made, record })
    }

    /// The first and the last attempt that may have reached the server, if there are two, and the op
    /// makes something.
    fn sent_again(&self) -> Option<(&AttemptRecord, &AttemptRecord)> {
        let sent = |attempt: &&AttemptRecord| {
            attempt.outcome.as_ref().is_none_or(|outcome| outcome.how != "not sent")
        };
        let mut sent = self.attempts.iter().filter(sent);
        let first = sent.next()?;
        let creates = ["\"create", "\"upsert"].iter().any(|verb| self.record.body.contains(verb));
        sent.next_back().filter(|_| creates).map(|last| (first, last))
    }
}

/// The equal children that later ops have written for the same contact.
fn siblings(op: &Op, lane: &[OpRecord]) -> Result<usize, Error> {
    if !matches!(op.change, Change::CreateNote { .. } | Change::CreateTask { .. }) {
        return Ok(0);
    }
    let mut siblings = 0;
    for record in lane {
        let applied = matches!(record.state, OpState::Applied | OpState::Differs);
        if record.id > op.id && applied {
            let other = op_codec::op(record)?;
            let same_contact =
                other.contact == op.contact && (op.contact.is_some() || other.row == op.row);
            siblings += usize::from(same_contact && other.change == op.change);
        }
    }
    Ok(siblings)
}
