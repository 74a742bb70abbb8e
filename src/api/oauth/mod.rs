//! The OAuth endpoints (api.md §9): codes and refresh tokens into tokens, tokens of a company into those
//! of its locations.
//!
//! A refresh token and a code can be used once. So a request that carries one is repeated only when it
//! certainly was not looked at: no connection, or refused by the limiter. What a server that failed may
//! have done is for the caller to find out. There is no pace: these requests are few.

mod error;
mod grant;
#[cfg(test)]
mod tests;
mod token_response;

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

pub use error::{OauthError, OauthKind};
use grant::Answered;
pub use grant::{App, Grant, Installed, Resource, UserType};
use token_response::Body;

use super::client::VERSION;
use super::http::{Transport, TransportError};
use super::token::Token;
use super::url::escape;
use super::{retry, send};
use crate::id::{CompanyId, LocationId};

/// How often a request is sent that was certainly not carried out, or may be carried out twice.
const ATTEMPTS: u32 = 5;
/// The longest wait that a server may ask for between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Locations asked for a page.
const PAGE: usize = 100;
/// The largest answer that is read.
const MOST: usize = 4 << 20;

/// The OAuth endpoints of an address.
#[derive(Debug, Clone)]
pub struct Oauth {
    http: reqwest::Client,
    base: String,
}

/// One request, ready to be sent as often as it may.
struct Ask<'a> {
    method: Method,
    route: &'static str,
    /// From the base URL on, with the query.
    path: String,
    bearer: Option<&'a Token>,
    body: Option<Body>,
    /// Whether it may be carried out twice.
    repeatable: bool,
}

/// How an attempt failed.
struct Failure {
    error: OauthError,
    /// Whether the request was certainly not carried out.
    unsent: bool,
    /// What the server asks to wait.
    wait: Option<Duration>,
}

impl Oauth {
    /// The endpoints of an address. Nothing is sent yet.
    ///
    /// # Errors
    /// When the certificates, the platform's TLS roots or the proxy settings cannot be read.
    pub fn new(url: &str, transport: &Transport) -> Result<Self, TransportError> {
        Ok(Self { http: transport.open(url)?, base: url.trim_end_matches('/').to_owned() })
    }

    /// The tokens for a code. A code can be used once.
    ///
    /// # Errors
    /// When it is refused or no answer came.
    pub async fn exchange(
        &self,
        app: &App,
        code: &SecretString,
        redirect_uri: Option<&str>,
        user_type: UserType,
    ) -> Result<Grant, OauthError> {
        let form = by(app, "authorization_code", user_type).secret("code", code);
        let form = match redirect_uri {
            Some(uri) => form.with("redirect_uri", uri),
            None => form,
        };
        self.token(form, user_type).await
    }

    /// The next tokens for a refresh token, which is used up by it.
    ///
    /// # Errors
    /// When it is refused or no answer came. Of [`OauthKind::Failed`] nobody knows whether it is used up.
    pub async fn refresh(
        &self,
        app: &App,
        refresh: &SecretString,
        user_type: UserType,
    ) -> Result<Grant, OauthError> {
        let form = by(app, "refresh_token", user_type).secret("refresh_token", refresh);
        self.token(form, user_type).await
    }

    async fn token(&self, form: Body, user_type: UserType) -> Result<Grant, OauthError> {
        let ask = Ask {
            method: Method::POST,
            route: "POST /oauth/token",
            path: "/oauth/token".to_owned(),
            bearer: None,
            body: Some(form),
            repeatable: false,
        };
        let (asked, answered) = self.send(&ask).await?;
        answered.grant(user_type, asked).ok_or_else(|| ask.failed("the answer holds no token"))
    }

