//! What a safe holds: a token of a private integration, or an OAuth login.
//!
//! In memory every secret is a `secrecy` type and shows itself nowhere. Only [`StoredCredentials::to_json`] puts them
//! into the open, for the store.

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

/// The format of the record. It moves when a reader of the old form would misread the new one.
pub(super) const VERSION: u64 = 1;

/// A profile's record.
#[derive(Debug, Clone)]
pub enum StoredCredentials {
    /// A token that stays as it is.
    Private(PrivateIntegration),
    /// An OAuth login, whose tokens are renewed.
    Oauth(Box<OauthLogin>),
}

/// A private integration's token.
#[derive(Debug, Clone)]
pub struct PrivateIntegration {
    /// The token.
    pub token: BearerToken,
    /// The location it was given for, where that is known.
    pub location: Option<LocationId>,
}

/// An OAuth login.
#[derive(Debug, Clone)]
pub struct OauthLogin {
    /// The user's own app.
    pub app: OauthApp,
    /// The tokens of now.
    pub grant: OauthGrant,
    /// The address that gave them, and the only one that gets them.
    pub api_url: String,
    /// The page on which the login was authorised.
    pub authorize_url: Option<String>,
    /// The redirect address that the app has.
    pub redirect_uri: Option<String>,
    /// The tokens of a company's locations.
    pub locations: BTreeMap<LocationId, OauthGrant>,
    /// When a renewal was begun that has not ended yet, as far as this record knows: its refresh token may
    /// be used up.
    pub begun: Option<Timestamp>,
}

impl OauthLogin {
    /// A new login.
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

    /// What the login is for, where the server said so.
    pub(super) fn reconnect_target(&self) -> Option<ReconnectTarget> {
        match self.grant.user_type {
            UserType::Company => self.grant.company.clone().map(ReconnectTarget::Company),
            UserType::Location => self.grant.location.clone().map(ReconnectTarget::Location),
        }
    }
}

impl StoredCredentials {
    /// The record as it is stored, with its secrets in the open.
    pub(super) fn to_json(&self) -> SecretSlice<u8> {
        let text = serde_json::to_vec_pretty(&CredentialRecord::from(self));
        text.expect("the record has only text keys").into()
    }

    /// The record from its stored form. What is wrong with it is told without repeating a part of it.
    pub(super) fn from_json(text: &SecretSlice<u8>, path: &Path) -> Result<Self, AuthError> {
        let record: CredentialRecord = parse_versioned(text.expose_secret(), path)?;
        record.into_credentials().ok_or_else(|| AuthError::damaged_file(path, "it holds no login"))
    }
}

/// What a JSON text with a version holds.
pub(super) fn parse_versioned<T: DeserializeOwned>(
    text: &[u8],
    path: &Path,
) -> Result<T, AuthError> {
    #[derive(Deserialize)]
    struct CredentialVersion {
        version: u64,
    }
    let damaged = |_| AuthError::damaged_file(path, "it is not the record of a login");
    let CredentialVersion { version } = serde_json::from_slice(text).map_err(damaged)?;
    if version > VERSION {
        return Err(AuthError::Newer { path: path.to_owned(), found: version, known: VERSION });
    }
    serde_json::from_slice(text).map_err(damaged)
}
