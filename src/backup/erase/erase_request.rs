//! Who is erased, from where, and what keeps others away meanwhile.

use std::collections::BTreeSet;

use crate::backup::{BackupError, LocationLock};
use crate::id::{LocationId, RunId};
use crate::repository::{Identities, Repository};
use crate::run::{FileLock, RunStore};

/// Who is erased, and from where.
#[derive(Debug)]
pub struct EraseRequest<'a> {
    /// The program's home.
    pub home: &'a RunStore,
    /// The repository.
    pub repository: &'a Repository,
    /// What decrypts its files.
    pub identities: Option<&'a Identities>,
    /// The location.
    pub location: &'a LocationId,
    /// Whether its data are those of the embedded sandbox.
    pub sandbox: bool,
    /// The people, by their contacts' ids.
    pub contacts: BTreeSet<String>,
}

/// Keeps others from the mirror and the snapshots of a location.
#[derive(Debug)]
#[must_use]
pub struct EraseLocks {
    _watch: Option<FileLock>,
    _mirror: Option<FileLock>,
    _snapshots: LocationLock,
}

impl EraseRequest<'_> {
    /// Locks what people are erased from.
    ///
    /// # Errors
    /// When another process works with it.
    pub fn lock(&self) -> Result<EraseLocks, BackupError> {
        let dir = self.home.mirror_dir(self.location, self.sandbox);
        let has_mirror = crate::mirror::database_path(&dir).exists();
        let run = RunId::new(jiff::Timestamp::now());
        let watch = has_mirror.then(|| self.home.lock_watch(self.location, self.sandbox));
        let mirror = has_mirror.then(|| self.home.lock_mirror(self.location, self.sandbox, &run));
        Ok(EraseLocks {
            _watch: watch.transpose()?,
            _mirror: mirror.transpose()?,
            _snapshots: LocationLock::acquire(self.repository, self.location)?,
        })
    }
}
