//! Why a sync ended early.

use crate::context;
use crate::id::RunId;
use crate::mirror::MirrorError;
use crate::pull::PullError;
use crate::run::RunError;
use crate::{api, publish};

/// Why a sync ended early.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The API failed.
    #[error(transparent)]
    Api(#[from] api::ApiError),
    /// The run cannot be used.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The mirror cannot be used.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// What was read cannot be split into rows.
    #[error(transparent)]
    Publish(#[from] publish::PublishError),
    /// The account seems to have no contacts any more.
    #[error("the search shows no contact, and the mirror has {known}")]
    Emptied {
        /// How many contacts the mirror has.
        known: u64,
    },
    /// Most contacts seem to be deleted.
    #[error("the account says that {deleted} of the {known} contacts in the mirror were deleted")]
    Decimated {
        /// How many contacts no longer exist.
        deleted: u64,
        /// How many contacts the mirror has.
        known: u64,
    },
    /// The mirror has later data than an interrupted sync.
    #[error("sync `{run}` is out of date: the mirror no longer waits for it")]
    Superseded {
        /// The run of the sync.
        run: RunId,
    },
    /// The pull failed in a way that its spool explains.
    #[error("nothing can be stored")]
    Store,
}

impl From<PullError> for SyncError {
    fn from(error: PullError) -> Self {
        match error {
            PullError::Api(error) => Self::Api(error),
            PullError::Run(error) => Self::Run(error),
            PullError::Mirror(error) => Self::Mirror(error),
            PullError::Store => Self::Store,
        }
    }
}

/// A sync that ended early, with the reason. It can be resumed.
pub type SyncHalted = context::HaltedRun<SyncError>;

impl<E: Into<SyncError>> From<E> for SyncHalted {
    fn from(error: E) -> Self {
        Self { run: None, error: error.into() }
    }
}
