//! Errors of the OAuth endpoints.

/// The kinds of error that callers distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OauthErrorKind {
    /// The server refused: a code or refresh token that is used, expired or unknown, or a wrong
    /// app.
    Refused,
    /// The bearer token is invalid or no longer valid.
    Token,
    /// The bearer token lacks a scope: `oauth.readonly` or `oauth.write`.
    Scope,
    /// No connection could be made: nothing was sent.
    Unreachable,
    /// The server failed, or its response was lost or is unreadable. It may have executed the
    /// request.
    Failed,
}

/// A failed request for tokens. Contains no secret, even if the server repeats one.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{route}`: {}{message}", .status.map(|status| format!("{status}: ")).unwrap_or_default())]
pub struct OauthError {
    /// The kind of error.
    pub kind: OauthErrorKind,
    /// The endpoint, as the documentation writes it.
    pub route: &'static str,
    /// The status of the last response, if there was one.
    pub status: Option<u16>,
    /// What the server or the transport reported, shortened for display. Untrusted text, but
    /// without the secrets that were sent.
    pub message: String,
}
