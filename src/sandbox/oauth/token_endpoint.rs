//! `POST /oauth/token`: exchanges codes and refresh tokens for tokens.
//!
//! A code works once, for the redirect URI that it was sent to. A refresh token works once: the
//! response contains the next one, and a client that loses that response is locked out.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::http::request::{ParsedBody, RequestVersion, SandboxRequest};
use super::super::http::response::SandboxResponse;
use super::super::sandbox_settings::ServiceQuirk;
use super::super::store::state::SandboxState;
use super::form_fields::OauthBodyFields;
use super::oauth_errors::OauthEndpointError;
use super::token_store::{IssuedToken, PrincipalScopes, TokenOrigin, TokenPrincipal};
use super::{OauthEndpointResult, client_app, jwt, version_or_v2};

/// The spellings of the fields: the usual one, and the one that `v3` takes besides (api.md §1.11).
const FIELDS: [(&str, &str); 7] = [
    ("client_id", "clientId"),
    ("client_secret", "clientSecret"),
    ("grant_type", "grantType"),
    ("code", "code"),
    ("refresh_token", "refreshToken"),
    ("user_type", "userType"),
    ("redirect_uri", "redirectUri"),
];

/// An access token and its refresh token.
#[derive(Debug)]
pub(super) struct TokenBundle {
    access: String,
    refresh: Option<String>,
    refresh_id: String,
    issued: IssuedToken,
}

/// How tokens are issued.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenTerms {
    pub(super) origin: TokenOrigin,
    /// Whether a refresh token is included.
    pub(super) renewable: bool,
    /// How long the access token is valid, if not as long as the settings say.
    pub(super) life: Option<Duration>,
}

impl TokenTerms {
    fn from_origin(origin: TokenOrigin) -> Self {
        Self { origin, renewable: true, life: None }
    }
}

