//! Whether a record that was to be deleted is gone.

use super::{InDoubtOp, OpResolution, ReconcileError, Reconciler};
use crate::failpoint::{self, FailPoint};
use crate::model::OpChange;
use crate::model::remote::equality;

impl Reconciler {
    /// Resolves a deletion: a missing record was deleted; one that still exists after the settle
    /// time was not, and will not be.
    pub(super) async fn resolve_deletion(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<OpResolution, ReconcileError> {
        for wait in [std::time::Duration::ZERO, self.remaining_settle_time(case.at_ms)] {
            self.sleep_unless_cancelled(wait).await?;
            failpoint::kill_if_due(FailPoint::DuringLookup);
            if self.is_target_gone(case).await? {
                return Ok(OpResolution::Applied { made: None });
            }
        }
        Ok(OpResolution::NotApplied)
    }

    pub(super) async fn is_target_gone(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<bool, ReconcileError> {
        let Some(contact) = case.contact else { return Ok(false) };
        let change = &case.op.change;
        let (OpChange::DeleteNote { id } | OpChange::DeleteTask { id }) = change else {
            return Ok(self.fetch_contact(contact).await?.is_none());
        };
        let children = self.fetch_children(contact, change).await?;
        Ok(children.is_none_or(|all| !all.iter().any(|child| equality::has_id(child, id))))
    }
}
