//! Where the token of a request comes from: one that stays, or one that somebody renews.
//!
//! This floor only asks: for the token before each request, and for another one when the API says that
//! the one it got is no longer valid. How tokens are kept and renewed is not its business.

use std::fmt;

use futures::future::BoxFuture;

use super::error::Kind;
use super::token::Token;

/// A source of tokens. Asked by many requests at a time; whoever renews must do it once for all of them.
pub trait Credential: fmt::Debug + Send + Sync {
    /// The token to send now, renewed before if it is about to end.
    ///
    /// # Errors
    /// When there is none and none can be had.
    fn token(&self) -> BoxFuture<'_, Result<Token, Denied>>;

    /// Another token than `refused`, which the API has just called invalid; nothing where there is no
    /// other. A request asks at most once. Never asked for a missing scope, which the API says with a
    /// 401, too (api.md §7).
    ///
    /// # Errors
    /// When a renewal was tried and failed.
    fn renew<'a>(&'a self, refused: &'a Token) -> BoxFuture<'a, Result<Option<Token>, Denied>>;
}

/// Why there is no token to send.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{said}")]
pub struct Denied {
    /// [`Kind::Token`] when a person must log in again, otherwise what kept the renewal from being made.
    pub kind: Kind,
    /// What happened, without any secret. May hold what the server said.
    pub said: String,
}

/// A token that stays as it is.
impl Credential for Token {
    fn token(&self) -> BoxFuture<'_, Result<Token, Denied>> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }

    fn renew<'a>(&'a self, _: &'a Token) -> BoxFuture<'a, Result<Option<Token>, Denied>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}
