//! Writes a snapshot: the files, and the manifest last.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;

use super::alerts::{self, AlertLimits};
use super::mirror_tables::{LineBuilder, LocationRecords, hash_state};
use super::snapshot_base::{BaseRequest, SnapshotBase};
use super::{BackupError, LocationLock, SnapshotReport};
use crate::api::LocationDetails;
use crate::diagnostic::EventWarningCode;
use crate::event::{RunEvent, RunWarning, SharedObserver};
use crate::failpoint::{self, FailPoint};
use crate::id::{LocationId, RunId};
use crate::mirror::{LastSnapshot, MirrorReader, RecordKind, SyncRecord};
use crate::publish::MirrorCoverage;
use crate::repository::{
    FORMAT, Hold, LOCATION_TABLE, Manifest, ManifestLocation, PreviousSnapshot, Repository,
    RepositoryError, Snapshot, SnapshotAlert, SnapshotFile, SnapshotId, SnapshotKind, SnapshotList,
    TableTotals,
};
use crate::run::RunStore;

/// What a snapshot is made of.
#[derive(Debug, Clone)]
pub struct SnapshotRequest {
    /// The location.
    pub location: LocationId,
    /// Whether its data are those of the embedded sandbox.
    pub sandbox: bool,
    /// Whether it must be a full one.
    pub full: bool,
    /// The recipients that its files are encrypted for; none for files that anybody can read.
    pub recipients: Vec<String>,
    /// The requests of the sync before it, by endpoint.
    pub requests: BTreeMap<String, u64>,
    /// Whether the sync read everything that was asked for.
    pub is_complete: bool,
    /// How much is unusual.
    pub alerts: AlertLimits,
}

/// Writes a snapshot of a location's mirror, which a sync has just brought up to date.
///
/// # Errors
/// When the repository cannot be written, or the mirror cannot be read. There is no snapshot then.
pub fn write_snapshot(
    home: &RunStore,
    repository: &Repository,
    request: &SnapshotRequest,
    observer: &SharedObserver,
) -> Result<SnapshotReport, BackupError> {
    let began = Instant::now();
    let location = &request.location;
    let missing = || BackupError::NoMirror(location.clone());
    let dir = home.mirror_dir(location, request.sandbox);
    let mirror = MirrorReader::open(&dir)?.ok_or_else(missing)?;
    // No sync changes the mirror while it is written.
    let _mirror_lock =
        home.lock_mirror(location, request.sandbox, &RunId::new(Timestamp::now()))?;
    let sync = mirror.last_sync()?.ok_or_else(missing)?;
    if mirror.is_merging()? {
        return Err(BackupError::Unmerged(location.clone()));
    }
    let _lock = LocationLock::acquire(repository, location)?;
    let list = repository.list_snapshots(location)?;
    let job = SnapshotJob { repository, mirror: &mirror, request, sync: &sync };
    let mut base = job.choose_base(&list)?;
    if let Some(warning) = base.warning.take() {
        let warning = RunWarning::new(EventWarningCode::RepositoryChanged, warning);
        observer.observe(&RunEvent::Warning(warning));
    }
    let manifest = job.write_on(&list, &base)?;
    for alert in &manifest.alerts {
        let code = alerts::warning_code(alert);
        observer.observe(&RunEvent::Warning(RunWarning::new(code, alert.message.clone())));
    }
    Ok(SnapshotReport::of_manifest(&manifest, repository.place(), began.elapsed()))
}

/// A snapshot that is being written.
struct SnapshotJob<'a> {
    repository: &'a Repository,
    mirror: &'a MirrorReader,
    request: &'a SnapshotRequest,
    sync: &'a SyncRecord,
}

