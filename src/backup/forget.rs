//! Forgets snapshots by rules, or by name. Their files stay until they are pruned.

use super::{BackupError, LocationLock};
use crate::id::LocationId;
use crate::plan::snapshot_retention::{DatedSnapshot, KeepReason, SnapshotRules, plan_retention};
use crate::repository::{Repository, Snapshot, SnapshotId, SnapshotList};

/// What is forgotten of a location, and why the rest stays.
#[derive(Debug, Clone)]
pub struct ForgetPlan {
    /// The location.
    pub location: LocationId,
    /// Every snapshot with the reasons why it stays, oldest first; one without a reason is forgotten.
    pub snapshots: Vec<(Snapshot, Vec<KeepReason>)>,
}

impl ForgetPlan {
    /// What rules keep.
    #[must_use]
    pub fn by_rules(location: &LocationId, list: &SnapshotList, rules: &SnapshotRules) -> Self {
        let dated = list.snapshots.iter().map(|snapshot| DatedSnapshot {
            time: snapshot.id().time(),
            is_held: list.holds.contains_key(snapshot.id()),
        });
        let reasons = plan_retention(&dated.collect::<Vec<_>>(), rules);
        let snapshots = list.snapshots.iter().cloned().zip(reasons).collect();
        Self { location: location.clone(), snapshots }
    }

    /// Everything but these stays; held ones stay in any case.
    #[must_use]
    pub fn by_name(location: &LocationId, list: &SnapshotList, named: &[SnapshotId]) -> Self {
        let reasons = |snapshot: &Snapshot| {
            let is_held = list.holds.contains_key(snapshot.id());
            match (is_held, named.contains(snapshot.id())) {
                (true, _) => vec![KeepReason::Held],
                (false, true) => Vec::new(),
                (false, false) => vec![KeepReason::Unnamed],
            }
        };
        let all = list.snapshots.iter().map(|snapshot| (snapshot.clone(), reasons(snapshot)));
        Self { location: location.clone(), snapshots: all.collect() }
    }

    /// The snapshots that are forgotten.
    pub fn forgotten(&self) -> impl Iterator<Item = &Snapshot> {
        self.snapshots
            .iter()
            .filter(|(_, reasons)| reasons.is_empty())
            .map(|(snapshot, _)| snapshot)
    }

    /// Whether the location would have no snapshot left.
    #[must_use]
    pub fn leaves_nothing(&self) -> bool {
        !self.snapshots.is_empty() && self.snapshots.iter().all(|(_, reasons)| reasons.is_empty())
    }
}

/// Carries out a plan, oldest snapshot first. A snapshot that got a hold meanwhile stays.
///
/// # Errors
/// When another process writes to the backups of the location, or the repository cannot be written.
pub fn forget_snapshots(
    repository: &Repository,
    plan: &ForgetPlan,
) -> Result<Vec<SnapshotId>, BackupError> {
    let _lock = LocationLock::acquire(repository, &plan.location)?;
    let holds = repository.list_snapshots(&plan.location)?.holds;
    let mut forgotten = Vec::new();
    for snapshot in plan.forgotten() {
        if holds.contains_key(snapshot.id()) {
            continue;
        }
        repository.forget_snapshot(snapshot)?;
        forgotten.push(snapshot.id().clone());
    }
    Ok(forgotten)
}
