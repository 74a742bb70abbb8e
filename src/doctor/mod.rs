//! The doctor: checks for everything that would make an export or import fail.
//!
//! A [`DoctorCheck`] says what was checked, what was found and what to do. Checks come in a fixed
//! order and are reported one by one; a check whose precondition is missing is skipped, with the
//! reason. The account is not changed, and a location takes about a dozen requests. What only the
//! command line knows (options, environment, where tokens are stored) is not checked here, but
//! reported with the same type.

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
pub use token::{
    TokenFacts, TokenKind, describe_private_token_age, examine_token, few_refresh_days_left,
    unneeded_scopes,
};

/// The status of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DoctorStatus {
    /// As it should be.
    Ok,
    /// It does not make commands fail today.
    Warning,
    /// It makes commands fail.
    Failure,
    /// Not checked, because a precondition is missing or unknown.
    Skipped,
}

/// The kind of a failure: it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DoctorFailureKind {
    /// Token, scope or location.
    Access,
    /// Configuration, network, disk.
    Environment,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoctorCheck {
    /// A stable name, such as `clock` or `scope:contacts.readonly`.
    pub id: String,
    /// The location that it is about, if there are several.
    pub location: Option<LocationId>,
    /// Its status.
    pub status: DoctorStatus,
    /// What was found: a sentence without a full stop. May contain untrusted text.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The kind of failure.
    #[serde(skip)]
    pub blame: DoctorFailureKind,
}

/// Receives each check as soon as it is made.
pub type CheckSink<'a> = &'a mut (dyn FnMut(DoctorCheck) + Send);

impl DoctorCheck {
    fn new(id: impl Into<String>, status: DoctorStatus, what: impl Into<String>) -> Self {
        let (id, what) = (id.into(), what.into());
        Self { id, location: None, status, what, hint: None, blame: DoctorFailureKind::Environment }
    }

    /// A passed check.
    pub fn ok(id: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(id, DoctorStatus::Ok, what)
    }

    /// A warning.
    pub fn warning(id: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(id, DoctorStatus::Warning, what)
    }

    /// A failure.
    pub fn failure(
        id: impl Into<String>,
        blame: DoctorFailureKind,
        what: impl Into<String>,
    ) -> Self {
        Self { blame, ..Self::new(id, DoctorStatus::Failure, what) }
    }

    /// A skipped check, and why.
    pub fn skipped(id: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(id, DoctorStatus::Skipped, why)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Assigns the check to one of several locations.
    #[must_use]
    pub fn for_location(self, location: &LocationId) -> Self {
        Self { location: Some(location.clone()), ..self }
    }
}