    /// A token for one of a company's locations.
    ///
    /// # Errors
    /// When it is refused or no answer came.
    pub async fn location_token(
        &self,
        company_token: &Token,
        company: &CompanyId,
        location: &LocationId,
    ) -> Result<Grant, OauthError> {
        let form =
            Body::form().with("companyId", company.as_str()).with("locationId", location.as_str());
        let ask = Ask {
            method: Method::POST,
            route: "POST /oauth/locationToken",
            path: "/oauth/locationToken".to_owned(),
            bearer: Some(company_token),
            body: Some(form),
            // A second token harms nobody.
            repeatable: true,
        };
        let (asked, answered) = self.send(&ask).await?;
        let grant = answered.grant(UserType::Location, asked);
        let grant = grant.ok_or_else(|| ask.failed("the answer holds no token"))?;
        match &grant.location {
            Some(other) if other != location => {
                Err(ask.failed("the token is for another location than was asked for"))
            }
            _ => Ok(grant),
        }
    }

    /// The locations of a company in which an app is installed, all of them, in the server's order.
    ///
    /// # Errors
    /// When it is refused or no answer came.
    pub async fn installed_locations(
        &self,
        company_token: &Token,
        company: &CompanyId,
        app_id: &str,
    ) -> Result<Vec<Installed>, OauthError> {
        let mut all: Vec<Installed> = Vec::new();
        let mut passed = 0;
        loop {
            let ask = Ask {
                method: Method::GET,
                route: "GET /oauth/installedLocations",
                path: format!(
                    "/oauth/installedLocations?companyId={}&appId={}&isInstalled=true&limit={PAGE}&skip={passed}",
                    escape(company.as_str()),
                    escape(app_id),
                ),
                bearer: Some(company_token),
                body: None,
                repeatable: true,
            };
            let (_, mut answered) = self.send(&ask).await?;
            let rows = answered.rows().ok_or_else(|| ask.failed("the answer holds no list"))?;
            passed += rows.len();
            let before = all.len();
            for row in rows.iter().filter_map(Answered::installed) {
                if all.iter().all(|known| known.id != row.id) {
                    all.push(row);
                }
            }
            // A server may give fewer a page than it was asked for; one that gives the same page
            // for ever must not be asked for ever.
            if all.len() == before {
                return Ok(all);
            }
        }
    }

    /// A new code for what the app was authorised for before: the documented way out when the answer
    /// that held the next refresh token was lost (api.md §9).
    ///
    /// # Errors
    /// When it is refused or no answer came.
    pub async fn reconnect(
        &self,
        app: &App,
        resource: &Resource,
    ) -> Result<SecretString, OauthError> {
        let (name, id) = match resource {
            Resource::Company(id) => ("companyId", id.as_str()),
            Resource::Location(id) => ("locationId", id.as_str()),
        };
        let secret = app.client_secret.expose_secret();
        let body =
            serde_json::json!({ "clientKey": app.client_id, "clientSecret": secret, name: id });
        let ask = Ask {
            method: Method::POST,
            route: "POST /oauth/reconnect",
            path: "/oauth/reconnect".to_owned(),
            bearer: None,
            body: Some(Body::json(&body, &app.client_secret)),
            repeatable: true,
        };
        let (_, answered) = self.send(&ask).await?;
        let code = answered.text(&["authorizationCode", "authorization_code", "code"]);
        code.map(SecretString::from).ok_or_else(|| ask.failed("the answer holds no code"))
    }

    /// Sends a request as often as it may be sent, and tells when the attempt began that was answered.
    async fn send(&self, ask: &Ask<'_>) -> Result<(Timestamp, Answered), OauthError> {
        let mut pause = Duration::ZERO;
        for left in (0..ATTEMPTS).rev() {
            let begun = Timestamp::now();
            let failure = match self.attempt(ask).await {
                Ok(answered) => return Ok((begun, answered)),
                Err(failure) => failure,
            };
            tracing::debug!(route = ask.route, said = ?failure.error.said, "attempt failed");
            let passing =
                failure.unsent || ask.repeatable && failure.error.kind == OauthKind::Failed;
            if !passing || left == 0 {
                return Err(failure.error);
            }
            pause = retry::pause(pause);
            tokio::time::sleep(failure.wait.unwrap_or(pause).min(LONGEST_WAIT)).await;
        }
        unreachable!("the last attempt returns")
    }

