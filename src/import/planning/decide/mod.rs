//! Decisions: drafts and remote contacts become row decisions and numbered ops in the run's store.

mod decide_deletion;
mod duplicates;
mod excused_cells;
mod freed_values;
mod shared_phones;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use self::duplicates::DuplicateRole;
use super::op_buffer::OpBuffer;
use super::ordering_groups::OrderingGroups;
use super::prior_runs::PriorRuns;
use super::validate_rows::{draft_identities, parse_draft, rejection_decision, to_json};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::id::ContactId;
use crate::import::ImportError;
use crate::import::stored_contact::describe_contact;
use crate::model::remote::RemoteContact;
use crate::model::{ContactDraft, Field, ImportPolicy, LocationDirectory, MatchKey, op_codec};
use crate::plan::DeletedRecordKind;
use crate::plan::diff::{self, RemoteChildren, RowOrigin, RowPlan, RowPlanner};
use crate::plan::identity::{self, ContactMatches};
use crate::run::{ContactPart, IdentityKind, ImportStore, RowAction, RowDecision, StoredRow};

/// Rows decided per batch.
const LOT: usize = 1_000;

/// Decides on the rows of a run.
pub(crate) struct RowDecider<'a> {
    pub(crate) rows: &'a ImportStore,
    pub(crate) directory: &'a LocationDirectory,
    pub(crate) planner: RowPlanner<'a>,
    pub(crate) policy: &'a ImportPolicy,
    pub(crate) key: Option<MatchKey>,
    pub(crate) input_digest: String,
    pub(crate) children_only: bool,
    /// What the rows delete, if they delete.
    pub(crate) removes: Option<DeletedRecordKind>,
    pub(crate) prior: PriorRuns,
    /// How often an unreadable name turned out to be what the account has, by column and name.
    pub(crate) excused: RefCell<HashMap<(Option<usize>, String), u64>>,
}

