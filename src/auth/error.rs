//! What can be wrong with a kept login. No variant holds a secret.

use std::io;
use std::path::{Path, PathBuf};

/// A login that cannot be kept, read or locked.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The name of a profile could be a path, or is too long.
    #[error("`{0}` is no name for a profile: use up to 64 letters, digits, `-` and `_`")]
    Name(String),
    /// There is no keyring, or it is locked. A sentence for people.
    #[error("{0}")]
    NoKeyring(String),
    /// Others than the owner may read the file.
    #[error(
        "`{}` can be read by others than its owner; `chmod {mode} {}` makes it private", .path.display(), shell_quote(.path)
    )]
    Open {
        /// The file or directory.
        path: PathBuf,
        /// The mode it should have.
        mode: &'static str,
    },
    /// A file or directory cannot be read or written.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is in the file is not what was put there.
    #[error("`{}` cannot be read: {why}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// A newer version of this program wrote it.
    #[error("`{}` has format {found}; this version reads up to {known}", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest format known here.
        known: u64,
    },
    /// There is no login, or no longer.
    #[error("there is no login for profile `{0}`")]
    Missing(String),
    /// The record cannot be opened: no or a wrong passphrase, no or another identity.
    #[error("{0}")]
    Sealed(String),
    /// The command that should print a token did not. Its output is not repeated.
    #[error("{0}")]
    Command(String),
    /// The OAuth endpoints cannot be asked.
    #[error(transparent)]
    Transport(#[from] crate::api::HttpSetupError),
}

impl AuthError {
    pub(super) fn from_io(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    pub(super) fn damaged_file(path: &Path, why: &'static str) -> Self {
        Self::Damaged { path: path.to_owned(), why }
    }
}

/// A path as a shell takes it.
fn shell_quote(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+@:,%".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
