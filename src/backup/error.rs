//! Why there is no snapshot, or a repository cannot be looked after.

use crate::id::LocationId;
use crate::mirror::MirrorError;
use crate::repository::RepositoryError;
use crate::run::RunError;

/// Why there is no snapshot, or a repository cannot be looked after.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The repository cannot be used.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The mirror cannot be used.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// A directory cannot be used, or another process has locked the mirror.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Another process writes snapshots of the location.
    #[error("another process writes to the backups of location `{location}` in `{place}`")]
    Locked {
        /// The location.
        location: LocationId,
        /// The repository.
        place: String,
    },
    /// There is no mirror to make a snapshot from.
    #[error("location `{0}` has no local copy")]
    NoMirror(LocationId),
    /// A sync was killed after the last one.
    #[error("another sync of location `{0}` was killed meanwhile; start the command again")]
    Unmerged(LocationId),
}
