//! The scopes: what there is, what needs them, and what a probe says about each.
//!
//! A missing scope is a 401 like an expired token (api.md §7), so each is probed with a request of
//! its own.

use super::{DoctorCheck, DoctorFailureKind};
use crate::api::{ApiError, ApiErrorKind, ApiProbe};

/// What the user wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopePurpose {
    /// An export of contacts, tasks and notes.
    Export,
    /// An import or its undo.
    Import,
    /// An export `--with appointments`.
    Appointments,
    /// An export by `--business` or `--with businesses`, or an import that names businesses.
    Businesses,
}

impl ScopePurpose {
    /// All purposes.
    pub const ALL: [Self; 4] = [Self::Export, Self::Import, Self::Appointments, Self::Businesses];
}

/// A probe, what needs it, and what happens without it.
pub(super) struct ScopeRequirement {
    pub(super) probe: ApiProbe,
    pub(super) purposes: &'static [ScopePurpose],
    /// Which commands use the scope, and for what.
    pub(super) uses: &'static str,
    /// What happens without it.
    without: &'static str,
}

/// Every scope, in the order of the probes. The first two also show whether token and location are
/// valid.
pub(super) fn scope_requirements() -> Vec<ScopeRequirement> {
    record_requirements().into_iter().chain(list_requirements()).collect()
}

const fn need(
    probe: ApiProbe,
    purposes: &'static [ScopePurpose],
    uses: &'static str,
    without: &'static str,
) -> ScopeRequirement {
    ScopeRequirement { probe, purposes, uses, without }
}

/// The scopes for the location, its contacts and what is attached to them.
fn record_requirements() -> [ScopeRequirement; 5] {
    use ScopePurpose::{Appointments, Businesses, Export, Import};
    [
        need(
            ApiProbe::Location,
            &[Export, Import],
            "`export` (the location's name), `import`, `undo` (its settings)",
            "imports stop before anything is sent; exports lack the location's name",
        ),
        need(
            ApiProbe::Contacts,
            &[Export, Import, Appointments, Businesses],
            "`export`, `import`, `undo` (contacts, notes and tasks of a contact)",
            "nothing works",
        ),
        need(
            ApiProbe::ContactsWrite,
            &[Import],
            "`import`, `undo` (contacts, tags, notes, tasks)",
            "nothing can be written",
        ),
        need(
            ApiProbe::Tasks,
            &[Export, Import],
            "`export` (tasks), `import` (existing tasks)",
            "exports read tasks contact by contact, a request for each; imports with tasks stop",
        ),
        need(
            ApiProbe::Notes,
            &[Export],
            "`export` (notes of many contacts per request)",
            "exports read notes contact by contact, a request for each: 100,000 instead of about 2,000 for 100,000 \
             contacts",
        ),
    ]
}

/// The scopes for the lists of the location.
fn list_requirements() -> [ScopeRequirement; 6] {
    use ScopePurpose::{Appointments, Businesses, Export, Import};
    [
        need(
            ApiProbe::CustomFields,
            &[Export, Import],
            "`export`, `import`, `map` (custom fields by name)",
            "imports stop before anything is sent; exports lack the definitions",
        ),
        need(ApiProbe::Tags, &[Export], "`export` (the table of tags)", "that table stays empty"),
        need(
            ApiProbe::Users,
            &[Export, Import],
            "`export` (the table of users), `import` (assigned users)",
            "that table stays empty, and imports that name users stop",
        ),
        need(
            ApiProbe::Businesses,
            &[Businesses],
            "`export --business NAME`, `export --with businesses`, `import` (businesses by name)",
            "businesses can be given by id only, and their table stays empty",
        ),
        need(
            ApiProbe::Calendars,
            &[Appointments],
            "`export --with appointments`",
            "appointments cannot be read",
        ),
        need(
            ApiProbe::CalendarEvents(None),
            &[Appointments],
            "`export --with appointments`",
            "appointments are read contact by contact, a request for each",
        ),
    ]
}

impl ScopeRequirement {
    pub(super) fn check_id(&self) -> String {
        format!("scope:{}", self.probe.required_scope())
    }

    /// The check for a probe's result.
    pub(super) fn check_scope(&self, error: Option<&ApiError>) -> DoctorCheck {
        let (scope, uses) = (self.probe.required_scope(), self.uses);
        let Some(error) = error else {
            return DoctorCheck::ok(self.check_id(), format!("`{scope}` is granted: for {uses}"));
        };
        let failure = |blame, what: String| DoctorCheck::failure(self.check_id(), blame, what);
        match error.kind {
            ApiErrorKind::Scope => failure(
                DoctorFailureKind::Access,
                format!("the token lacks `{scope}`, which is for {uses}: {}", self.without),
            )
            .with_hint(
                "add the scope under Settings > Private Integrations (the token stays the same), or to the \
                 OAuth app, which must then be installed again",
            ),
            ApiErrorKind::Location | ApiErrorKind::Refused if error.status == Some(403) => failure(
                DoctorFailureKind::Access,
                format!("`{scope}`: the token may not do this here ({})", error.message),
            )
            .with_hint("the user or the agency behind the token may lack the right; make a token in the location itself"),
            ApiErrorKind::Gone | ApiErrorKind::Refused | ApiErrorKind::TooLarge => {
                let status = error.status.unwrap_or_default();
                let what = format!("`{scope}` is unknown: {status}: {}", error.message);
                DoctorCheck::warning(self.check_id(), what).with_hint("`-v` shows requests and responses")
            }
            _ => failure(DoctorFailureKind::Environment, format!("`{scope}` is unknown: {error}"))
                .with_hint("try again later"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_asked_for_once_and_every_purpose_has_one() {
        let needs = scope_requirements();
        let mut scopes: Vec<_> = needs.iter().map(|need| need.probe.required_scope()).collect();
        scopes.sort_unstable();
        scopes.dedup();
        assert_eq!(scopes.len(), needs.len());
        for purpose in ScopePurpose::ALL {
            assert!(needs.iter().any(|need| need.purposes.contains(&purpose)), "{purpose:?}");
        }
    }
}
