//! The snapshots of a location, as the names and manifests in a repository say it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::error::RepositoryError;
use super::hold::Hold;
use super::layout::{self, LocationKey};
use super::manifest::Manifest;
use super::open_repository::Repository;
use super::snapshot_id::SnapshotId;
use super::state_hash::sha256_hex;
use super::store::StoredObject;
use crate::id::LocationId;

/// A snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// What it has.
    pub manifest: Manifest,
    /// The bytes of its manifest, which the next snapshot's manifest hashes.
    pub(super) bytes: Vec<u8>,
    /// When it was forgotten; `None` if it was not, or while the list was read.
    pub forgotten: Option<Timestamp>,
}

impl Snapshot {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &SnapshotId {
        &self.manifest.snapshot
    }

    /// The SHA-256 of its manifest, in hexadecimal.
    #[must_use]
    pub fn manifest_sha256(&self) -> String {
        sha256_hex(&self.bytes)
    }
}

/// A manifest that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedManifest {
    /// The snapshot.
    pub id: SnapshotId,
    /// What is wrong, with the name of the file.
    pub why: String,
}

/// What a repository has of a location.
#[derive(Debug, Clone, Default)]
pub struct SnapshotList {
    /// The snapshots, oldest first.
    pub snapshots: Vec<Snapshot>,
    /// Those that were forgotten and are not pruned yet, oldest first.
    pub forgotten: Vec<Snapshot>,
    /// The manifests that cannot be used, oldest first.
    pub damaged: Vec<DamagedManifest>,
    /// The holds, by snapshot.
    pub holds: BTreeMap<SnapshotId, Hold>,
    /// Every file of the location.
    pub objects: Vec<StoredObject>,
}

impl SnapshotList {
    /// The newest snapshot.
    #[must_use]
    pub fn newest(&self) -> Option<&Snapshot> {
        self.snapshots.last()
    }

    /// A snapshot by its id, forgotten ones included: a chain may need one.
    #[must_use]
    pub fn find(&self, id: &SnapshotId) -> Option<&Snapshot> {
        self.snapshots.iter().chain(&self.forgotten).find(|snapshot| snapshot.id() == id)
    }

    /// The SHA-256 of a snapshot's manifest; of one that people were erased from, as it was before.
    #[must_use]
    pub fn find_sha256(&self, id: &SnapshotId) -> Option<String> {
        if let Some(found) = self.find(id) {
            return Some(found.manifest_sha256());
        }
        let all = self.snapshots.iter().chain(&self.forgotten);
        let mut rewrites = all.flat_map(|snapshot| &snapshot.manifest.rewrites);
        rewrites.find(|former| former.id == *id).map(|former| former.sha256.clone())
    }

    /// The manifests of a snapshot's chain, the full one first.
    ///
    /// # Errors
    /// When one of them is missing or damaged.
    pub fn chain_of(&self, snapshot: &Snapshot) -> Result<Vec<&Manifest>, RepositoryError> {
        let location = &snapshot.manifest.location.id;
        let member = |id: &SnapshotId| {
            let found = self.find(id).map(|member| &member.manifest);
            found.ok_or_else(|| {
                let why = format!("it is missing, and snapshot `{}` needs it", snapshot.id());
                RepositoryError::damaged(&layout::manifest_key(location, id), why)
            })
        };
        let chain: Vec<_> = snapshot.manifest.chain.iter().map(member).collect::<Result<_, _>>()?;
        check_chain(&chain).map_err(|why| {
            RepositoryError::damaged(&layout::manifest_key(location, snapshot.id()), why)
        })?;
        Ok(chain)
    }
}

/// Checks that the members of a chain are each built on the one before.
fn check_chain(chain: &[&Manifest]) -> Result<(), String> {
    for (at, member) in chain.iter().enumerate() {
        let expected: Vec<_> = chain[..=at].iter().map(|member| &member.snapshot).collect();
        if member.chain.iter().collect::<Vec<_>>() != expected {
            return Err(format!("its chain is not that of snapshot `{}`", member.snapshot));
        }
    }
    let is_one_mirror =
        chain.windows(2).all(|pair| pair[0].mirror == pair[1].mirror && pair[0].seq <= pair[1].seq);
    if is_one_mirror { Ok(()) } else { Err("its chain is of several mirrors".to_owned()) }
}

