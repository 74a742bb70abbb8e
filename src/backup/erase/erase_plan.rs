//! What an erasure changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;

use super::EraseRequest;
use super::replace_snapshots::find_leftovers;
use super::snapshot_scan::{PersonFacts, ScannedSnapshot, SnapshotScan};
use crate::backup::{BackupError, refuse_damage};
use crate::id::RunId;
use crate::mirror::{ErasedRows, MirrorReader, ReaderKind, RecordKind};
use crate::repository::{Erasures, SnapshotId, SnapshotList};
use crate::run::{PersonTraces, RunKind, RunState, RunSummary};

/// A run that has something of the people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunWithTraces {
    /// The run.
    pub id: RunId,
    /// What it does; `None` if this version cannot read it.
    pub kind: Option<RunKind>,
    /// Its state, likewise.
    pub state: Option<RunState>,
    /// Whether a process works on it.
    pub running: bool,
    /// The size of its directory.
    pub bytes: u64,
}

impl RunWithTraces {
    /// Whether something would be lost that has not been done yet.
    #[must_use]
    pub fn is_in_progress(&self) -> bool {
        let may_go_on = |state: RunState| state.is_resumable() || state == RunState::Planned;
        self.running || self.state.is_some_and(may_go_on)
    }
}

/// What an erasure changes.
#[derive(Debug)]
pub struct ErasePlan {
    /// The people of whom something was found, by their contacts' ids; those of an erasure that was killed included.
    pub contacts: BTreeSet<String>,
    /// When those of them were erased before of whom nothing is left.
    pub erased_before: BTreeMap<String, Timestamp>,
    /// The snapshots that are written again, oldest first.
    pub snapshots: BTreeMap<SnapshotId, ScannedSnapshot>,
    /// Files of killed processes in the repository, which are deleted.
    pub leftovers: u64,
    /// What the mirror has of them.
    pub rows: ErasedRows,
    /// The runs that have something of them, oldest first.
    pub runs: Vec<RunWithTraces>,
    /// The directories that exports of the location were written to.
    pub exports: BTreeSet<PathBuf>,
    /// The sinks that events were delivered to.
    pub sinks: BTreeSet<String>,
    /// Other files of the home that have something of them.
    pub other_files: Vec<PathBuf>,
    /// Whether an erasure was killed, which this one finishes.
    pub is_resumed: bool,
    pub(super) people: BTreeMap<String, PersonFacts>,
    pub(super) scan: SnapshotScan,
    pub(super) list: SnapshotList,
    pub(super) erasures: Erasures,
    pub(super) has_mirror: bool,
}

impl ErasePlan {
    /// Looks for people everywhere.
    ///
    /// # Errors
    /// When a snapshot is damaged or cannot be decrypted, or something cannot be read.
    pub fn read(request: &EraseRequest<'_>) -> Result<Self, BackupError> {
        let list = request.repository.list_snapshots(request.location)?;
        refuse_damage(&list)?;
        let erasures = Erasures::load(request.repository, request.location)?;
        let scan = SnapshotScan::read(request, &list, &erasures)?;
        let mut people = scan.people.clone();
        let is_resumed = erasures.unfinished().next().is_some();
        let mut plan = Self {
            contacts: BTreeSet::new(),
            erased_before: BTreeMap::new(),
            snapshots: scan.snapshots.clone(),
            leftovers: find_leftovers(request, &list).len() as u64,
            rows: ErasedRows::default(),
            runs: Vec::new(),
            exports: BTreeSet::new(),
            sinks: BTreeSet::new(),
            other_files: Vec::new(),
            is_resumed,
            people: BTreeMap::new(),
            scan,
            list,
            erasures,
            has_mirror: false,
        };
        plan.read_mirror(request, &mut people)?;
        plan.contacts = people.keys().cloned().collect();
        for id in &request.contacts {
            people.entry(id.clone()).or_default();
        }
        plan.people = people;
        plan.read_home(request)?;
        plan.find_erased_before(request);
        Ok(plan)
    }

