//! The record's form in JSON. The only place where secrets are exposed to be written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Login, Private, Stored, VERSION};
use crate::api::{App, Grant, Token, UserType};
use crate::id::{CompanyId, LocationId};

/// The whole record.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    private: Option<PrivateForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oauth: Option<LoginForm>,
}

#[derive(Serialize, Deserialize)]
struct PrivateForm {
    token: Exposed,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<LocationId>,
}

#[derive(Serialize, Deserialize)]
struct LoginForm {
    client_id: String,
    client_secret: Exposed,
    api_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorize_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<String>,
    grant: GrantForm,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    locations: BTreeMap<LocationId, GrantForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    begun: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct GrantForm {
    access: Exposed,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<Exposed>,
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

/// A secret that is written into the open.
struct Exposed(SecretString);

impl Serialize for Exposed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.expose_secret())
    }
}

impl<'de> Deserialize<'de> for Exposed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(SecretString::from(text)))
    }
}

impl Exposed {
    fn token(&self) -> Option<Token> {
        Token::new(self.0.expose_secret()).ok()
    }
}

impl From<&Stored> for Record {
    fn from(stored: &Stored) -> Self {
        let (private, oauth) = match stored {
            Stored::Private(it) => {
                let (token, location) = (Exposed(it.token.secret().clone()), it.location.clone());
                (Some(PrivateForm { token, location }), None)
            }
            Stored::Oauth(it) => (None, Some(LoginForm::from(&**it))),
        };
        Self { version: VERSION, private, oauth }
    }
}

impl Record {
    /// What was stored, if it is whole.
    pub(super) fn stored(self) -> Option<Stored> {
        if let Some(it) = self.private {
            let token = it.token.token()?;
            return Some(Stored::Private(Private { token, location: it.location }));
        }
        Some(Stored::Oauth(Box::new(self.oauth?.login()?)))
    }
}

impl From<&Login> for LoginForm {
    fn from(it: &Login) -> Self {
        let location = |(id, grant): (&LocationId, &Grant)| (id.clone(), GrantForm::from(grant));
        Self {
            client_id: it.app.client_id.clone(),
            client_secret: Exposed(it.app.client_secret.clone()),
            api_url: it.api_url.clone(),
            authorize_url: it.authorize_url.clone(),
            redirect_uri: it.redirect_uri.clone(),
            grant: GrantForm::from(&it.grant),
            locations: it.locations.iter().map(location).collect(),
            begun: it.begun,
        }
    }
}

impl LoginForm {
    fn login(self) -> Option<Login> {
        let location = |(id, form): (LocationId, GrantForm)| Some((id, form.grant()?));
        Some(Login {
            app: App { client_id: self.client_id, client_secret: self.client_secret.0 },
            grant: self.grant.grant()?,
            api_url: self.api_url,
            authorize_url: self.authorize_url,
            redirect_uri: self.redirect_uri,
            locations: self.locations.into_iter().map(location).collect::<Option<_>>()?,
            begun: self.begun,
        })
    }
}

impl From<&Grant> for GrantForm {
    fn from(it: &Grant) -> Self {
        Self {
            access: Exposed(it.access.secret().clone()),
            refresh: it.refresh.clone().map(Exposed),
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

impl GrantForm {
    fn grant(self) -> Option<Grant> {
        Some(Grant {
            access: self.access.token()?,
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
