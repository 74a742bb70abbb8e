//! The doctor: what stands in the way of an export or import, check by check.
//!
//! A [`DoctorCheck`] says what was looked at, what was seen and what to do. Checks come in a fixed order and
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

pub use location::{examine_location, skip_location};
pub use machine::examine_disk;
pub use scopes::ScopePurpose;
pub use server::{ServerReachability, examine_server};
pub use token::{TokenFacts, TokenKind, examine_token};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DoctorStatus {
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
pub enum DoctorFailureKind {
    /// Token, scope or location.
    Access,
    /// Configuration, network, disk.
    Environment,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoctorCheck {
    /// A stable name, such as `clock` or `scope:contacts.readonly`.
    pub id: String,
    /// The location that it is about, where there are several.
    pub location: Option<LocationId>,
    /// How it came out.
    pub status: DoctorStatus,
    /// What was seen: a sentence without a full stop. May hold text from outside.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whose business it is.
    #[serde(skip)]
    pub blame: DoctorFailureKind,
}

/// Takes each check as soon as it is made.
pub type CheckSink<'a> = &'a mut (dyn FnMut(DoctorCheck) + Send);

impl DoctorCheck {
    fn new(id: impl Into<String>, status: DoctorStatus, what: impl Into<String>) -> Self {
        let (id, what) = (id.into(), what.into());
        Self { id, location: None, status, what, hint: None, blame: DoctorFailureKind::Environment }
    }

    /// As it should be.
    pub fn ok(id: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(id, DoctorStatus::Ok, what)
    }

    /// Nothing fails for it today.
    pub fn warning(id: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(id, DoctorStatus::Warning, what)
    }

    /// Commands fail for it.
    pub fn failure(
        id: impl Into<String>,
        blame: DoctorFailureKind,
        what: impl Into<String>,
    ) -> Self {
        Self { blame, ..Self::new(id, DoctorStatus::Failure, what) }
    }

    /// Not made, and why.
    pub fn skipped(id: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(id, DoctorStatus::Skipped, why)
    }

    /// With what to do about it.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// About one of several locations.
    #[must_use]
    pub fn for_location(self, location: &LocationId) -> Self {
        Self { location: Some(location.clone()), ..self }
    }
}
