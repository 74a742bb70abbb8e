//! One renewal, made by whoever holds the lock: what is asked, what is written before and after, and the
//! way out when the refresh token is used up.
//!
//! That a renewal has begun is on disk before the refresh token is sent, and the answer is on disk before
//! its token is used. An answer that never came (killed, cut off) leaves a refresh token that may be used up;
//! then it is refused, and the app asks for a new authorisation (api.md §9).

use std::time::Duration;

use jiff::Timestamp;

use super::credentials::{OauthLogin, StoredCredentials};
use super::refresher::TokenRefresher;
use crate::api::{ApiErrorKind, OauthError, OauthErrorKind, OauthGrant, TokenUnavailable};
use crate::concurrency;
use crate::failpoint::{self, FailPoint};
use crate::id::LocationId;

/// How often a renewal is asked for while the server fails.
const TRIES: u32 = 3;
/// How long to wait between two.
const PAUSE: Duration = Duration::from_secs(1);
/// How long after its end a location's token is still kept in the record.
const KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// A renewal under way.
pub(super) struct TokenRefresh<'a> {
    pub(super) keeper: &'a TokenRefresher,
    pub(super) login: OauthLogin,
}

impl TokenRefresh<'_> {
    /// Renews the login's own token.
    pub(super) async fn refresh_login(&mut self) -> Result<(), TokenUnavailable> {
        let grant = self.obtain_grant().await?;
        failpoint::kill_if_due(FailPoint::AfterRefresh);
        self.merge_grant(grant);
        self.save_login().await?;
        failpoint::kill_if_due(FailPoint::AfterRenewal);
        self.keeper.cache_tokens(&self.login);
        Ok(())
    }

    /// The next grant, by the refresh token or by a new authorisation.
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
                .keeper
                .oauth
                .exchange_refresh_token(&self.login.app, &refresh, user_type)
                .await;
            let error = match asked {
                Ok(grant) => return Ok(grant),
                Err(error) => error,
            };
            tries += 1;
            // Whether a failed server has taken it shows when it is sent again: then it is refused.
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

    /// Whether there is no hurry.
    fn is_token_unexpired(&self) -> bool {
        super::expiry::CachedToken::from_grant(&self.login.grant).is_unexpired()
    }

    /// What somebody else has put into the record, who does not share our lock: another machine.
    async fn reload_external_grant(&mut self) -> Result<Option<OauthGrant>, TokenUnavailable> {
        let safe = self.keeper.safe.clone();
        let stored = concurrency::run_blocking(move || safe.load()).await;
        match stored.map_err(|error| self.keeper.credential_store_error(&error))? {
            StoredCredentials::Oauth(login) if login.grant.access != self.login.grant.access => {
                self.login = *login;
                Ok(Some(self.login.grant.clone()))
            }
            _ => Ok(None),
        }
    }

    /// A grant by a new authorisation of what the app was authorised for before.
    async fn grant_by_reconnect(&self, refused: &str) -> Result<OauthGrant, TokenUnavailable> {
        let Some(resource) = self.login.reconnect_target() else {
            return Err(self.keeper.login_ended_error(refused));
        };
        tracing::info!("the refresh token is used up; the app asks for a new authorisation");
        let (oauth, login) = (&self.keeper.oauth, &self.login);
        let user_type = login.grant.user_type;
        let result = async {
            let code = oauth.request_reconnect_code(&login.app, &resource).await?;
            // The code was sent to no address.
            oauth.exchange_code(&login.app, &code, None, user_type).await
        };
        result.await.map_err(|error| match error.kind {
            OauthErrorKind::Unreachable | OauthErrorKind::Failed => {
                self.refresh_failed_error(&error)
            }
            // What the first refusal said tells more than that the way out is closed, too.
            _ => self.keeper.login_ended_error(refused),
        })
    }

    fn refresh_failed_error(&self, error: &OauthError) -> TokenUnavailable {
        let profile = self.keeper.safe.profile_name();
        let message = format!("the login of profile `{profile}` cannot be renewed: {error}");
        TokenUnavailable { kind: ApiErrorKind::Unreachable, message }
    }

    /// Puts a grant in the place of the one before, which tells what the new one does not.
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

    /// Asks for the token of one of the company's locations.
    pub(super) async fn refresh_location(
        &mut self,
        id: &LocationId,
    ) -> Result<(), TokenUnavailable> {
        let Some(company) = self.login.grant.company.clone() else {
            let message =
                "the login names no company, so it gives no tokens of locations".to_owned();
            return Err(TokenUnavailable { kind: ApiErrorKind::Location, message });
        };
        let mut renewed = false;
        if !super::expiry::CachedToken::from_grant(&self.login.grant).is_fresh() {
            // A token that still lives will do.
            match self.refresh_login().await {
                Ok(()) => renewed = true,
                Err(denied) if !self.is_token_unexpired() => return Err(denied),
                Err(_) => {}
            }
        }
        let oauth = self.keeper.oauth.clone();
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
        self.keeper.cache_tokens(&self.login);
        Ok(())
    }

    async fn save_login(&self) -> Result<(), TokenUnavailable> {
        let (safe, stored) =
            (self.keeper.safe.clone(), StoredCredentials::Oauth(Box::new(self.login.clone())));
        let saved = concurrency::run_blocking(move || safe.replace_record(&stored)).await;
        saved.map_err(|error| self.keeper.credential_store_error(&error))
    }
}

/// Why there is no other way but a new authorisation.
fn refusal_reason(error: &OauthError, cut_off: Option<Timestamp>) -> String {
    match cut_off {
        None => error.to_string(),
        Some(begun) => format!("a renewal at {begun:.0} was cut off; {error}"),
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
