//! What can become of a request for tokens, other than tokens.

/// What went wrong, as far as a caller acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OauthErrorKind {
    /// The server refuses: a code or refresh token that is used, ended or unknown, a wrong app.
    Refused,
    /// The bearer token is not, or no longer, valid.
    Token,
    /// The bearer token lacks a scope: `oauth.readonly` or `oauth.write`.
    Scope,
    /// No connection could be made: nothing was sent.
    Unreachable,
    /// The server failed, or its answer is lost or unreadable. It may have done what was asked for.
    Failed,
}

/// A request for tokens that brought none. Holds no secret, even where the server repeats one.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{route}`: {}{said}", .status.map(|status| format!("{status}: ")).unwrap_or_default())]
pub struct OauthError {
    /// What a caller branches on.
    pub kind: OauthErrorKind,
    /// The endpoint, as people write it.
    pub route: &'static str,
    /// The last answer's status, where there was one.
    pub status: Option<u16>,
    /// What the server or the transport said, cut to a readable length. From outside: may hold anything
    /// but a secret that was sent.
    pub said: String,
}
