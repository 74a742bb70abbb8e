//! Proves that snapshots can be read: by sizes, by hashes, or by merging a chain.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

use super::BackupError;
use crate::id::LocationId;
use crate::repository::{
    Identities, Manifest, Repository, RepositoryError, Snapshot, SnapshotFile, SnapshotId,
    SnapshotList, VerificationRecord,
};
use crate::text::hash_text;

/// Of what a usual check reads of the files that are not the newest.
const USUAL_PART: u64 = 7;

/// Which files are read and compared with their hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadPart {
    /// Those of the newest snapshot, and a seventh of the others: another one each day.
    Usual,
    /// One in so many, beginning where the check before has ended.
    OneIn(u64),
    /// All.
    All,
}

/// What a check does.
#[derive(Debug, Clone)]
pub struct VerifyRequest {
    /// Which files are read.
    pub read: ReadPart,
    /// After which time no further file is read.
    pub max_duration: Option<Duration>,
    /// The snapshots whose chains are merged.
    pub replay: Vec<SnapshotId>,
    /// What decrypts them.
    pub identities: Option<Identities>,
}

/// Something that is damaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// The snapshots that cannot be read because of it.
    pub snapshots: Vec<SnapshotId>,
    /// What is wrong, with the name of the file.
    pub why: String,
}

/// What a check came to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct VerifyReport {
    /// The snapshots whose manifests, chains and sizes were checked.
    pub snapshots: u64,
    /// The files that were read and compared with their hashes.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The snapshots whose chains were merged.
    pub replayed: Vec<SnapshotId>,
    /// Their records.
    pub records: u64,
    /// Notes and tasks whose contact is not in the snapshot.
    pub orphans: u64,
    /// What is damaged.
    pub damaged: Vec<Damage>,
    /// The snapshots that can be read, as far as was checked.
    pub usable: Vec<SnapshotId>,
    /// The file with which the next check begins, if this one ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Checks the snapshots of a location.
///
/// # Errors
/// When the repository cannot be read, or the identities do not fit. Damage is part of the report.
pub fn verify_location(
    repository: &Repository,
    location: &LocationId,
    request: &VerifyRequest,
    now: Timestamp,
) -> Result<VerifyReport, BackupError> {
    let list = repository.list_snapshots(location)?;
    let mut check =
        Check { repository, list: &list, broken: BTreeMap::new(), report: VerifyReport::default() };
    check.check_manifests();
    check.check_sizes()?;
    let begin = repository.last_verification(location)?.and_then(|record| record.next);
    check.check_hashes(request, begin, now)?;
    for id in &request.replay {
        check.replay(id, request.identities.as_ref())?;
    }
    Ok(check.finish())
}

struct Check<'a> {
    repository: &'a Repository,
    list: &'a SnapshotList,
    /// What is damaged, by the snapshot whose file it is; the snapshot whose chain it is in.
    broken: BTreeMap<String, BTreeSet<SnapshotId>>,
    report: VerifyReport,
}

impl VerifyReport {
    /// What the repository remembers of the check.
    #[must_use]
    pub fn to_record(&self, at: Timestamp) -> VerificationRecord {
        VerificationRecord {
            at,
            files: self.files,
            bytes: self.bytes,
            replayed: self.replayed.clone(),
            damaged: self.damaged.len() as u64,
            next: self.next.clone(),
        }
    }
}

