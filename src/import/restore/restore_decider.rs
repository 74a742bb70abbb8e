//! What the decisions about the rows of a restore are based on.

use super::prior_restores::PriorRestores;
use super::request::RestoreRequest;
use crate::import::ImportError;
use crate::model::{Field, LocationDirectory};
use crate::plan::diff::RowPlanner;
use crate::plan::restore::{RestorableField, Translation};
use crate::run::{IdentityKind, ImportStore, RowAction};

/// Decides on the rows of a restore.
pub(super) struct RestoreDecider<'a> {
    pub(super) rows: &'a ImportStore,
    pub(super) directory: &'a LocationDirectory,
    pub(super) translation: &'a Translation,
    pub(super) planner: RowPlanner<'a>,
    pub(super) request: &'a RestoreRequest,
    pub(super) prior: &'a PriorRestores,
    /// The fields to put back.
    pub(super) fields: Vec<RestorableField>,
}

impl RestoreDecider<'_> {
    /// The name of a contact of the snapshot in this target, which outlives the snapshot. `salt` tells a contact that is
    /// made again from the one that an earlier restore has made and that is gone.
    pub(super) fn source_id(&self, former: &str, salt: &str) -> String {
        let RestoreRequest { repository_id, source, .. } = self.request;
        format!("{repository_id}/{source}/{former}#{salt}")
    }

    /// The contacts other than this one that have a value, also as an additional one.
    pub(super) fn others_with(
        &self,
        kind: IdentityKind,
        value: Option<&str>,
        own: &str,
    ) -> Result<Vec<String>, ImportError> {
        let Some(value) = value else { return Ok(Vec::new()) };
        let mut others = self.rows.matching_contacts(kind, value)?;
        if kind == IdentityKind::Email {
            others.extend(self.rows.matching_contacts(IdentityKind::OtherEmail, value)?);
        }
        others.retain(|other| other != own);
        Ok(others)
    }

    /// An earlier row that makes a contact with the same value.
    pub(super) fn earlier_row(
        &self,
        field: Field,
        value: Option<&str>,
        n: u64,
    ) -> Result<Option<u64>, ImportError> {
        let Some(value) = value else { return Ok(None) };
        let kind = if field == Field::Phone { IdentityKind::Phone } else { IdentityKind::Email };
        for earlier in self.rows.rows_with_value(kind, value)? {
            if earlier >= n {
                continue;
            }
            let decision = self.rows.find_decision(earlier)?;
            if decision.is_some_and(|it| it.action == RowAction::Recreate) {
                return Ok(Some(earlier));
            }
        }
        Ok(None)
    }
}
