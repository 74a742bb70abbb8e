//! The source of a request's token: a fixed token, or one that is refreshed.
//!
//! The client only asks: for the current token before each request, and for a replacement when the
//! API says that the token is no longer valid. How tokens are stored and refreshed is not its
//! concern.

use std::fmt;

use futures::future::BoxFuture;

use super::error::ApiErrorKind;
use super::token::BearerToken;

/// A source of tokens. Many requests call it concurrently; an implementation that refreshes must do
/// it once for all of them.
pub trait TokenProvider: fmt::Debug + Send + Sync {
    /// The token to send now, refreshed first if it is about to expire.
    fn current_token(&self) -> BoxFuture<'_, Result<BearerToken, TokenUnavailable>>;

    /// What stays the same while the tokens change, so that processes know that they use the same limit. Never
    /// the token itself.
    fn rate_limit_identity(&self) -> String;

    /// A token other than `refused`, which the API has just rejected; None if there is no other. A
    /// request calls this at most once, and never for a missing scope, which the API also reports
    /// as 401 (api.md §7).
    fn replace_rejected_token<'a>(
        &'a self,
        refused: &'a BearerToken,
    ) -> BoxFuture<'a, Result<Option<BearerToken>, TokenUnavailable>>;
}

/// Why there is no token to send.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct TokenUnavailable {
    /// [`ApiErrorKind::Token`] when the user must log in again, otherwise what prevented the
    /// refresh.
    pub kind: ApiErrorKind,
    /// What happened, without secrets. May contain text from the server.
    pub message: String,
}

/// A token that never changes.
impl TokenProvider for BearerToken {
    fn rate_limit_identity(&self) -> String {
        self.fingerprint()
    }

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
