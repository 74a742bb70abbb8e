//! The issued codes, refresh tokens and access tokens, and how many there are of each.
//!
//! Knows the principal, the expiry and the use of each, not how a request asks for it. Times are
//! milliseconds since 1970 by the sandbox's own clock.

use std::collections::HashMap;

use serde_json::{Value, json};

/// The principal of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum TokenPrincipal {
    /// The agency.
    Company,
    /// One of its locations.
    Location(String),
}

/// An access token.
#[derive(Debug, Clone)]
pub(in super::super) struct IssuedToken {
    pub(in super::super) holder: TokenPrincipal,
    pub(in super::super) scopes: Vec<String>,
    pub(in super::super) since: i64,
    pub(in super::super) until: i64,
}

/// A code that has not been exchanged yet.
#[derive(Debug, Clone)]
pub(super) struct IssuedCode {
    pub(super) permission: PrincipalScopes,
    /// Where it was sent; a code from a reconnection was sent nowhere.
    pub(super) redirect: Option<String>,
    pub(super) until: i64,
}

/// The scopes of a principal.
#[derive(Debug, Clone)]
pub(super) struct PrincipalScopes {
    pub(super) holder: TokenPrincipal,
    pub(super) scopes: Vec<String>,
}

/// How a token was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenOrigin {
    Code,
    Refresh,
    Agency,
    Control,
}

/// Everything that was issued.
#[derive(Debug, Default)]
pub(in super::super) struct IssuedTokenStore {
    access: HashMap<String, IssuedToken>,
    refresh: HashMap<String, PrincipalScopes>,
    codes: HashMap<String, IssuedCode>,
    by_code: u64,
    by_refresh: u64,
    by_agency: u64,
    by_control: u64,
    refreshes_refused: u64,
    reconnects: u64,
}

impl IssuedTokenStore {
    /// The access token with this text.
    pub(in super::super) fn find_access_token(&self, token: &str) -> Option<&IssuedToken> {
        self.access.get(token)
    }

    pub(super) fn add_access_token(
        &mut self,
        token: String,
        issued: IssuedToken,
        origin: TokenOrigin,
    ) {
        self.access.insert(token, issued);
        *match origin {
            TokenOrigin::Code => &mut self.by_code,
            TokenOrigin::Refresh => &mut self.by_refresh,
            TokenOrigin::Agency => &mut self.by_agency,
            TokenOrigin::Control => &mut self.by_control,
        } += 1;
    }

    pub(super) fn add_refresh_token(&mut self, token: String, permission: PrincipalScopes) {
        self.refresh.insert(token, permission);
    }

    /// Takes a refresh token, which is then gone; an unknown or used one is counted.
    pub(super) fn take_refresh_token(&mut self, token: &str) -> Option<PrincipalScopes> {
        let permission = self.refresh.remove(token);
        self.refreshes_refused += u64::from(permission.is_none());
        permission
    }

    pub(super) fn add_code(&mut self, text: String, code: IssuedCode) {
        self.codes.insert(text, code);
    }

    pub(super) fn find_code(&self, text: &str) -> Option<&IssuedCode> {
        self.codes.get(text)
    }

    /// Takes a code, which is then gone.
    pub(super) fn take_code(&mut self, text: &str) -> Option<IssuedCode> {
        self.codes.remove(text)
    }

    pub(super) fn count_reconnect(&mut self) {
        self.reconnects += 1;
    }

    /// Expires every access token issued so far.
    pub(super) fn expire_access_tokens(&mut self, now: i64) {
        for issued in self.access.values_mut() {
            issued.until = issued.until.min(now);
        }
    }

    /// Revokes every refresh token issued so far.
    pub(super) fn revoke_refresh_tokens(&mut self) {
        self.refresh.clear();
    }

    /// All counts.
    pub(super) fn report_counts(&self) -> Value {
        json!({
            "issued": {
                "authorization_code": self.by_code,
                "refresh_token": self.by_refresh,
                "control": self.by_control,
            },
            "refreshes_honoured": self.by_refresh,
            "refreshes_refused": self.refreshes_refused,
            "location_tokens": self.by_agency,
            "reconnects": self.reconnects,
            "refresh_tokens_alive": self.refresh.len(),
        })
    }
}
