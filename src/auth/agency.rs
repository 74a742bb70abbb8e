//! A company's login: its locations, and a token for each.

use std::sync::Arc;

use super::credentials::OauthLogin;
use super::error::AuthError;
use super::refresher::{RefreshingTokenProvider, TokenOwner, TokenRefresher};
use super::store::CredentialStore;
use crate::api::{
    ApiErrorKind, BearerToken, HttpOptions, InstalledLocation, OauthError, OauthErrorKind,
    TokenProvider, TokenUnavailable,
};
use crate::id::{CompanyId, LocationId};

/// A company's login. Its locations' tokens are requested with the company's token, stored in the
/// record, and refreshed.
#[derive(Debug, Clone)]
pub struct AgencyAuth {
    refresher: Arc<TokenRefresher>,
    company: CompanyId,
    app_id: String,
}

impl AgencyAuth {
    /// The company of a login that was loaded from this store; None when the login is not for a
    /// company. No request is sent yet.
    pub fn from_login(
        store: CredentialStore,
        login: &OauthLogin,
        transport: &HttpOptions,
    ) -> Result<Option<Self>, AuthError> {
        let company = login.grant.company.clone();
        let Some(company) = company.filter(|_| login.is_company()) else { return Ok(None) };
        let refresher = TokenRefresher::new(store, login, transport)?;
        Ok(Some(Self { refresher, company, app_id: login.app.app_id().to_owned() }))
    }

    /// The company.
    #[must_use]
    pub fn company_id(&self) -> &CompanyId {
        &self.company
    }

    /// The locations in which the app is installed.
    pub async fn installed_locations(&self) -> Result<Vec<InstalledLocation>, TokenUnavailable> {
        let token = self.refresher.valid_token(&TokenOwner::Login, None).await?;
        match self.fetch_locations(&token).await {
            Err(error) if error.kind == OauthErrorKind::Token => {
                let token = self.refresher.valid_token(&TokenOwner::Login, Some(&token)).await?;
                self.fetch_locations(&token).await.map_err(|error| location_list_error(&error))
            }
            listed => listed.map_err(|error| location_list_error(&error)),
        }
    }

    async fn fetch_locations(
        &self,
        token: &BearerToken,
    ) -> Result<Vec<InstalledLocation>, OauthError> {
        self.refresher.oauth.list_installed_locations(token, &self.company, &self.app_id).await
    }

    /// A provider of the location's tokens, which are requested when needed.
    #[must_use]
    pub fn location_token_provider(&self, location: &LocationId) -> Arc<dyn TokenProvider> {
        let whose = TokenOwner::Location(location.clone());
        Arc::new(RefreshingTokenProvider::with_owner(Arc::clone(&self.refresher), whose))
    }

    /// A provider of the company's own tokens.
    #[must_use]
    pub fn company_token_provider(&self) -> Arc<dyn TokenProvider> {
        Arc::new(RefreshingTokenProvider::with_owner(
            Arc::clone(&self.refresher),
            TokenOwner::Login,
        ))
    }
}

fn location_list_error(error: &OauthError) -> TokenUnavailable {
    let kind = match error.kind {
        OauthErrorKind::Refused => ApiErrorKind::Refused,
        OauthErrorKind::Scope => ApiErrorKind::Scope,
        OauthErrorKind::Token => ApiErrorKind::Token,
        OauthErrorKind::Unreachable | OauthErrorKind::Failed => ApiErrorKind::Unreachable,
    };
    TokenUnavailable { kind, message: format!("the company's locations: {error}") }
}
