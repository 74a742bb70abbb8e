//! The token refresher of an OAuth login: which caller gets which token, and who refreshes it.
//!
//! Within a process, one refresh serves all waiting callers. Between processes the store's lock
//! ensures that, and every lock holder reads the record again before sending anything. A refresh
//! runs as a task of its own and continues when its callers are gone, because a response that is
//! not stored is a lost login.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::sync::OwnedMutexGuard;

use super::credentials::{OauthLogin, StoredCredentials};
use super::error::AuthError;
use super::expiry::CachedToken;
use super::refresh_request::TokenRefresh;
use super::store::CredentialStore;
use crate::api::{
    ApiErrorKind, BearerToken, HttpOptions, OauthClient, TokenProvider, TokenUnavailable,
};
use crate::concurrency;
use crate::id::LocationId;

/// How long to wait before another try after a refresh failed while the old token is still valid.
const REST: Duration = Duration::from_secs(30);

/// The owner of a token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TokenOwner {
    /// The login itself.
    Login,
    /// A location of the login's company.
    Location(LocationId),
}

/// Provides and refreshes a login's tokens.
#[derive(Debug)]
pub(super) struct TokenRefresher {
    pub(super) store: CredentialStore,
    pub(super) oauth: OauthClient,
    /// Serialises refreshes.
    turn: Arc<tokio::sync::Mutex<()>>,
    cache: Mutex<TokenCache>,
}

/// The cached tokens.
#[derive(Debug, Default)]
struct TokenCache {
    tokens: BTreeMap<TokenOwner, CachedToken>,
    /// The last refresh, if it failed.
    failed: Option<FailedRefresh>,
}

/// A failed refresh.
#[derive(Debug)]
struct FailedRefresh {
    whose: TokenOwner,
    at: Instant,
    denied: TokenUnavailable,
}

impl TokenRefresher {
    pub(super) fn new(
        store: CredentialStore,
        login: &OauthLogin,
        transport: &HttpOptions,
    ) -> Result<Arc<Self>, AuthError> {
        let oauth = OauthClient::new(&login.api_url, transport)?;
        let (turn, cache) = (Arc::default(), Mutex::default());
        let refresher = Self { store, oauth, turn, cache };
        refresher.cache_tokens(login);
        Ok(Arc::new(refresher))
    }

