//! Carries out an erasure.

use jiff::Timestamp;

use super::replace_snapshots::{SnapshotReplacement, find_leftovers};
use super::{EraseLocks, ErasePlan, EraseRequest};
use crate::backup::BackupError;
use crate::failpoint::{self, FailPoint};
use crate::mirror::{ErasedRows, LastSnapshot, MirrorReader, MirrorWriter};
use crate::repository::{ErasedPerson, ErasureRecord, ErasureResult};
use crate::run::RunErrorKind;

/// What was erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EraseReport {
    /// Snapshots that were written again by this command.
    pub snapshots: u64,
    /// Lines that were left out of their files.
    pub lines: u64,
    /// What was removed from the mirror.
    pub rows: ErasedRows,
    /// Runs that were removed.
    pub runs: u64,
    /// How many other repositories the mirror has made snapshots in.
    pub other_repositories: u64,
}

/// Erases the people of a plan that was read with these locks.
///
/// # Errors
/// When something cannot be read, written or removed. The same erasure goes on where this one has ended.
pub fn erase_people(
    request: &EraseRequest<'_>,
    plan: &ErasePlan,
    _locks: &EraseLocks,
    now: Timestamp,
) -> Result<EraseReport, BackupError> {
    let mut report = EraseReport { lines: plan.lines(), ..EraseReport::default() };
    let records = begin_erasure(request, plan, now)?;
    failpoint::kill_if_due(FailPoint::DuringErasure);
    let memory = SnapshotMemory::take(request, plan, &mut report)?;
    remove_runs(request, plan, &mut report)?;
    erase_from_mirror(request, plan, &mut report)?;
    let mut replacement = SnapshotReplacement::new(request, &plan.list, &plan.scan);
    report.snapshots = replacement.write_all()?;
    replacement.delete_former()?;
    delete_leftovers(request)?;
    failpoint::kill_if_due(FailPoint::DuringErasure);
    memory.put_back(request, &replacement)?;
    let result = ErasureResult {
        finished: Timestamp::now(),
        snapshots: plan.snapshots.len() as u64,
        lines: report.lines,
    };
    for record in records {
        request.repository.finish_erasure(&record.erasure, &result)?;
    }
    Ok(report)
}

/// Writes down that people are being erased. Gives the erasures that are finished at the end: one that was killed, too.
fn begin_erasure(
    request: &EraseRequest<'_>,
    plan: &ErasePlan,
    now: Timestamp,
) -> Result<Vec<ErasureRecord>, BackupError> {
    let mut records: Vec<_> = plan.erasures.unfinished().cloned().collect();
    let mut people = Vec::new();
    for (id, person) in &plan.people {
        let is_nobody = !plan.contacts.contains(id) && plan.runs.is_empty();
        if is_nobody || plan.erasures.is_being_erased(id) {
            continue;
        }
        let (emails, phones) = (&person.emails, &person.phones);
        people.push(ErasedPerson::new(
            request.repository,
            id,
            emails.iter().map(String::as_str),
            phones.iter().map(String::as_str),
        ));
    }
    if !people.is_empty() {
        records.push(request.repository.record_erasure(request.location, now, people)?);
    }
    Ok(records)
}

fn remove_runs(
    request: &EraseRequest<'_>,
    plan: &ErasePlan,
    report: &mut EraseReport,
) -> Result<(), BackupError> {
    for run in &plan.runs {
        match request.home.remove_run(&run.id) {
            Err(error) if error.kind() == RunErrorKind::Missing => {}
            removed => removed?,
        }
        report.runs += 1;
        failpoint::kill_if_due(FailPoint::DuringErasure);
    }
    Ok(())
}

fn erase_from_mirror(
    request: &EraseRequest<'_>,
    plan: &ErasePlan,
    report: &mut EraseReport,
) -> Result<(), BackupError> {
    if !plan.has_mirror {
        return Ok(());
    }
    let dir = request.home.mirror_dir(request.location, request.sandbox);
    let mut mirror = MirrorWriter::open(&dir, request.location)?;
    let contacts: Vec<String> = plan.people.keys().cloned().collect();
    report.rows = mirror.erase_contacts(&contacts)?;
    failpoint::kill_if_due(FailPoint::DuringErasure);
    mirror.purge_unused_pages()?;
    failpoint::kill_if_due(FailPoint::DuringErasure);
    Ok(())
}

/// Deletes what belongs to no snapshot.
fn delete_leftovers(request: &EraseRequest<'_>) -> Result<(), BackupError> {
    let list = request.repository.list_snapshots(request.location)?;
    for object in find_leftovers(request, &list) {
        request.repository.delete_object(&object.key)?;
    }
    Ok(())
}

/// The snapshot that the mirror made last. It is forgotten while the mirror and the snapshot may have different people.
struct SnapshotMemory(Option<LastSnapshot>);

impl SnapshotMemory {
    fn take(
        request: &EraseRequest<'_>,
        plan: &ErasePlan,
        report: &mut EraseReport,
    ) -> Result<Self, BackupError> {
        let dir = request.home.mirror_dir(request.location, request.sandbox);
        let Some(mirror) = MirrorReader::open(&dir)? else { return Ok(Self(None)) };
        if plan.contacts.is_empty() && plan.snapshots.is_empty() {
            return Ok(Self(None));
        }
        let own = &request.repository.header().id;
        let last = mirror.find_last_snapshot(own)?;
        let writer = MirrorWriter::open(&dir, request.location)?;
        let repositories = writer.forget_last_snapshots()?;
        report.other_repositories = repositories.iter().filter(|id| *id != own).count() as u64;
        failpoint::kill_if_due(FailPoint::DuringErasure);
        Ok(Self(last))
    }

    fn put_back(
        self,
        request: &EraseRequest<'_>,
        replacement: &SnapshotReplacement<'_>,
    ) -> Result<(), BackupError> {
        let Some(last) = self.0 else { return Ok(()) };
        let dir = request.home.mirror_dir(request.location, request.sandbox);
        let Some(mirror) = MirrorReader::open(&dir)? else { return Ok(()) };
        let current = last.snapshot.parse().ok().and_then(|id| replacement.find_replacement(&id));
        let is_as_written = |sha256: &str| sha256 == last.sha256;
        let current = current.filter(|manifest| {
            manifest.rewrites.iter().any(|former| is_as_written(&former.sha256))
        });
        let last = current.map_or(last.clone(), |manifest| LastSnapshot {
            snapshot: manifest.snapshot.to_string(),
            sha256: manifest.sha256(),
        });
        Ok(mirror.record_last_snapshot(&request.repository.header().id, &last)?)
    }
}
