//! Where the token of a request comes from: one that stays, or one that somebody renews.
//!
//! This floor only asks: for the token before each request, and for another one when the API says that
//! the one it got is no longer valid. How tokens are kept and renewed is not its business.

use std::fmt;

use futures::future::BoxFuture;

use super::error::ApiErrorKind;
use super::token::BearerToken;

/// A source of tokens. Asked by many requests at a time; whoever renews must do it once for all of them.
pub trait TokenProvider: fmt::Debug + Send + Sync {
    /// The token to send now, renewed before if it is about to end.
    ///
    /// # Errors
    /// When there is none and none can be had.
    fn current_token(&self) -> BoxFuture<'_, Result<BearerToken, TokenUnavailable>>;

    /// Another token than `refused`, which the API has just called invalid; nothing where there is no
    /// other. A request asks at most once. Never asked for a missing scope, which the API says with a
    /// 401, too (api.md §7).
    ///
    /// # Errors
    /// When a renewal was tried and failed.
    fn replace_rejected_token<'a>(
        &'a self,
        refused: &'a BearerToken,
    ) -> BoxFuture<'a, Result<Option<BearerToken>, TokenUnavailable>>;
}

/// Why there is no token to send.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{said}")]
pub struct TokenUnavailable {
    /// [`ApiErrorKind::Token`] when a person must log in again, otherwise what kept the renewal from being made.
    pub kind: ApiErrorKind,
    /// What happened, without any secret. May hold what the server said.
    pub said: String,
}

/// A token that stays as it is.
impl TokenProvider for BearerToken {
    fn current_token(&self) -> BoxFuture<'_, Result<BearerToken, TokenUnavailable>> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }

    fn replace_rejected_token<'a>(
        &'a self,
        _: &'a BearerToken,
    ) -> BoxFuture<'a, Result<Option<BearerToken>, TokenUnavailable>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}
