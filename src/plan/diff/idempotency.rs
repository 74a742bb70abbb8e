//! How a new contact is kept from being created twice.
//!
//! Where the location rejects duplicates, the server prevents it. Where it allows them, an upsert
//! prevents it as long as no other contact has the values it is matched by; a marker always does. A
//! row with neither is sent at most once, if at all (`ARCHITECTURE.md`, "How nothing is lost or doubled").

use super::RowPlanner;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::IdempotencyClass;
use crate::model::draft::ContactDraft;
use crate::model::policy::NoIdentityRule;
use crate::model::target::Field;
use crate::plan::identity::{ContactAction, is_identity_field, row_rejection};

/// How a contact is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CreateStrategy {
    /// By a create with this idempotency class.
    Create(IdempotencyClass),
    /// By an upsert. Other contacts also have the values of these fields and would be matched by
    /// them, so they are written afterwards, by id.
    Upsert(Vec<Field>),
}

/// Chooses how to create a row's contact.
///
/// # Errors
/// When nothing prevents a duplicate and the policy skips such rows.
pub(super) fn choose_create_strategy(
    planner: &RowPlanner<'_>,
    draft: &ContactDraft,
    action: &ContactAction,
) -> Result<CreateStrategy, Diagnostic> {
    let (taken_email, taken_phone) = match action {
        ContactAction::CreateBeside { email, phone } => (*email, *phone),
        _ => (false, false),
    };
    let current = |field: Field| {
        let text = draft.fields.get(&field).and_then(|value| value.as_str());
        text.is_some_and(|text| !text.is_empty()) && is_identity_field(planner.directory, field)
    };
    let known = [(Field::Email, taken_email), (Field::Phone, taken_phone)];
    let known = known.into_iter().filter(|(field, _)| current(*field));
    let (taken, free): (Vec<_>, Vec<_>) = known.partition(|(_, taken)| *taken);
    let directory = planner.directory;
    let identified = !(taken.is_empty() && free.is_empty());
    if identified && !directory.allows_duplicates {
        return Ok(CreateStrategy::Create(IdempotencyClass::Unique));
    }
    if planner.marker.is_some() {
        return Ok(CreateStrategy::Create(IdempotencyClass::Marked));
    }
    if directory.allows_duplicates && !free.is_empty() {
        return Ok(CreateStrategy::Upsert(taken.into_iter().map(|(field, _)| field).collect()));
    }
    if planner.policy.no_identity == NoIdentityRule::Skip {
        return Err(row_rejection(
            DiagnosticCode::R_NO_IDENTITY,
            Field::Email.name(),
            "the row has no e-mail address or phone number by which the location identifies \
             contacts, so it could be created twice; add one, or set a marker field with \
             `--marker-field`",
        ));
    }
    Ok(CreateStrategy::Create(IdempotencyClass::Once))
}
