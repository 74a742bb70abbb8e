//! Differences between what was sent and the response are confirmed by reading the record once.
//!
//! They decide how the run ends, and a response may omit a value that the account has. Where reads have confirmed
//! a property's differences often enough, the responses are believed, so that an account that drops a column of
//! every row does not cost a read for each.

use std::collections::HashMap;
use std::mem::Discriminant;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::Semaphore;

use super::server_reply;
use crate::id::ContactId;
use crate::model::OpChange;
use crate::model::remote::equality;
use crate::model::verify::PropertyMismatch;
use crate::reconcile::{self, InDoubtOp, OpResolution, Reconciler};

/// How many reads must have confirmed a property's differences before responses are believed.
const CONFIRMATIONS: u32 = 20;
/// How many such reads are sent at the same time: each may make the next ones unnecessary.
const AT_ONCE: usize = 4;

/// What reads have shown about the differences in responses.
#[derive(Debug)]
pub(super) struct DifferenceCheck {
    turns: Semaphore,
    properties: Mutex<HashMap<(Discriminant<OpChange>, String), ResponseTrust>>,
}

/// How far responses are believed about one property.
#[derive(Debug, Clone, Copy)]
enum ResponseTrust {
    /// Reads confirmed so many differences and contradicted none.
    Confirmed(u32),
    /// A read contradicted one.
    Wrong,
}

impl Default for DifferenceCheck {
    fn default() -> Self {
        Self { turns: Semaphore::new(AT_ONCE), properties: Mutex::default() }
    }
}

impl DifferenceCheck {
    /// The resolution after the record was read; `answered` if the response needs no confirmation, or the record
    /// cannot be read now.
    pub(super) async fn confirm(
        &self,
        doubt: &Reconciler,
        case: &InDoubtOp<'_>,
        answered: OpResolution,
    ) -> OpResolution {
        let OpResolution::Differs { made, differences, .. } = &answered else { return answered };
        let _turn = self.turns.acquire().await.expect("the semaphore is never closed");
        let change = &case.op.change;
        if differences.iter().all(|it| self.is_believed(change, &it.field)) {
            return answered;
        }
        let Some(read) = read_record(doubt, case, made.as_deref()).await else { return answered };
        let confirmed: &[PropertyMismatch] = match &read {
            OpResolution::Differs { differences, .. } => differences,
            _ => &[],
        };
        for difference in differences {
            let is_confirmed = confirmed.iter().any(|it| it.field == difference.field);
            self.record_read(change, &difference.field, is_confirmed);
        }
        read
    }

    fn is_believed(&self, change: &OpChange, field: &str) -> bool {
        let properties = self.properties.lock().unwrap_or_else(PoisonError::into_inner);
        let trust = properties.get(&(std::mem::discriminant(change), field.to_owned()));
        matches!(trust, Some(ResponseTrust::Confirmed(CONFIRMATIONS..)))
    }

    fn record_read(&self, change: &OpChange, field: &str, is_confirmed: bool) {
        let mut properties = self.properties.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (std::mem::discriminant(change), field.to_owned());
        let trust = properties.entry(key).or_insert(ResponseTrust::Confirmed(0));
        *trust = match *trust {
            ResponseTrust::Confirmed(reads) if is_confirmed => ResponseTrust::Confirmed(reads + 1),
            _ => ResponseTrust::Wrong,
        };
    }
}

/// The resolution according to the record itself; `None` if it cannot be read.
async fn read_record(
    doubt: &Reconciler,
    case: &InDoubtOp<'_>,
    made: Option<&str>,
) -> Option<OpResolution> {
    let change = &case.op.change;
    let made = made.map(str::to_owned);
    let child = match change {
        OpChange::Create { .. } | OpChange::Upsert { .. } | OpChange::Update { .. } => {
            let created: Option<ContactId> = made.as_deref().and_then(|id| id.parse().ok());
            let id = created.as_ref().or(case.contact)?;
            let remote = doubt.fetch_contact(id).await.ok()??;
            return Some(reconcile::classify_applied(change, &remote, None));
        }
        OpChange::UpdateNote { id, .. }
        | OpChange::UpdateTask { id, .. }
        | OpChange::CompleteTask { id, .. } => id.clone(),
        _ => made.clone()?,
    };
    let children: Vec<Value> = doubt.fetch_children(case.contact?, change).await.ok()??;
    let child = children.iter().find(|one| equality::has_id(one, &child))?;
    Some(server_reply::classify_child(change, made, child))
}
