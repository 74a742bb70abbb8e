//! The doctor: what stands in the way of an export or import, check by check.
//!
//! A [`Check`] says what was looked at, what was seen and what to do. Checks come in a fixed order and
//! are told one by one as they are made; one whose ground is missing is skipped, with the reason. The
//! account is not changed, and a location takes about a dozen requests. What only the command line knows
//! (options, environment, where tokens are kept) is not checked here; its checks are made of the same
//! type.

mod limits;
mod location;
mod machine;
mod scopes;
mod server;
mod settings;
mod token;

use serde::Serialize;

use crate::id::LocationId;

pub use location::{examine, leave};
pub use machine::disk;
pub use scopes::Purpose;
pub use server::{Server, server};
pub use token::{TokenFacts, TokenKind, token};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Nothing fails for it today.
    Warning,
    /// Commands fail for it.
    Failure,
    /// Not made, because something that it stands on is missing or not known.
    Skipped,
}

/// Whose business a failure is: it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// Token, scope or location.
    Access,
    /// Configuration, network, disk.
    Environment,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// A stable name, such as `clock` or `scope:contacts.readonly`.
    pub id: String,
    /// The location that it is about, where there are several.
    pub location: Option<LocationId>,
    /// How it came out.
    pub status: Status,
    /// What was seen: a sentence without a full stop. May hold text from outside.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whose business it is.
    #[serde(skip)]
    pub blame: Blame,
}

/// Takes each check as soon as it is made.
pub type Tell<'a> = &'a mut (dyn FnMut(Check) + Send);

impl Check {
    fn new(id: impl Into<String>, status: Status, what: impl Into<String>) -> Self {
        let (id, what) = (id.into(), what.into());
        Self { id, location: None, status, what, hint: None, blame: Blame::Environment }
    }

    /// As it should be.
    pub fn ok(id: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(id, Status::Ok, what)
    }

    /// Nothing fails for it today.
    pub fn warning(id: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(id, Status::Warning, what)
    }

    /// Commands fail for it.
    pub fn failure(id: impl Into<String>, blame: Blame, what: impl Into<String>) -> Self {
        Self { blame, ..Self::new(id, Status::Failure, what) }
    }

    /// Not made, and why.
    pub fn skipped(id: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(id, Status::Skipped, why)
    }

    /// With what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// About one of several locations.
    #[must_use]
    pub fn of(self, location: &LocationId) -> Self {
        Self { location: Some(location.clone()), ..self }
    }
}
