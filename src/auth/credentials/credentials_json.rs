//! The record in JSON. The only place where secrets are exposed to be written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{OauthLogin, PrivateIntegration, StoredCredentials, VERSION};
use crate::api::{BearerToken, OauthApp, OauthGrant, UserType};
use crate::id::{CompanyId, LocationId};

/// The whole record.
#[derive(Serialize, Deserialize)]
pub(super) struct CredentialRecord {
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    private: Option<PrivateIntegrationJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oauth: Option<OauthLoginJson>,
}

#[derive(Serialize, Deserialize)]
struct PrivateIntegrationJson {
    token: ExposedSecret,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<LocationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stored: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct OauthLoginJson {
    client_id: String,
    client_secret: ExposedSecret,
    api_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorize_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<String>,
    grant: OauthGrantJson,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    locations: BTreeMap<LocationId, OauthGrantJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    begun: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct OauthGrantJson {
    access: ExposedSecret,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<ExposedSecret>,
    obtained: Timestamp,
    expires: Timestamp,
    scopes: Vec<String>,
    user_type: UserType,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<CompanyId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<LocationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

/// A secret that is serialised in plain text.
struct ExposedSecret(SecretString);

impl Serialize for ExposedSecret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.expose_secret())
    }
}

impl<'de> Deserialize<'de> for ExposedSecret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(SecretString::from(text)))
    }
}

impl ExposedSecret {
    fn to_token(&self) -> Option<BearerToken> {
        BearerToken::new(self.0.expose_secret()).ok()
    }
}

impl From<&StoredCredentials> for CredentialRecord {
    fn from(stored: &StoredCredentials) -> Self {
        let (private, oauth) = match stored {
            StoredCredentials::Private(it) => {
                let token = ExposedSecret(it.token.secret().clone());
                let (location, stored) = (it.location.clone(), it.stored);
                (Some(PrivateIntegrationJson { token, location, stored }), None)
            }
            StoredCredentials::Oauth(it) => (None, Some(OauthLoginJson::from(&**it))),
        };
        Self { version: VERSION, private, oauth }
    }
}

impl CredentialRecord {
    /// The stored credentials, if the record is complete.
    pub(super) fn into_credentials(self) -> Option<StoredCredentials> {
        if let Some(it) = self.private {
            let token = it.token.to_token()?;
            return Some(StoredCredentials::Private(PrivateIntegration {
                token,
                location: it.location,
                stored: it.stored,
            }));
        }
        Some(StoredCredentials::Oauth(Box::new(self.oauth?.into_login()?)))
    }
}

impl From<&OauthLogin> for OauthLoginJson {
    fn from(it: &OauthLogin) -> Self {
        let location =
            |(id, grant): (&LocationId, &OauthGrant)| (id.clone(), OauthGrantJson::from(grant));
        Self {
            client_id: it.app.client_id.clone(),
            client_secret: ExposedSecret(it.app.client_secret.clone()),
            api_url: it.api_url.clone(),
            authorize_url: it.authorize_url.clone(),
            redirect_uri: it.redirect_uri.clone(),
            grant: OauthGrantJson::from(&it.grant),
            locations: it.locations.iter().map(location).collect(),
            begun: it.begun,
        }
    }
}

impl OauthLoginJson {
    fn into_login(self) -> Option<OauthLogin> {
        let location = |(id, form): (LocationId, OauthGrantJson)| Some((id, form.into_grant()?));
        Some(OauthLogin {
            app: OauthApp { client_id: self.client_id, client_secret: self.client_secret.0 },
            grant: self.grant.into_grant()?,
            api_url: self.api_url,
            authorize_url: self.authorize_url,
            redirect_uri: self.redirect_uri,
            locations: self.locations.into_iter().map(location).collect::<Option<_>>()?,
            begun: self.begun,
        })
    }
}

impl From<&OauthGrant> for OauthGrantJson {
    fn from(it: &OauthGrant) -> Self {
        Self {
            access: ExposedSecret(it.access.secret().clone()),
            refresh: it.refresh.clone().map(ExposedSecret),
            obtained: it.obtained,
            expires: it.expires,
            scopes: it.scopes.clone(),
            user_type: it.user_type,
            company: it.company.clone(),
            location: it.location.clone(),
            user: it.user.clone(),
        }
    }
}

impl OauthGrantJson {
    fn into_grant(self) -> Option<OauthGrant> {
        Some(OauthGrant {
            access: self.access.to_token()?,
            refresh: self.refresh.map(|secret| secret.0),
            obtained: self.obtained,
            expires: self.expires,
            scopes: self.scopes,
            user_type: self.user_type,
            company: self.company,
            location: self.location,
            user: self.user,
        })
    }
}
