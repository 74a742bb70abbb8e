//! Files that only their owner may read, replaced atomically, with a lock file next to them.
//!
//! A record is written under a temporary name, synced and renamed, and the directory is synced:
//! after a crash there is either the old record or the new one, and what [`replace_atomically`] has
//! written is on disk when it returns.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use secrecy::SecretSlice;

use crate::auth::error::AuthError;

/// The largest record that is read: the token of one location takes some 3 KB.
const MOST: u64 = 256 << 20;
/// The length of the name of a temporary file of version 0.1.0: `.new-` and six random characters.
const OLD_TEMPORARY_LENGTH: usize = 11;

/// Creates the record directory, readable only by its owner.
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

/// Reads a whole file; None if there is none.
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

/// The temporary files of a record begin with this and the record's file name.
fn temporary_prefix(path: &Path) -> String {
    format!(".new-{}-", path.file_name().unwrap_or_default().to_string_lossy())
}

/// Removes temporary files of this record, which a killed process has left with secrets in them. The caller holds the
/// lock of the record.
pub(crate) fn remove_leftovers(path: &Path) -> Result<(), AuthError> {
    let directory = path.parent().unwrap_or(path);
    let prefix = temporary_prefix(path);
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|source| AuthError::from_io(directory, source))?,
    };
    for entry in entries {
        let entry = entry.map_err(|source| AuthError::from_io(directory, source))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Version 0.1.0 did not name the record. Such a file belongs to no process that holds this lock.
        let is_old = name.len() == OLD_TEMPORARY_LENGTH && name.starts_with(".new-");
        if is_old || name.starts_with(&prefix) {
            remove_durably(&entry.path())?;
        }
    }
    Ok(())
}

/// Replaces a file atomically and durably.
pub(crate) fn replace_atomically(path: &Path, bytes: &[u8]) -> Result<(), AuthError> {
    let failed = |source| AuthError::from_io(path, source);
    let directory = path.parent().ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
    // Created with mode 0600; removed again on any error.
    let mut new = tempfile::Builder::new()
        .prefix(&temporary_prefix(path))
        .tempfile_in(directory)
        .map_err(failed)?;
    new.write_all(bytes).map_err(failed)?;
    new.as_file().sync_all().map_err(failed)?;
    new.persist(path).map_err(|error| failed(error.error))?;
    sync_directory(directory)
}

/// Removes a file durably; whether there was one.
pub(crate) fn remove_durably(path: &Path) -> Result<bool, AuthError> {
    match fs::remove_file(path) {
        Ok(()) => sync_directory(path.parent().unwrap_or(path)).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(AuthError::from_io(path, source)),
    }
}

/// Waits until the directory entries are on disk.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> Result<(), AuthError> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|source| AuthError::from_io(directory, source))
}

/// Other systems cannot sync a directory and do not need to.
#[cfg(not(unix))]
fn sync_directory(_: &Path) -> Result<(), AuthError> {
    Ok(())
}

/// Refuses a file that other users can read or write.
fn ensure_owner_only(path: &Path, file: &File, mode: &'static str) -> Result<(), AuthError> {
    let meta = file.metadata().map_err(|source| AuthError::from_io(path, source))?;
    if is_open_to_others(&meta) {
        return Err(AuthError::Open { path: path.to_owned(), mode });
    }
    Ok(())
}

/// Whether other users can read or write a file.
#[cfg(unix)]
pub(crate) fn is_open_to_others(meta: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    meta.permissions().mode() & 0o077 != 0
}

/// Other systems separate their users' directories by themselves.
#[cfg(not(unix))]
pub(crate) fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

/// A lock that all processes share, held while this value lives. A killed process releases it.
#[derive(Debug)]
#[must_use]
pub(crate) struct CredentialLock {
    _file: File,
}

impl CredentialLock {
    /// Waits for the lock, blocking the thread. The lock file is never removed: removing it would
    /// let two processes lock two files of the same name.
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
