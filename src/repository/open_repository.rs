//! An open repository: its description, its snapshots, and the files of one that is being written.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::FORMAT;
use super::checked_json;
use super::data_file::{self, DataFileWriter, FileSummary};
use super::data_reader;
use super::encryption::{self};
use super::error::RepositoryError;
use super::layout;
use super::manifest::{Manifest, SnapshotFile, read_bounded};
use super::snapshot_id::SnapshotId;
use super::store::{ObjectStore, PutResult};
use crate::id::LocationId;

/// The description of a repository, which is written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryHeader {
    /// The format.
    pub format: u32,
    /// The repository's id: the mirror remembers by it which snapshot it wrote last.
    pub id: String,
    /// When it was created.
    pub created: Timestamp,
    /// The recipients that files are encrypted for, unless others are given; none for files that anybody can read.
    pub recipients: Vec<String>,
}

/// An open repository.
#[derive(Debug, Clone)]
pub struct Repository {
    store: Arc<dyn ObjectStore>,
    /// Where it is, for messages.
    place: String,
    header: RepositoryHeader,
}

impl Repository {
    /// Creates a repository.
    ///
    /// # Errors
    /// When there is one, or other files are there.
    pub fn create(
        store: Arc<dyn ObjectStore>,
        place: &str,
        recipients: Vec<String>,
    ) -> Result<Self, RepositoryError> {
        encryption::check_recipients(&recipients)?;
        let fail = |source| RepositoryError::from_io(place, source);
        let place = place.to_owned();
        if store.head(layout::HEADER).map_err(fail)?.is_some() {
            return Err(RepositoryError::AlreadyExists { place });
        }
        if let Some(other) = store.list("").map_err(fail)?.first() {
            let why = format!("it has other files, such as `{}`", other.key);
            return Err(RepositoryError::NotARepository { place, why });
        }
        let id = std::iter::repeat_with(fastrand::alphanumeric).take(16).collect();
        let header = RepositoryHeader { format: FORMAT, id, created: Timestamp::now(), recipients };
        let bytes = checked_json::to_bytes(&header);
        let repository = Self { store, place, header };
        match repository.put_bytes(layout::HEADER, &bytes)? {
            PutResult::Created => Ok(repository),
            PutResult::Exists => Err(RepositoryError::AlreadyExists { place: repository.place }),
        }
    }

