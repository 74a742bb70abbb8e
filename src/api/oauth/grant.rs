//! What the OAuth endpoints return: tokens with their expiry and scope.
//!
//! Responses come in two spellings, that of v2 (`access_token`) and that of v3 (`accessToken`);
//! both are read, whichever was requested (api.md §1). Nothing here prints a secret.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::api::token::BearerToken;
use crate::id::{CompanyId, LocationId};

/// The lifetime of a token whose response does not state one (api.md §9: 86,399 s).
const USUAL: Duration = Duration::from_secs(86_399);

/// The user's own app, with which tokens are requested.
#[derive(Debug, Clone)]
pub struct OauthApp {
    /// The client id, such as `6578278e879ad2646715ba9c-lq3abcde`.
    pub client_id: String,
    /// The client secret.
    pub client_secret: SecretString,
}

impl OauthApp {
    /// The app's id: the client id up to its hyphen.
    #[must_use]
    pub fn app_id(&self) -> &str {
        self.client_id.split('-').next().unwrap_or_default()
    }
}

/// What a token is valid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserType {
    /// One location (sub-account).
    Location,
    /// A company (agency), which can request tokens for its locations.
    Company,
}

impl UserType {
    /// The API's name for it.
    #[must_use]
    pub fn api_name(self) -> &'static str {
        match self {
            Self::Location => "Location",
            Self::Company => "Company",
        }
    }
}

/// A token and its details.
#[derive(Debug, Clone)]
pub struct OauthGrant {
    /// The access token.
    pub access: BearerToken,
    /// The single-use token for the next refresh; location tokens made for a company have none.
    pub refresh: Option<SecretString>,
    /// When it was requested, by this machine's clock: the moment before the request was sent.
    pub obtained: Timestamp,
    /// When it expires, by this machine's clock. The server sends a duration, never a time, so a
    /// wrong clock does no harm as long as its error stays the same.
    pub expires: Timestamp,
    /// Its scopes, such as `contacts.readonly`.
    pub scopes: Vec<String>,
    /// What it is valid for.
    pub user_type: UserType,
    /// The company, if the response names one.
    pub company: Option<CompanyId>,
    /// The location, if it is valid for one.
    pub location: Option<LocationId>,
    /// The person who installed the app, if the response names one.
    pub user: Option<String>,
}

impl OauthGrant {
    /// Its total lifetime.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        Duration::try_from(self.expires.duration_since(self.obtained)).unwrap_or_default()
    }
}

/// A location of a company in which the app is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledLocation {
    /// The location.
    pub id: LocationId,
    /// Its name. Untrusted text.
    pub name: String,
    /// Whether the app is installed there.
    pub installed: bool,
}

/// What to request a new authorization for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReconnectTarget {
    /// A whole company.
    Company(CompanyId),
    /// One location.
    Location(LocationId),
}

/// An object of a response, whose keys may be spelled in two ways.
pub(super) struct OauthResponseObject(pub(super) Map<String, Value>);

impl OauthResponseObject {
    /// The value of the first key that is present and not null.
    fn first_value(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().filter_map(|key| self.0.get(*key)).find(|value| !value.is_null())
    }

    /// A string, or a number as one.
    pub(super) fn text_field(&self, keys: &[&str]) -> Option<String> {
        match self.first_value(keys)? {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// An id, if there is a valid one.
    fn id_field<T: std::str::FromStr>(&self, keys: &[&str]) -> Option<T> {
        self.text_field(keys)?.parse().ok()
    }

    fn token_lifetime(&self) -> Duration {
        let seconds =
            self.text_field(&["expires_in", "expiresIn"]).and_then(|text| text.parse().ok());
        let usable = seconds.filter(|seconds: &f64| *seconds >= 0.0 && *seconds < 1e10);
        usable.map_or(USUAL, Duration::from_secs_f64)
    }

    fn granted_scopes(&self) -> Vec<String> {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        match self.first_value(&["scope", "scopes"]) {
            Some(Value::String(text)) => words(text),
            Some(Value::Array(all)) => {
                all.iter().filter_map(Value::as_str).flat_map(words).collect()
            }
            _ => Vec::new(),
        }
    }

    fn user_type(&self) -> Option<UserType> {
        match self.text_field(&["userType", "user_type"])?.to_ascii_lowercase().as_str() {
            "location" => Some(UserType::Location),
            "company" | "agency" => Some(UserType::Company),
            _ => None,
        }
    }

    /// The grant, if it contains a valid token.
    pub(super) fn to_grant(&self, asked: UserType, obtained: Timestamp) -> Option<OauthGrant> {
        let access = BearerToken::new(&self.text_field(&["access_token", "accessToken"])?).ok()?;
        let refresh = self.text_field(&["refresh_token", "refreshToken"]).map(SecretString::from);
        let expires = obtained.checked_add(self.token_lifetime()).ok()?;
        Some(OauthGrant {
            access,
            refresh,
            obtained,
            expires,
            scopes: self.granted_scopes(),
            user_type: self.user_type().unwrap_or(asked),
            company: self.id_field(&["companyId", "company_id"]),
            location: self.id_field(&["locationId", "location_id"]),
            user: self.text_field(&["userId", "user_id"]),
        })
    }

    /// The location in a row of a list.
    pub(super) fn to_installed_location(&self) -> Option<InstalledLocation> {
        Some(InstalledLocation {
            id: self.id_field(&["_id", "id", "locationId"])?,
            name: self.text_field(&["name"]).unwrap_or_default(),
            installed: self.first_value(&["isInstalled", "is_installed"])
                != Some(&Value::Bool(false)),
        })
    }

    /// The rows of a list.
    pub(super) fn take_rows(&mut self) -> Option<Vec<Self>> {
        let list = ["locations", "items"].iter().find_map(|key| self.0.remove(*key))?;
        let Value::Array(rows) = list else { return None };
        let object = |row| if let Value::Object(row) = row { Some(Self(row)) } else { None };
        rows.into_iter().map(object).collect()
    }
}