    /// Whether nothing of the people is left, and no erasure was killed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let is_clean = self.snapshots.is_empty() && self.runs.is_empty();
        is_clean && !self.is_resumed && self.contacts.is_empty() && self.other_files.is_empty()
    }

    /// How many lines are left out of files of snapshots.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.snapshots.values().flat_map(|snapshot| snapshot.lines.values()).sum()
    }

    /// The size of the files of snapshots that are written again.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.snapshots.values().map(|snapshot| snapshot.bytes).sum()
    }

    fn read_mirror(
        &mut self,
        request: &EraseRequest<'_>,
        people: &mut BTreeMap<String, PersonFacts>,
    ) -> Result<(), BackupError> {
        let dir = request.home.mirror_dir(request.location, request.sandbox);
        let Some(mirror) = MirrorReader::open(&dir)? else { return Ok(()) };
        self.has_mirror = true;
        let known: BTreeSet<String> = people.keys().chain(&request.contacts).cloned().collect();
        for id in known {
            let records = mirror.list_records_of(&id)?;
            if records.is_empty() {
                continue;
            }
            let person = people.entry(id.clone()).or_default();
            for (kind, record) in records {
                if kind != RecordKind::Contact {
                    person.children.insert(record);
                    continue;
                }
                for version in mirror.load_history(kind, &record)? {
                    person.add_contact(&version.body);
                }
            }
            let rows = mirror.count_rows_of(&id)?;
            self.rows.records += rows.records;
            self.rows.versions += rows.versions;
            self.rows.events += rows.events;
        }
        for reader in mirror.list_reader_progress()? {
            match reader.kind {
                ReaderKind::OutputDir => drop(self.exports.insert(reader.name.into())),
                ReaderKind::Sink => drop(self.sinks.insert(reader.name)),
            }
        }
        Ok(())
    }

    /// Runs of this location, and those that cannot be read.
    fn read_home(&mut self, request: &EraseRequest<'_>) -> Result<(), BackupError> {
        let traces = self.traces();
        for run in request.home.list_runs()? {
            let meta = run.known.as_ref().ok().map(|(meta, _)| meta);
            if meta.is_some_and(|meta| meta.location != *request.location) {
                continue;
            }
            if request.home.run_has_traces(&run.id, &traces)? {
                self.runs.push(describe_run(&run));
            }
            let out = meta.filter(|meta| meta.kind == RunKind::Export);
            let out = out.and_then(|meta| meta.options.get("out")?.as_str());
            self.exports.extend(out.map(PathBuf::from));
        }
        // A directory that no longer exists has no people in it.
        self.exports.retain(|dir| dir.try_exists().unwrap_or(true));
        self.other_files = request.home.list_files_with_traces(&traces)?;
        Ok(())
    }

    /// What names the people.
    fn traces(&self) -> PersonTraces {
        let mut traces = PersonTraces::default();
        for (id, person) in &self.people {
            traces.add_text(id);
            person.children.iter().chain(&person.emails).for_each(|text| traces.add_text(text));
            person.phones.iter().for_each(|phone| traces.add_phone(phone));
        }
        traces
    }

    fn find_erased_before(&mut self, request: &EraseRequest<'_>) {
        for id in &request.contacts {
            let found = self.erasures.find_contact(id, None, None);
            if let Some(erasure) = found.filter(|_| !self.contacts.contains(id)) {
                self.erased_before.insert(id.clone(), erasure.erased);
            }
        }
    }
}

fn describe_run(run: &RunSummary) -> RunWithTraces {
    let known = run.known.as_ref().ok();
    RunWithTraces {
        id: run.id.clone(),
        kind: known.map(|(meta, _)| meta.kind),
        state: known.map(|(_, state)| *state),
        running: run.running,
        bytes: run.size_on_disk(),
    }
}
