//! One token refresh, made while holding the lock: the requests, the writes before and after them,
//! and the recovery when the refresh token is used up.
//!
//! The start of a refresh is on disk before the refresh token is sent, and the response is on disk
//! before its token is used. If the response never arrived (killed, cut off), the refresh token may
//! be used up; then it is refused, and the app requests a new authorization (api.md §9).

use std::time::Duration;

use jiff::Timestamp;

use super::credentials::{OauthLogin, StoredCredentials};
use super::refresher::TokenRefresher;
use crate::api::{ApiErrorKind, OauthError, OauthErrorKind, OauthGrant, TokenUnavailable};
use crate::concurrency;
use crate::failpoint::{self, FailPoint};
use crate::id::LocationId;

/// How often a refresh is tried while the server fails.
const TRIES: u32 = 3;
/// The pause between two tries.
const PAUSE: Duration = Duration::from_secs(1);
/// How long after its expiry a location's token is kept in the record.
const KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// A refresh in progress.
pub(super) struct TokenRefresh<'a> {
    pub(super) refresher: &'a TokenRefresher,
    pub(super) login: OauthLogin,
}

impl TokenRefresh<'_> {
    /// Refreshes the login's own token.
    pub(super) async fn refresh_login(&mut self) -> Result<(), TokenUnavailable> {
        let grant = self.obtain_grant().await?;
        failpoint::kill_if_due(FailPoint::AfterRefresh);
        self.merge_grant(grant);
        self.save_login().await?;
        failpoint::kill_if_due(FailPoint::AfterRenewal);
        self.refresher.cache_tokens(&self.login);
        Ok(())
    }

    /// Gets the next grant with the refresh token or a new authorization.
    async fn obtain_grant(&mut self) -> Result<OauthGrant, TokenUnavailable> {
        let Some(refresh) = self.login.grant.refresh.clone() else {
            return self.grant_by_reconnect("there is no refresh token").await;
        };
        let cut_off = self.login.begun.replace(Timestamp::now());
        self.save_login().await?;
        failpoint::kill_if_due(FailPoint::BeforeRefresh);
        let user_type = self.login.grant.user_type;
        let mut tries = 0;
        let error = loop {
            let asked = self
                .refresher
                .oauth
                .exchange_refresh_token(&self.login.app, &refresh, user_type)
                .await;
            let error = match asked {
                Ok(grant) => return Ok(grant),
                Err(error) => error,
            };
            tries += 1;
            // A retry shows whether the failed server used up the refresh token: then it is
            // refused.
            if error.kind != OauthErrorKind::Failed || tries == TRIES || self.is_token_unexpired() {
                break error;
            }
            tokio::time::sleep(PAUSE).await;
        };
        match error.kind {
            OauthErrorKind::Unreachable | OauthErrorKind::Failed => {
                Err(self.refresh_failed_error(&error))
            }
            _ => match self.reload_external_grant().await? {
                Some(grant) => Ok(grant),
                None => self.grant_by_reconnect(&refusal_reason(&error, cut_off)).await,
            },
        }
    }

    /// Whether the current token can still be used.
    fn is_token_unexpired(&self) -> bool {
        super::expiry::CachedToken::from_grant(&self.login.grant).is_unexpired()
    }

    /// A grant that was put into the record by another machine, which does not share our lock.
    async fn reload_external_grant(&mut self) -> Result<Option<OauthGrant>, TokenUnavailable> {
        let store = self.refresher.store.clone();
        let stored = concurrency::run_blocking(move || store.load()).await;
        match stored.map_err(|error| self.refresher.credential_store_error(&error))? {
            StoredCredentials::Oauth(login) if login.grant.access != self.login.grant.access => {
                self.login = *login;
                Ok(Some(self.login.grant.clone()))
            }
            _ => Ok(None),
        }
    }

    /// A grant from a new authorization of what the app was authorized for before.
    async fn grant_by_reconnect(&self, refused: &str) -> Result<OauthGrant, TokenUnavailable> {
        let Some(resource) = self.login.reconnect_target() else {
            return Err(self.refresher.login_ended_error(refused));
        };
        tracing::info!("the refresh token is used up; the app requests a new authorization");
        let (oauth, login) = (&self.refresher.oauth, &self.login);
        let user_type = login.grant.user_type;
        let result = async {
            let code = oauth.request_reconnect_code(&login.app, &resource).await?;
            // The code was not sent to any redirect URI.
            oauth.exchange_code(&login.app, &code, None, user_type).await
        };
        result.await.map_err(|error| match error.kind {
            OauthErrorKind::Unreachable | OauthErrorKind::Failed => {
                self.refresh_failed_error(&error)
            }
            // The first refusal explains more than the failed recovery does.
            _ => self.refresher.login_ended_error(refused),
        })
    }

    fn refresh_failed_error(&self, error: &OauthError) -> TokenUnavailable {
        let profile = self.refresher.store.profile_name();
        let message = format!("the login of profile `{profile}` cannot be refreshed: {error}");
        TokenUnavailable { kind: ApiErrorKind::Unreachable, message }
    }

    /// Replaces the grant, keeping the details that the new one does not state.
    fn merge_grant(&mut self, grant: OauthGrant) {
        let before = &mut self.login.grant;
        let scopes = std::mem::take(&mut before.scopes);
        self.login.grant = OauthGrant {
            refresh: grant.refresh.or(before.refresh.take()),
            scopes: if grant.scopes.is_empty() { scopes } else { grant.scopes },
            company: grant.company.or(before.company.take()),
            location: grant.location.or(before.location.take()),
            user: grant.user.or(before.user.take()),
            ..grant
        };
        self.login.begun = None;
    }

    /// Requests a token for one of the company's locations.
    pub(super) async fn refresh_location(
        &mut self,
        id: &LocationId,
    ) -> Result<(), TokenUnavailable> {
        let Some(company) = self.login.grant.company.clone() else {
            let message =
                "the login names no company, so it cannot provide location tokens".to_owned();
            return Err(TokenUnavailable { kind: ApiErrorKind::Location, message });
        };
        let mut renewed = false;
        if !super::expiry::CachedToken::from_grant(&self.login.grant).is_fresh() {
            // A token that is still valid will do.
            match self.refresh_login().await {
                Ok(()) => renewed = true,
                Err(denied) if !self.is_token_unexpired() => return Err(denied),
                Err(_) => {}
            }
        }
        let oauth = self.refresher.oauth.clone();
        let mut asked = oauth.fetch_location_token(&self.login.grant.access, &company, id).await;
        if asked.as_ref().is_err_and(|error| error.kind == OauthErrorKind::Token) && !renewed {
            self.refresh_login().await?;
            asked = oauth.fetch_location_token(&self.login.grant.access, &company, id).await;
        }
        let grant = asked.map_err(|error| location_token_error(id, &error))?;
        let now = Timestamp::now();
        self.login.locations.retain(|_, grant| now.duration_since(grant.expires) < KEPT);
        self.login.locations.insert(id.clone(), grant);
        self.save_login().await?;
        self.refresher.cache_tokens(&self.login);
        Ok(())
    }

    async fn save_login(&self) -> Result<(), TokenUnavailable> {
        let (store, stored) =
            (self.refresher.store.clone(), StoredCredentials::Oauth(Box::new(self.login.clone())));
        let saved = concurrency::run_blocking(move || store.replace_record(&stored)).await;
        saved.map_err(|error| self.refresher.credential_store_error(&error))
    }
}

/// Why only a new authorization helps.
fn refusal_reason(error: &OauthError, cut_off: Option<Timestamp>) -> String {
    match cut_off {
        None => error.to_string(),
        Some(begun) => format!("a token refresh at {begun:.0} was interrupted; {error}"),
    }
}

fn location_token_error(id: &LocationId, error: &OauthError) -> TokenUnavailable {
    let kind = match error.kind {
        OauthErrorKind::Refused => ApiErrorKind::Location,
        OauthErrorKind::Scope => ApiErrorKind::Scope,
        OauthErrorKind::Token => ApiErrorKind::Token,
        OauthErrorKind::Unreachable | OauthErrorKind::Failed => ApiErrorKind::Unreachable,
    };
    TokenUnavailable { kind, message: format!("no token for location `{id}`: {error}") }
}
