//! One phone number in rows about different people: what the location would make of it.

use std::collections::{BTreeSet, HashMap};

use super::RowDecider;
use super::duplicates::DuplicateRole;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::import::ImportError;
use crate::import::planning::validate_rows::rejection_decision;
use crate::model::{ContactDraft, Field};
use crate::plan::identity::ContactAction;
use crate::run::{IdentityKind, RowDecision};

impl RowDecider<'_> {
    /// The rejection of a new contact whose phone number an earlier row has, in a location that takes it only once.
    pub(super) fn reject_shared_phone(
        &self,
        n: u64,
        draft: &ContactDraft,
        action: &ContactAction,
    ) -> Result<Option<RowDecision>, ImportError> {
        let takes_once = !self.directory.allows_duplicates
            && self.directory.unique.iter().any(|field| field == Field::Phone.name());
        let (ContactAction::Create, Some(phone), true) = (action, draft.phone_key(), takes_once)
        else {
            return Ok(None);
        };
        let Some(first) = self.rows.earlier_row_with_phone(phone, n)? else { return Ok(None) };
        let line = self.rows.find_row(first)?.map_or(0, |row| row.line);
        let message = format!(
            "record {first} (line {line}) has the same phone number, and the location takes it only once; \
             `--on-shared-phone first` imports this person without it, and `drop-value` all such people"
        );
        let rejection = Diagnostic::new(DiagnosticCode::R_SHARED_PHONE, message).in_field("phone");
        Ok(Some(rejection_decision(vec![rejection])))
    }

    /// Warns of one phone number in rows for different people: the location may take them for one contact.
    pub(super) fn warn_of_shared_phones(
        &self,
        roles: &HashMap<u64, DuplicateRole>,
    ) -> Result<(), ImportError> {
        if self.children_only {
            return Ok(());
        }
        for (phone, group) in self.rows.duplicate_values(IdentityKind::Phone)? {
            let group: BTreeSet<u64> = group
                .into_iter()
                .filter(|n| !matches!(roles.get(n), Some(DuplicateRole::Follower { .. })))
                .collect();
            let named: Vec<_> = group.iter().map(|n| format!("record {n}")).take(5).collect();
            for n in group.iter().filter(|_| group.len() > 1) {
                let message = format!(
                    "the phone number {phone} is in {}; a location that identifies contacts by phone treats them as one",
                    named.join(", ")
                );
                let shared =
                    Diagnostic::new(DiagnosticCode::W_SHARED_PHONE, message).in_field("phone");
                self.rows.insert_warning(*n, &shared)?;
            }
        }
        Ok(())
    }

    /// In a location that allows duplicates, the API would find the contact of an earlier row by the phone
    /// number that the two share, and overwrite it with this row.
    pub(super) fn avoid_phone_of_earlier_row(
        &self,
        n: u64,
        draft: &ContactDraft,
        action: ContactAction,
    ) -> Result<ContactAction, ImportError> {
        let (ContactAction::Create, Some(_), Some(phone)) =
            (&action, draft.email_key(), draft.phone_key())
        else {
            return Ok(action);
        };
        let shared = self.directory.allows_duplicates
            && self.rows.earlier_row_with_phone(phone, n)?.is_some();
        Ok(if shared { ContactAction::CreateBeside { email: false, phone: true } } else { action })
    }
}
