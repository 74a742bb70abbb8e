//! The OAuth endpoints (api.md §9): exchanging codes and refresh tokens for tokens, and a company's
//! token for those of its locations.
//!
//! A refresh token or code can be used only once. A request that carries one is therefore repeated
//! like a write, only if it was certainly not processed: no connection, or refused by the rate
//! limit. The caller must find out what a failing server may have done. There is no rate limiter here, because these
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

use super::attempt;
use super::attempt_log::LoggedAttempt;
use super::client::VERSION;
use super::http::{HttpOptions, HttpSetupError};
use super::retry::{self, AttemptError, RetryDecision, RetryPolicy};
use super::retry_after::retry_after;
use super::retry_schedule::RetrySchedule;
use super::token::BearerToken;
use crate::id::{CompanyId, LocationId};
use crate::text::percent_encode;

/// The bounds of every request. Its time is bounded by [`LONGEST_WAIT`].
const BOUNDS: RetryPolicy = RetryPolicy { attempts: 5, time: Duration::MAX, bytes: 4 << 20 };
/// The longest wait between two attempts that the server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Locations requested per page.
const PAGE: usize = 100;

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
    /// Which failures allow another attempt: those of a read if it is safe to execute it twice,
    /// otherwise those of a write.
    decide: fn(&AttemptError) -> RetryDecision,
}

/// How an attempt failed, and the wait that the server asks for.
type FailedAttempt = (AttemptError, Option<Duration>);

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
            decide: retry::decide_write_retry,
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
            decide: retry::decide_read_retry,
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
                decide: retry::decide_read_retry,
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
            decide: retry::decide_read_retry,
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
        let mut schedule = RetrySchedule::start(BOUNDS);
        loop {
            let begun = Timestamp::now();
            let attempt = schedule.attempts().saturating_add(1);
            let mut log = LoggedAttempt::start(ask.route, &ask.path, attempt);
            let (failure, wait) = match self.send_once(ask, &mut log).await {
                Ok(answered) => {
                    log.finish(None);
                    return Ok((begun, answered));
                }
                Err(failed) => failed,
            };
            let error = ask.attempt_error(&failure);
            log.finish(Some(&error.message));
            schedule.count_attempt();
            let pause = match (ask.decide)(&failure) {
                RetryDecision::Fail(_) => None,
                RetryDecision::Retry | RetryDecision::RetryAfterWindow => schedule.next_pause(),
            };
            let Some(pause) = pause else { return Err(error) };
            tokio::time::sleep(wait.unwrap_or(pause).min(LONGEST_WAIT)).await;
        }
    }

    async fn send_once(
        &self,
        ask: &OauthRequest<'_>,
        log: &mut LoggedAttempt<'_>,
    ) -> Result<OauthResponseObject, FailedAttempt> {
        let response = attempt::send_request(self.build_request(ask)).await;
        let response = response.map_err(|failure| (failure, None))?;
        let status = response.status().as_u16();
        log.set_status(status);
        let wait = retry_after(response.headers());
        let failed = |failure| (failure, wait);
        let body = attempt::read_body(response, BOUNDS.bytes, None).await.map_err(failed)?;
        log.set_body(&body);
        attempt::check_status(status, &body).map_err(failed)?;
        if let Ok(Value::Object(answer)) = serde_json::from_slice(&body) {
            return Ok(OauthResponseObject(answer));
        }
        // The serde message could repeat part of a token.
        let message = "the response is not a JSON object".to_owned();
        Err(failed(AttemptError::Unreadable(status, message)))
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

    /// The error of a failed attempt.
    fn attempt_error(&self, failure: &AttemptError) -> OauthError {
        let message = match failure {
            AttemptError::Status(_, body) => {
                retry::error_message(self.redact_secrets(body).as_bytes())
            }
            other => other.message(),
        };
        let kind = match failure {
            AttemptError::Connect(_) | AttemptError::Untrusted(_) => OauthErrorKind::Unreachable,
            other => other
                .status()
                .map_or(OauthErrorKind::Failed, |status| self.classify_status(status, &message)),
        };
        OauthError { kind, route: self.route, status: failure.status(), message }
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

/// A form by which an app asks for tokens.
fn token_form(app: &OauthApp, grant_type: &str, user_type: UserType) -> OauthRequestBody {
    OauthRequestBody::empty_form()
        .with_field("client_id", &app.client_id)
        .with_secret("client_secret", &app.client_secret)
        .with_field("grant_type", grant_type)
        .with_field("user_type", user_type.api_name())
}
