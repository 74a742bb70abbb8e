//! Where a repository's files are: five operations that a directory and every object store have.

mod local;
#[cfg(test)]
pub(crate) mod memory;

use std::io::{self, Read, Write};
use std::path::Path;

pub use local::open_local_store;

/// A file in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its key: parts of a path, with `/` between them.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// When it was written, by the store's clock.
    pub modified: jiff::Timestamp,
}

/// What came of writing a file that must not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum PutResult {
    /// It is there, and durable.
    Created,
    /// There is one with this key already, which was left alone.
    Exists,
}

/// A place for files that are written once and never changed. Keys are made by `layout` and safe as paths.
pub trait ObjectStore: std::fmt::Debug + Send + Sync {
    /// Writes a file that must not exist. `write` produces its content; if it fails, nothing is there. When this returns,
    /// the file is durable under its key, whole.
    fn put_new(
        &self,
        key: &str,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<PutResult>;

    /// Reads a file. One that does not exist is an error of the kind [`io::ErrorKind::NotFound`].
    fn get(&self, key: &str) -> io::Result<Box<dyn Read + Send>>;

    /// The files whose keys begin with a prefix that is empty or ends with `/`, by key.
    fn list(&self, prefix: &str) -> io::Result<Vec<StoredObject>>;

    /// Removes a file. One that does not exist is no error.
    fn delete(&self, key: &str) -> io::Result<()>;

    /// Whether a file exists, and its size.
    fn head(&self, key: &str) -> io::Result<Option<StoredObject>>;

    /// The directory, if the store is one on this machine: writers lock it.
    fn local_dir(&self) -> Option<&Path> {
        None
    }
}
