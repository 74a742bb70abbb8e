//! Tokens and their permissions. The permissions of the fixed tokens follow from their text.
//!
//! | token | may |
//! | --- | --- |
//! | `pit-sandbox-full` | everything, everywhere |
//! | `pit-sandbox-without:SCOPE,SCOPE` | everything but these scopes |
//! | `pit-sandbox-only:SCOPE,SCOPE` | nothing but these scopes |
//! | `pit-sandbox-location:ID` | everything in that location |
//! | `pit-sandbox-company` | what an agency's private integration may: read locations |
//!
//! So a test can request the refusal it wants without any setup. All other tokens were issued by
//! the OAuth routes, which know them. No private integration has the `oauth` scopes.

use super::response::EndpointError;
use crate::sandbox::TOKEN;
use crate::sandbox::oauth::{IssuedToken, TokenPrincipal};

/// The scopes that the routes require.
pub(crate) mod scope {
    pub(in crate::sandbox) const CONTACTS_READ: &str = "contacts.readonly";
    pub(in crate::sandbox) const CONTACTS_WRITE: &str = "contacts.write";
    pub(in crate::sandbox) const NOTES_READ: &str = "notes.readonly";
    pub(in crate::sandbox) const NOTES_WRITE: &str = "notes.write";
    pub(in crate::sandbox) const TAGS_WRITE: &str = "locations/tags.write";
    pub(in crate::sandbox) const FIELDS_WRITE: &str = "locations/customFields.write";
    pub(in crate::sandbox) const LOCATION_READ: &str = "locations.readonly";
    pub(in crate::sandbox) const TASKS_READ: &str = "locations/tasks.readonly";
    pub(in crate::sandbox) const TAGS_READ: &str = "locations/tags.readonly";
    pub(in crate::sandbox) const FIELDS_READ: &str = "locations/customFields.readonly";
    pub(in crate::sandbox) const USERS_READ: &str = "users.readonly";
    pub(in crate::sandbox) const BUSINESSES_READ: &str = "businesses.readonly";
    pub(in crate::sandbox) const CALENDARS_READ: &str = "calendars.readonly";
    pub(in crate::sandbox) const EVENTS_READ: &str = "calendars/events.readonly";
    pub(in crate::sandbox) const OAUTH_READ: &str = "oauth.readonly";
    pub(in crate::sandbox) const OAUTH_WRITE: &str = "oauth.write";
}

/// The scopes that an agency can give to a private integration, among those that the routes
/// require.
const AGENCY_SCOPES: [&str; 2] = [scope::LOCATION_READ, scope::USERS_READ];

/// Whose tokens a route accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenAudience {
    /// A location's.
    Location,
    /// A location's or an agency's.
    Either,
    /// An agency's from OAuth.
    Agency,
}

/// What a token permits.
#[derive(Debug, Clone)]
pub(crate) enum AccessGrant<'a> {
    Everything,
    Without(&'a str),
    Only(&'a str),
    Location(&'a str),
    /// An agency's private integration.
    Company,
    /// A valid OAuth access token.
    Issued(&'a IssuedToken),
}

impl<'a> AccessGrant<'a> {
    /// Parses a private integration's token; None for any other text.
    pub(crate) fn from_private_token(token: &'a str) -> Option<Result<Self, EndpointError>> {
        match token {
            TOKEN => return Some(Ok(Self::Everything)),
            "pit-sandbox-company" => return Some(Ok(Self::Company)),
            _ => {}
        }
        let kinds = [
            ("pit-sandbox-without:", Self::Without as fn(&'a str) -> Self),
            ("pit-sandbox-only:", Self::Only),
            ("pit-sandbox-location:", Self::Location),
        ];
        for (prefix, kind) in kinds {
            if let Some(rest) = token.strip_prefix(prefix) {
                return Some(Ok(kind(rest)));
            }
        }
        let wrong = || Err(EndpointError::unauthorized("Invalid Private Integration token"));
        token.starts_with("pit-").then(wrong)
    }

    /// Refuses a token that lacks a scope, or is of the wrong kind. Always with 401, as the service
    /// does, and with a different message for each kind.
    pub(crate) fn require_scope(
        &self,
        scope: &str,
        audience: TokenAudience,
    ) -> Result<(), EndpointError> {
        if !self.has_scope(scope) {
            return Err(EndpointError::unauthorized("The token is not authorized for this scope."));
        }
        let wrong = match (self, audience) {
            (_, TokenAudience::Either) => return Ok(()),
            (Self::Company, TokenAudience::Location) => "Token's user type mismatch!",
            (Self::Issued(issued), audience) => match (&issued.holder, audience) {
                (TokenPrincipal::Company, TokenAudience::Location) => {
                    "This authClass type is not allowed to access this scope. \
                     Please verify your IAM configuration if this is not the case."
                }
                (TokenPrincipal::Location(_), TokenAudience::Agency) => {
                    "This token's user type is not yet supported!"
                }
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        Err(EndpointError::unauthorized(wrong))
    }

    fn has_scope(&self, scope: &str) -> bool {
        let listed = |list: &str| list.split(',').any(|one| one == scope);
        let oauth = scope.starts_with("oauth.");
        match self {
            Self::Everything | Self::Location(_) => !oauth,
            Self::Without(list) => !oauth && !listed(list),
            Self::Only(list) => !oauth && listed(list),
            Self::Company => AGENCY_SCOPES.contains(&scope),
            Self::Issued(issued) => issued.scopes.iter().any(|own| own == scope),
        }
    }

    pub(crate) fn covers_location(&self, location: &str) -> bool {
        self.bound_location().is_none_or(|own| own == location)
    }

    /// The one location that the token is for.
    pub(crate) fn bound_location(&self) -> Option<&str> {
        match self {
            Self::Location(own) => Some(own),
            Self::Issued(IssuedToken { holder: TokenPrincipal::Location(own), .. }) => Some(own),
            _ => None,
        }
    }

    /// The scopes of an OAuth access token.
    pub(crate) fn oauth_scopes(&self) -> Vec<String> {
        match self {
            Self::Issued(issued) => issued.scopes.clone(),
            _ => Vec::new(),
        }
    }
}
