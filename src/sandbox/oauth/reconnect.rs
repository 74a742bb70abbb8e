//! `POST /oauth/reconnect`: a new code for an app whose refresh token was lost.
//!
//! The code was sent to no redirect URI, so its exchange names none.

use serde_json::json;

use super::super::http::request::SandboxRequest;
use super::super::http::response::{EndpointError, SandboxResponse};
use super::super::store::state::SandboxState;
use super::super::text::format_iso;
use super::consent_page::{self, CODE_LIFE};
use super::form_fields::OauthBodyFields;
use super::token_store::{PrincipalScopes, TokenPrincipal};
use super::{OauthEndpointResult, client_app};

/// Responds with a code for the given location or agency.
pub(super) fn reconnect_app(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> OauthEndpointResult {
    let fields =
        OauthBodyFields::parse(request, &["clientKey", "clientSecret", "locationId", "companyId"])?;
    client_app::authenticate_client(
        fields.require_string("clientKey")?,
        fields.require_string("clientSecret")?,
    )?;
    let holder = match (fields.get("locationId"), fields.get("companyId")) {
        (Some(location), _) if state.installed_locations().any(|one| one == location) => {
            TokenPrincipal::Location(location.to_owned())
        }
        (None, Some(client_app::COMPANY)) => TokenPrincipal::Company,
        (None, None) => {
            let message = "Pass at least one of locationId, companyId";
            return Err(EndpointError::bad_request(message).into());
        }
        _ => return Err(EndpointError::bad_request("No installation found for this app").into()),
    };
    let until = state.clock_millis() + CODE_LIFE;
    let permission = PrincipalScopes { holder, scopes: client_app::all_scopes() };
    let code = consent_page::issue_code(state, permission, None);
    state.oauth.count_reconnect();
    let body = json!({ "authorizationCode": code, "expiresAt": format_iso(until), "traceId": request.trace });
    Ok(SandboxResponse::json(200, &body))
}