    async fn attempt(&self, ask: &Ask<'_>) -> Result<Answered, Failure> {
        let response = self.request(ask).send().await;
        let mut response = response.map_err(|error| Failure::transport(ask, &error))?;
        let status = response.status().as_u16();
        tracing::debug!(route = ask.route, status, "answered");
        let wait = wait(response.headers());
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await;
            match chunk.map_err(|error| Failure::answered(ask, status, send::deepest(&error)))? {
                None => break,
                Some(chunk) if body.len() + chunk.len() > MOST => {
                    return Err(Failure::answered(
                        ask,
                        status,
                        "the answer is too long".to_owned(),
                    ));
                }
                Some(chunk) => body.extend_from_slice(&chunk),
            }
        }
        if !(200..300).contains(&status) {
            let said = retry::said(ask.without_secrets(&body).as_bytes());
            return Err(Failure { wait, ..Failure::answered(ask, status, said) });
        }
        match serde_json::from_slice(&body) {
            Ok(Value::Object(answer)) => Ok(Answered(answer)),
            // What serde says could repeat a part of a token.
            _ => Err(Failure::answered(ask, status, "the answer is no JSON object".to_owned())),
        }
    }

    fn request(&self, ask: &Ask<'_>) -> RequestBuilder {
        let url = format!("{}{}", self.base, ask.path);
        let mut request = self.http.request(ask.method.clone(), url).header("version", VERSION);
        if let Some(token) = ask.bearer {
            request = request.header(reqwest::header::AUTHORIZATION, token.header());
        }
        match &ask.body {
            None => request,
            Some(body) => request
                .header(CONTENT_TYPE, HeaderValue::from_static(body.kind))
                .body(body.text.expose_secret().clone()),
        }
    }
}

impl Ask<'_> {
    fn failed(&self, said: &str) -> OauthError {
        let (kind, route) = (OauthKind::Failed, self.route);
        OauthError { kind, route, status: None, said: said.to_owned() }
    }

    /// What the server said, without what was sent to it.
    fn without_secrets(&self, body: &[u8]) -> String {
        let mut text = String::from_utf8_lossy(body).into_owned();
        let sent = self.body.iter().flat_map(|body| &body.secrets);
        for secret in sent.chain(self.bearer.map(Token::secret)) {
            for spelled in [secret.expose_secret().to_owned(), escape(secret.expose_secret())] {
                if !spelled.is_empty() {
                    text = text.replace(&spelled, "…");
                }
            }
        }
        text
    }

    /// What a status means here.
    fn kind(&self, status: u16, said: &str) -> OauthKind {
        let said = said.to_ascii_lowercase();
        match status {
            401 | 403 if said.contains("scope") || said.contains("iam service") => OauthKind::Scope,
            401 if self.bearer.is_some() => OauthKind::Token,
            408 | 425 | 429 => OauthKind::Failed,
            400..500 => OauthKind::Refused,
            _ => OauthKind::Failed,
        }
    }
}

impl Failure {
    fn transport(ask: &Ask<'_>, error: &reqwest::Error) -> Self {
        let unsent = error.is_connect();
        let kind = if unsent { OauthKind::Unreachable } else { OauthKind::Failed };
        let said = retry::cut(&send::what_broke(error));
        let error = OauthError { kind, route: ask.route, status: None, said };
        Self { error, unsent, wait: None }
    }

    fn answered(ask: &Ask<'_>, status: u16, said: String) -> Self {
        let kind = ask.kind(status, &said);
        let error = OauthError { kind, route: ask.route, status: Some(status), said };
        Self { error, unsent: status == 429, wait: None }
    }
}

/// A form by which an app asks for tokens.
fn by(app: &App, grant_type: &str, user_type: UserType) -> Body {
    Body::form()
        .with("client_id", &app.client_id)
        .secret("client_secret", &app.client_secret)
        .with("grant_type", grant_type)
        .with("user_type", user_type.name())
}

/// The seconds of `Retry-After`, where they are given as such.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}
