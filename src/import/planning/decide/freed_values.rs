//! Rows that need an address or number which another row of the file frees.
//!
//! A contact has the value, and another row gives that contact another one, or none. So the row is decided after all
//! others, and written after the one that frees the value. What cannot be ordered is rejected with the reason: rows that
//! exchange values, a freeing row that is rejected itself, and rows that could as well be about the contact that loses
//! the value, which must not be merged into it.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use super::RowDecider;
use super::duplicates::DuplicateRole;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::id::ContactId;
use crate::import::ImportError;
use crate::import::planning::op_buffer::OpBuffer;
use crate::import::planning::ordering_groups::OrderingGroups;
use crate::import::planning::shared_values;
use crate::import::planning::validate_rows::{parse_draft, rejection_decision};
use crate::import::stored_contact::describe_contact;
use crate::model::{ContactDraft, Field, IdentityKey, ImportMode};
use crate::plan::diff::FieldChange;
use crate::plan::identity::{self, ContactMatches};
use crate::run::{IdentityKind, RowAction, RowMark, StoredRow};

/// The rejections of rows whose value another contact has.
const TAKEN: [DiagnosticCode; 3] = [
    DiagnosticCode::R_TWO_CONTACTS,
    DiagnosticCode::R_EMAIL_OF_ANOTHER,
    DiagnosticCode::R_PHONE_OF_ANOTHER,
];
/// How many rows of an exchange are looked at.
const LONGEST_CYCLE: usize = 1_000;

/// A value of a row that a contact has to which other rows give another one.
struct OwnedValue {
    field: Field,
    value: String,
    owner: ContactId,
    /// The rows that give the owner another value.
    freeing: Vec<u64>,
}

/// Why a row must not be decided yet.
enum WaitReason {
    /// Another contact than its own has the value.
    Taken,
    /// It matches this contact by nothing but values that other rows take from it.
    Match(ContactId),
}

/// The rows that are decided after all others.
#[derive(Default)]
struct WaitingRows {
    open: BTreeSet<u64>,
    /// For each row, the rows that can free its values.
    needs: HashMap<u64, Vec<u64>>,
    /// The rows that wait for a row.
    dependents: HashMap<u64, Vec<u64>>,
    /// Freed values that a row has got.
    claimed: HashSet<(Field, String)>,
}

