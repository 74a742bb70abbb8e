//! Replaces snapshots by ones without people: all are written again before the first former one is deleted.

use std::collections::{BTreeMap, HashMap};

use super::EraseRequest;
use super::snapshot_scan::{SnapshotScan, all_snapshots};
use crate::backup::BackupError;
use crate::failpoint::{self, FailPoint};
use crate::repository::{
    ErasedContacts, ErasedRecords, Hold, LocationFile, Manifest, PreviousSnapshot, RepositoryError,
    Snapshot, SnapshotId, SnapshotList, SnapshotRewrite, StoredObject,
};

/// Snapshots that are written again.
pub(super) struct SnapshotReplacement<'a> {
    request: &'a EraseRequest<'a>,
    list: &'a SnapshotList,
    scan: &'a SnapshotScan,
    erased: ErasedContacts,
    /// What snapshots were written again as, by their former ids.
    replaced: BTreeMap<SnapshotId, Manifest>,
    /// What the people have in snapshots, by their former ids.
    records: HashMap<SnapshotId, ErasedRecords>,
}

impl<'a> SnapshotReplacement<'a> {
    pub(super) fn new(
        request: &'a EraseRequest<'a>,
        list: &'a SnapshotList,
        scan: &'a SnapshotScan,
    ) -> Self {
        let mut replaced = BTreeMap::new();
        // What an erasure that was killed has written is used.
        for snapshot in all_snapshots(list) {
            if let Some(former) = snapshot.manifest.rewrites.last()
                && list.find(&former.id).is_some()
            {
                replaced.insert(former.id.clone(), snapshot.manifest.clone());
            }
        }
        let (erased, records) = (scan.contacts(), HashMap::new());
        Self { request, list, scan, erased, replaced, records }
    }

    /// Writes all snapshots again that people have lines in, or that are read from one. Gives how many.
    pub(super) fn write_all(&mut self) -> Result<u64, BackupError> {
        let mut written = 0;
        for snapshot in all_snapshots(self.list) {
            if self.replaced.contains_key(snapshot.id())
                || !self.scan.snapshots.contains_key(snapshot.id())
            {
                continue;
            }
            let manifest = self.write(snapshot)?;
            self.replaced.insert(snapshot.id().clone(), manifest);
            written += 1;
        }
        Ok(written)
    }

    fn write(&mut self, snapshot: &Snapshot) -> Result<Manifest, BackupError> {
        let repository = self.request.repository;
        let former = &snapshot.manifest;
        let before = former.previous.as_ref().map(|previous| self.records_in(&previous.id));
        let before = before.transpose()?.unwrap_or_default();
        let scanned = &self.scan.snapshots[snapshot.id()];
        let members = &former.chain[..former.chain.len().saturating_sub(1)];
        let chain = members.iter().map(|member| self.find_current(member));
        let how = SnapshotRewrite {
            erased: &self.erased,
            identities: self.request.identities,
            tables: &scanned.tables(),
            chain: chain.collect::<Result<_, _>>()?,
            previous: former.previous.as_ref().map(|previous| self.follow(previous)),
            previous_records: &before,
        };
        let (manifest, records) = repository.rewrite_files(self.list, snapshot, how)?;
        failpoint::kill_if_due(FailPoint::DuringErasure);
        repository.write_rewritten_manifest(&manifest, scanned.is_forgotten)?;
        failpoint::kill_if_due(FailPoint::DuringErasure);
        self.records.insert(snapshot.id().clone(), records);
        Ok(manifest)
    }

    /// What the people have in a snapshot of the list.
    fn records_in(&mut self, id: &SnapshotId) -> Result<ErasedRecords, RepositoryError> {
        if let Some(known) = self.records.get(id) {
            return Ok(known.clone());
        }
        let is_affected = self.scan.snapshots.contains_key(id);
        let Some(snapshot) = self.list.find(id).filter(|_| is_affected) else {
            return Ok(ErasedRecords::new());
        };
        let found = self.request.repository.find_erased_records(
            self.list,
            snapshot,
            &self.erased,
            self.request.identities,
        )?;
        self.records.insert(id.clone(), found.clone());
        Ok(found)
    }

