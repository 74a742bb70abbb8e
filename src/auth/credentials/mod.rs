//! Stored credentials: a private integration token or an OAuth login.
//!
//! In memory every secret is a `secrecy` type and is never shown. Only
//! [`StoredCredentials::to_json`] exposes them, for the store.

mod credentials_json;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretSlice};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::AuthError;
use crate::api::{BearerToken, OauthApp, OauthGrant, ReconnectTarget, UserType};
use crate::id::LocationId;
use credentials_json::CredentialRecord;

/// The record's format version. It moves when a reader of the old format would misread the new one.
pub(super) const VERSION: u64 = 1;

/// A profile's record.
#[derive(Debug, Clone)]
pub enum StoredCredentials {
    /// A token that never changes.
    Private(PrivateIntegration),
    /// An OAuth login, whose tokens are refreshed.
    Oauth(Box<OauthLogin>),
}

/// A private integration token.
#[derive(Debug, Clone)]
pub struct PrivateIntegration {
    /// The token.
    pub token: BearerToken,
    /// The location it was created for, if known.
    pub location: Option<LocationId>,
    /// When it was first stored, if known: HighLevel does not tell its age.
    pub stored: Option<Timestamp>,
}

/// An OAuth login.
#[derive(Debug, Clone)]
pub struct OauthLogin {
    /// The user's own app.
    pub app: OauthApp,
    /// The current tokens.
    pub grant: OauthGrant,
    /// The API that issued the tokens, and the only one they are sent to.
    pub api_url: String,
    /// The page on which the login was authorized.
    pub authorize_url: Option<String>,
    /// The app's redirect URI.
    pub redirect_uri: Option<String>,
    /// The tokens of the company's locations.
    pub locations: BTreeMap<LocationId, OauthGrant>,
    /// When a refresh was started that has not ended yet, as far as this record shows: its refresh
    /// token may be used up.
    pub begun: Option<Timestamp>,
}

impl OauthLogin {
    /// Creates a login.
    #[must_use]
    pub fn new(app: OauthApp, grant: OauthGrant, api_url: String) -> Self {
        let (authorize_url, redirect_uri, locations, begun) = (None, None, BTreeMap::new(), None);
        Self { app, grant, api_url, authorize_url, redirect_uri, locations, begun }
    }

    /// Whether the login is for a company, whose locations have tokens of their own.
    #[must_use]
    pub fn is_company(&self) -> bool {
        self.grant.user_type == UserType::Company
    }

    /// What the login is for, if the server said so.
    pub(super) fn reconnect_target(&self) -> Option<ReconnectTarget> {
        match self.grant.user_type {
            UserType::Company => self.grant.company.clone().map(ReconnectTarget::Company),
            UserType::Location => self.grant.location.clone().map(ReconnectTarget::Location),
        }
    }
}

impl StoredCredentials {
    /// The record as it is stored, with its secrets in plain text.
    pub(super) fn to_json(&self) -> SecretSlice<u8> {
        let text = serde_json::to_vec_pretty(&CredentialRecord::from(self));
        text.expect("the record has only text keys").into()
    }

    /// Parses a stored record. Errors never repeat any part of it.
    pub(super) fn from_json(text: &SecretSlice<u8>, path: &Path) -> Result<Self, AuthError> {
        let record: CredentialRecord = parse_versioned(text.expose_secret(), path)?;
        record
            .into_credentials()
            .ok_or_else(|| AuthError::damaged_file(path, "it contains no login"))
    }
}

/// Parses a versioned JSON text.
pub(super) fn parse_versioned<T: DeserializeOwned>(
    text: &[u8],
    path: &Path,
) -> Result<T, AuthError> {
    #[derive(Deserialize)]
    struct CredentialVersion {
        version: u64,
    }
    let damaged = |_| AuthError::damaged_file(path, "it is not a login record");
    let CredentialVersion { version } = serde_json::from_slice(text).map_err(damaged)?;
    if version > VERSION {
        return Err(AuthError::Newer { path: path.to_owned(), found: version, known: VERSION });
    }
    serde_json::from_slice(text).map_err(damaged)
}
