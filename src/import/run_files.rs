//! Small files and digests.

use std::fs::File;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::ImportError;
use crate::publish::FileMode;
use crate::text::encode_hex;

/// The names of files that are being written begin with this.
const TEMPORARY_PREFIX: &str = ".ghl-bulk-";

/// Creates a directory and its parents, which only the owner may read: result files contain people's data. What a
/// killed process has left there is removed.
pub(super) fn create_dir_all(dir: &Path) -> Result<(), ImportError> {
    let created = FileMode::default().create_dir_all(dir).and_then(|()| remove_leftovers(dir));
    created.map_err(|source| ImportError::File { path: dir.to_owned(), source })
}

/// Creates a file under a temporary name. Its lock says that it is being written; a killed process releases it.
pub(super) fn create_temporary_file(dir: &Path) -> io::Result<NamedTempFile> {
    let file = NamedTempFile::with_prefix_in(TEMPORARY_PREFIX, dir)?;
    // A file system without locks: such files are never removed.
    let _ = file.as_file().try_lock();
    Ok(file)
}

/// Removes temporary files that no process is writing.
fn remove_leftovers(dir: &Path) -> io::Result<()> {
    for entry in dir.read_dir()? {
        let entry = entry?;
        let is_temporary = entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX)
            && entry.file_type()?.is_file();
        let is_abandoned = || {
            File::options().write(true).open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())
        };
        if is_temporary && is_abandoned() {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes a small file atomically.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ImportError> {
    let fail = |source| ImportError::File { path: path.to_owned(), source };
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = create_temporary_file(dir).map_err(fail)?;
    std::io::Write::write_all(&mut file, bytes).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map(drop).map_err(|error| fail(error.error))
}

/// SHA-256 in lowercase hex.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    encode_hex(&Sha256::digest(bytes))
}
