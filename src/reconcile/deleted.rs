//! Whether something that was to be deleted is gone.

use super::{Case, Doubt, Error, Finding};
use crate::failpoint::{self, Point};
use crate::model::Change;
use crate::model::remote::equality;

impl Doubt {
    /// Finds out what became of a deletion: what is gone was deleted; what is still there when the settle
    /// time is over was not, and will not be.
    pub(super) async fn deleted(&self, case: &Case<'_>) -> Result<Finding, Error> {
        for wait in [std::time::Duration::ZERO, self.settled(case.at_ms)] {
            self.rest(wait).await?;
            failpoint::reach(Point::DuringLookup);
            if self.is_gone(case).await? {
                return Ok(Finding::Applied { made: None });
            }
        }
        Ok(Finding::NotApplied)
    }

    async fn is_gone(&self, case: &Case<'_>) -> Result<bool, Error> {
        let Some(contact) = case.contact else { return Ok(false) };
        let change = &case.op.change;
        let (Change::DeleteNote { id } | Change::DeleteTask { id }) = change else {
            return Ok(self.contact(contact).await?.is_none());
        };
        let children = self.children(contact, change).await?;
        Ok(children.is_none_or(|all| !all.iter().any(|child| equality::has_id(child, id))))
    }
}