impl Repository {
    /// The locations that have snapshots.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn list_locations(&self) -> Result<Vec<LocationId>, RepositoryError> {
        let objects = self.store().list("");
        let objects = objects.map_err(|source| RepositoryError::from_io(self.place(), source))?;
        let segments: BTreeSet<&str> =
            objects.iter().filter_map(|object| Some(object.key.split_once('/')?.0)).collect();
        let location = |segment: &str| {
            let text = percent_encoding::percent_decode_str(segment).decode_utf8().ok()?;
            let location: LocationId = text.parse().ok()?;
            (location.escaped_segment() == segment).then_some(location)
        };
        Ok(segments.into_iter().filter_map(location).collect())
    }

    /// The snapshots of a location.
    ///
    /// # Errors
    /// When the store cannot be read, or a newer version of this program wrote a snapshot.
    pub fn list_snapshots(&self, location: &LocationId) -> Result<SnapshotList, RepositoryError> {
        let prefix = layout::location_prefix(location);
        let objects = self.store().list(&prefix);
        let objects = objects.map_err(|source| RepositoryError::from_io(&prefix, source))?;
        let mut list = SnapshotList::default();
        for object in &objects {
            match layout::read_location_key(location, &object.key) {
                LocationKey::Manifest(id) => {
                    match self.read_manifest(location, &id) {
                        // It was forgotten since the names were read, and is needed for a while all the same.
                        Ok(None) => {
                            let read = self.read_forgotten(location, &id);
                            list.add_forgotten(read, id, None)?;
                        }
                        read => list.add_live(read, id)?,
                    }
                }
                LocationKey::Forgotten(id) => {
                    match self.read_forgotten(location, &id) {
                        // That was taken back since the names were read.
                        Ok(None) => list.add_live(self.read_manifest(location, &id), id)?,
                        read => list.add_forgotten(read, id, Some(object.modified))?,
                    }
                }
                LocationKey::Hold(id) => {
                    // It may have been released since the names were read.
                    if let Some(hold) = self.read_hold(location, &id)? {
                        list.holds.insert(id, hold);
                    }
                }
                LocationKey::DataFile(_)
                | LocationKey::Verified(_)
                | LocationKey::Drill(_)
                | LocationKey::Other => {}
            }
        }
        list.objects = objects;
        list.settle();
        Ok(list)
    }
}

/// What came of reading a manifest, with its bytes.
type ReadManifest = Result<Option<(Manifest, Vec<u8>)>, RepositoryError>;

impl SnapshotList {
    fn add_live(&mut self, read: ReadManifest, id: SnapshotId) -> Result<(), RepositoryError> {
        let found = self.take_sound(read, id)?.map(|(manifest, bytes)| Snapshot {
            manifest,
            bytes,
            forgotten: None,
        });
        self.snapshots.extend(found);
        Ok(())
    }

    fn add_forgotten(
        &mut self,
        read: ReadManifest,
        id: SnapshotId,
        forgotten: Option<Timestamp>,
    ) -> Result<(), RepositoryError> {
        let found = self.take_sound(read, id)?;
        let found = found.map(|(manifest, bytes)| Snapshot { manifest, bytes, forgotten });
        self.forgotten.extend(found);
        Ok(())
    }

    /// A manifest that could be read; one that is damaged is listed as such.
    fn take_sound(
        &mut self,
        read: ReadManifest,
        id: SnapshotId,
    ) -> Result<Option<(Manifest, Vec<u8>)>, RepositoryError> {
        match read {
            Err(error @ RepositoryError::Damaged { .. }) => {
                self.damaged.push(DamagedManifest { id, why: error.to_string() });
                Ok(None)
            }
            read => read,
        }
    }

    /// Sorts, and lets a snapshot be there that is in both places: a kill came between.
    fn settle(&mut self) {
        self.snapshots.sort_by(|a, b| a.id().cmp(b.id()));
        self.snapshots.dedup_by(|a, b| a.id() == b.id());
        let live: BTreeSet<SnapshotId> =
            self.snapshots.iter().map(|snapshot| snapshot.id().clone()).collect();
        self.forgotten.retain(|snapshot| !live.contains(snapshot.id()));
        // Of one that was found twice, the time at which it was forgotten is not known.
        self.forgotten.sort_by(|a, b| (a.id(), a.forgotten).cmp(&(b.id(), b.forgotten)));
        self.forgotten.dedup_by(|a, b| a.id() == b.id());
        self.damaged.sort_by(|a, b| a.id.cmp(&b.id));
    }
}
