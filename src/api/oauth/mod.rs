//! The OAuth endpoints (api.md §9): exchanging codes and refresh tokens for tokens, and a company's
//! token for those of its locations.
//!
//! A refresh token or code can be used only once. A request that carries one is therefore repeated
//! only if it was certainly not processed: no connection, or refused by the rate limit. The caller
//! must find out what a failing server may have done. There is no rate limiter here, because these
//! requests are few.

mod error;
mod grant;
#[cfg(test)]
mod tests;
mod token_response;

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

pub use error::{OauthError, OauthErrorKind};
use grant::OauthResponseObject;
pub use grant::{InstalledLocation, OauthApp, OauthGrant, ReconnectTarget, UserType};
use token_response::OauthRequestBody;

use super::client::VERSION;
use super::http::{HttpOptions, HttpSetupError};
use super::response_body::{BodyReadError, read_body, retry_after};
use super::token::BearerToken;
use super::{retry, send};
use crate::id::{CompanyId, LocationId};
use crate::text::percent_encode;

/// How often a request is sent that was certainly not executed, or is safe to repeat.
const ATTEMPTS: u32 = 5;
/// The longest wait between two attempts that the server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Locations requested per page.
const PAGE: usize = 100;
/// The largest response that is read.
const MOST: u64 = 4 << 20;

/// The OAuth endpoints at a base URL.
#[derive(Debug, Clone)]
pub struct OauthClient {
    http: reqwest::Client,
    base: String,
}

/// One request, ready to send, repeatedly if allowed.
struct OauthRequest<'a> {
    method: Method,
    route: &'static str,
    /// Path and query, relative to the base URL.
    path: String,
    bearer: Option<&'a BearerToken>,
    body: Option<OauthRequestBody>,
    /// Whether it is safe to execute it twice.
    repeatable: bool,
}

/// How an attempt failed.
struct OauthAttemptError {
    error: OauthError,
    /// Whether the request was certainly not executed.
    unsent: bool,
    /// The wait that the server asks for.
    wait: Option<Duration>,
}

impl OauthClient {
    /// Creates the client. No request is sent yet.
    pub fn new(url: &str, transport: &HttpOptions) -> Result<Self, HttpSetupError> {
        Ok(Self { http: transport.build_client(url)?, base: url.trim_end_matches('/').to_owned() })
    }

    /// Exchanges an authorization code for tokens. A code can be used only once.
    /// When it is refused or no answer came.
    pub async fn exchange_code(
        &self,
        app: &OauthApp,
        code: &SecretString,
        redirect_uri: Option<&str>,
        user_type: UserType,
    ) -> Result<OauthGrant, OauthError> {
        let form = token_form(app, "authorization_code", user_type).with_secret("code", code);
        let form = match redirect_uri {
            Some(uri) => form.with_field("redirect_uri", uri),
            None => form,
        };
        self.request_grant(form, user_type).await
    }

    /// Exchanges a refresh token, which this uses up, for new tokens. After
    /// [`OauthErrorKind::Failed`] it is unknown whether the refresh token is used up.
    pub async fn exchange_refresh_token(
        &self,
        app: &OauthApp,
        refresh: &SecretString,
        user_type: UserType,
    ) -> Result<OauthGrant, OauthError> {
        let form =
            token_form(app, "refresh_token", user_type).with_secret("refresh_token", refresh);
        self.request_grant(form, user_type).await
    }

    async fn request_grant(
        &self,
        form: OauthRequestBody,
        user_type: UserType,
    ) -> Result<OauthGrant, OauthError> {
        let ask = OauthRequest {
            method: Method::POST,
            route: "POST /oauth/token",
            path: "/oauth/token".to_owned(),
            bearer: None,
            body: Some(form),
            repeatable: false,
        };
        let (asked, answered) = self.send_with_retries(&ask).await?;
        answered
            .to_grant(user_type, asked)
            .ok_or_else(|| ask.invalid_response_error("the response contains no token"))
    }

