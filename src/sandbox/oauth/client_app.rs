//! The one registered app, and the agency that installed it.

use super::oauth_errors::OauthEndpointError;

/// The client id of the registered app; its app id is the part before the hyphen.
pub const CLIENT_ID: &str = "6520a1b2c3d4e5f60718293a-sandbox1";

/// The client secret of the registered app. It is valid only in a sandbox.
pub const CLIENT_SECRET: &str = "5a9d0c1e-sandbox-client-secret";

/// The agency that every location belongs to.
pub const COMPANY: &str = "sandboxCompany000001";

/// The user who installed the app, named in tokens.
pub(super) const INSTALLER: &str = "sandboxUser000000001";

/// The scopes that the app may be granted: those of the service that this program might use.
const SCOPES: [&str; 20] = [
    "contacts.readonly",
    "contacts.write",
    "notes.readonly",
    "notes.write",
    "locations.readonly",
    "locations/tasks.readonly",
    "locations/tasks.write",
    "locations/tags.readonly",
    "locations/tags.write",
    "locations/customFields.readonly",
    "locations/customFields.write",
    "users.readonly",
    "businesses.readonly",
    "businesses.write",
    "calendars.readonly",
    "calendars/events.readonly",
    "calendars/events.write",
    "opportunities.readonly",
    "oauth.readonly",
    "oauth.write",
];

/// The app's id, which a client id starts with.
pub(super) fn app_id() -> &'static str {
    CLIENT_ID.split('-').next().unwrap_or(CLIENT_ID)
}

/// Refuses every client except the registered app.
pub(super) fn authenticate_client(client: &str, secret: &str) -> Result<(), OauthEndpointError> {
    if client == CLIENT_ID && secret == CLIENT_SECRET {
        return Ok(());
    }
    Err(OauthEndpointError::oauth_error("invalid_client", "Invalid client: client is invalid"))
}

/// Parses space-separated scopes; an empty list or a scope that the app does not have is refused.
pub(super) fn parse_scopes(text: &str) -> Result<Vec<String>, OauthEndpointError> {
    let scopes: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let known = |scope: &String| SCOPES.contains(&scope.as_str());
    if scopes.is_empty() || !scopes.iter().all(known) {
        return Err(OauthEndpointError::oauth_error(
            "invalid_scope",
            "Invalid scope: Requested scope is invalid",
        ));
    }
    Ok(scopes)
}

/// Every scope the app may be granted.
pub(super) fn all_scopes() -> Vec<String> {
    SCOPES.map(str::to_owned).into()
}
