//! OAuth 2.0 as the service implements it: authorization, tokens, and an agency's locations.
//!
//! | route | asks for | answers |
//! | --- | --- | --- |
//! | `GET /oauth/chooselocation`, also below `/v2` | no token | a redirect with a code |
//! | `POST /oauth/token` | the app's secret | an access and a refresh token |
//! | `POST /oauth/locationToken`, v3 `/oauth/location-token` | an agency's token | one for a location |
//! | `GET /oauth/installedLocations`, v3 `/oauth/installed-locations` | an agency's token | locations |
//! | `POST /oauth/reconnect` | the app's secret | a new code, when the refresh token was lost |
//!
//! One app is registered. Every authorization request is granted at once, because there is no user
//! to click. Codes and refresh tokens work once. None of these calls counts against a location's
//! limit.

mod client_app;
mod consent_page;
mod form_fields;
mod installed;
mod jwt;
mod location_token;
pub(super) mod oauth_control;
mod oauth_errors;
mod reconnect;
mod token_endpoint;
mod token_store;

pub use client_app::{CLIENT_ID, CLIENT_SECRET, COMPANY};
pub(super) use token_store::{IssuedToken, IssuedTokenStore, TokenPrincipal};

use super::http::auth::{TokenAudience, scope};
use super::http::request::{RequestVersion, SandboxRequest};
use super::http::response::{EndpointResult, SandboxResponse};
use super::store::state::SandboxState;
use oauth_errors::OauthEndpointError;

/// The result of a route in this module.
type OauthEndpointResult = Result<SandboxResponse, OauthEndpointError>;

/// Answers a request if it is one of these; some do not require a version.
pub(super) fn dispatch_route(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> Option<EndpointResult> {
    let path: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let v3 = request.is_v3();
    let reply = match (request.method.as_str(), path.as_slice()) {
        ("GET", ["oauth", "chooselocation"] | ["v2", "oauth", "chooselocation"]) => {
            consent_page::choose_location(state, request)
        }
        ("POST", ["oauth", "token"]) => token_endpoint::exchange_token(state, request),
        ("POST", ["oauth", "reconnect"]) => reconnect::reconnect_app(state, request),
        ("POST", ["oauth", "locationToken"]) => {
            location_token::issue_location_token(state, request)
        }
        ("POST", ["oauth", "location-token"]) if v3 => {
            location_token::issue_location_token(state, request)
        }
        ("GET", ["oauth", "installedLocations"]) => installed::list_by_offset(state, request),
        ("GET", ["oauth", "installed-locations"]) if v3 => {
            installed::list_by_page_token(state, request)
        }
        _ => return None,
    };
    Some(Ok(reply.unwrap_or_else(|refused| refused.into_response(&request.trace))))
}

/// Admits only an agency's access token with this scope.
fn require_agency_scope(
    state: &SandboxState,
    request: &SandboxRequest,
    scope: &str,
) -> Result<(), OauthEndpointError> {
    request.parse_version()?;
    Ok(state.authenticate_request(request)?.require_scope(scope, TokenAudience::Agency)?)
}

/// The version; on these routes a missing one means the older dialect.
fn version_or_v2(request: &SandboxRequest) -> Result<RequestVersion, OauthEndpointError> {
    if request.version.is_none() { Ok(RequestVersion::V2) } else { Ok(request.parse_version()?) }
}
