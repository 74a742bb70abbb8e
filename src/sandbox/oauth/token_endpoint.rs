//! `POST /oauth/token`: codes and refresh tokens for tokens.
//!
//! A code works once, for the address that it was sent to. A refresh token works once: its answer
//! brings the next one, and whoever loses that answer is locked out.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::http::request::{Ask, Content, Version};
use super::super::http::response::Answer;
use super::super::store::state::State;
use super::form_fields::Fields;
use super::oauth_errors::Refused;
use super::token_store::{Holder, Issued, Origin, Permission};
use super::{Reply, client_app, jwt, lenient_version};

/// The spellings of the fields: `2021-07-28` and `v3`.
const FIELDS: [(&str, &str); 7] = [
    ("client_id", "clientId"),
    ("client_secret", "clientSecret"),
    ("grant_type", "grantType"),
    ("code", "code"),
    ("refresh_token", "refreshToken"),
    ("user_type", "userType"),
    ("redirect_uri", "redirectUri"),
];

/// An access token, and what goes with it.
#[derive(Debug)]
pub(super) struct Tokens {
    access: String,
    refresh: Option<String>,
    refresh_id: String,
    issued: Issued,
}

/// How tokens are issued.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) origin: Origin,
    /// Whether a refresh token goes with it.
    pub(super) renewable: bool,
    /// How long the access token lives, when not as long as the settings say.
    pub(super) life: Option<Duration>,
}

impl Terms {
    fn of(origin: Origin) -> Self {
        Self { origin, renewable: true, life: None }
    }
}

/// Answers `POST /oauth/token`.
pub(super) fn exchange(state: &mut State, ask: &Ask) -> Reply {
    let v3 = lenient_version(ask)? == Version::V3;
    let tokens = grant(state, ask, v3);
    let tokens = tokens.map_err(|refused| if v3 { refused.for_v3() } else { refused })?;
    Ok(Answer::json(200, &render(state, &tokens, v3, &ask.trace)))
}

fn grant(state: &mut State, ask: &Ask, v3: bool) -> Result<Tokens, Refused> {
    if !v3 && !matches!(ask.content, Content::Form(_)) {
        let message = "Invalid request: content must be application/x-www-form-urlencoded";
        return Err(Refused::oauth("invalid_request", message));
    }
    let spell = |name| spelled(name, v3);
    let fields = Fields::read(ask, &FIELDS.map(|(old, new)| if v3 { new } else { old }))?;
    client_app::check(fields.need(spell("client_id"))?, fields.need(spell("client_secret"))?)?;
    // Nothing more is asked of it: the service answers for whom the code was, whatever this says.
    let user_type = fields.get(spell("user_type")).unwrap_or("Location");
    if !["Company", "Location"].contains(&user_type) {
        let message = format!("Invalid parameter: {}", spell("user_type"));
        return Err(Refused::oauth("invalid_request", message));
    }
    match fields.need(spell("grant_type"))? {
        "authorization_code" => {
            let redirect = fields.get(spell("redirect_uri"));
            let permission = by_code(state, fields.need("code")?, redirect)?;
            Ok(issue(state, permission, Terms::of(Origin::Code)))
        }
        "refresh_token" => {
            let token = fields.need(spell("refresh_token"))?;
            let permission = state.oauth.take_refresh(token).ok_or_else(|| {
                Refused::oauth("invalid_grant", "Invalid grant: refresh token is invalid")
            })?;
            Ok(issue(state, permission, Terms::of(Origin::Refresh)))
        }
        // The service lists it among the grant types and grants nothing by it.
        "client_credentials" => {
            let message = "Unauthorized client: `grant_type` is invalid";
            Err(Refused::oauth("unauthorized_client", message))
        }
        _ => {
            let message = format!("Invalid parameter: {}", spell("grant_type"));
            Err(Refused::oauth("unsupported_grant_type", message))
        }
    }
}

/// What a code allows; it is used up only when everything about it is right.
fn by_code(state: &mut State, text: &str, redirect: Option<&str>) -> Result<Permission, Refused> {
    let wrong = |what: &str| Refused::oauth("invalid_grant", format!("Invalid grant: {what}"));
    let code =
        state.oauth.code(text).ok_or_else(|| wrong("authorization code is invalid"))?.clone();
    if code.until <= state.clock() {
        return Err(wrong("authorization code has expired"));
    }
    if code.redirect.is_some() && code.redirect.as_deref() != redirect {
        return Err(Refused::oauth(
            "invalid_request",
            "Invalid request: `redirect_uri` is invalid",
        ));
    }
    state.oauth.take_code(text);
    Ok(code.permission)
}

/// Makes tokens for what was allowed, and writes them down.
pub(super) fn issue(state: &mut State, permission: Permission, terms: Terms) -> Tokens {
    let since = state.clock();
    let life = terms.life.unwrap_or(state.settings.token_life);
    let life = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
    let Permission { holder, scopes } = permission.clone();
    let issued = Issued { holder, scopes, since, until: since.saturating_add(life) };
    let access = jwt::write(state, &issued);
    let refresh = terms.renewable.then(|| state.mint_secret());
    if let Some(refresh) = &refresh {
        state.oauth.add_refresh(refresh.clone(), permission);
    }
    state.oauth.add_access(access.clone(), issued.clone(), terms.origin);
    Tokens { access, refresh, refresh_id: state.mint(), issued }
}

/// The answer that brings tokens.
pub(super) fn render(state: &State, tokens: &Tokens, v3: bool, trace: &str) -> Value {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
    put(if v3 { "accessToken" } else { "access_token" }, tokens.access.as_str().into());
    put(if v3 { "tokenType" } else { "token_type" }, "Bearer".into());
    let seconds = (tokens.issued.until - tokens.issued.since) / 1000;
    put(if v3 { "expiresIn" } else { "expires_in" }, seconds.into());
    if let Some(refresh) = &tokens.refresh {
        put(if v3 { "refreshToken" } else { "refresh_token" }, refresh.as_str().into());
        put("refreshTokenId", tokens.refresh_id.as_str().into());
    }
    put("scope", tokens.issued.scopes.join(" ").into());
    put("companyId", client_app::COMPANY.into());
    put("userId", client_app::INSTALLER.into());
    match &tokens.issued.holder {
        Holder::Location(location) => {
            put("userType", "Location".into());
            put("locationId", location.as_str().into());
            put("isBulkInstallation", false.into());
            put("approvedLocations", json!([]));
        }
        Holder::Company => {
            let approved: Vec<&String> = state.installed().collect();
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

fn spelled(name: &'static str, v3: bool) -> &'static str {
    FIELDS.iter().find(|(old, _)| v3 && *old == name).map_or(name, |(_, new)| new)
}