    /// Opens a repository.
    ///
    /// # Errors
    /// When there is no repository, or a newer version of this program created it.
    pub fn open(store: Arc<dyn ObjectStore>, place: &str) -> Result<Self, RepositoryError> {
        #[derive(Deserialize)]
        struct AnyFormat {
            format: u64,
        }
        let place = place.to_owned();
        let read = match store.get(layout::HEADER) {
            Ok(from) => read_bounded(from, layout::HEADER)?,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                let fail = |source| RepositoryError::from_io(&place, source);
                if store.list("").map_err(fail)?.is_empty() {
                    return Err(RepositoryError::Missing { place });
                }
                let why = format!("it has no `{}`", layout::HEADER);
                return Err(RepositoryError::NotARepository { place, why });
            }
            Err(source) => return Err(RepositoryError::from_io(&place, source)),
        };
        let wrong = |error: serde_json::Error| RepositoryError::NotARepository {
            place: place.clone(),
            why: format!("`{}`: {error}", layout::HEADER),
        };
        let any: AnyFormat = serde_json::from_slice(&read).map_err(wrong)?;
        if any.format > u64::from(FORMAT) {
            return Err(RepositoryError::NewerFormat { object: place, format: any.format });
        }
        if !checked_json::is_sound(&read) {
            return Err(RepositoryError::damaged(layout::HEADER, "its checksum is wrong"));
        }
        let header = serde_json::from_slice(&read).map_err(wrong)?;
        Ok(Self { store, place, header })
    }

    /// Its description.
    #[must_use]
    pub fn header(&self) -> &RepositoryHeader {
        &self.header
    }

    /// Where it is, for messages.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Its files.
    #[must_use]
    pub fn store(&self) -> &dyn ObjectStore {
        &*self.store
    }

    /// Writes the file of a table for a snapshot. `fill` adds the lines in the order of their keys.
    ///
    /// # Errors
    /// When the store cannot be written, or with the error of `fill`; nothing is there then.
    pub fn write_data_file<E: From<RepositoryError>>(
        &self,
        (location, id): (&LocationId, &SnapshotId),
        table: &str,
        recipients: &[String],
        fill: impl FnOnce(&mut DataFileWriter<'_>) -> Result<(), E>,
    ) -> Result<SnapshotFile, E> {
        let name = layout::data_file_name(table, !recipients.is_empty());
        let key = layout::snapshot_file(location, id, &name);
        let (mut fill, mut result) = (Some(fill), None);
        let put = self.store.put_new(&key, &mut |to| {
            let fill = fill.take().ok_or_else(|| io::Error::other("written twice"))?;
            match data_file::write_lines(to, &key, recipients, fill) {
                Ok(summary) => {
                    result = Some(Ok(summary));
                    Ok(())
                }
                Err(error) => {
                    result = Some(Err(error));
                    Err(io::Error::other("its content cannot be read"))
                }
            }
        });
        if let Some(Err(error)) = result {
            return Err(error);
        }
        let put = put.map_err(|source| RepositoryError::from_io(&key, source))?;
        let (PutResult::Created, Some(Ok(summary))) = (put, result) else {
            return Err(RepositoryError::Conflict { object: key }.into());
        };
        let FileSummary { puts, dels, plain_bytes, bytes, sha256 } = summary;
        let (table, rows) = (table.to_owned(), puts + dels);
        Ok(SnapshotFile { name, table, rows, puts, dels, bytes, sha256, plain_bytes })
    }

    /// Writes the manifest of a snapshot, which makes it one.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), RepositoryError> {
        let key = layout::manifest_key(&manifest.location.id, &manifest.snapshot);
        match self.put_bytes(&key, &manifest.to_bytes())? {
            PutResult::Created => Ok(()),
            PutResult::Exists => Err(RepositoryError::Conflict { object: key }),
        }
    }

    /// Reads the manifest of a snapshot, with its bytes; `None` if there is no such snapshot.
    pub(super) fn read_manifest(
        &self,
        location: &LocationId,
        id: &SnapshotId,
    ) -> Result<Option<(Manifest, Vec<u8>)>, RepositoryError> {
        self.read_manifest_at(&layout::manifest_key(location, id), location, id)
    }

    /// The same of a snapshot that was forgotten.
    pub(super) fn read_forgotten(
        &self,
        location: &LocationId,
        id: &SnapshotId,
    ) -> Result<Option<(Manifest, Vec<u8>)>, RepositoryError> {
        self.read_manifest_at(&layout::forgotten_key(location, id), location, id)
    }

    fn read_manifest_at(
        &self,
        key: &str,
        location: &LocationId,
        id: &SnapshotId,
    ) -> Result<Option<(Manifest, Vec<u8>)>, RepositoryError> {
        let from = match self.store.get(key) {
            Ok(from) => from,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(RepositoryError::from_io(key, source)),
        };
        let bytes = read_bounded(from, key)?;
        let manifest = Manifest::parse(&bytes, key, (location, id))?;
        Ok(Some((manifest, bytes)))
    }

    /// Whether a snapshot exists and is not forgotten.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn has_snapshot(
        &self,
        location: &LocationId,
        id: &SnapshotId,
    ) -> Result<bool, RepositoryError> {
        self.has_object(&layout::manifest_key(location, id))
    }

    /// Whether the directory of a snapshot has every file of its manifest, in the right size.
    ///
    /// # Errors
    /// With the first file that is damaged, or when the store cannot be read.
    pub fn check_file_sizes(&self, manifest: &Manifest) -> Result<(), RepositoryError> {
        for file in &manifest.files {
            let (location, id) = (&manifest.location.id, &manifest.snapshot);
            let key = layout::snapshot_file(location, id, &file.name);
            let found = self.store.head(&key);
            let found = found.map_err(|source| RepositoryError::from_io(&key, source))?;
            match found {
                None => return Err(RepositoryError::damaged(&key, "it is missing")),
                Some(found) if found.bytes != file.bytes => {
                    let why = format!("it has {} bytes instead of {}", found.bytes, file.bytes);
                    return Err(RepositoryError::damaged(&key, why));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Reads a file of a snapshot and compares it with its hash. Needs no identity.
    ///
    /// # Errors
    /// When it is damaged or cannot be read.
    pub fn check_file(
        &self,
        manifest: &Manifest,
        file: &SnapshotFile,
    ) -> Result<(), RepositoryError> {
        let key = layout::snapshot_file(&manifest.location.id, &manifest.snapshot, &file.name);
        let stored = data_reader::open_file(self.store(), &key)?;
        let (mut hashed, _) = super::hash_reader::HashReader::new(stored, file.bytes, &file.sha256);
        io::copy(&mut hashed, &mut io::sink())
            .map(drop)
            .map_err(|source| RepositoryError::from_read(&key, source))
    }

    pub(super) fn has_object(&self, key: &str) -> Result<bool, RepositoryError> {
        let found = self.store.head(key);
        Ok(found.map_err(|source| RepositoryError::from_io(key, source))?.is_some())
    }

    /// Removes a file.
    ///
    /// # Errors
    /// When the store does not.
    pub fn delete_object(&self, key: &str) -> Result<(), RepositoryError> {
        self.store.delete(key).map_err(|source| RepositoryError::from_io(key, source))
    }

    pub(super) fn put_bytes(&self, key: &str, bytes: &[u8]) -> Result<PutResult, RepositoryError> {
        let put = self.store.put_new(key, &mut |to| to.write_all(bytes));
        put.map_err(|source| RepositoryError::from_io(key, source))
    }
}
