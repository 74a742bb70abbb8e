//! Addresses and numbers that several people in a sheet share: families, switchboards, placeholders.
//!
//! A location that takes each of them only once would refuse all but the first of these people. So the shared value is
//! taken from them before they are looked up, if the policy says so.

use super::validate_rows::{draft_identities, to_json};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::import::ImportError;
use crate::model::{ContactDraft, Field, ImportPolicy, SharedValueRule};
use crate::run::{IdentityKind, ImportStore};

/// Takes shared values from people who are not to have them.
pub(super) fn drop_shared_values(
    rows: &ImportStore,
    policy: &ImportPolicy,
    key: Option<&str>,
) -> Result<(), ImportError> {
    let rules = [
        (IdentityKind::Email, Field::Email, policy.on_shared_email),
        (IdentityKind::Phone, Field::Phone, policy.on_shared_phone),
    ];
    for (kind, field, rule) in rules {
        if rule == SharedValueRule::Reject {
            continue;
        }
        for (value, group) in rows.duplicate_values(kind)? {
            let people = load_drafts(rows, &group)?;
            if !people.iter().any(|(_, draft)| is_other_person(&people[0].1, draft, field)) {
                continue;
            }
            let kept = usize::from(rule == SharedValueRule::First);
            for (n, draft) in people.into_iter().skip(kept) {
                drop_value(rows, n, draft, (kind, field, &value), key)?;
            }
        }
    }
    Ok(())
}

/// Whether two rows with the same address or number are about different people: their names or other identities differ.
pub(super) fn is_other_person(one: &ContactDraft, other: &ContactDraft, shared: Field) -> bool {
    let differ = |one: Option<String>, other: Option<String>| {
        one.zip(other).is_some_and(|(one, other)| one != other)
    };
    let phone = |draft: &ContactDraft| draft.phone_key().map(str::to_owned);
    differ(full_name(one), full_name(other))
        || shared != Field::Email && differ(one.email_key(), other.email_key())
        || shared != Field::Phone && differ(phone(one), phone(other))
}

fn full_name(draft: &ContactDraft) -> Option<String> {
    let part = |field| draft.fields.get(&field).and_then(serde_json::Value::as_str);
    let names = [Field::FirstName, Field::LastName, Field::Name].into_iter().filter_map(part);
    let name = names.collect::<Vec<_>>().join(" ").trim().to_lowercase();
    (!name.is_empty()).then_some(name)
}

fn load_drafts(rows: &ImportStore, group: &[u64]) -> Result<Vec<(u64, ContactDraft)>, ImportError> {
    let mut drafts = Vec::with_capacity(group.len());
    for n in group {
        let draft = rows.find_row(*n)?.and_then(|row| row.draft);
        let draft = draft.and_then(|draft| serde_json::from_str(&draft).ok());
        let missing = || ImportError::Bug(format!("row {n} has an address and no draft"));
        drafts.push((*n, draft.ok_or_else(missing)?));
    }
    Ok(drafts)
}

/// Stores a row without a value, with what identifies it then.
fn drop_value(
    rows: &ImportStore,
    n: u64,
    mut draft: ContactDraft,
    (kind, field, value): (IdentityKind, Field, &str),
    key: Option<&str>,
) -> Result<(), ImportError> {
    let old = draft_identities(&draft, key);
    draft.fields.remove(&field);
    let new = draft_identities(&draft, key);
    rows.replace_draft(n, &to_json(&draft))?;
    rows.remove_row_value(kind, value, n)?;
    if let Some((kind, value)) = old.first() {
        rows.remove_row_value(IdentityKind::SameRecord, &kind.qualify(value), n)?;
    }
    if let Some((kind, value)) = new.first() {
        rows.add_row_value(IdentityKind::SameRecord, &kind.qualify(value), n)?;
    }
    let message = format!("`{value}` is also that of other people in the file; it is left out");
    let warning = Diagnostic::new(DiagnosticCode::W_SHARED_VALUE_DROPPED, message);
    Ok(rows.insert_warning(n, &warning.in_field(field.name()))?)
}