impl RowDecider<'_> {
    /// Decides on every row that was not rejected; buffers the ops.
    pub(crate) fn decide_rows(
        &self,
        groups: &mut OrderingGroups,
        ops: &mut OpBuffer,
        report_decided: &dyn Fn(u64),
    ) -> Result<(), ImportError> {
        // Rows that delete the same record are recognised by that record.
        let roles = if self.removes.is_some() { HashMap::new() } else { self.duplicate_roles()? };
        if self.removes.is_none() {
            self.warn_of_shared_phones(&roles)?;
        }
        self.rows.in_transaction(|rows| {
            let (mut after, mut waiting) = (0, Vec::new());
            loop {
                let lot = rows.rows_after(after, LOT)?;
                report_decided(after);
                let Some(last) = lot.last() else { break };
                after = last.n;
                for row in &lot {
                    let Some(draft) = &row.draft else { continue };
                    let draft = parse_draft(draft)?;
                    if !self.decide_row(row, draft, roles.get(&row.n), groups, ops)? {
                        waiting.push(row.n);
                    }
                }
            }
            self.decide_waiting_rows(waiting, &roles, groups, ops)
        })
    }

    /// Decides on a row, unless it has to wait for the others: then the result is `false`.
    fn decide_row(
        &self,
        row: &StoredRow,
        mut draft: ContactDraft,
        role: Option<&DuplicateRole>,
        groups: &mut OrderingGroups,
        ops: &mut OpBuffer,
    ) -> Result<bool, ImportError> {
        match role {
            Some(DuplicateRole::Follower { leader, line }) => {
                let decision = self.decide_duplicate(&draft, *leader, *line)?;
                self.rows.put_decision(row.n, &decision)?;
                return Ok(true);
            }
            Some(DuplicateRole::Leader(others)) => self.merge_duplicates(&mut draft, others)?,
            None => {}
        }
        let planned = if let Some(what) = self.removes {
            self.plan_deletion(row, &draft, what)?
        } else {
            let found = self.find_matches(&draft)?;
            if self.must_wait(row.n, &draft, &found)? {
                return Ok(false);
            }
            self.plan_draft(row, &draft, found)?
        };
        self.store_planned_row(row.n, &draft, planned, groups, ops)?;
        Ok(true)
    }

    fn store_planned_row(
        &self,
        n: u64,
        draft: &ContactDraft,
        planned: Result<RowPlan, RowDecision>,
        groups: &mut OrderingGroups,
        ops: &mut OpBuffer,
    ) -> Result<(), ImportError> {
        match planned {
            Err(rejection) => Ok(self.rows.put_decision(n, &rejection)?),
            Ok(planned) => self.store_row_plan(n, draft, planned, groups, ops),
        }
    }

    /// Decides on a draft whose contact is among those found, and turns the differences into ops.
    fn plan_draft(
        &self,
        row: &StoredRow,
        draft: &ContactDraft,
        mut found: ContactMatches,
    ) -> Result<Result<RowPlan, RowDecision>, ImportError> {
        let mut decided = identity::decide_action(draft, &found, self.policy, self.directory);
        if decided.is_err() {
            // Only a message needs the names of the contacts.
            self.label_contacts(&mut found)?;
            decided = identity::decide_action(draft, &found, self.policy, self.directory);
        }
        if let Ok(action) = &decided
            && let Some(rejection) = self.reject_shared_phone(row.n, draft, action)?
        {
            return Ok(Err(rejection));
        }
        let action = match decided {
            Ok(action) => self.avoid_phone_of_earlier_row(row.n, draft, action)?,
            Err(rejection) => {
                self.excuse_unknown_names(draft.unread.iter());
                return Ok(Err(rejection_decision(vec![rejection])));
            }
        };
        let remote = match action.contact_id() {
            Some(id) => self.load_remote_contact(id)?,
            None => None,
        };
        if let Some(rejection) = remote.as_ref().and_then(|remote| self.reject_foreign(remote)) {
            return Ok(Err(rejection));
        }
        let named = draft.notes.iter().any(|note| note.id.is_some())
            || draft.tasks.iter().any(|task| task.id.is_some());
        let children = match action.contact_id() {
            Some(id) if named => self.load_remote_children(id)?,
            _ => RemoteChildren::default(),
        };
        if let Some(rejection) =
            self.apply_deferred_errors(row, draft, remote.as_ref(), &children)?
        {
            return Ok(Err(rejection));
        }
        let source = RowOrigin {
            location: &self.directory.location,
            input: &self.input_digest,
            place: &row.place,
        };
        let planned =
            self.planner.plan_row(row.n, &source, draft, &action, remote.as_ref(), &children);
        let planned = planned.and_then(|planned| self.prior.drop_completed_ops(planned));
        Ok(planned.map_err(|rejection| rejection_decision(vec![rejection])))
    }

    /// The rejection of a row whose contact belongs to another location.
    fn reject_foreign(&self, remote: &RemoteContact) -> Option<RowDecision> {
        let own = &self.directory.location;
        let other = remote.location.as_deref().filter(|location| *location != own.as_str())?;
        let message =
            format!("contact `{}` belongs to location `{other}`, not to `{own}`", remote.id);
        let rejection = Diagnostic::new(DiagnosticCode::R_OTHER_LOCATION, message);
        Some(rejection_decision(vec![rejection]))
    }

    /// Handles unreadable cells that differ from what the account has: those that reject the row reject it;
    /// if there are none, the others become warnings.
    fn apply_deferred_errors(
        &self,
        row: &StoredRow,
        draft: &ContactDraft,
        remote: Option<&RemoteContact>,
        children: &RemoteChildren,
    ) -> Result<Option<RowDecision>, ImportError> {
        if draft.unread.is_empty() {
            return Ok(None);
        }
        let differing = diff::differing_unreadable_cells(draft, remote, children);
        self.excuse_unknown_names(draft.unread.iter().filter(|unread| !differing.contains(unread)));
        let rejecting = differing.iter().filter(|unread| unread.rejects_row());
        let rejections: Vec<_> = rejecting.map(|unread| unread.diagnostic.clone()).collect();
        if !rejections.is_empty() {
            return Ok(Some(rejection_decision(rejections)));
        }
        for unread in differing {
            self.rows.insert_warning(row.n, &unread.diagnostic)?;
        }
        for warning in diff::damaged_cell_warnings(draft, remote, children) {
            self.rows.insert_warning(row.n, &warning)?;
        }
        Ok(None)
    }

    fn find_matches(&self, draft: &ContactDraft) -> Result<ContactMatches, ImportError> {
        let mut found = ContactMatches::default();
        let ids = |kind: IdentityKind, value: &str| -> Result<Vec<ContactId>, ImportError> {
            let ids = self.rows.matching_contacts(kind, value)?;
            Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
        };
        for (kind, value) in draft_identities(draft, self.key.as_ref()) {
            match kind {
                IdentityKind::ContactId => {
                    let id = value.parse().ok();
                    // Contacts that are to be deleted are read by id.
                    let there = self.removes.is_some() || self.rows.has_contact(&value)?;
                    found.by_id = id.filter(|_| there);
                }
                IdentityKind::Email => {
                    found.by_email = ids(kind, &value)?;
                    found.by_other_email = ids(IdentityKind::OtherEmail, &value)?;
                }
                IdentityKind::Phone => {
                    found.by_phone = ids(kind, &value)?;
                    for id in found.by_phone.iter().filter(|id| found.by_id.as_ref() != Some(id)) {
                        let email = self.load_remote_contact(id)?;
                        let email = email.and_then(|remote| {
                            remote.native_field(Field::Email).map(str::to_lowercase)
                        });
                        found.emails.extend(email.map(|email| (id.clone(), email)));
                    }
                }
                _ => found.by_key.extend(ids(kind, &value)?),
            }
        }
        Ok(found)
    }

    /// Names the contacts for messages.
    fn label_contacts(&self, found: &mut ContactMatches) -> Result<(), ImportError> {
        let mut labels = BTreeMap::new();
        for id in found.contact_ids() {
            labels.insert(id.clone(), describe_contact(self.rows, &self.directory.location, id)?);
        }
        found.labels = labels;
        Ok(())
    }

    fn load_remote_contact(&self, id: &ContactId) -> Result<Option<RemoteContact>, ImportError> {
        let Some((body, _)) = self.rows.find_contact(id.as_str())? else { return Ok(None) };
        let remote = serde_json::from_str(&body);
        remote.map(Some).map_err(|error| ImportError::Bug(format!("a contact: {error}")))
    }

    fn load_remote_children(&self, id: &ContactId) -> Result<RemoteChildren, ImportError> {
        let of = |kind| -> Result<Vec<serde_json::Value>, ImportError> {
            let bodies = self.rows.contact_children(kind, id.as_str())?;
            Ok(bodies.iter().filter_map(|body| serde_json::from_str(body).ok()).collect())
        };
        Ok(RemoteChildren { notes: of(ContactPart::Notes)?, tasks: of(ContactPart::Tasks)? })
    }

    fn store_row_plan(
        &self,
        n: u64,
        draft: &ContactDraft,
        planned: RowPlan,
        groups: &mut OrderingGroups,
        ops: &mut OpBuffer,
    ) -> Result<(), ImportError> {
        for it in planned.warnings {
            self.rows.insert_warning(n, &it)?;
        }
        let contact = planned.contact.as_ref().map(ToString::to_string);
        self.rows.put_decision(
            n,
            &RowDecision {
                action: planned.action,
                contact: contact.clone(),
                changes: (!planned.changes.is_empty()).then(|| to_json(&planned.changes)),
                ..RowDecision::default()
            },
        )?;
        if planned.ops.is_empty() {
            return Ok(());
        }
        let (email, phone) = (draft.email_key(), draft.phone_key());
        groups.add_row(
            n,
            [("id", contact.as_deref()), ("email", email.as_deref()), ("phone", phone)],
        );
        for op in planned.ops {
            ops.push(&op_codec::encode_op(&op, ops.next_id()))?;
        }
        Ok(())
    }
}

fn decision_with_reason(action: RowAction, reason: String) -> RowDecision {
    RowDecision { action, reason: Some(reason), ..RowDecision::default() }
}