    /// What a snapshot is now.
    fn find_current(&self, id: &SnapshotId) -> Result<Manifest, RepositoryError> {
        let (mut id, mut found) = (id.clone(), None);
        while let Some(manifest) = self.replaced.get(&id) {
            id = manifest.snapshot.clone();
            found = Some(manifest);
        }
        let listed = || self.list.find(&id).map(|snapshot| &snapshot.manifest);
        let missing = || RepositoryError::Damaged {
            object: id.to_string(),
            why: "it is missing, and a later snapshot needs it".to_owned(),
        };
        found.or_else(listed).cloned().ok_or_else(missing)
    }

    /// The snapshot before another one, as it is now. One that was not written again stays as it was named, since its
    /// manifest is the same or says what it was.
    fn follow(&self, previous: &PreviousSnapshot) -> PreviousSnapshot {
        match self.find_current(&previous.id) {
            Ok(manifest) if manifest.snapshot != previous.id => {
                PreviousSnapshot { id: manifest.snapshot.clone(), sha256: manifest.sha256() }
            }
            _ => previous.clone(),
        }
    }

    /// What a snapshot was written again as, if it was.
    pub(super) fn find_replacement(&self, id: &SnapshotId) -> Option<Manifest> {
        self.find_current(id).ok().filter(|manifest| manifest.snapshot != *id)
    }

    /// Deletes the former snapshots, the newest first, so that every chain that is left is whole. Their holds are placed on
    /// what they were written again as before.
    pub(super) fn delete_former(&self) -> Result<(), BackupError> {
        let (repository, location) = (self.request.repository, self.request.location);
        for hold in self.list.holds.values() {
            let Some(current) = self.current_of_held(hold) else { continue };
            let because_of = hold.because_of.as_ref();
            let because_of = because_of
                .map(|id| self.find_replacement(id).map_or_else(|| id.clone(), |it| it.snapshot));
            let moved = Hold { snapshot: current, because_of, ..hold.clone() };
            repository.place_hold(location, &moved)?;
            repository.release_hold(location, &hold.snapshot)?;
            failpoint::kill_if_due(FailPoint::DuringErasure);
        }
        for former in self.replaced.keys().rev() {
            let Some(snapshot) = self.list.find(former) else { continue };
            let kill = || failpoint::kill_if_due(FailPoint::DuringErasure);
            repository.delete_rewritten(&snapshot.manifest, kill)?;
        }
        Ok(())
    }

    /// What a held snapshot is now, if it was written again: also one that an erasure that was killed has deleted.
    fn current_of_held(&self, hold: &Hold) -> Option<SnapshotId> {
        if let Some(current) = self.find_replacement(&hold.snapshot) {
            return Some(current.snapshot);
        }
        let is_gone = self.list.find(&hold.snapshot).is_none();
        let mut all = self.list.snapshots.iter().chain(&self.list.forgotten);
        let found = all.find(|snapshot| snapshot.manifest.is_rewritten_from(&hold.snapshot));
        found.filter(|_| is_gone).map(|snapshot| snapshot.id().clone())
    }
}

/// The files of a location that belong to no snapshot: what killed processes have left, which may have anybody in it.
pub(super) fn find_leftovers<'l>(
    request: &EraseRequest<'_>,
    list: &'l SnapshotList,
) -> Vec<&'l StoredObject> {
    let is_leftover =
        |object: &&StoredObject| match LocationFile::of_key(request.location, &object.key) {
            LocationFile::OfSnapshot(id) => list.find(&id).is_none(),
            LocationFile::Unfinished => true,
            LocationFile::Verified | LocationFile::Other => false,
        };
    list.objects.iter().filter(is_leftover).collect()
}
