//! `POST /oauth/locationToken`: exchanges an agency's token for one of a location.

use super::super::http::request::SandboxRequest;
use super::super::http::response::{EndpointError, SandboxResponse};
use super::super::store::state::SandboxState;
use super::form_fields::OauthBodyFields;
use super::token_endpoint::{TokenTerms, issue_tokens, render_tokens};
use super::token_store::{PrincipalScopes, TokenOrigin, TokenPrincipal};
use super::{OauthEndpointResult, client_app, require_agency_scope, scope};

/// The location's token has the agency's scopes plus these two, requested or not.
const ADDED: [&str; 2] = [scope::OAUTH_READ, scope::OAUTH_WRITE];

/// The names of the fields, and those that `v3` takes besides.
const SPELLINGS: [(&str, &str); 2] = [("companyId", "company_id"), ("locationId", "location_id")];

/// Handles both spellings; only `v3` returns a refresh token.
pub(super) fn issue_location_token(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> OauthEndpointResult {
    require_agency_scope(state, request, scope::OAUTH_WRITE)?;
    let names = ["companyId", "locationId", "company_id", "location_id"];
    let (allowed, spellings) =
        if request.is_v3() { (&names[..], &SPELLINGS[..]) } else { (&names[..2], &[][..]) };
    let fields = OauthBodyFields::parse(request, allowed)?.with_names(spellings);
    let (company, location) =
        (fields.require_string("companyId")?, fields.require_string("locationId")?);
    if company != client_app::COMPANY {
        return Err(
            EndpointError::forbidden("The token does not have access to this company.").into()
        );
    }
    if !state.settings.locations.iter().any(|one| one == location) {
        return Err(
            EndpointError::bad_request(format!("Location with id {location} not found")).into()
        );
    }
    if !state.installed_locations().any(|one| one == location) {
        return Err(EndpointError::bad_request("The app is not installed for this location").into());
    }
    let mut scopes = state.authenticate_request(request)?.oauth_scopes();
    for added in ADDED {
        if !scopes.iter().any(|own| own == added) {
            scopes.push(added.to_owned());
        }
    }
    let permission =
        PrincipalScopes { holder: TokenPrincipal::Location(location.to_owned()), scopes };
    let v3 = request.is_v3();
    let terms = TokenTerms { origin: TokenOrigin::Agency, renewable: v3, life: None };
    let tokens = issue_tokens(state, permission, terms);
    Ok(SandboxResponse::json(201, &render_tokens(state, &tokens, v3, &request.trace)))
}
