//! Whether a write was applied that the server refused, or answered with a success status and a body that denies it.
//!
//! A row that is called rejected is imported again from `rejected.csv`, and a note in it would double. The request is
//! over, and one read of the record decides; creates of contacts are looked up separately (api.md §5.9).

use super::{InDoubtOp, OpResolution, ReconcileError, Reconciler, classify};
use crate::api::ApiErrorKind;
use crate::model::OpChange;
use crate::model::remote::equality;
use crate::model::verify;

impl Reconciler {
    /// What the record says about a write that the server denied; `None` if the write was not applied, or if the
    /// record cannot be read.
    pub async fn resolve_denied_write(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<Option<OpResolution>, ReconcileError> {
        match self.read_denied_write(case).await {
            // The server's own word remains.
            Err(ReconcileError::Api(error))
                if matches!(error.kind, ApiErrorKind::Refused | ApiErrorKind::TooLarge) =>
            {
                Ok(None)
            }
            found => found,
        }
    }

    async fn read_denied_write(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<Option<OpResolution>, ReconcileError> {
        let change = &case.op.change;
        let applied = || Some(OpResolution::Applied { made: None });
        match change {
            OpChange::Update { .. } => self.read_denied_update(case).await,
            OpChange::CreateNote { .. } | OpChange::CreateTask { .. } => {
                self.find_added_child(case).await
            }
            OpChange::UpdateNote { id, .. }
            | OpChange::UpdateTask { id, .. }
            | OpChange::CompleteTask { id, .. } => {
                let Some(contact) = case.contact else { return Ok(None) };
                let Some(children) = self.fetch_children(contact, change).await? else {
                    return Ok(Some(classify::contact_gone(contact)));
                };
                let child = children.iter().find(|child| equality::has_id(child, id));
                let has_all = |child| verify::find_child_mismatches(change, child).is_empty();
                Ok(child.is_some_and(has_all).then(applied).flatten())
            }
            _ if change.is_deletion() => {
                Ok(self.is_target_gone(case).await?.then(applied).flatten())
            }
            _ => Ok(None),
        }
    }

    async fn read_denied_update(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<Option<OpResolution>, ReconcileError> {
        let Some(id) = case.contact else { return Ok(None) };
        let Some(remote) = self.fetch_contact(id).await? else {
            return Ok(Some(classify::contact_gone(id)));
        };
        let finding = classify::classify_updated(case.op, &remote);
        let open = verify::find_mismatches(&case.op.change, &remote).len();
        Ok(match finding {
            OpResolution::NotApplied if open < verify::count_properties(&case.op.change) => {
                Some(classify::classify_applied(&case.op.change, &remote, None))
            }
            OpResolution::NotApplied => None,
            finding => Some(finding),
        })
    }
}