impl SnapshotJob<'_> {
    fn choose_base(&self, list: &SnapshotList) -> Result<SnapshotBase, BackupError> {
        let request = BaseRequest {
            full: self.request.full,
            recipients: &self.request.recipients,
            now: self.as_of(),
        };
        SnapshotBase::choose(self.repository, list, self.mirror, &request)
    }

    /// The server's time when the sync began.
    fn as_of(&self) -> Timestamp {
        let time = Timestamp::from_millisecond(self.sync.facts.watermark_ms);
        time.unwrap_or(self.sync.facts.started)
    }

    /// An id that sorts behind those of the snapshots that are there. Its time is the server's: this machine's clock may
    /// be wrong.
    fn new_id(&self, list: &SnapshotList) -> SnapshotId {
        let known_times =
            list.snapshots.iter().chain(&list.forgotten).map(|snapshot| snapshot.id().time());
        let newest = known_times.max();
        let time = self.as_of();
        let next =
            newest.and_then(|time| time.checked_add(jiff::SignedDuration::from_secs(1)).ok());
        SnapshotId::new(next.map_or(time, |next| next.max(time)))
    }

    /// Writes the snapshot on what was chosen. If another process has forgotten that meanwhile, the
    /// snapshot is a full one.
    fn write_on(&self, list: &SnapshotList, base: &SnapshotBase) -> Result<Manifest, BackupError> {
        if let Some(manifest) = self.write(list, base)? {
            return Ok(manifest);
        }
        let location = &self.request.location;
        let list = self.repository.list_snapshots(location)?;
        let written = self.write(&list, &SnapshotBase::after_conflict())?;
        let conflict = || RepositoryError::Conflict { object: location.to_string() };
        Ok(written.ok_or_else(conflict)?)
    }

    /// Writes the files and the manifest. `None` if the snapshot that it is built on has been forgotten meanwhile.
    fn write(
        &self,
        list: &SnapshotList,
        base: &SnapshotBase,
    ) -> Result<Option<Manifest>, BackupError> {
        let (started, id) = (Timestamp::now(), self.new_id(list));
        let location = &self.request.location;
        let records =
            LocationRecords::read(self.mirror, self.sync.seq, self.sync.facts.changes_ms)?;
        let files = self.write_files(&id, base, &records)?;
        let built_on = base.base.as_ref();
        // A process that prunes later sees the manifest, and keeps its chain.
        if let Some(built_on) = built_on
            && !self.repository.has_snapshot(location, built_on.id())?
        {
            return Ok(None);
        }
        let totals = self.count_totals(list.newest(), &records)?;
        let alerts = self.find_alerts(list.newest(), &totals)?;
        let previous = list.newest().map(|snapshot| PreviousSnapshot {
            id: snapshot.id().clone(),
            sha256: snapshot.manifest_sha256(),
        });
        let chain = built_on.iter().flat_map(|base| base.manifest.chain.clone());
        let chain = chain.chain([id.clone()]).collect();
        let failures = self.mirror.load_failures()?;
        let notes = self.mirror.note_coverage(self.as_of())?;
        let manifest = Manifest {
            format: FORMAT,
            snapshot: id,
            location: self.describe_location()?,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            mirror: self.mirror.mirror_id()?,
            seq: self.sync.seq,
            as_of: self.as_of(),
            started,
            finished: Timestamp::now(),
            kind: if built_on.is_some() { SnapshotKind::Changes } else { SnapshotKind::Full },
            full_because: base.full_because.map(|because| because.sentence().to_owned()),
            chain,
            previous,
            rewrites: Vec::new(),
            files,
            totals,
            state: hash_state(self.mirror, &records)?,
            settings_digest: records.digest.clone(),
            recipients: self.request.recipients.clone(),
            coverage: MirrorCoverage::measure(self.mirror, self.sync)?
                .map(|coverage| serde_json::json!(coverage)),
            evidence: Some(
                serde_json::json!({"announced": notes.announced, "silent": notes.silent}),
            ),
            unreadable: failures.iter().map(|failure| failure.records).sum(),
            is_complete: self.request.is_complete && failures.is_empty(),
            alerts,
            schema_changes: Vec::new(),
            requests: self.request.requests.clone(),
        };
        self.hold_previous(&manifest)?;
        failpoint::kill_if_due(FailPoint::BeforeManifest);
        self.repository.write_manifest(&manifest)?;
        self.remember(&manifest)?;
        Ok(Some(manifest))
    }

    fn write_files(
        &self,
        id: &SnapshotId,
        base: &SnapshotBase,
        records: &LocationRecords,
    ) -> Result<Vec<SnapshotFile>, BackupError> {
        let (repository, location) = (self.repository, &self.request.location);
        let recipients = self.request.recipients.as_slice();
        let after = base.base.as_ref().map(|base| base.manifest.seq);
        let mut lines = LineBuilder::new(self.mirror, self.sync.facts.changes_ms);
        let mut files = Vec::new();
        for kind in RecordKind::ALL {
            if self.count_lines(kind, after)? == 0 {
                continue;
            }
            let table = kind.table_name();
            let file = repository.write_data_file((location, id), table, recipients, |to| {
                lines.write_table(kind, after, to)
            })?;
            files.push(file);
            failpoint::kill_if_due(FailPoint::MidSnapshot);
        }
        let known = base.base.as_ref().map(|base| &base.manifest.settings_digest);
        if known != Some(&records.digest) && records.count() > 0 {
            let write = |to: &mut crate::repository::DataFileWriter<'_>| records.write(to);
            files.push(repository.write_data_file(
                (location, id),
                LOCATION_TABLE,
                recipients,
                write,
            )?);
        }
        Ok(files)
    }

    /// How many lines the file of a table has.
    fn count_lines(&self, kind: RecordKind, after: Option<i64>) -> Result<u64, BackupError> {
        let Some(after) = after else { return Ok(self.mirror.count_live(kind)?) };
        let counts = self.mirror.count_changes_since(kind, after)?;
        Ok(counts.added + counts.changed + counts.deleted)
    }

    fn describe_location(&self) -> Result<ManifestLocation, BackupError> {
        let settings = self.mirror.location_settings()?;
        let details = settings.and_then(|text| LocationDetails::from_json(text.as_bytes()).ok());
        let (name, timezone) =
            details.map_or((None, None), |details| (details.name, details.timezone));
        Ok(ManifestLocation { id: self.request.location.clone(), name, timezone })
    }

    /// The records of each table, and what has changed since the snapshot before, where that is of the same mirror.
    fn count_totals(
        &self,
        previous: Option<&Snapshot>,
        records: &LocationRecords,
    ) -> Result<BTreeMap<String, TableTotals>, BackupError> {
        let since = self.seq_of(previous)?;
        let mut totals = BTreeMap::new();
        for kind in RecordKind::ALL {
            let counts = since.map(|seq| self.mirror.count_changes_since(kind, seq)).transpose()?;
            let counts = counts.unwrap_or_default();
            let (added, changed, deleted) = (counts.added, counts.changed, counts.deleted);
            let table =
                TableTotals { live: self.mirror.count_live(kind)?, added, changed, deleted };
            if table != TableTotals::default() {
                totals.insert(kind.table_name().to_owned(), table);
            }
        }
        let live = records.count();
        totals.insert(LOCATION_TABLE.to_owned(), TableTotals { live, ..TableTotals::default() });
        Ok(totals)
    }

    /// The last sync that a snapshot has; `None` if it was made from another mirror.
    fn seq_of(&self, previous: Option<&Snapshot>) -> Result<Option<i64>, BackupError> {
        let id = self.mirror.mirror_id()?;
        Ok(match previous.map(|previous| &previous.manifest) {
            None => Some(0),
            Some(previous) if previous.mirror == id => Some(previous.seq),
            Some(_) => None,
        })
    }

    fn find_alerts(
        &self,
        previous: Option<&Snapshot>,
        totals: &BTreeMap<String, TableTotals>,
    ) -> Result<Vec<SnapshotAlert>, BackupError> {
        let since = self.seq_of(previous)?;
        let Some(previous) = previous else { return Ok(Vec::new()) };
        alerts::find_alerts(self.mirror, &previous.manifest, since, totals, self.request.alerts)
    }

    /// After an alert the snapshot before may be the last good one: it stays until a person releases it.
    fn hold_previous(&self, manifest: &Manifest) -> Result<(), BackupError> {
        let (Some(alert), Some(previous)) = (manifest.alerts.first(), &manifest.previous) else {
            return Ok(());
        };
        let hold = Hold {
            snapshot: previous.id.clone(),
            placed: Timestamp::now(),
            reason: alert.message.clone(),
            because_of: Some(manifest.snapshot.clone()),
        };
        Ok(self.repository.place_hold(&manifest.location.id, &hold)?)
    }

    /// The mirror knows from now on what it wrote last: so a repository that was put back shows.
    fn remember(&self, manifest: &Manifest) -> Result<(), BackupError> {
        let last =
            LastSnapshot { snapshot: manifest.snapshot.to_string(), sha256: manifest.sha256() };
        Ok(self.mirror.record_last_snapshot(&self.repository.header().id, &last)?)
    }
}
