//! A company's login: its locations, and a token for each.

use std::sync::Arc;

use super::credentials::Login;
use super::error::Error;
use super::refresher::{Keeper, Renewing, Whose};
use super::store::Safe;
use crate::api::{Credential, Denied, Installed, Kind, OauthError, OauthKind, Token, Transport};
use crate::id::{CompanyId, LocationId};

/// A company's login. Its locations' tokens are made by the company's, kept in the record, and renewed.
#[derive(Debug, Clone)]
pub struct Agency {
    keeper: Arc<Keeper>,
    company: CompanyId,
    app_id: String,
}

impl Agency {
    /// The company of a login that was loaded from this safe; nothing when the login is for no company.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// When connections cannot be set up.
    pub fn new(safe: Safe, login: &Login, transport: &Transport) -> Result<Option<Self>, Error> {
        let company = login.grant.company.clone();
        let Some(company) = company.filter(|_| login.is_company()) else { return Ok(None) };
        let keeper = Keeper::new(safe, login, transport)?;
        Ok(Some(Self { keeper, company, app_id: login.app.id().to_owned() }))
    }

    /// The company.
    #[must_use]
    pub fn company(&self) -> &CompanyId {
        &self.company
    }

    /// The locations in which the app is installed.
    ///
    /// # Errors
    /// When the company's token cannot be had, or the list is refused.
    pub async fn locations(&self) -> Result<Vec<Installed>, Denied> {
        let token = self.keeper.token(&Whose::Login, None).await?;
        match self.list(&token).await {
            Err(error) if error.kind == OauthKind::Token => {
                let token = self.keeper.token(&Whose::Login, Some(&token)).await?;
                self.list(&token).await.map_err(|error| denied(&error))
            }
            listed => listed.map_err(|error| denied(&error)),
        }
    }

    async fn list(&self, token: &Token) -> Result<Vec<Installed>, OauthError> {
        self.keeper.oauth.installed_locations(token, &self.company, &self.app_id).await
    }

    /// The tokens of a location, asked for when they are needed.
    #[must_use]
    pub fn credential(&self, location: &LocationId) -> Arc<dyn Credential> {
        let whose = Whose::Location(location.clone());
        Arc::new(Renewing::of(Arc::clone(&self.keeper), whose))
    }

    /// The company's own tokens.
    #[must_use]
    pub fn own(&self) -> Arc<dyn Credential> {
        Arc::new(Renewing::of(Arc::clone(&self.keeper), Whose::Login))
    }
}

fn denied(error: &OauthError) -> Denied {
    let kind = match error.kind {
        OauthKind::Refused => Kind::Refused,
        OauthKind::Scope => Kind::Scope,
        OauthKind::Token => Kind::Token,
        OauthKind::Unreachable | OauthKind::Failed => Kind::Unreachable,
    };
    Denied { kind, said: format!("the company's locations: {error}") }
}