    fn lock_cache(&self) -> std::sync::MutexGuard<'_, TokenCache> {
        self.cache.lock().expect("the lock is not poisoned: nothing panics while holding it")
    }

    /// Caches the tokens of a record that is on disk.
    pub(super) fn cache_tokens(&self, login: &OauthLogin) {
        let mut tokens =
            BTreeMap::from([(TokenOwner::Login, CachedToken::from_grant(&login.grant))]);
        let locations = login.locations.iter();
        tokens.extend(
            locations.map(|(id, grant)| {
                (TokenOwner::Location(id.clone()), CachedToken::from_grant(grant))
            }),
        );
        self.lock_cache().tokens = tokens;
    }

    /// A token that needs no refresh.
    pub(super) fn fresh_token(
        &self,
        whose: &TokenOwner,
        refused: Option<&BearerToken>,
    ) -> Option<BearerToken> {
        let cache = self.lock_cache();
        let cached = cache.tokens.get(whose)?;
        let resting = cache.failed.as_ref().is_some_and(|failed| failed.at.elapsed() < REST);
        let usable = cached.is_fresh() || resting && cached.is_unexpired();
        (usable && refused != Some(&cached.token)).then(|| cached.token.clone())
    }

    /// A token that the API should still accept, although it is due for a refresh.
    fn unexpired_token(
        &self,
        whose: &TokenOwner,
        refused: Option<&BearerToken>,
    ) -> Option<BearerToken> {
        let cache = self.lock_cache();
        let cached = cache.tokens.get(whose)?;
        (cached.is_unexpired() && refused != Some(&cached.token)).then(|| cached.token.clone())
    }

    /// The error of a refresh that failed after the caller began to wait: trying again at once
    /// would not help.
    fn failure_since(&self, whose: &TokenOwner, came: Instant) -> Option<TokenUnavailable> {
        let cache = self.lock_cache();
        let failed = cache.failed.as_ref()?;
        (failed.whose == *whose && failed.at >= came).then(|| failed.denied.clone())
    }

    /// A token other than the rejected one, refreshed if necessary.
    pub(super) async fn valid_token(
        self: &Arc<Self>,
        whose: &TokenOwner,
        refused: Option<&BearerToken>,
    ) -> Result<BearerToken, TokenUnavailable> {
        if let Some(token) = self.fresh_token(whose, refused) {
            return Ok(token);
        }
        let came = Instant::now();
        let turn = match Arc::clone(&self.turn).try_lock_owned() {
            Ok(turn) => turn,
            Err(_) => match self.unexpired_token(whose, refused) {
                // Another caller is refreshing, and this token can be used meanwhile.
                Some(token) => return Ok(token),
                None => Arc::clone(&self.turn).lock_owned().await,
            },
        };
        if let Some(token) = self.fresh_token(whose, refused) {
            return Ok(token);
        }
        if let Some(denied) = self.failure_since(whose, came) {
            return Err(denied);
        }
        let (refresher, whose, refused) = (Arc::clone(self), whose.clone(), refused.cloned());
        concurrency::run_to_completion(refresher.refresh_or_fall_back(whose, refused, turn)).await
    }

    async fn refresh_or_fall_back(
        self: Arc<Self>,
        whose: TokenOwner,
        refused: Option<BearerToken>,
        _turn: OwnedMutexGuard<()>,
    ) -> Result<BearerToken, TokenUnavailable> {
        let result = self.refresh_under_lock(&whose, refused.as_ref()).await;
        self.lock_cache().failed = result.as_ref().err().map(|denied| {
            let (whose, denied) = (whose.clone(), denied.clone());
            FailedRefresh { whose, at: Instant::now(), denied }
        });
        let denied = match result {
            Ok(token) => return Ok(token),
            Err(denied) => denied,
        };
        match self.unexpired_token(&whose, refused.as_ref()) {
            None => Err(denied),
            Some(token) => {
                let message = denied.message.escape_debug();
                tracing::warn!(%message, "the token could not be refreshed; the old one is still valid");
                Ok(token)
            }
        }
    }

    async fn refresh_under_lock(
        &self,
        whose: &TokenOwner,
        refused: Option<&BearerToken>,
    ) -> Result<BearerToken, TokenUnavailable> {
        let store = self.store.clone();
        let opened = concurrency::run_blocking(move || {
            let lock = store.acquire_lock()?;
            Ok((lock, store.load()?))
        });
        let (_lock, stored) = opened.await.map_err(|error| self.credential_store_error(&error))?;
        let StoredCredentials::Oauth(login) = stored else {
            return Err(self.login_ended_error("it was replaced by a private integration's token"));
        };
        // Another process may have refreshed it while we waited.
        self.cache_tokens(&login);
        if let Some(token) = self.fresh_token(whose, refused) {
            return Ok(token);
        }
        let mut renewal = TokenRefresh { refresher: self, login: *login };
        match whose {
            TokenOwner::Login => renewal.refresh_login().await?,
            TokenOwner::Location(id) => renewal.refresh_location(id).await?,
        }
        let cache = self.lock_cache();
        let cached = cache.tokens.get(whose).expect("the refresh has cached it");
        Ok(cached.token.clone())
    }

    /// The error of a login that cannot be loaded or stored.
    pub(super) fn credential_store_error(&self, error: &AuthError) -> TokenUnavailable {
        let message = format!("the login of profile `{}`: {error}", self.store.profile_name());
        TokenUnavailable { kind: ApiErrorKind::Token, message }
    }

    /// The error of a login that has ended: the user must log in again.
    pub(super) fn login_ended_error(&self, why: &str) -> TokenUnavailable {
        let profile = self.store.profile_name();
        let message = format!(
            "the login of profile `{profile}` has ended ({why}); log in again with `ghl-bulk login \
             --profile {profile}`, then go on with `ghl-bulk resume`"
        );
        TokenUnavailable { kind: ApiErrorKind::Token, message }
    }
}

/// Provides a login's own tokens, refreshed in time.
#[derive(Debug)]
pub struct RefreshingTokenProvider {
    refresher: Arc<TokenRefresher>,
    whose: TokenOwner,
}

impl RefreshingTokenProvider {
    /// The tokens of a login that was loaded from this store. No request is sent yet.
    pub fn new(
        store: CredentialStore,
        login: &OauthLogin,
        transport: &HttpOptions,
    ) -> Result<Self, AuthError> {
        Ok(Self::with_owner(TokenRefresher::new(store, login, transport)?, TokenOwner::Login))
    }

    pub(super) fn with_owner(refresher: Arc<TokenRefresher>, whose: TokenOwner) -> Self {
        Self { refresher, whose }
    }
}

impl TokenProvider for RefreshingTokenProvider {
    fn rate_limit_identity(&self) -> String {
        // The API counts by app and location (api.md §8.1), and a user has one app.
        "app".to_owned()
    }

    fn current_token(&self) -> BoxFuture<'_, Result<BearerToken, TokenUnavailable>> {
        Box::pin(self.refresher.valid_token(&self.whose, None))
    }

    fn replace_rejected_token<'a>(
        &'a self,
        refused: &'a BearerToken,
    ) -> BoxFuture<'a, Result<Option<BearerToken>, TokenUnavailable>> {
        Box::pin(
            async move { self.refresher.valid_token(&self.whose, Some(refused)).await.map(Some) },
        )
    }
}