/// Answers `POST /oauth/token`.
pub(super) fn exchange_token(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> OauthEndpointResult {
    let v3 = version_or_v2(request)? == RequestVersion::V3;
    let tokens = process_grant(state, request, v3);
    let tokens = tokens.map_err(|refused| if v3 { refused.for_v3() } else { refused })?;
    Ok(SandboxResponse::json(200, &render_tokens(state, &tokens, v3, &request.trace)))
}

fn process_grant(
    state: &mut SandboxState,
    request: &SandboxRequest,
    v3: bool,
) -> Result<TokenBundle, OauthEndpointError> {
    if !v3 && !matches!(request.content, ParsedBody::Form(_)) {
        let message = "Invalid request: content must be application/x-www-form-urlencoded";
        return Err(OauthEndpointError::oauth_error("invalid_request", message));
    }
    let spellings = if v3 { &FIELDS[..] } else { &[] };
    let allowed: Vec<&str> =
        FIELDS.iter().flat_map(|(old, new)| if v3 { [*old, *new] } else { [*old; 2] }).collect();
    let fields = OauthBodyFields::parse(request, &allowed)?.with_names(spellings);
    client_app::authenticate_client(
        fields.require_parameter("client_id")?,
        fields.require_parameter("client_secret")?,
    )?;
    // It is otherwise ignored: the service answers for whom the code was, whatever this says.
    let user_type = fields.get("user_type").unwrap_or("Location");
    if !["Company", "Location"].contains(&user_type) {
        let message = "Invalid parameter: user_type";
        return Err(OauthEndpointError::oauth_error("invalid_request", message));
    }
    match fields.require_parameter("grant_type")? {
        "authorization_code" => {
            let redirect = fields.get("redirect_uri");
            let permission = redeem_code(state, fields.require_parameter("code")?, redirect)?;
            Ok(issue_tokens(state, permission, TokenTerms::from_origin(TokenOrigin::Code)))
        }
        "refresh_token" => {
            let token = fields.require_parameter("refresh_token")?;
            let permission = state.oauth.take_refresh_token(token).ok_or_else(|| {
                OauthEndpointError::oauth_error(
                    "invalid_grant",
                    "Invalid grant: refresh token is invalid",
                )
            })?;
            Ok(issue_tokens(state, permission, TokenTerms::from_origin(TokenOrigin::Refresh)))
        }
        // The service lists it among the grant types and never grants it.
        "client_credentials" => {
            let message = "Unauthorized client: `grant_type` is invalid";
            Err(OauthEndpointError::oauth_error("unauthorized_client", message))
        }
        _ => {
            let message = "Invalid parameter: grant_type";
            Err(OauthEndpointError::oauth_error("unsupported_grant_type", message))
        }
    }
}

/// What a code permits; it is used up only if everything about it is right.
fn redeem_code(
    state: &mut SandboxState,
    text: &str,
    redirect: Option<&str>,
) -> Result<PrincipalScopes, OauthEndpointError> {
    let wrong = |what: &str| {
        OauthEndpointError::oauth_error("invalid_grant", format!("Invalid grant: {what}"))
    };
    let code =
        state.oauth.find_code(text).ok_or_else(|| wrong("authorization code is invalid"))?.clone();
    if code.until <= state.clock_millis() {
        return Err(wrong("authorization code has expired"));
    }
    if code.redirect.is_some() && code.redirect.as_deref() != redirect {
        return Err(OauthEndpointError::oauth_error(
            "invalid_request",
            "Invalid request: `redirect_uri` is invalid",
        ));
    }
    state.oauth.take_code(text);
    Ok(code.permission)
}

/// Issues tokens for what was authorized, and records them.
pub(super) fn issue_tokens(
    state: &mut SandboxState,
    permission: PrincipalScopes,
    terms: TokenTerms,
) -> TokenBundle {
    let since = state.clock_millis();
    let life = terms.life.unwrap_or(state.settings.token_life);
    let life = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
    let PrincipalScopes { holder, scopes } = permission.clone();
    let issued = IssuedToken { holder, scopes, since, until: since.saturating_add(life) };
    let access = jwt::encode_token(state, &issued);
    let refresh = terms.renewable.then(|| state.generate_secret());
    if let Some(refresh) = &refresh {
        state.oauth.add_refresh_token(refresh.clone(), permission);
    }
    state.oauth.add_access_token(access.clone(), issued.clone(), terms.origin);
    TokenBundle { access, refresh, refresh_id: state.generate_id(), issued }
}

/// The response with the tokens.
pub(super) fn render_tokens(
    state: &SandboxState,
    tokens: &TokenBundle,
    v3: bool,
    trace: &str,
) -> Value {
    let camel = v3 && state.settings.has_quirk(ServiceQuirk::CamelCaseTokens);
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
    put(if camel { "accessToken" } else { "access_token" }, tokens.access.as_str().into());
    put(if camel { "tokenType" } else { "token_type" }, "Bearer".into());
    let seconds = (tokens.issued.until - tokens.issued.since) / 1000;
    put(if camel { "expiresIn" } else { "expires_in" }, seconds.into());
    if let Some(refresh) = &tokens.refresh {
        put(if camel { "refreshToken" } else { "refresh_token" }, refresh.as_str().into());
        put("refreshTokenId", tokens.refresh_id.as_str().into());
    }
    put("scope", tokens.issued.scopes.join(" ").into());
    put("companyId", client_app::COMPANY.into());
    put("userId", client_app::INSTALLER.into());
    match &tokens.issued.holder {
        TokenPrincipal::Location(location) => {
            put("userType", "Location".into());
            put("locationId", location.as_str().into());
            put("isBulkInstallation", false.into());
            put("approvedLocations", json!([]));
        }
        TokenPrincipal::Company => {
            let approved: Vec<&String> = state.installed_locations().collect();
            put("userType", "Company".into());
            put("isBulkInstallation", true.into());
            put("approveAllLocations", (approved.len() == state.settings.locations.len()).into());
            put("installToFutureLocations", false.into());
            put("approvedLocations", json!(approved));
        }
    }
    put("traceId", trace.into());
    Value::Object(body)
}
