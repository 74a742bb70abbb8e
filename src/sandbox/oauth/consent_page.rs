//! `GET /oauth/chooselocation`: simulates the marketplace page on which a user would choose.
//!
//! It asks nothing. It chooses the first location, or the one in the parameter `location_id`, or
//! the whole agency with `user_type=Company`; both parameters exist only here.

use reqwest::Url;

use super::super::http::request::SandboxRequest;
use super::super::http::response::{EndpointError, SandboxResponse};
use super::super::sandbox_settings::ServiceQuirk;
use super::super::store::state::SandboxState;
use super::oauth_errors::OauthEndpointError;
use super::token_store::{IssuedCode, PrincipalScopes, TokenPrincipal};
use super::{OauthEndpointResult, client_app};

/// How long a code is valid.
pub(super) const CODE_LIFE: i64 = 15 * 60 * 1000;

const PARAMETERS: [&str; 8] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "loginWindowOpenMode",
    "location_id",
    "user_type",
];

/// Redirects to the redirect URI with a code.
pub(super) fn choose_location(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> OauthEndpointResult {
    request.reject_unknown_parameters(&PARAMETERS)?;
    if request.query_parameter("response_type") != Some("code") {
        let message = "Unsupported response type: `response_type` is not supported";
        return Err(OauthEndpointError::oauth_error("unsupported_response_type", message));
    }
    if request.query_parameter("client_id") != Some(client_app::CLIENT_ID) {
        return Err(OauthEndpointError::oauth_error(
            "invalid_client",
            "Invalid client: client is invalid",
        ));
    }
    let mut address = parse_redirect_uri(request.query_parameter("redirect_uri"))?;
    let scopes = client_app::parse_scopes(request.query_parameter("scope").unwrap_or_default())?;
    let holder = parse_principal(state, request)?;
    let bulk = holder == TokenPrincipal::Company;
    let sent_to = request.query_parameter("redirect_uri").map(str::to_owned);
    let code = issue_code(state, PrincipalScopes { holder, scopes }, sent_to);
    address.query_pairs_mut().append_pair("code", &code);
    let forgets = bulk && state.settings.has_quirk(ServiceQuirk::StateDropped);
    if let Some(back) = request.query_parameter("state").filter(|_| !forgets) {
        address.query_pairs_mut().append_pair("state", back);
    }
    Ok(SandboxResponse::redirect_to(address.into()))
}

/// Issues a code for what was authorized.
pub(super) fn issue_code(
    state: &mut SandboxState,
    permission: PrincipalScopes,
    redirect: Option<String>,
) -> String {
    let text = state.generate_secret();
    let until = state.clock_millis() + CODE_LIFE;
    state.oauth.add_code(text.clone(), IssuedCode { permission, redirect, until });
    text
}

/// The redirect URI, which must be on this machine.
fn parse_redirect_uri(text: Option<&str>) -> Result<Url, OauthEndpointError> {
    let wrong = || {
        OauthEndpointError::oauth_error(
            "invalid_request",
            "Invalid request: `redirect_uri` is invalid",
        )
    };
    let url = Url::parse(text.unwrap_or_default()).map_err(|_| wrong())?;
    let host = url.host_str().unwrap_or_default();
    let here = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    if !here || !["http", "https"].contains(&url.scheme()) || url.fragment().is_some() {
        return Err(wrong());
    }
    Ok(url)
}

fn parse_principal(
    state: &SandboxState,
    request: &SandboxRequest,
) -> Result<TokenPrincipal, OauthEndpointError> {
    match request.query_parameter("user_type").unwrap_or("Location") {
        "Company" => return Ok(TokenPrincipal::Company),
        "Location" => {}
        _ => return Err(EndpointError::bad_request("Invalid parameter: user_type").into()),
    }
    let first = || state.settings.locations.first().map_or("", String::as_str);
    let wanted = request.query_parameter("location_id").unwrap_or_else(first);
    if !state.settings.locations.iter().any(|one| one == wanted) {
        return Err(
            EndpointError::bad_request(format!("Location with id {wanted} not found")).into()
        );
    }
    Ok(TokenPrincipal::Location(wanted.to_owned()))
}