    /// Requests a token for one of a company's locations.
    pub async fn fetch_location_token(
        &self,
        company_token: &BearerToken,
        company: &CompanyId,
        location: &LocationId,
    ) -> Result<OauthGrant, OauthError> {
        let form = OauthRequestBody::empty_form()
            .with_field("companyId", company.as_str())
            .with_field("locationId", location.as_str());
        let ask = OauthRequest {
            method: Method::POST,
            route: "POST /oauth/locationToken",
            path: "/oauth/locationToken".to_owned(),
            bearer: Some(company_token),
            body: Some(form),
            // A second token does no harm.
            repeatable: true,
        };
        let (asked, answered) = self.send_with_retries(&ask).await?;
        let grant = answered.to_grant(UserType::Location, asked);
        let grant =
            grant.ok_or_else(|| ask.invalid_response_error("the response contains no token"))?;
        match &grant.location {
            Some(other) if other != location => {
                Err(ask.invalid_response_error("the token is for another location than requested"))
            }
            _ => Ok(grant),
        }
    }

    /// All locations of a company in which an app is installed, in the server's order.
    pub async fn list_installed_locations(
        &self,
        company_token: &BearerToken,
        company: &CompanyId,
        app_id: &str,
    ) -> Result<Vec<InstalledLocation>, OauthError> {
        let mut all: Vec<InstalledLocation> = Vec::new();
        let mut passed = 0;
        loop {
            let ask = OauthRequest {
                method: Method::GET,
                route: "GET /oauth/installedLocations",
                path: format!(
                    "/oauth/installedLocations?companyId={}&appId={}&isInstalled=true&limit={PAGE}&skip={passed}",
                    percent_encode(company.as_str()),
                    percent_encode(app_id),
                ),
                bearer: Some(company_token),
                body: None,
                repeatable: true,
            };
            let (_, mut answered) = self.send_with_retries(&ask).await?;
            let rows = answered
                .take_rows()
                .ok_or_else(|| ask.invalid_response_error("the response contains no list"))?;
            passed += rows.len();
            let before = all.len();
            for row in rows.iter().filter_map(OauthResponseObject::to_installed_location) {
                if all.iter().all(|known| known.id != row.id) {
                    all.push(row);
                }
            }
            // A server may return fewer rows than requested, so a short page is not the end; but a
            // server that repeats the same page forever must not be asked forever.
            if all.len() == before {
                return Ok(all);
            }
        }
    }

    /// Requests a new code for what the app was authorized for before: the documented recovery when
    /// the response with the next refresh token was lost (api.md §9).
    pub async fn request_reconnect_code(
        &self,
        app: &OauthApp,
        resource: &ReconnectTarget,
    ) -> Result<SecretString, OauthError> {
        let (name, id) = match resource {
            ReconnectTarget::Company(id) => ("companyId", id.as_str()),
            ReconnectTarget::Location(id) => ("locationId", id.as_str()),
        };
        let secret = app.client_secret.expose_secret();
        let body =
            serde_json::json!({ "clientKey": app.client_id, "clientSecret": secret, name: id });
        let ask = OauthRequest {
            method: Method::POST,
            route: "POST /oauth/reconnect",
            path: "/oauth/reconnect".to_owned(),
            bearer: None,
            body: Some(OauthRequestBody::from_json(&body, &app.client_secret)),
            repeatable: true,
        };
        let (_, answered) = self.send_with_retries(&ask).await?;
        let code = answered.text_field(&["authorizationCode", "authorization_code", "code"]);
        code.map(SecretString::from)
            .ok_or_else(|| ask.invalid_response_error("the response contains no code"))
    }

    /// Sends a request, with retries where allowed, and returns when the answered attempt started.
    async fn send_with_retries(
        &self,
        ask: &OauthRequest<'_>,
    ) -> Result<(Timestamp, OauthResponseObject), OauthError> {
        let mut pause = Duration::ZERO;
        for left in (0..ATTEMPTS).rev() {
            let begun = Timestamp::now();
            let failure = match self.send_once(ask).await {
                Ok(answered) => return Ok((begun, answered)),
                Err(failure) => failure,
            };
            tracing::debug!(route = ask.route, message = ?failure.error.message, "attempt failed");
            let passing =
                failure.unsent || ask.repeatable && failure.error.kind == OauthErrorKind::Failed;
            if !passing || left == 0 {
                return Err(failure.error);
            }
            pause = retry::next_backoff(pause);
            tokio::time::sleep(failure.wait.unwrap_or(pause).min(LONGEST_WAIT)).await;
        }
        unreachable!("the last attempt returns")
    }

