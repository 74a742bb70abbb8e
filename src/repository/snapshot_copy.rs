//! Copies snapshots from one repository into another one: files first, each compared with its hash, and the manifest last.

use std::sync::Arc;

use super::checked_json;
use super::data_reader;
use super::error::RepositoryError;
use super::layout;
use super::manifest::read_bounded;
use super::open_repository::Repository;
use super::snapshot_list::Snapshot;
use super::snapshot_rewrite::copy_object;
use super::store::{ObjectStore, PutResult};

/// The files of a snapshot that were copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopiedFiles {
    /// Files that were copied.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were there, with the right hash.
    pub present: u64,
    /// Whether the manifest was copied.
    pub manifest: bool,
}

impl Repository {
    /// Opens the copy of this repository at a place. If nothing is there, it is created with the same id and recipients.
    ///
    /// # Errors
    /// When there is another repository, or something else.
    pub fn open_or_create_copy(
        &self,
        store: Arc<dyn ObjectStore>,
        place: &str,
    ) -> Result<Self, RepositoryError> {
        let opened = match Self::open(store.clone(), place) {
            Err(RepositoryError::Missing { .. }) => {
                let bytes = checked_json::to_bytes(self.header());
                let put = store.put_new(layout::HEADER, &mut |to| to.write_all(&bytes));
                let _ = put.map_err(|source| RepositoryError::from_io(place, source))?;
                Self::open(store, place)?
            }
            opened => opened?,
        };
        if opened.header().id == self.header().id {
            return Ok(opened);
        }
        let why = format!("it is another repository than `{}`, and no copy of it", self.place());
        Err(RepositoryError::NotARepository { place: place.to_owned(), why })
    }

    /// Copies a snapshot into a copy of this repository. What is there is compared.
    ///
    /// # Errors
    /// When a file is damaged, here or there, or cannot be read or written. What was copied so far is no snapshot yet.
    pub fn copy_snapshot(
        &self,
        snapshot: &Snapshot,
        is_forgotten: bool,
        to: &Self,
        mut after_each: impl FnMut(),
    ) -> Result<CopiedFiles, RepositoryError> {
        let (location, id) = (&snapshot.manifest.location.id, snapshot.id());
        let mut copied = CopiedFiles::default();
        for file in &snapshot.manifest.files {
            let key = layout::snapshot_file(location, id, &file.name);
            match copy_object((self, &key), (to, &key), (file.bytes, &file.sha256))? {
                PutResult::Created => {
                    copied.files += 1;
                    copied.bytes += file.bytes;
                }
                PutResult::Exists => {
                    to.check_file(&snapshot.manifest, file)
                        .map_err(|error| to.name_place(error))?;
                    copied.present += 1;
                }
            }
            after_each();
        }
        let live = layout::manifest_key(location, id);
        let forgotten = layout::forgotten_key(location, id);
        for key in [&live, &forgotten] {
            if to.has_object(key)? {
                to.compare_bytes(key, &snapshot.bytes)?;
                return Ok(copied);
            }
        }
        let key = if is_forgotten { &forgotten } else { &live };
        copied.manifest = to.put_bytes(key, &snapshot.bytes)? == PutResult::Created;
        after_each();
        Ok(copied)
    }

    /// Copies the records of erasures, so that no restore from the copy brings an erased person back.
    ///
    /// # Errors
    /// When one cannot be read or written.
    pub fn copy_erasures(&self, to: &Self) -> Result<u64, RepositoryError> {
        let objects = self.store().list("");
        let objects = objects.map_err(|source| RepositoryError::from_io(self.place(), source))?;
        let mut copied = 0;
        for object in objects {
            if layout::read_erasure_key(&object.key).is_some() {
                let from = data_reader::open_file(self.store(), &object.key)?;
                let bytes = read_bounded(from, &object.key)?;
                if !checked_json::is_sound(&bytes) {
                    return Err(RepositoryError::damaged(&object.key, "its checksum is wrong"));
                }
                copied += u64::from(to.put_bytes(&object.key, &bytes)? == PutResult::Created);
            }
        }
        Ok(copied)
    }

    fn compare_bytes(&self, key: &str, expected: &[u8]) -> Result<(), RepositoryError> {
        let found = read_bounded(data_reader::open_file(self.store(), key)?, key)?;
        if found == expected {
            return Ok(());
        }
        let error = RepositoryError::damaged(key, "it is not the manifest that is copied");
        Err(self.name_place(error))
    }

    /// The error with the repository whose file it is about.
    fn name_place(&self, error: RepositoryError) -> RepositoryError {
        match error {
            RepositoryError::Damaged { object, why } => {
                RepositoryError::Damaged { object: format!("{}/{object}", self.place()), why }
            }
            error => error,
        }
    }
}
