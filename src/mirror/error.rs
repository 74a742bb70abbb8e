//! Why a mirror cannot be used.

use std::path::PathBuf;

use crate::run::RunError;

/// Why a mirror cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The stored data have been damaged.
    #[error("the mirror `{}` is damaged: {why}", .path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// The symptom.
        why: String,
    },
    /// Another version of this program wrote it, in a format that this one cannot read.
    #[error("the mirror `{}` has format {format}, and this is ghl-bulk {}, which cannot read it", .path.display(), env!("CARGO_PKG_VERSION"))]
    OtherVersion {
        /// The database.
        path: PathBuf,
        /// Its format.
        format: i64,
    },
    /// It cannot be read, written or locked.
    #[error(transparent)]
    Run(RunError),
}

impl From<RunError> for MirrorError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Damaged { path, why } => Self::Damaged { path, why },
            error => Self::Run(error),
        }
    }
}
