//! The control routes of OAuth, with which a test issues, expires and counts tokens directly.

use std::time::Duration;

use serde_json::Value;

use super::super::http::request::SandboxRequest;
use super::super::http::response::{EndpointError, EndpointResult, SandboxResponse};
use super::super::store::state::SandboxState;
use super::client_app;
use super::token_endpoint::{self, TokenTerms};
use super::token_store::{PrincipalScopes, TokenOrigin, TokenPrincipal};

/// Answers a control route below `oauth`; None if there is no such route.
pub(in super::super) fn dispatch_route(
    state: &mut SandboxState,
    method: &str,
    path: &[&str],
    request: &SandboxRequest,
) -> Option<EndpointResult> {
    match (method, path) {
        ("GET", []) => {}
        ("POST", ["expire"]) => {
            let now = state.clock_millis();
            state.oauth.expire_access_tokens(now);
        }
        ("POST", ["revoke"]) => state.oauth.revoke_refresh_tokens(),
        ("POST", ["grant"]) => return Some(grant_tokens(state, request)),
        _ => return None,
    }
    Some(Ok(SandboxResponse::json(200, &state.oauth.report_counts())))
}

/// `{userType, locationId?, scope?, life?}`: the response that a code exchange would return.
fn grant_tokens(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let wanted = request.body_object()?;
    let known = ["userType", "locationId", "scope", "life"];
    if let Some(name) = wanted.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(EndpointError::unknown_property(name));
    }
    let text = |name: &str| wanted.get(name).and_then(Value::as_str);
    let first = || state.settings.locations.first().map_or("", String::as_str);
    let holder = match text("userType").unwrap_or("Location") {
        "Company" => TokenPrincipal::Company,
        "Location" => TokenPrincipal::Location(text("locationId").unwrap_or_else(first).to_owned()),
        _ => return Err(EndpointError::unprocessable("`userType` is `Company` or `Location`")),
    };
    let scopes = text("scope").map_or_else(client_app::all_scopes, |scope| {
        scope.split_whitespace().map(str::to_owned).collect()
    });
    let life = match wanted.get("life").map(Value::as_u64) {
        None => None,
        Some(Some(seconds)) => Some(Duration::from_secs(seconds)),
        Some(None) => return Err(EndpointError::unprocessable("`life` needs a number of seconds")),
    };
    let terms = TokenTerms { origin: TokenOrigin::Control, renewable: true, life };
    let tokens = token_endpoint::issue_tokens(state, PrincipalScopes { holder, scopes }, terms);
    Ok(SandboxResponse::json(
        200,
        &token_endpoint::render_tokens(state, &tokens, request.is_v3(), &request.trace),
    ))
}
