//! Small files and digests.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::ImportError;
use crate::publish::FileMode;
use crate::text::encode_hex;

/// Creates a directory and its parents, which only the owner may read: result files contain people's data.
pub(super) fn create_dir_all(dir: &Path) -> Result<(), ImportError> {
    FileMode::default()
        .create_dir_all(dir)
        .map_err(|source| ImportError::File { path: dir.to_owned(), source })
}

/// Writes a small file atomically.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ImportError> {
    let fail = |source| ImportError::File { path: path.to_owned(), source };
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::with_prefix_in(".ghl-bulk-", dir).map_err(fail)?;
    std::io::Write::write_all(&mut file, bytes).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map(drop).map_err(|error| fail(error.error))
}

/// SHA-256 in lowercase hex.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    encode_hex(&Sha256::digest(bytes))
}
