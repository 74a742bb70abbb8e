//! Mutations: requests that change the account, and what can become of one.
//!
//! A read may be repeated until it succeeds; a mutation may not. So the client sends one only as often
//! as it knows that nothing was applied (no connection, 429), and otherwise says what it knows: the
//! answer, or that nobody knows. What to do about that is the caller's business.

use bytes::Bytes;

use super::error::Error;
use super::route::Route;

/// A request that changes the account, ready to be sent.
#[derive(Debug, Clone)]
pub struct Mutation {
    /// The endpoint.
    pub route: Route,
    /// Path and query, from the base URL on.
    pub(super) path: String,
    /// The JSON body; none for `DELETE` of a record.
    pub(super) body: Option<Bytes>,
}

/// What became of a mutation.
#[derive(Debug)]
pub enum Sent {
    /// A whole answer: a 2xx with readable JSON, or a 4xx that is a judgement.
    Answered {
        /// The status.
        status: u16,
        /// The body as the server sent it.
        body: Bytes,
        /// The server's name for the request.
        trace_id: Option<String>,
    },
    /// A 2xx whose body is cut or unreadable: it was applied, its particulars are unknown.
    Unread {
        /// The status.
        status: u16,
        /// Why it could not be read.
        said: String,
    },
    /// Nothing was applied, and sending it again now would not help: no connection, no token, no scope,
    /// no budget, or the tap is closed.
    NotApplied(Error),
    /// The request was, or may have been, handed over, and no usable answer came: it may have been
    /// applied, may be applied still, or not.
    Doubt {
        /// The status, where there was one: 408 or 5xx.
        status: Option<u16>,
        /// What the server or the transport said. From outside.
        said: String,
        /// The server's name for the request.
        trace_id: Option<String>,
    },
}

impl Mutation {
    /// Method and path, as the ledger keeps them: `PUT /contacts/abc`.
    #[must_use]
    pub fn line(&self) -> String {
        let method = self.route.name().split(' ').next().unwrap_or_default();
        format!("{method} {}", self.path)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }
}
