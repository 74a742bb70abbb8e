//! Finds out about an op that may have been sent although its ledger does not say so: by another copy of the run, or
//! before the ledger lost what it knew.
//!
//! Nothing is sent by anyone else any more, so once the settle time has passed, one look-up is enough.

use serde_json::Value;

use super::classify::{self, equals_child};
use super::{AssumedSend, InDoubtOp, OpResolution, ReconcileError, Reconciler, remaining_time};
use crate::model::remote::equality::{child_id, value_epoch_millis};
use crate::model::{IdempotencyClass, OpChange};

/// How far the server's clock and ours may differ, in milliseconds: with and without a known offset. What was added in
/// this time before or after the run was created may be older than it.
const CLOCKS: [i64; 2] = [5_000, 120_000];

impl Reconciler {
    /// The outcome of such an op.
    pub(super) async fn resolve_assumed(
        &self,
        case: &InDoubtOp<'_>,
        assumed: AssumedSend<'_>,
    ) -> Result<OpResolution, ReconcileError> {
        if case.op.class == IdempotencyClass::Once {
            return Ok(OpResolution::Undecidable {
                message: "it may have been sent before, and it is unknown whether the contact was created: it has \
                          neither e-mail address nor phone nor marker"
                    .to_owned(),
            });
        }
        // The index that a marker is searched in may lag for longer than a request lasts.
        self.sleep_unless_cancelled(remaining_time(case.at_ms, self.settle * 2)).await?;
        if matches!(case.op.change, OpChange::CreateNote { .. } | OpChange::CreateTask { .. }) {
            return self.find_assumed_child(case, assumed).await;
        }
        Ok(self.probe_once(case).await?.unwrap_or(OpResolution::NotApplied))
    }

    /// The equal children were not counted before, so the date says which of them are new.
    async fn find_assumed_child(
        &self,
        case: &InDoubtOp<'_>,
        assumed: AssumedSend<'_>,
    ) -> Result<OpResolution, ReconcileError> {
        let Some(contact) = case.contact else { return Ok(OpResolution::NotApplied) };
        let Some(children) = self.fetch_children(contact, &case.op.change).await? else {
            return Ok(classify::contact_gone(contact));
        };
        let is_other =
            |child: &&Value| child_id(child).is_some_and(|id| assumed.created.contains(id));
        let equal = children.iter().filter(|child| equals_child(&case.op.change, child));
        let (mut new, mut unclear) = (Vec::new(), 0);
        let slack = CLOCKS[usize::from(self.client.server_time_offset().is_none())];
        let begun = self.possible_record_times(case.since_ms, slack);
        for child in equal.filter(|child| !is_other(child)) {
            match value_epoch_millis(&child["dateAdded"]) {
                added if assumed.in_new_contact => new.push((added.unwrap_or(0), child)),
                Some(added) if added > *begun.end() => new.push((added, child)),
                Some(added) if added < *begun.start() => {}
                Some(_) | None => unclear += 1,
            }
        }
        let oldest = new.iter().min_by_key(|(added, _)| *added);
        Ok(match oldest {
            Some((_, child)) => OpResolution::Applied { made: child_id(child).map(str::to_owned) },
            None if unclear > 0 => OpResolution::Undecidable {
                message:
                    "the contact has an equal one, and it is unknown whether this row created it"
                        .to_owned(),
            },
            None => OpResolution::NotApplied,
        })
    }
}