impl RowDecider<'_> {
    /// Whether a row is to be decided after the others.
    pub(super) fn must_wait(
        &self,
        n: u64,
        draft: &ContactDraft,
        found: &ContactMatches,
    ) -> Result<bool, ImportError> {
        let writes = matches!(
            self.policy.mode,
            ImportMode::Upsert | ImportMode::Create | ImportMode::Update
        );
        if !writes || self.children_only || identity::has_only_children(draft) {
            return Ok(false);
        }
        let owned = self.owned_values(n, draft, found)?;
        Ok(self.wait_reason(draft, found, &owned).is_some())
    }

    /// Decides on the rows that wait: each as soon as its values are free.
    pub(super) fn decide_waiting_rows(
        &self,
        rows: Vec<u64>,
        roles: &HashMap<u64, DuplicateRole>,
        groups: &mut OrderingGroups,
        ops: &mut OpBuffer,
    ) -> Result<(), ImportError> {
        let mut waiting =
            WaitingRows { open: rows.iter().copied().collect(), ..WaitingRows::default() };
        for n in &rows {
            let (_, draft) = self.load_waiting(*n, roles)?;
            let owned = self.owned_values(*n, &draft, &self.find_matches(&draft)?)?;
            let needs: Vec<u64> = owned.iter().flat_map(|it| it.freeing.iter().copied()).collect();
            for need in needs.iter().filter(|need| waiting.open.contains(need)) {
                waiting.dependents.entry(*need).or_default().push(*n);
            }
            waiting.needs.insert(*n, needs);
        }
        let mut queue = VecDeque::from(rows);
        while let Some(n) = queue.pop_front().filter(|_| !waiting.open.is_empty()) {
            if !waiting.open.contains(&n) {
                continue;
            }
            let (row, draft) = self.load_waiting(n, roles)?;
            let Some((found, before)) = self.take_freed_values(n, &draft, &mut waiting)? else {
                continue;
            };
            waiting.open.remove(&n);
            let mut planned = self.plan_draft(&row, &draft, found)?;
            if let Ok(planned) = &mut planned {
                for freeing in &before {
                    groups.join_rows(*freeing, n);
                    self.rows.add_row_value(RowMark::WrittenBefore, &freeing.to_string(), n)?;
                }
                planned.ops.iter_mut().for_each(|op| op.after.clone_from(&before));
            }
            self.store_planned_row(n, &draft, planned, groups, ops)?;
            queue.extend(waiting.dependents.remove(&n).unwrap_or_default());
        }
        for n in waiting.open.iter().copied() {
            let (_, draft) = self.load_waiting(n, roles)?;
            let rejection = self.reject_waiting(n, &draft, &waiting)?;
            self.excuse_unknown_names(draft.unread.iter());
            self.rows.put_decision(n, &rejection_decision(vec![rejection]))?;
        }
        Ok(())
    }

    fn load_waiting(
        &self,
        n: u64,
        roles: &HashMap<u64, DuplicateRole>,
    ) -> Result<(StoredRow, ContactDraft), ImportError> {
        let missing = || ImportError::Bug(format!("row {n} waits and has no draft"));
        let row = self.rows.find_row(n)?.ok_or_else(missing)?;
        let mut draft = parse_draft(row.draft.as_deref().ok_or_else(missing)?)?;
        if let Some(DuplicateRole::Leader(others)) = roles.get(&n) {
            self.merge_duplicates(&mut draft, others)?;
        }
        Ok((row, draft))
    }

    /// The matches of a row without the contacts that rows before it take its values from, and these rows; `None` if it
    /// still has to wait.
    fn take_freed_values(
        &self,
        n: u64,
        draft: &ContactDraft,
        waiting: &mut WaitingRows,
    ) -> Result<Option<(ContactMatches, Vec<u64>)>, ImportError> {
        let mut found = self.find_matches(draft)?;
        let owned = self.owned_values(n, draft, &found)?;
        if let Some(WaitReason::Match(contact)) = self.wait_reason(draft, &found, &owned)
            && !self.is_surely_another(draft, &contact)?
        {
            return Ok(None);
        }
        let (mut before, mut claims) = (Vec::new(), Vec::new());
        for it in &owned {
            let Some(freeing) = self.freed_by(it)? else { continue };
            if it.field == Field::Email {
                found.by_email.retain(|id| *id != it.owner);
            } else {
                found.by_phone.retain(|id| *id != it.owner);
            }
            if !before.contains(&freeing) {
                before.push(freeing);
            }
            claims.push((it.field, it.value.clone()));
        }
        let left = self.owned_values(n, draft, &found)?;
        let is_ready = !before.is_empty()
            && self.wait_reason(draft, &found, &left).is_none()
            && identity::resolve_contact(draft, &found, self.policy, self.directory).is_ok()
            && !claims.iter().any(|claim| waiting.claimed.contains(claim));
        if !is_ready {
            return Ok(None);
        }
        waiting.claimed.extend(claims);
        Ok(Some((found, before)))
    }

    /// The values of a row that contacts other than its own have, and that other rows take from them.
    fn owned_values(
        &self,
        n: u64,
        draft: &ContactDraft,
        found: &ContactMatches,
    ) -> Result<Vec<OwnedValue>, ImportError> {
        let own = found.by_id.as_ref().or(found.by_key.first());
        let phone = draft.phone_key().map(str::to_owned);
        let mut owned = Vec::new();
        for (field, value, owners) in [
            (Field::Email, draft.email_key(), &found.by_email),
            (Field::Phone, phone, &found.by_phone),
        ] {
            let Some(value) = value else { continue };
            for owner in owners.iter().filter(|owner| own != Some(*owner)) {
                let freeing = self.freeing_rows(n, field, &value, owner, found)?;
                if !freeing.is_empty() {
                    owned.push(OwnedValue {
                        field,
                        value: value.clone(),
                        owner: owner.clone(),
                        freeing,
                    });
                }
            }
        }
        Ok(owned)
    }

    /// The rows other than `n` that are about a contact and give it another value than this.
    fn freeing_rows(
        &self,
        n: u64,
        field: Field,
        value: &str,
        owner: &ContactId,
        found: &ContactMatches,
    ) -> Result<Vec<u64>, ImportError> {
        let mut rows = self.rows.rows_with_value(IdentityKind::ContactId, owner.as_str())?;
        if let Some(key) = &self.key
            && let Some(remote) = self.load_remote_contact(owner)?
            && let Some(known) = key.value_in_contact(&remote)
        {
            rows.extend(self.rows.rows_with_value(IdentityKind::KeyField, &known)?);
        }
        if let (Field::Phone, Some(email)) = (field, found.emails.get(owner)) {
            rows.extend(self.rows.rows_with_value(IdentityKind::Email, email)?);
        }
        let mut freeing = Vec::new();
        for row in rows.into_iter().filter(|row| *row != n) {
            let draft = self.rows.find_row(row)?.and_then(|row| row.draft);
            let Some(draft) = draft.as_deref().map(parse_draft).transpose()? else { continue };
            let given = match field {
                Field::Email => draft.email_key(),
                _ => draft.phone_key().map(str::to_owned),
            };
            if draft.fields.contains_key(&field) && given.as_deref() != Some(value) {
                freeing.push(row);
            }
        }
        Ok(freeing)
    }

    /// The row whose plan takes a value from its owner.
    fn freed_by(&self, owned: &OwnedValue) -> Result<Option<u64>, ImportError> {
        for row in &owned.freeing {
            let Some(decision) = self.rows.find_decision(*row)? else { continue };
            let is_update = decision.action == RowAction::Update
                && decision.contact.as_deref() == Some(owned.owner.as_str());
            let changes = decision.changes.filter(|_| is_update).unwrap_or_default();
            let changes: Vec<FieldChange> = serde_json::from_str(&changes).unwrap_or_default();
            if changes.iter().any(|it| it.field == owned.field.name() && !it.old.is_empty()) {
                return Ok(Some(*row));
            }
        }
        Ok(None)
    }

    /// Why a row has to wait for the rows that take these values from their owners.
    fn wait_reason(
        &self,
        draft: &ContactDraft,
        found: &ContactMatches,
        owned: &[OwnedValue],
    ) -> Option<WaitReason> {
        if owned.is_empty() {
            return None;
        }
        match identity::resolve_contact(draft, found, self.policy, self.directory) {
            Err(rejection) => TAKEN.contains(&rejection.code).then_some(WaitReason::Taken),
            Ok(Some(contact)) => {
                let named = draft.contact.is_some() || self.policy.key != IdentityKey::Usual;
                let creates = matches!(self.policy.mode, ImportMode::Upsert | ImportMode::Create);
                let matched = [(Field::Email, &found.by_email), (Field::Phone, &found.by_phone)];
                let mut matched = matched.iter().filter(|(_, ids)| ids.contains(&contact));
                let only_by_these = matched.all(|(field, _)| {
                    owned.iter().any(|it| it.field == *field && it.owner == contact)
                });
                (!named && creates && only_by_these).then_some(WaitReason::Match(contact))
            }
            Ok(None) => None,
        }
    }

    /// Whether a row is about another person than the contact that it matches, and the location keeps the two apart:
    /// where it allows duplicates, a late answer of its index could merge them.
    fn is_surely_another(
        &self,
        draft: &ContactDraft,
        contact: &ContactId,
    ) -> Result<bool, ImportError> {
        let Some(remote) = self.load_remote_contact(contact)? else { return Ok(false) };
        let (one, other) = (shared_values::full_name(draft), remote.full_name());
        let other = other.trim().to_lowercase();
        let differs = one.is_some_and(|one| !other.is_empty() && one != other);
        Ok(differs && !self.directory.allows_duplicates)
    }

    /// Why a row that waits is not imported.
    fn reject_waiting(
        &self,
        n: u64,
        draft: &ContactDraft,
        waiting: &WaitingRows,
    ) -> Result<Diagnostic, ImportError> {
        let found = self.find_matches(draft)?;
        let owned = self.owned_values(n, draft, &found)?;
        let Some(first) = owned.first() else {
            return Err(ImportError::Bug(format!("row {n} waits for nothing")));
        };
        if let Some(cycle) = waiting.cycle_of(n) {
            let message = format!(
                "{} exchange their e-mail addresses or phone numbers, and the location takes each only once, so no \
                 order of writes can do it; give one of the contacts another value first, then import the rejected \
                 rows again",
                self.name_rows(&cycle)?
            );
            let swap = Diagnostic::new(DiagnosticCode::R_VALUE_SWAP, message);
            return Ok(swap.in_field(first.field.name()));
        }
        let what = if first.field == Field::Phone { "phone number" } else { "e-mail address" };
        let who = describe_contact(self.rows, &self.directory.location, &first.owner)?;
        let mut freed = Vec::new();
        for it in &owned {
            freed.extend(self.freed_by(it)?);
        }
        let message = match self.wait_reason(draft, &found, &owned) {
            Some(WaitReason::Match(_)) => format!(
                "the {what} is that of {who}, but {} gives that contact another one, so this row may be about another \
                 person; import the rejected rows again after this import, and it creates a contact, or give the row \
                 the contact's id",
                self.name_rows(&first.freeing)?
            ),
            _ if freed.is_empty() => format!(
                "the {what} belongs to {who}; {} gives that contact another one, but is rejected itself; correct it, \
                 import the rejected rows again, and this row is written after it",
                self.name_rows(&first.freeing)?
            ),
            _ => format!(
                "the {what} belongs to {who}; {} gives that contact another one, but another row needs the value, too, \
                 or this row needs another value that is not freed",
                self.name_rows(&freed)?
            ),
        };
        let rejection = Diagnostic::new(DiagnosticCode::R_NOT_FREED, message);
        Ok(rejection.in_field(first.field.name()))
    }

    /// `record 3 (line 4) and record 5 (line 6)`.
    fn name_rows(&self, rows: &[u64]) -> Result<String, ImportError> {
        let mut names = Vec::new();
        for n in rows.iter().take(5) {
            let line = self.rows.find_row(*n)?.map_or(0, |row| row.line);
            names.push(format!("record {n} (line {line})"));
        }
        Ok(match rows.len() - names.len() {
            0 => names.join(" and "),
            more => format!("{} and {more} more", names.join(", ")),
        })
    }
}

impl WaitingRows {
    /// The rows that wait for each other in a circle with this one.
    fn cycle_of(&self, n: u64) -> Option<Vec<u64>> {
        let mut path = vec![n];
        while path.len() < LONGEST_CYCLE {
            let needs = self.needs.get(path.last()?)?;
            if needs.contains(&n) {
                path.sort_unstable();
                return Some(path);
            }
            let next = needs.iter().find(|it| self.open.contains(it) && !path.contains(it))?;
            path.push(*next);
        }
        None
    }
}
