//! What was issued: codes, refresh tokens, access tokens, and how many of each.
//!
//! Knows who holds what, until when, and what was used up; not how a request asks for it. Times are
//! milliseconds since 1970 by the sandbox's own clock.

use std::collections::HashMap;

use serde_json::{Value, json};

/// Whom a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Holder {
    /// The agency.
    Company,
    /// One location of it.
    Location(String),
}

/// An access token.
#[derive(Debug, Clone)]
pub(in super::super) struct Issued {
    pub(in super::super) holder: Holder,
    pub(in super::super) scopes: Vec<String>,
    pub(in super::super) since: i64,
    pub(in super::super) until: i64,
}

/// A code that waits to be exchanged.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) permission: Permission,
    /// Where it was sent; one from a reconnection was sent nowhere.
    pub(super) redirect: Option<String>,
    pub(super) until: i64,
}

/// What was allowed to whom.
#[derive(Debug, Clone)]
pub(super) struct Permission {
    pub(super) holder: Holder,
    pub(super) scopes: Vec<String>,
}

/// How a token came to be issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Code,
    Refresh,
    Agency,
    Control,
}

/// Everything that was issued.
#[derive(Debug, Default)]
pub(in super::super) struct Book {
    access: HashMap<String, Issued>,
    refresh: HashMap<String, Permission>,
    codes: HashMap<String, Code>,
    by_code: u64,
    by_refresh: u64,
    by_agency: u64,
    by_control: u64,
    refreshes_refused: u64,
    reconnects: u64,
}

impl Book {
    /// The access token with this text.
    pub(in super::super) fn access(&self, token: &str) -> Option<&Issued> {
        self.access.get(token)
    }

    pub(super) fn add_access(&mut self, token: String, issued: Issued, origin: Origin) {
        self.access.insert(token, issued);
        *match origin {
            Origin::Code => &mut self.by_code,
            Origin::Refresh => &mut self.by_refresh,
            Origin::Agency => &mut self.by_agency,
            Origin::Control => &mut self.by_control,
        } += 1;
    }

    pub(super) fn add_refresh(&mut self, token: String, permission: Permission) {
        self.refresh.insert(token, permission);
    }

    /// Takes a refresh token, which is gone then; one that is unknown or was used is counted.
    pub(super) fn take_refresh(&mut self, token: &str) -> Option<Permission> {
        let permission = self.refresh.remove(token);
        self.refreshes_refused += u64::from(permission.is_none());
        permission
    }

    pub(super) fn add_code(&mut self, text: String, code: Code) {
        self.codes.insert(text, code);
    }

    pub(super) fn code(&self, text: &str) -> Option<&Code> {
        self.codes.get(text)
    }

    /// Takes a code, which is gone then.
    pub(super) fn take_code(&mut self, text: &str) -> Option<Code> {
        self.codes.remove(text)
    }

    pub(super) fn reconnected(&mut self) {
        self.reconnects += 1;
    }

    /// Ends every access token given so far.
    pub(super) fn expire(&mut self, now: i64) {
        for issued in self.access.values_mut() {
            issued.until = issued.until.min(now);
        }
    }

    /// Ends every refresh token given so far.
    pub(super) fn revoke(&mut self) {
        self.refresh.clear();
    }

    /// All counts.
    pub(super) fn report(&self) -> Value {
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
