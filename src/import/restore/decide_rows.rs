//! Decides on every row of a restore, and stores the writes.

use std::collections::HashMap;
use std::path::Path;

use super::losses::{Loss, LossWriter};
use super::request::RestoreRequest;
use super::restore_decider::RestoreDecider;
use super::restored_row::{PlannedRestore, RowVerdict};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::import::ImportError;
use crate::import::planning::op_buffer::OpBuffer;
use crate::import::planning::ordering_groups::OrderingGroups;
use crate::import::planning::validate_rows::{rejection_decision, to_json};
use crate::model::{Field, LocationDirectory, op_codec};
use crate::plan::restore::{MissingName, MissingNames, NameKind, UserSubstitutes};
use crate::run::{ContactPart, RowDecision, StoredRow};

/// Rows decided per batch.
const LOT: usize = 1_000;

/// What was decided, apart from the rows themselves.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    /// The lines of `losses.csv`.
    pub(super) losses: u64,
    /// The names that the target lacks, with the number of records that are restored without them.
    pub(super) missing: MissingNames,
}

impl RestoreDecider<'_> {
    /// Decides on every row; buffers the ops, and writes `losses.csv`. Rows that need nothing are removed, unless their
    /// contacts were chosen one by one.
    pub(super) fn decide_rows(
        &self,
        groups: &mut OrderingGroups,
        ops: &mut OpBuffer,
        out: &Path,
    ) -> Result<Decisions, ImportError> {
        let mut losses = LossWriter::new(out)?;
        let (mut decisions, mut removed) = (Decisions::default(), Vec::new());
        self.rows.in_transaction(|rows| {
            let mut after = 0;
            loop {
                let lot = rows.rows_after(after, LOT)?;
                let Some(last) = lot.last() else { break };
                after = last.n;
                for row in lot.iter().filter(|row| row.draft.is_some()) {
                    match self.decide_row(row)? {
                        RowVerdict::Nothing(..) if !self.request.chosen => removed.push(row.n),
                        RowVerdict::Nothing(action, reason) => {
                            let reason = Some(reason);
                            let decision = RowDecision { action, reason, ..RowDecision::default() };
                            rows.put_decision(row.n, &decision)?;
                        }
                        RowVerdict::Reject(rejection) => {
                            rows.put_decision(row.n, &rejection_decision(vec![rejection]))?;
                        }
                        RowVerdict::Write(it) => {
                            self.store_losses(&it, &mut losses)?;
                            for (name, count) in &it.missing.0 {
                                *decisions.missing.0.entry(name.clone()).or_default() += count;
                            }
                            self.store_plan(row, *it, groups, ops)?;
                        }
                    }
                }
            }
            Ok::<_, ImportError>(rows.remove_rows(&removed)?)
        })?;
        let refused = self.refused_names(&decisions.missing);
        if !refused.0.is_empty() {
            return Err(ImportError::LackingNames(refused));
        }
        decisions.losses = losses.commit()?;
        Ok(decisions)
    }

    /// The names that the target must not lack.
    fn refused_names(&self, missing: &MissingNames) -> MissingNames {
        let may = self.request.may_lack;
        let is_refused = |(name, _): &(&MissingName, &u64)| match name.kind {
            // What pointed to nothing before can be no better now.
            _ if name.is_dangling => false,
            NameKind::CustomField => !may.fields,
            NameKind::User => !may.users,
            NameKind::Business => !may.businesses,
        };
        let refused = missing.0.iter().filter(is_refused);
        MissingNames(refused.map(|(name, count)| (name.clone(), *count)).collect())
    }

    fn store_losses(
        &self,
        it: &PlannedRestore,
        losses: &mut LossWriter,
    ) -> Result<(), ImportError> {
        let id = it.former.clone();
        if it.recreates {
            losses.add_recreated(&id, &it.raw, &it.contact)?;
        }
        losses.add_warnings(&id, &it.planned.warnings)?;
        for name in it.missing.0.keys() {
            let why = format!("the location has no such {}", name.kind.singular_name());
            let (contact, value) = (id.as_str(), name.name.as_str());
            let field = match name.kind {
                NameKind::CustomField => "customFields",
                NameKind::User => "assignedTo",
                NameKind::Business => "business",
            };
            losses.add(&Loss {
                contact,
                record: "contact",
                id: contact,
                field,
                value,
                why: &why,
            })?;
        }
        let read_at = self.rows.contact_children(ContactPart::SnapshotReadAt, &id)?.pop();
        match read_at.and_then(|text| text.parse().ok()) {
            Some(read_at) => losses.add_reading_time(&id, read_at, self.request.as_of),
            None => Ok(()),
        }
    }

    fn store_plan(
        &self,
        row: &StoredRow,
        it: PlannedRestore,
        groups: &mut OrderingGroups,
        ops: &mut OpBuffer,
    ) -> Result<(), ImportError> {
        let PlannedRestore { planned, contact, conflicts, .. } = it;
        for warning in &planned.warnings {
            self.rows.insert_warning(row.n, warning)?;
        }
        if !conflicts.is_empty() {
            let message = "changed again since the later snapshot, so left unchanged".to_owned();
            let warning = Diagnostic::new(DiagnosticCode::W_EDITED_SINCE, message);
            self.rows.insert_warning(row.n, &warning.in_field(conflicts.join(", ")))?;
        }
        let known = planned.contact.as_ref().map(ToString::to_string);
        self.rows.put_decision(
            row.n,
            &RowDecision {
                action: planned.action,
                contact: known.clone(),
                changes: (!planned.changes.is_empty()).then(|| to_json(&planned.changes)),
                ..RowDecision::default()
            },
        )?;
        let email = contact.remote.native_field(Field::Email).map(str::to_lowercase);
        let phone = contact.remote.native_field(Field::Phone);
        let identities = [("id", known.as_deref()), ("email", email.as_deref()), ("phone", phone)];
        groups.add_row(row.n, identities);
        for op in planned.ops {
            ops.push(&op_codec::encode_op(&op, ops.next_id()))?;
        }
        Ok(())
    }
}

/// What the names that a user gave mean in the target.
pub(super) fn resolve_users(
    request: &RestoreRequest,
    directory: &LocationDirectory,
) -> Result<UserSubstitutes, ImportError> {
    let find = |name: &String| match directory.find_user(name) {
        Ok(user) => Ok(user.id.clone()),
        Err(error) => Err(ImportError::Request(format!("the user `{name}`: {}", error.message))),
    };
    let mut by_name = HashMap::new();
    for (from, to) in &request.user_map {
        let from = if from.contains('@') { from.to_lowercase() } else { from.clone() };
        by_name.insert(from, find(to)?);
    }
    let for_missing = request.unassigned.as_ref().map(find).transpose()?;
    Ok(UserSubstitutes { by_name, for_missing })
}
