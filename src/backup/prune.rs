//! Deletes what no snapshot needs: the files of snapshots that were forgotten long enough ago, and what killed processes
//! have left.
//!
//! It only deletes, and needs no key. A file stays as long as a snapshot's chain names it, or the chain of one that was
//! forgotten within the grace: a writer that looked before that time finds its chain. A kill leaves less to delete.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::{BackupError, LocationLock};
use crate::failpoint::{self, FailPoint};
use crate::id::LocationId;
use crate::repository::{
    LocationFile, Repository, RepositoryError, SnapshotId, SnapshotList, StoredObject,
};

/// The least grace: a backup that has begun is done by then.
pub const SHORTEST_GRACE: Duration = Duration::from_hours(24);
/// How old what a killed process has left must be.
const DEBRIS_AGE: Duration = Duration::from_hours(24);

/// How long checks that were made are remembered.
const RECORD_AGE: Duration = Duration::from_hours(90 * 24);

/// What is deleted of a location.
#[derive(Debug, Clone, Default)]
pub struct PrunePlan {
    /// The snapshots that were forgotten and are needed by none, with their files.
    pub snapshots: BTreeMap<SnapshotId, Vec<StoredObject>>,
    /// Files without a snapshot.
    pub debris: Vec<StoredObject>,
    /// Snapshots that were forgotten and whose files are still needed, with one that needs them.
    pub pinned: BTreeMap<SnapshotId, SnapshotId>,
    /// Snapshots that were forgotten within the grace.
    pub in_grace: BTreeSet<SnapshotId>,
}

impl PrunePlan {
    /// What can be deleted at a time.
    #[must_use]
    pub fn new(
        list: &SnapshotList,
        location: &LocationId,
        grace: Duration,
        now: Timestamp,
    ) -> Self {
        let grace = grace.max(SHORTEST_GRACE);
        let is_old = |time: Timestamp, age: Duration| {
            let since = now.duration_since(time);
            !since.is_negative() && since.unsigned_abs() >= age
        };
        let mut plan = Self::default();
        let mut needed: BTreeMap<SnapshotId, SnapshotId> = BTreeMap::new();
        let mut need = |snapshot: &crate::repository::Snapshot| {
            for member in &snapshot.manifest.chain {
                needed.entry(member.clone()).or_insert_with(|| snapshot.id().clone());
            }
        };
        list.snapshots.iter().for_each(&mut need);
        for snapshot in &list.forgotten {
            if snapshot.forgotten.is_none_or(|at| !is_old(at, grace)) {
                plan.in_grace.insert(snapshot.id().clone());
                need(snapshot);
            }
        }
        let forgotten: BTreeSet<&SnapshotId> =
            list.forgotten.iter().map(crate::repository::Snapshot::id).collect();
        let mut leftovers: BTreeMap<SnapshotId, Vec<StoredObject>> = BTreeMap::new();
        let mut checks = Vec::new();
        for object in &list.objects {
            match LocationFile::of_key(location, &object.key) {
                LocationFile::OfSnapshot(id) if forgotten.contains(&id) => match needed.get(&id) {
                    Some(by) if plan.in_grace.contains(&id) || *by == id => {}
                    Some(by) => drop(plan.pinned.insert(id, by.clone())),
                    None => plan.snapshots.entry(id).or_default().push(object.clone()),
                },
                LocationFile::OfSnapshot(id) if !needed.contains_key(&id) => {
                    leftovers.entry(id).or_default().push(object.clone());
                }
                LocationFile::Unfinished if is_old(object.modified, DEBRIS_AGE) => {
                    plan.debris.push(object.clone());
                }
                LocationFile::Verified => checks.push(object),
                LocationFile::OfSnapshot(_) | LocationFile::Unfinished | LocationFile::Other => {}
            }
        }
        // The last check stays, however old it is.
        let before_last = checks.iter().rev().skip(1);
        let old = before_last.filter(|check| is_old(check.modified, RECORD_AGE));
        plan.debris.extend(old.map(|check| (*check).clone()));
        for snapshot in &list.forgotten {
            // One whose manifest came without files, or whose files are gone.
            if !needed.contains_key(snapshot.id()) {
                plan.snapshots.entry(snapshot.id().clone()).or_default();
            }
        }
        for files in leftovers.into_values() {
            if files.iter().all(|file| is_old(file.modified, DEBRIS_AGE)) {
                plan.debris.extend(files);
            }
        }
        plan
    }

    /// The bytes that are freed.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let files = self.snapshots.values().flatten().chain(&self.debris);
        files.map(|file| file.bytes).sum()
    }
}

/// What was deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PruneReport {
    /// Snapshots.
    pub snapshots: u64,
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
    /// Files that the store did not delete, such as those under a lock of objects.
    pub refused: u64,
}

/// Deletes what no snapshot of a location needs.
///
/// # Errors
/// When a manifest is damaged, since what it needs is not known; when another process writes to the backups of the location;
/// or when the repository cannot be read.
pub fn prune_location(
    repository: &Repository,
    location: &LocationId,
    grace: Duration,
    now: Timestamp,
) -> Result<PruneReport, BackupError> {
    let _lock = LocationLock::acquire(repository, location)?;
    let list = repository.list_snapshots(location)?;
    refuse_damage(&list)?;
    let plan = PrunePlan::new(&list, location, grace, now);
    let mut report = PruneReport::default();
    for (id, files) in &plan.snapshots {
        // In this order: `remember` writes the manifest, and then looks whether the record of
        // its being forgotten is still there.
        repository.delete_forgotten(location, id)?;
        if repository.has_snapshot(location, id)? {
            continue;
        }
        for file in files {
            report.delete(repository, file);
            failpoint::kill_if_due(FailPoint::DuringPrune);
        }
        report.snapshots += 1;
    }
    for file in &plan.debris {
        // Its snapshot may have been finished meanwhile.
        let is_of_snapshot = match LocationFile::of_key(location, &file.key) {
            LocationFile::OfSnapshot(id) => repository.has_snapshot(location, &id)?,
            _ => false,
        };
        if !is_of_snapshot {
            report.delete(repository, file);
        }
    }
    Ok(report)
}

/// Refuses to delete anything where a manifest is damaged: it may be restored from a copy, with what it needs.
pub fn refuse_damage(list: &SnapshotList) -> Result<(), BackupError> {
    match list.damaged.first() {
        None => Ok(()),
        Some(damaged) => Err(RepositoryError::Damaged {
            object: damaged.id.to_string(),
            why: format!("{}; nothing was deleted, since what it needs is not known", damaged.why),
        }
        .into()),
    }
}

impl PruneReport {
    fn delete(&mut self, repository: &Repository, file: &StoredObject) {
        match repository.delete_object(&file.key) {
            Ok(()) => {
                self.files += 1;
                self.bytes += file.bytes;
            }
            Err(_) => self.refused += 1,
        }
    }
}
