//! Copies snapshots with their chains into another repository. It only adds: what is there is compared, and nothing is
//! deleted.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{BackupError, LocationLock};
use crate::failpoint::{self, FailPoint};
use crate::id::LocationId;
use crate::repository::{
    Repository, RepositoryError, Snapshot, SnapshotChoice, SnapshotId, SnapshotList,
};

/// What was copied of a location.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CopyReport {
    /// Snapshots that were copied, members of chains included.
    pub snapshots: u64,
    /// Snapshots that were there.
    pub present: u64,
    /// Files that were copied.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Snapshots that were not copied, because they or something that they are read from is damaged.
    pub damaged: BTreeMap<SnapshotId, String>,
    /// Snapshots in the copy that people were erased from in the repository since.
    pub not_erased: BTreeSet<SnapshotId>,
}

/// Copies the snapshots of a location, or one of them, with everything that they are read from.
///
/// # Errors
/// When a repository cannot be read or written, the chosen snapshot does not exist, or another process writes to the copy.
/// Damage is part of the report.
pub fn copy_location(
    (from, to): (&Repository, &Repository),
    location: &LocationId,
    chosen: Option<&SnapshotChoice>,
) -> Result<CopyReport, BackupError> {
    let list = from.list_snapshots(location)?;
    let wanted: Vec<&Snapshot> = match chosen {
        Some(choice) => vec![list.choose(choice)?],
        None => list.snapshots.iter().collect(),
    };
    let _lock = LocationLock::acquire(to, location)?;
    let mut copy = LocationCopy {
        from,
        to,
        list: &list,
        done: BTreeSet::new(),
        report: CopyReport::default(),
    };
    for damaged in list.damaged.iter().filter(|_| chosen.is_none()) {
        copy.report.damaged.insert(damaged.id.clone(), damaged.why.clone());
    }
    for snapshot in wanted {
        copy.copy_chain(snapshot)?;
    }
    copy.copy_holds(location)?;
    copy.find_not_erased(location)?;
    Ok(copy.report)
}

struct LocationCopy<'a> {
    from: &'a Repository,
    to: &'a Repository,
    list: &'a SnapshotList,
    done: BTreeSet<SnapshotId>,
    report: CopyReport,
}

impl LocationCopy<'_> {
    /// Copies the members of a snapshot's chain, the full one first, so that every snapshot in the copy is whole.
    fn copy_chain(&mut self, snapshot: &Snapshot) -> Result<(), BackupError> {
        if let Err(error) = self.list.chain_of(snapshot) {
            return self.note_damage(snapshot.id(), error);
        }
        for member in &snapshot.manifest.chain {
            if let Some(why) = self.report.damaged.get(member) {
                let why = why.clone();
                self.report.damaged.insert(snapshot.id().clone(), why);
                return Ok(());
            }
            let Some(found) = self.list.find(member).filter(|_| !self.done.contains(member)) else {
                continue;
            };
            if let Err(error) = self.copy_member(found) {
                self.note_damage(member, error)?;
                let why = self.report.damaged[member].clone();
                self.report.damaged.insert(snapshot.id().clone(), why);
                return Ok(());
            }
        }
        Ok(())
    }

    fn copy_member(&mut self, snapshot: &Snapshot) -> Result<(), RepositoryError> {
        let is_forgotten = !self.list.snapshots.iter().any(|live| live.id() == snapshot.id());
        let kill = || failpoint::kill_if_due(FailPoint::DuringCopy);
        let copied = self.from.copy_snapshot(snapshot, is_forgotten, self.to, kill)?;
        let report = &mut self.report;
        report.files += copied.files;
        report.bytes += copied.bytes;
        *(if copied.manifest { &mut report.snapshots } else { &mut report.present }) += 1;
        self.done.insert(snapshot.id().clone());
        Ok(())
    }

    /// Damage is reported, and other errors end the copy.
    fn note_damage(&mut self, id: &SnapshotId, error: RepositoryError) -> Result<(), BackupError> {
        if !error.is_damage() {
            return Err(error.into());
        }
        self.report.damaged.insert(id.clone(), error.to_string());
        Ok(())
    }

    fn copy_holds(&self, location: &LocationId) -> Result<(), BackupError> {
        for hold in self.list.holds.values().filter(|hold| self.done.contains(&hold.snapshot)) {
            self.to.place_hold(location, hold)?;
        }
        Ok(())
    }

    fn find_not_erased(&mut self, location: &LocationId) -> Result<(), BackupError> {
        let all = self.list.snapshots.iter().chain(&self.list.forgotten);
        let former: BTreeSet<&SnapshotId> =
            all.flat_map(|snapshot| &snapshot.manifest.rewrites).map(|former| &former.id).collect();
        if former.is_empty() {
            return Ok(());
        }
        let copied = self.to.list_snapshots(location)?;
        let still = copied.snapshots.iter().chain(&copied.forgotten).map(Snapshot::id);
        self.report.not_erased = still.filter(|id| former.contains(id)).cloned().collect();
        Ok(())
    }
}
