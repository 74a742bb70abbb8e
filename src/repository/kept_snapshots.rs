//! What decides whether a snapshot stays: holds, and whether it was forgotten.

use std::io;

use super::checked_json;
use super::error::RepositoryError;
use super::hold::Hold;
use super::layout;
use super::manifest::{Manifest, read_bounded};
use super::open_repository::Repository;
use super::snapshot_id::SnapshotId;
use crate::id::LocationId;

impl Repository {
    /// Places a hold. A snapshot that has one keeps it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn place_hold(&self, location: &LocationId, hold: &Hold) -> Result<(), RepositoryError> {
        let bytes = checked_json::to_plain_bytes(hold);
        let _ = self.put_bytes(&layout::hold_key(location, &hold.snapshot), &bytes)?;
        Ok(())
    }

    /// Removes the hold of a snapshot; false if it has none.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn release_hold(
        &self,
        location: &LocationId,
        id: &SnapshotId,
    ) -> Result<bool, RepositoryError> {
        let key = layout::hold_key(location, id);
        let exists = self.has_object(&key)?;
        self.delete_object(&key)?;
        Ok(exists)
    }

    pub(super) fn read_hold(
        &self,
        location: &LocationId,
        id: &SnapshotId,
    ) -> Result<Option<Hold>, RepositoryError> {
        let key = layout::hold_key(location, id);
        let from = match self.store().get(&key) {
            Ok(from) => from,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(RepositoryError::from_io(&key, source)),
        };
        let hold = serde_json::from_slice(&read_bounded(from, &key)?);
        // A hold that cannot be read holds all the same.
        Ok(Some(hold.unwrap_or_else(|_| Hold {
            snapshot: id.clone(),
            placed: id.time(),
            reason: "its hold cannot be read".to_owned(),
            because_of: None,
        })))
    }

    /// Forgets a snapshot: its files stay until they are pruned, and until then it can be remembered.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn forget_snapshot(&self, manifest: &super::Snapshot) -> Result<(), RepositoryError> {
        let (location, id) = (&manifest.manifest.location.id, &manifest.manifest.snapshot);
        let (key, forgotten) =
            (layout::manifest_key(location, id), layout::forgotten_key(location, id));
        // One that is left of an earlier kill would say that it was forgotten then.
        self.delete_object(&forgotten)?;
        let _ = self.put_bytes(&forgotten, &manifest.bytes)?;
        crate::failpoint::kill_if_due(crate::failpoint::FailPoint::DuringForget);
        self.delete_object(&key)
    }

    /// Takes back that a snapshot was forgotten.
    ///
    /// # Errors
    /// When it was not, its files are gone, or the store cannot be written.
    pub fn remember_snapshot(
        &self,
        location: &LocationId,
        id: &SnapshotId,
    ) -> Result<Manifest, RepositoryError> {
        let missing = || RepositoryError::NoSuchSnapshot {
            named: id.to_string(),
            why: "it was not forgotten, or is pruned already".to_owned(),
        };
        let (manifest, bytes) = self.read_forgotten(location, id)?.ok_or_else(missing)?;
        for member in &manifest.chain {
            let found = self.read_manifest(location, member)?;
            let found = match found {
                Some(found) => Some(found),
                None => self.read_forgotten(location, member)?,
            };
            let (member, _) = found.ok_or_else(|| {
                RepositoryError::damaged(
                    &layout::manifest_key(location, member),
                    format!("it is missing, and snapshot `{id}` needs it"),
                )
            })?;
            self.check_file_sizes(&member)?;
        }
        let key = layout::manifest_key(location, id);
        let _ = self.put_bytes(&key, &bytes)?;
        // The process that prunes it removes the record of its being forgotten first, and then looks for the manifest.
        if !self.has_object(&layout::forgotten_key(location, id))? {
            self.delete_object(&key)?;
            return Err(missing());
        }
        self.delete_forgotten(location, id)?;
        Ok(manifest)
    }

    /// Removes the record of a snapshot's being forgotten.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn delete_forgotten(
        &self,
        location: &LocationId,
        id: &SnapshotId,
    ) -> Result<(), RepositoryError> {
        self.delete_object(&layout::forgotten_key(location, id))
    }
}
