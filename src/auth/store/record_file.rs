//! Files that only their owner may read, replaced whole, and the lock beside them.
//!
//! A record is written under another name, synced, renamed, and the directory synced: after a crash there
//! is the old one or the new one, and what [`replace_atomically`] has returned from is on disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use secrecy::SecretSlice;

use crate::auth::error::AuthError;

/// The largest record that is read: one token of a location takes some 3 KB.
const MOST: u64 = 256 << 20;

/// Makes the directory of records, readable by its owner alone.
pub(crate) fn create_private_dir(path: &Path) -> Result<(), AuthError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| AuthError::from_io(path, source))?;
    ensure_owner_only(
        path,
        &File::open(path).map_err(|source| AuthError::from_io(path, source))?,
        "700",
    )
}

/// A whole file; nothing where there is none.
pub(crate) fn read_private_file(path: &Path) -> Result<Option<SecretSlice<u8>>, AuthError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(AuthError::from_io(path, source)),
    };
    ensure_owner_only(path, &file, "600")?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes).map_err(|source| AuthError::from_io(path, source))?;
    Ok(Some(bytes.into()))
}

/// Puts bytes in a file's place, whole and durable.
pub(crate) fn replace_atomically(path: &Path, bytes: &[u8]) -> Result<(), AuthError> {
    let failed = |source| AuthError::from_io(path, source);
    let directory = path.parent().ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
    // Created with mode 0600; removed again when anything fails.
    let mut new =
        tempfile::Builder::new().prefix(".new-").tempfile_in(directory).map_err(failed)?;
    new.write_all(bytes).map_err(failed)?;
    new.as_file().sync_all().map_err(failed)?;
    new.persist(path).map_err(|error| failed(error.error))?;
    sync_directory(directory)
}

/// Removes a file, durably; whether there was one.
pub(crate) fn remove_durably(path: &Path) -> Result<bool, AuthError> {
    match fs::remove_file(path) {
        Ok(()) => sync_directory(path.parent().unwrap_or(path)).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(AuthError::from_io(path, source)),
    }
}

/// Waits until the names in a directory are on disk.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> Result<(), AuthError> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|source| AuthError::from_io(directory, source))
}

/// Other systems have no way to sync a directory, and need none.
#[cfg(not(unix))]
fn sync_directory(_: &Path) -> Result<(), AuthError> {
    Ok(())
}

/// Refuses what others than the owner can read or write.
#[cfg(unix)]
fn ensure_owner_only(path: &Path, file: &File, mode: &'static str) -> Result<(), AuthError> {
    use std::os::unix::fs::PermissionsExt as _;
    let found =
        file.metadata().map_err(|source| AuthError::from_io(path, source))?.permissions().mode();
    let others = found & 0o077;
    if others == 0 { Ok(()) } else { Err(AuthError::Open { path: path.to_owned(), mode }) }
}

/// Other systems keep their users' directories apart by themselves.
#[cfg(not(unix))]
fn ensure_owner_only(_: &Path, _: &File, _: &'static str) -> Result<(), AuthError> {
    Ok(())
}

/// A lock that all processes share, held while this value lives. A killed process leaves none behind.
#[derive(Debug)]
#[must_use]
pub(crate) struct CredentialLock {
    _file: File,
}

impl CredentialLock {
    /// Waits for the lock: blocks its thread. The file stays: removing it would let two processes hold a
    /// lock on two files of one name.
    pub(crate) fn acquire_blocking(path: &Path) -> Result<Self, AuthError> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|source| AuthError::from_io(path, source))?;
        file.lock().map_err(|source| AuthError::from_io(path, source))?;
        Ok(Self { _file: file })
    }
}
