//! Errors of stored logins. No variant holds a secret.

use std::io;
use std::path::{Path, PathBuf};

/// A login that cannot be stored, read or locked.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The profile name could be a path, or is too long.
    #[error("`{0}` is not a valid profile name: use up to 64 letters, digits, `-` and `_`")]
    Name(String),
    /// There is no keyring, or it is locked; with a sentence for users.
    #[error("{0}")]
    NoKeyring(String),
    /// Users other than the owner may read the file.
    #[error(
        "`{}` is readable by other users; `chmod {mode} {}` makes it private", .path.display(), shell_quote(.path)
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
        /// The system's error.
        source: io::Error,
    },
    /// The file's content is not what was written.
    #[error("`{}` cannot be read: {why}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A newer version of this program wrote the file.
    #[error("`{}` has format {found}; this version reads up to {known}", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest format known here.
        known: u64,
    },
    /// There is no login, or it was removed.
    #[error("there is no login for profile `{0}`")]
    Missing(String),
    /// The record cannot be decrypted: the passphrase or identity is missing or wrong.
    #[error("{0}")]
    Sealed(String),
    /// This build has no encryption of logins.
    #[error(
        "this build of ghl-bulk can neither encrypt nor decrypt logins, because it was built without \
         `encrypted-logins`"
    )]
    NoEncryption,
    /// The token command printed no token. Its output is not repeated.
    #[error("{0}")]
    Command(String),
    /// The OAuth client cannot be set up.
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

/// A path, quoted for a shell.
fn shell_quote(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+@:,%".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