    async fn send_once(
        &self,
        ask: &OauthRequest<'_>,
    ) -> Result<OauthResponseObject, OauthAttemptError> {
        let response = self.build_request(ask).send().await;
        let response = response.map_err(|error| OauthAttemptError::from_transport(ask, &error))?;
        let status = response.status().as_u16();
        tracing::debug!(route = ask.route, status, "answered");
        let wait = retry_after(response.headers());
        let body = read_body(response, MOST, None).await.map_err(|error| {
            let message = match error {
                BodyReadError::Interrupted(error) => send::root_cause(&error),
                BodyReadError::TooLarge(_) => "the response is too long".to_owned(),
            };
            OauthAttemptError::from_response(ask, status, message)
        })?;
        if !(200..300).contains(&status) {
            let message = retry::error_message(ask.redact_secrets(&body).as_bytes());
            return Err(OauthAttemptError {
                wait,
                ..OauthAttemptError::from_response(ask, status, message)
            });
        }
        match serde_json::from_slice(&body) {
            Ok(Value::Object(answer)) => Ok(OauthResponseObject(answer)),
            // The serde message could repeat part of a token.
            _ => Err(OauthAttemptError::from_response(
                ask,
                status,
                "the response is not a JSON object".to_owned(),
            )),
        }
    }

    fn build_request(&self, ask: &OauthRequest<'_>) -> RequestBuilder {
        let url = format!("{}{}", self.base, ask.path);
        let mut request = self.http.request(ask.method.clone(), url).header("version", VERSION);
        if let Some(token) = ask.bearer {
            request = request.header(reqwest::header::AUTHORIZATION, token.authorization_header());
        }
        match &ask.body {
            None => request,
            Some(body) => request
                .header(CONTENT_TYPE, HeaderValue::from_static(body.kind))
                .body(body.text.expose_secret().clone()),
        }
    }
}

impl OauthRequest<'_> {
    fn invalid_response_error(&self, message: &str) -> OauthError {
        let (kind, route) = (OauthErrorKind::Failed, self.route);
        OauthError { kind, route, status: None, message: message.to_owned() }
    }

    /// What the server said, with the secrets we sent removed.
    fn redact_secrets(&self, body: &[u8]) -> String {
        let mut text = String::from_utf8_lossy(body).into_owned();
        let sent = self.body.iter().flat_map(|body| &body.secrets);
        for secret in sent.chain(self.bearer.map(BearerToken::secret)) {
            for spelled in
                [secret.expose_secret().to_owned(), percent_encode(secret.expose_secret())]
            {
                if !spelled.is_empty() {
                    text = text.replace(&spelled, "…");
                }
            }
        }
        text
    }

    /// What a status means for this request.
    fn classify_status(&self, status: u16, message: &str) -> OauthErrorKind {
        let message = message.to_ascii_lowercase();
        match status {
            401 | 403 if message.contains("scope") || message.contains("iam service") => {
                OauthErrorKind::Scope
            }
            401 if self.bearer.is_some() => OauthErrorKind::Token,
            408 | 425 | 429 => OauthErrorKind::Failed,
            400..500 => OauthErrorKind::Refused,
            _ => OauthErrorKind::Failed,
        }
    }
}

impl OauthAttemptError {
    fn from_transport(ask: &OauthRequest<'_>, error: &reqwest::Error) -> Self {
        let unsent = error.is_connect();
        let kind = if unsent { OauthErrorKind::Unreachable } else { OauthErrorKind::Failed };
        let message = retry::truncate_text(&send::describe_transport_error(error));
        let error = OauthError { kind, route: ask.route, status: None, message };
        Self { error, unsent, wait: None }
    }

    fn from_response(ask: &OauthRequest<'_>, status: u16, message: String) -> Self {
        let kind = ask.classify_status(status, &message);
        let error = OauthError { kind, route: ask.route, status: Some(status), message };
        Self { error, unsent: status == 429, wait: None }
    }
}

/// A form by which an app asks for tokens.
fn token_form(app: &OauthApp, grant_type: &str, user_type: UserType) -> OauthRequestBody {
    OauthRequestBody::empty_form()
        .with_field("client_id", &app.client_id)
        .with_secret("client_secret", &app.client_secret)
        .with_field("grant_type", grant_type)
        .with_field("user_type", user_type.api_name())
}