impl Check<'_> {
    /// All snapshots that are read from a member of a chain.
    fn readers_of(&self, member: &SnapshotId) -> BTreeSet<SnapshotId> {
        let reads = |snapshot: &&Snapshot| snapshot.manifest.chain.contains(member);
        self.list.snapshots.iter().filter(reads).map(|snapshot| snapshot.id().clone()).collect()
    }

    fn add_damage(&mut self, why: String, snapshots: BTreeSet<SnapshotId>) {
        self.broken.entry(why).or_default().extend(snapshots);
    }

    /// Chains are whole, and each manifest is the one that the next one was written after.
    fn check_manifests(&mut self) {
        for damaged in &self.list.damaged {
            let mut snapshots = self.readers_of(&damaged.id);
            snapshots.insert(damaged.id.clone());
            self.add_damage(damaged.why.clone(), snapshots);
        }
        for snapshot in &self.list.snapshots {
            if let Err(error) = self.list.chain_of(snapshot) {
                self.add_damage(error.to_string(), BTreeSet::from([snapshot.id().clone()]));
            }
        }
        for snapshot in self.list.snapshots.iter().chain(&self.list.forgotten) {
            let Some(previous) = &snapshot.manifest.previous else { continue };
            let Some(sha256) = self.list.find_sha256(&previous.id) else { continue };
            if sha256 != previous.sha256 {
                let why = format!(
                    "the manifest of snapshot `{}` is not the one that snapshot `{}` was written after",
                    previous.id,
                    snapshot.id()
                );
                let readers = self.readers_of(&previous.id);
                self.add_damage(why, readers);
            }
        }
        self.report.snapshots = self.list.snapshots.len() as u64;
    }

    /// The members of all chains: the snapshots, and forgotten ones that others are read from.
    fn members(&self) -> Vec<&Manifest> {
        let needed: BTreeSet<&SnapshotId> =
            self.list.snapshots.iter().flat_map(|snapshot| &snapshot.manifest.chain).collect();
        needed.into_iter().filter_map(|id| Some(&self.list.find(id)?.manifest)).collect()
    }

    fn check_sizes(&mut self) -> Result<(), BackupError> {
        for member in self.members().into_iter().cloned().collect::<Vec<_>>() {
            match self.repository.check_file_sizes(&member) {
                Err(error @ RepositoryError::Damaged { .. }) => {
                    let readers = self.readers_of(&member.snapshot);
                    self.add_damage(error.to_string(), readers);
                }
                checked => checked?,
            }
        }
        Ok(())
    }

    fn check_hashes(
        &mut self,
        request: &VerifyRequest,
        begin: Option<String>,
        now: Timestamp,
    ) -> Result<(), BackupError> {
        let started = Instant::now();
        let files = self.choose_files(request.read, begin, now);
        for (key, manifest, file) in files {
            if request.max_duration.is_some_and(|most| started.elapsed() >= most) {
                self.report.next = Some(key);
                break;
            }
            match self.repository.check_file(&manifest, &file) {
                Err(error @ RepositoryError::Damaged { .. }) => {
                    let readers = self.readers_of(&manifest.snapshot);
                    self.add_damage(error.to_string(), readers);
                }
                checked => checked?,
            }
            self.report.files += 1;
            self.report.bytes += file.bytes;
        }
        Ok(())
    }

    /// The files that are read, with their names, in the order in which they are.
    fn choose_files(
        &self,
        part: ReadPart,
        begin: Option<String>,
        now: Timestamp,
    ) -> Vec<(String, Manifest, SnapshotFile)> {
        let newest = self.list.newest().map(|snapshot| snapshot.id().clone());
        let weekday = now.to_zoned(jiff::tz::TimeZone::UTC).weekday().to_monday_zero_offset();
        let day = u64::try_from(weekday).unwrap_or(0);
        let all = self.members().into_iter().flat_map(|member| {
            member.files.iter().map(|file| {
                (format!("{}/{}", member.snapshot, file.name), member.clone(), file.clone())
            })
        });
        let mut all: Vec<_> = all.collect();
        let count = all.len();
        match part {
            ReadPart::All => {}
            ReadPart::Usual => {
                all.retain(|(key, member, _)| {
                    Some(&member.snapshot) == newest.as_ref() || hash_text(key) % USUAL_PART == day
                });
            }
            ReadPart::OneIn(parts) => {
                // Other files each day.
                let day = u64::try_from(now.as_second() / 86_400).unwrap_or(0);
                all.retain(|(key, _, _)| hash_text(key) % parts.max(1) == day % parts.max(1));
            }
        }
        if let Some(begin) = begin.filter(|_| count > 0) {
            let at = all.iter().position(|(key, _, _)| *key >= begin).unwrap_or(0);
            all.rotate_left(at);
        }
        all
    }

    fn replay(
        &mut self,
        id: &SnapshotId,
        identities: Option<&Identities>,
    ) -> Result<(), BackupError> {
        let Some(snapshot) = self.list.find(id) else { return Ok(()) };
        let replayed = self
            .repository
            .open_chain(self.list, snapshot, identities.cloned())
            .and_then(|chain| Ok((chain.verify_state()?, count_orphans(&chain)?)));
        match replayed {
            Ok((records, orphans)) => {
                self.report.records += records;
                self.report.orphans += orphans;
            }
            Err(error @ RepositoryError::Damaged { .. }) => {
                self.add_damage(error.to_string(), BTreeSet::from([id.clone()]));
            }
            Err(error) => return Err(error.into()),
        }
        self.report.replayed.push(id.clone());
        Ok(())
    }

    fn finish(mut self) -> VerifyReport {
        let broken: BTreeSet<&SnapshotId> = self.broken.values().flatten().collect();
        let ids = self.list.snapshots.iter().map(Snapshot::id);
        self.report.usable = ids.filter(|id| !broken.contains(id)).cloned().collect();
        let damaged = self.broken.into_iter();
        self.report.damaged = damaged
            .map(|(why, snapshots)| Damage { why, snapshots: snapshots.into_iter().collect() })
            .collect();
        self.report
    }
}

/// How many notes and tasks have no contact. Takes eight bytes for each contact.
fn count_orphans(chain: &crate::repository::Chain) -> Result<u64, RepositoryError> {
    let mut contacts = HashSet::new();
    for contact in chain.records("contacts")? {
        contacts.insert(hash_text(&contact?.id));
    }
    let mut orphans = 0;
    for table in ["notes", "tasks"] {
        for record in chain.records(table)? {
            let of = record?.of;
            orphans += u64::from(of.is_none_or(|of| !contacts.contains(&hash_text(&of))));
        }
    }
    Ok(orphans)
}
