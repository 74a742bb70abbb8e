//! Tokens: what each may do, told by its text alone.
//!
//! | token | may |
//! | --- | --- |
//! | `pit-sandbox-full` | everything, everywhere |
//! | `pit-sandbox-without:SCOPE,SCOPE` | everything but these scopes |
//! | `pit-sandbox-only:SCOPE,SCOPE` | nothing but these scopes |
//! | `pit-sandbox-location:ID` | everything in that location |
//!
//! So a test asks for the refusal it wants without setting anything up.

use super::TOKEN;
use super::answer::Refusal;

/// The scopes that the routes ask for.
pub(super) mod scope {
    pub(in super::super) const CONTACTS_READ: &str = "contacts.readonly";
    pub(in super::super) const CONTACTS_WRITE: &str = "contacts.write";
    pub(in super::super) const LOCATION_READ: &str = "locations.readonly";
    pub(in super::super) const TASKS_READ: &str = "locations/tasks.readonly";
    pub(in super::super) const TAGS_READ: &str = "locations/tags.readonly";
    pub(in super::super) const FIELDS_READ: &str = "locations/customFields.readonly";
    pub(in super::super) const USERS_READ: &str = "users.readonly";
    pub(in super::super) const BUSINESSES_READ: &str = "businesses.readonly";
    pub(in super::super) const CALENDARS_READ: &str = "calendars.readonly";
    pub(in super::super) const EVENTS_READ: &str = "calendars/events.readonly";
}

/// What the holder of a token may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Grant<'a> {
    Everything,
    Without(&'a str),
    Only(&'a str),
    Location(&'a str),
}

impl<'a> Grant<'a> {
    /// Reads a token.
    pub(super) fn of(token: Option<&'a str>) -> Result<Self, Refusal> {
        let Some(token) = token else {
            return Err(Refusal::unauthorized("Invalid token: access token is invalid"));
        };
        if token == TOKEN {
            return Ok(Self::Everything);
        }
        let kinds = [
            ("pit-sandbox-without:", Self::Without as fn(&'a str) -> Self),
            ("pit-sandbox-only:", Self::Only),
            ("pit-sandbox-location:", Self::Location),
        ];
        for (prefix, kind) in kinds {
            if let Some(rest) = token.strip_prefix(prefix) {
                return Ok(kind(rest));
            }
        }
        Err(Refusal::unauthorized(if token.starts_with("pit-") {
            "Invalid Private Integration token"
        } else {
            "Invalid token: access token is invalid"
        }))
    }

    /// Refuses what needs a scope that the token lacks, with 401 as the service does.
    pub(super) fn needs(&self, scope: &str) -> Result<(), Refusal> {
        let listed = |list: &str| list.split(',').any(|one| one == scope);
        let granted = match self {
            Self::Everything | Self::Location(_) => true,
            Self::Without(list) => !listed(list),
            Self::Only(list) => listed(list),
        };
        if granted {
            return Ok(());
        }
        Err(Refusal::unauthorized("The token is not authorized for this scope."))
    }

    pub(super) fn reaches(&self, location: &str) -> bool {
        !matches!(self, Self::Location(own) if *own != location)
    }
}
