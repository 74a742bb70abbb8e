//! A directory as a store.
//!
//! A file is written under a temporary name, synced, and renamed without replacing another one; then its directory is
//! synced. So a file under its own name is whole, whatever happens.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::layout::TEMPORARY;
use super::{ObjectStore, PutResult, StoredObject};
use crate::run::create_private_dir;

/// A directory as a store.
#[derive(Debug)]
struct LocalStore {
    dir: PathBuf,
}

/// The store in a directory, which need not exist yet.
#[must_use]
pub fn open_local_store(dir: &Path) -> Arc<dyn ObjectStore> {
    Arc::new(LocalStore { dir: dir.to_owned() })
}

impl LocalStore {
    fn path(&self, key: &str) -> PathBuf {
        self.dir.join(key)
    }

    /// Creates the directory of a file, and makes that durable.
    fn create_parent(&self, path: &Path) -> io::Result<PathBuf> {
        let parent = path.parent().unwrap_or(&self.dir);
        if !parent.is_dir() {
            create_private_dir(parent)?;
            let mut created = parent;
            while let Some(above) = created.parent().filter(|_| created != self.dir) {
                sync_dir(above)?;
                created = above;
            }
        }
        Ok(parent.to_owned())
    }

    fn collect(&self, dir: &Path, found: &mut Vec<StoredObject>) -> io::Result<()> {
        let entries = match fs::read_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            // A name that is not Unicode is no file of a repository.
            let Ok(name) = entry.file_name().into_string() else { continue };
            if kind.is_dir() {
                self.collect(&entry.path(), found)?;
            } else if kind.is_file() {
                // It may have been removed since the directory was read.
                let Ok(metadata) = entry.metadata() else { continue };
                let path = dir.join(name);
                let key = path.strip_prefix(&self.dir).unwrap_or(&path);
                found.push(describe(key_of(key), &metadata)?);
            }
        }
        Ok(())
    }
}

impl ObjectStore for LocalStore {
    fn put_new(
        &self,
        key: &str,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<PutResult> {
        let path = self.path(key);
        let parent = self.create_parent(&path)?;
        if path.exists() {
            return Ok(PutResult::Exists);
        }
        let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(&parent)?;
        {
            let mut buffered = io::BufWriter::new(file.as_file_mut());
            write(&mut buffered)?;
            buffered.flush()?;
        }
        file.as_file().sync_all()?;
        match file.persist_noclobber(&path) {
            Ok(_) => {}
            Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
                return Ok(PutResult::Exists);
            }
            // Some file systems know neither a rename that does not replace nor links. Writers of one location exclude
            // each other there by the lock of its directory.
            Err(failed) if !path.exists() => {
                failed.file.persist(&path)?;
            }
            Err(failed) => return Err(failed.error),
        }
        sync_dir(&parent)?;
        Ok(PutResult::Created)
    }

    fn get(&self, key: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(self.path(key))?))
    }

    fn list(&self, prefix: &str) -> io::Result<Vec<StoredObject>> {
        let mut found = Vec::new();
        self.collect(&self.dir.join(prefix), &mut found)?;
        found.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    fn delete(&self, key: &str) -> io::Result<()> {
        let path = self.path(key);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // The directory goes with its last file; one that has others stays.
        if let Some(parent) = path.parent().filter(|parent| *parent != self.dir) {
            let _ = fs::remove_dir(parent);
        }
        Ok(())
    }

    fn head(&self, key: &str) -> io::Result<Option<StoredObject>> {
        match fs::metadata(self.path(key)) {
            Ok(metadata) if metadata.is_file() => Ok(Some(describe(key.to_owned(), &metadata)?)),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn local_dir(&self) -> Option<&Path> {
        Some(&self.dir)
    }
}

fn key_of(path: &Path) -> String {
    let parts = path.components().map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

fn describe(key: String, metadata: &fs::Metadata) -> io::Result<StoredObject> {
    let modified = jiff::Timestamp::try_from(metadata.modified()?).map_err(io::Error::other)?;
    Ok(StoredObject { key, bytes: metadata.len(), modified })
}

/// Makes the names in a directory durable, where the system can.
fn sync_dir(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(dir)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}
