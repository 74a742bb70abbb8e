//! How a new contact is kept from being created twice.
//!
//! Where the location refuses duplicates, the server does it. Where it allows them, an upsert does, as long
//! as what it is matched by belongs to no other contact; a marker does in any case. A row with neither is sent
//! at most once, if at all (`ARCHITECTURE.md`, "How nothing is lost or doubled").

use super::RowPlanner;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::IdempotencyClass;
use crate::model::draft::ContactDraft;
use crate::model::policy::NoIdentityRule;
use crate::model::target::Field;
use crate::plan::identity::{ContactAction, is_identity_field, row_rejection};

/// The way in which a contact is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CreateStrategy {
    /// By a create of this class.
    Create(IdempotencyClass),
    /// By an upsert. These fields belong to others too, who would be found by them: they are written
    /// afterwards, by id.
    Upsert(Vec<Field>),
}

/// The way for a row.
///
/// # Errors
/// When nothing keeps the contact from being created twice and such rows are to be set aside.
pub(super) fn choose_create_strategy(
    planner: &RowPlanner<'_>,
    draft: &ContactDraft,
    action: &ContactAction,
) -> Result<CreateStrategy, Diagnostic> {
    let (taken_email, taken_phone) = match action {
        ContactAction::CreateBeside { email, phone } => (*email, *phone),
        _ => (false, false),
    };
    let there = |field: Field| {
        let text = draft.fields.get(&field).and_then(|value| value.as_str());
        text.is_some_and(|text| !text.is_empty()) && is_identity_field(planner.directory, field)
    };
    let known = [(Field::Email, taken_email), (Field::Phone, taken_phone)];
    let known = known.into_iter().filter(|(field, _)| there(*field));
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
