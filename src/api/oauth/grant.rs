//! What the OAuth endpoints give: tokens with their end and their reach.
//!
//! Answers come in two spellings, that of v2 (`access_token`) and that of v3 (`accessToken`); both are
//! read, whichever was asked for (api.md §1). Nothing here shows a secret.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::api::token::BearerToken;
use crate::id::{CompanyId, LocationId};

/// How long a token lives whose answer does not say so (api.md §9: 86,399 s).
const USUAL: Duration = Duration::from_secs(86_399);

/// The user's own app, by which tokens are asked for.
#[derive(Debug, Clone)]
pub struct OauthApp {
    /// The client id, such as `6578278e879ad2646715ba9c-lq3abcde`.
    pub client_id: String,
    /// The client secret.
    pub client_secret: SecretString,
}

impl OauthApp {
    /// The app's own id: the client id up to its hyphen.
    #[must_use]
    pub fn app_id(&self) -> &str {
        self.client_id.split('-').next().unwrap_or_default()
    }
}

/// Whom a token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserType {
    /// One location (sub-account).
    Location,
    /// A company (agency), which has tokens made for its locations.
    Company,
}

impl UserType {
    /// The API's word for it.
    #[must_use]
    pub fn api_name(self) -> &'static str {
        match self {
            Self::Location => "Location",
            Self::Company => "Company",
        }
    }
}

/// A token and what belongs to it.
#[derive(Debug, Clone)]
pub struct OauthGrant {
    /// The token that requests carry.
    pub access: BearerToken,
    /// The single-use token for the next grant; location tokens made for a company have none.
    pub refresh: Option<SecretString>,
    /// When it was asked for, by this machine's clock: the moment before the request left.
    pub obtained: Timestamp,
    /// When it ends, by this machine's clock. The server tells a length of time, never a moment, so a
    /// wrong clock does no harm as long as it stays equally wrong.
    pub expires: Timestamp,
    /// What it may do, such as `contacts.readonly`.
    pub scopes: Vec<String>,
    /// Whom it speaks for.
    pub user_type: UserType,
    /// The company, where the answer names one.
    pub company: Option<CompanyId>,
    /// The location, where it speaks for one.
    pub location: Option<LocationId>,
    /// The person who installed the app, where the answer names one.
    pub user: Option<String>,
}

impl OauthGrant {
    /// How long it lives from its beginning.
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
    /// Its name. From outside.
    pub name: String,
    /// Whether the app is installed there.
    pub installed: bool,
}

/// What an authorisation is asked for again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReconnectTarget {
    /// A whole company.
    Company(CompanyId),
    /// One location.
    Location(LocationId),
}

/// An object of an answer, whose keys may be spelled in two ways.
pub(super) struct OauthResponseObject(pub(super) Map<String, Value>);

impl OauthResponseObject {
    /// The first of the keys that holds something.
    fn first_value(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().filter_map(|key| self.0.get(*key)).find(|value| !value.is_null())
    }

    /// A text, or a number as one.
    pub(super) fn text_field(&self, keys: &[&str]) -> Option<String> {
        match self.first_value(keys)? {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// An id, where a usable one is given.
    fn id_field<T: std::str::FromStr>(&self, keys: &[&str]) -> Option<T> {
        self.text_field(keys)?.parse().ok()
    }

    fn token_lifetime(&self) -> Duration {
        let told = self.text_field(&["expires_in", "expiresIn"]).and_then(|text| text.parse().ok());
        let usable = told.filter(|told: &f64| *told >= 0.0 && *told < 1e10);
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

    /// The grant, if there is a token in it that can be sent.
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

    /// The location of a row of a list.
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
