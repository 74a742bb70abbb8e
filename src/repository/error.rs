//! Why a repository cannot be used.

use std::io;

use super::snapshot_id::SnapshotId;

/// Why a repository cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// There is nothing at this place.
    #[error("there is no backup repository at `{place}`")]
    Missing {
        /// The directory or address.
        place: String,
    },
    /// Something else is at this place.
    #[error("`{place}` is not a backup repository: {why}")]
    NotARepository {
        /// The directory or address.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// There is a repository where a new one was to be created.
    #[error("there is a backup repository at `{place}` already")]
    AlreadyExists {
        /// The directory or address.
        place: String,
    },
    /// A newer version of this program wrote it, in a format that this one cannot read.
    #[error("`{object}` has format {format}, and this is ghl-bulk {}, which reads format {} at most", env!("CARGO_PKG_VERSION"), super::FORMAT)]
    NewerFormat {
        /// The repository, or a file in it.
        object: String,
        /// Its format.
        format: u64,
    },
    /// Stored data are damaged.
    #[error("`{object}` is damaged: {why}")]
    Damaged {
        /// The file in the repository.
        object: String,
        /// The symptom.
        why: String,
    },
    /// The repository has no snapshot of the location.
    #[error("the repository has no snapshot of location `{location}`")]
    NoSnapshots {
        /// The location.
        location: String,
    },
    /// No snapshot is meant by what was typed.
    #[error("there is no snapshot `{named}`{}", closest_part(.why))]
    NoSuchSnapshot {
        /// What was typed.
        named: String,
        /// What is known about it; may be empty.
        why: String,
    },
    /// Several snapshots are meant by what was typed.
    #[error("`{named}` names {} snapshots", .candidates.len())]
    AmbiguousSnapshot {
        /// What was typed.
        named: String,
        /// The snapshots, oldest first.
        candidates: Vec<SnapshotId>,
    },
    /// The files are encrypted, and no identity was given.
    #[error("`{object}` is encrypted, and no identity is given")]
    NoIdentity {
        /// The file in the repository.
        object: String,
    },
    /// None of the identities decrypts a file.
    #[error("none of the identities decrypts `{object}`")]
    WrongIdentity {
        /// The file in the repository.
        object: String,
    },
    /// An identity or a recipient is not valid.
    #[error("{0}")]
    InvalidKey(String),
    /// This build cannot encrypt.
    #[error("this build of ghl-bulk cannot encrypt or decrypt")]
    NoEncryption,
    /// A file that must be new exists: another process writes the same snapshot.
    #[error("`{object}` exists already; another process may be writing to the repository")]
    Conflict {
        /// The file in the repository.
        object: String,
    },
    /// The store cannot be read or written.
    #[error("`{object}`: {source}")]
    Store {
        /// The file in the repository.
        object: String,
        /// The system error.
        source: io::Error,
    },
}

fn closest_part(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(": {why}") }
}

impl RepositoryError {
    pub(super) fn from_io(object: &str, source: io::Error) -> Self {
        Self::Store { object: object.to_owned(), source }
    }

    /// What a failed read says: the system's error, or that the content is not what it was.
    pub(super) fn from_read(object: &str, source: io::Error) -> Self {
        if source.raw_os_error().is_some() {
            return Self::from_io(object, source);
        }
        Self::damaged(object, source)
    }

    pub(super) fn damaged(object: &str, why: impl std::fmt::Display) -> Self {
        Self::Damaged { object: object.to_owned(), why: why.to_string() }
    }

    /// Whether stored data are damaged, missing or not what they should be, so that another snapshot may still be usable.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}
