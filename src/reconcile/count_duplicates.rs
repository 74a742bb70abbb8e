//! Duplicate check: at the end, ops that were sent more than once are searched once more.
//!
//! A look-up can be wrong: a request may be applied later than the settle time allows. So ops that
//! were sent twice are checked when everything else is done, and several results are reported.

use serde_json::json;

use super::classify;
use super::classify::sent_identity;
use super::{ChildBaseline, InDoubtOp, ReconcileError, Reconciler};
use crate::model::remote::RemoteContact;
use crate::model::{IdempotencyClass, OpChange};

impl Reconciler {
    /// The ids of everything that the op seems to have created, if that is more than one.
    /// `siblings` are the equal children that the run has created for other ops since the baseline
    /// was taken.
    pub async fn find_duplicates(
        &self,
        case: &InDoubtOp<'_>,
        siblings: usize,
    ) -> Result<Vec<String>, ReconcileError> {
        self.sleep_unless_cancelled(self.remaining_settle_time(case.at_ms)).await?;
        match (&case.op.change, case.op.class) {
            (OpChange::CreateNote { .. } | OpChange::CreateTask { .. }, _) => {
                self.duplicate_children(case, siblings).await
            }
            (change, IdempotencyClass::Marked) => {
                Ok(ids_if_several(self.search_by_marker(change).await?))
            }
            _ => self.duplicate_contacts(case).await,
        }
    }

    async fn duplicate_children(
        &self,
        case: &InDoubtOp<'_>,
        siblings: usize,
    ) -> Result<Vec<String>, ReconcileError> {
        let Some(id) = case.contact else { return Ok(Vec::new()) };
        let Some(children) = self.fetch_children(id, &case.op.change).await? else {
            return Ok(Vec::new());
        };
        let before = case.reference.clone().unwrap_or_default();
        let now = ChildBaseline::from_children(&case.op.change, &children);
        if now.equal <= before.equal + siblings + 1 {
            return Ok(Vec::new());
        }
        Ok(now.ids.into_iter().filter(|id| !before.ids.contains(id)).collect())
    }

    async fn duplicate_contacts(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<Vec<String>, ReconcileError> {
        let identity = sent_identity(&case.op.change);
        let window = self.creation_window(case);
        let mut found: Vec<RemoteContact> = Vec::new();
        for (field, email, phone) in
            [("email", identity.email, None), ("phone", None, identity.phone)]
        {
            let Some(value) = email.or(phone) else { continue };
            let mut candidates = self.look_up_identity(email, phone).await?;
            if candidates.is_empty() {
                let filter = json!({ "field": field, "operator": "eq", "value": value });
                candidates = self.search_contacts(vec![filter], 1).await?;
            }
            for remote in candidates {
                let ours = classify::is_added_since(&case.op.change, window, &remote)
                    && !classify::has_other_identity(&case.op.change, &remote);
                let known = found.iter().any(|it| it.id == remote.id);
                // A contact that shares only the phone belongs to a row of its own.
                if ours
                    && !known
                    && !self.is_made_by_other_op(remote.id.as_str(), case.op.id).await?
                {
                    found.push(remote);
                }
            }
        }
        Ok(ids_if_several(found))
    }
}

/// The ids if there are several.
fn ids_if_several(found: Vec<RemoteContact>) -> Vec<String> {
    if found.len() < 2 {
        return Vec::new();
    }
    found.into_iter().map(|remote| remote.id.to_string()).collect()
}
