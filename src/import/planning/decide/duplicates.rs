//! Rows of one file that are about the same contact: one is used, and the others are rejected, merged into it or
//! superseded.

use std::collections::HashMap;

use super::RowDecider;
use super::decision_with_reason;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::import::ImportError;
use crate::import::planning::validate_rows::{parse_draft, rejection_decision};
use crate::import::planning::{merge_rows, shared_values};
use crate::model::{ContactDraft, DuplicateRule, Field};
use crate::run::{IdentityKind, RowAction, RowDecision};

/// The role of a row among the rows that refer to the same contact.
pub(super) enum DuplicateRole {
    /// The row that is used, with the drafts of the others if they are merged.
    Leader(Vec<u64>),
    /// Another row is used.
    Follower { leader: u64, line: u64 },
}

impl RowDecider<'_> {
    /// Groups the rows that are duplicates of others.
    pub(super) fn duplicate_roles(&self) -> Result<HashMap<u64, DuplicateRole>, ImportError> {
        let mut roles = HashMap::new();
        for (_, group) in self.rows.duplicate_values(IdentityKind::SameRecord)? {
            let last = self.policy.on_duplicate == DuplicateRule::Last;
            let leader = if last { group.last() } else { group.first() };
            let Some(leader) = leader.copied() else { continue };
            let line = self.rows.find_row(leader)?.map_or(0, |row| row.line);
            let mut others: Vec<u64> = group.iter().copied().filter(|n| *n != leader).collect();
            if last {
                // The later row is used, also within the group.
                others.reverse();
            }
            for other in &others {
                roles.insert(*other, DuplicateRole::Follower { leader, line });
            }
            roles.insert(leader, DuplicateRole::Leader(others));
        }
        Ok(roles)
    }

    /// Decides on a row whose contact another row is about, too.
    pub(super) fn decide_duplicate(
        &self,
        draft: &ContactDraft,
        leader: u64,
        line: u64,
    ) -> Result<RowDecision, ImportError> {
        let place = format!("record {leader} (line {line})");
        Ok(match self.policy.on_duplicate {
            DuplicateRule::Reject => {
                let what = match draft {
                    _ if self.children_only => "note or task id",
                    ContactDraft { contact: Some(_), .. } => "contact id",
                    draft if draft.email_key().is_some() => "e-mail address",
                    _ => "phone number",
                };
                let message = match self.shared_identity(draft, leader)? {
                    Some(flag) => format!(
                        "it has the same {what} as {place} and another name or number, so it may be another \
                         person; `{flag} first` imports both, this one without it, and `{flag} drop-value` all \
                         such people without it"
                    ),
                    None => format!(
                        "it has the same {what} as {place}; `--on-duplicate` sets what else to do with such rows"
                    ),
                };
                let duplicate = Diagnostic::new(DiagnosticCode::R_DUPLICATE_IN_FILE, message);
                rejection_decision(vec![duplicate.in_field(what)])
            }
            DuplicateRule::Merge | DuplicateRule::Last => RowDecision {
                merged_into: Some(leader),
                ..decision_with_reason(RowAction::Merged, format!("merged into {place}"))
            },
            DuplicateRule::First => {
                decision_with_reason(RowAction::Superseded, format!("{place} is used instead"))
            }
        })
    }

    /// If a row and the leader of its duplicates are about different people: the flag for the value that they share.
    fn shared_identity(
        &self,
        draft: &ContactDraft,
        leader: u64,
    ) -> Result<Option<&'static str>, ImportError> {
        if self.children_only || draft.contact.is_some() {
            return Ok(None);
        }
        let Some(leading) = self.rows.find_row(leader)?.and_then(|row| row.draft) else {
            return Ok(None);
        };
        let leading = parse_draft(&leading)?;
        let (field, flag) = match draft.email_key() {
            Some(_) => (Field::Email, "--on-shared-email"),
            None => (Field::Phone, "--on-shared-phone"),
        };
        Ok(shared_values::is_other_person(&leading, draft, field).then_some(flag))
    }

    /// Adds to a draft what the other rows of the same contact have.
    pub(super) fn merge_duplicates(
        &self,
        draft: &mut ContactDraft,
        others: &[u64],
    ) -> Result<(), ImportError> {
        let join = match self.policy.on_duplicate {
            DuplicateRule::Reject | DuplicateRule::First => return Ok(()),
            DuplicateRule::Merge => merge_rows::merge_filling_cleared,
            DuplicateRule::Last => merge_rows::merge_keeping_cleared,
        };
        for other in others {
            let Some(other) = self.rows.find_row(*other)?.and_then(|row| row.draft) else {
                continue;
            };
            join(draft, parse_draft(&other)?);
        }
        Ok(())
    }
}
