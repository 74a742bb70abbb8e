//! Addresses and numbers that several people in a sheet share: families, switchboards, placeholders.
//!
//! A location that takes each of them only once would refuse all but the first of these people. So the shared value is
//! taken from them before they are looked up, if the policy says so.

use super::validate_rows::{draft_identities, parse_draft, to_json};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::import::ImportError;
use crate::model::{ContactDraft, Field, ImportPolicy, MatchKey, SharedValueRule};
use crate::run::{IdentityKind, ImportStore};

/// Takes shared values from people who are not to have them.
pub(super) fn drop_shared_values(
    rows: &ImportStore,
    policy: &ImportPolicy,
    key: Option<&MatchKey>,
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
            let Some((first, others)) = group.split_first() else { continue };
            let leading = load_draft(rows, *first)?;
            let mut other_people = Vec::new();
            for n in others {
                if is_other_person(&leading, &load_draft(rows, *n)?, field) {
                    other_people.push(*n);
                }
            }
            // A person who is repeated keeps the value, by which the rows are recognised as duplicates.
            let without = match rule {
                SharedValueRule::DropValue if !other_people.is_empty() => group,
                _ => other_people,
            };
            for n in without {
                drop_value(rows, n, (kind, field, &value), key)?;
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

/// The name of a row's person in lower case; `None` if it has none.
pub(super) fn full_name(draft: &ContactDraft) -> Option<String> {
    let part = |field| draft.fields.get(&field).and_then(serde_json::Value::as_str);
    let names = [Field::FirstName, Field::LastName, Field::Name].into_iter().filter_map(part);
    let name = names.collect::<Vec<_>>().join(" ").trim().to_lowercase();
    (!name.is_empty()).then_some(name)
}

fn load_draft(rows: &ImportStore, n: u64) -> Result<ContactDraft, ImportError> {
    let draft = rows.find_row(n)?.and_then(|row| row.draft);
    let missing = || ImportError::Bug(format!("row {n} has an address and no draft"));
    parse_draft(&draft.ok_or_else(missing)?)
}

/// Stores a row without a value, with what identifies it then.
fn drop_value(
    rows: &ImportStore,
    n: u64,
    (kind, field, value): (IdentityKind, Field, &str),
    key: Option<&MatchKey>,
) -> Result<(), ImportError> {
    let mut draft = load_draft(rows, n)?;
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
