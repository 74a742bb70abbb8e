//! The storage of runs: one directory each, in the program's home.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::db;
use super::error::RunError;
use super::ledger;
use super::location_facts::LocationFacts;
use super::lock::FileLock;
use super::lock_holder::{LockConflict, LockHolder, LockedResource};
use super::locked_run::Run;
use super::mask_key::MaskKey;
use super::metadata::{self, RunMetadata, RunState, read_run_metadata, read_run_state};
use super::new_run;
use super::plan_contents::{self, PlanPart};
use super::private_dir::create_private_dir;
use super::run_ref::{RunRef, ShortRunIds};
use super::schema_check;
use super::spool_contents;
use super::summary::{RunSummary, summarize_run};
use crate::id::{LocationId, RunId};

/// The directory of all runs.
#[derive(Debug, Clone)]
pub struct RunStore {
    runs: PathBuf,
    locations: PathBuf,
    mirrors: PathBuf,
}

/// What is left of a run, enough to see what it has done.
#[derive(Debug)]
pub struct RunReceipt {
    /// Its metadata.
    pub meta: RunMetadata,
    /// Its state.
    pub state: RunState,
    /// Its database.
    pub db: PathBuf,
}

impl RunReceipt {
    /// `None` if the metadata cannot be read.
    fn read(db: PathBuf) -> Option<Self> {
        let (connection, _) = db::open_receipt(&db).ok()?;
        let meta = read_run_metadata(&db, &connection).ok()?;
        let state = read_run_state(&db, &connection).ok()?;
        Some(Self { meta, state, db })
    }
}

fn is_written_since(path: &Path, since_ms: i64) -> bool {
    let written = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    let since = std::time::UNIX_EPOCH + Duration::from_millis(since_ms.try_into().unwrap_or(0));
    written.is_ok_and(|written| written >= since)
}

impl RunStore {
    /// The run store at a path. Creates nothing yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            runs: path.join("runs"),
            locations: path.join("locations"),
            mirrors: path.join("mirrors"),
        }
    }

    /// Creates a temporary file for input that cannot be read twice. It is removed when it is dropped.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create_temporary_file(
        &self,
        extension: &str,
    ) -> Result<tempfile::NamedTempFile, RunError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("input-").suffix(extension);
        create_private_dir(&self.locations)
            .and_then(|()| builder.tempfile_in(&self.locations))
            .map_err(|source| RunError::from_io(&self.locations, source))
    }

    /// Locks a location for a run: only one process at a time writes to it. `task` says what the run does, for
    /// the messages of other processes.
    ///
    /// # Errors
    /// [`RunError::Locked`] when another process has locked it.
    pub fn lock_location(&self, run: &RunMetadata, task: &str) -> Result<FileLock, RunError> {
        create_private_dir(&self.locations)
            .map_err(|source| RunError::from_io(&self.locations, source))?;
        let location = &run.location;
        let path = self.locations.join(format!("{}.lock", location.escaped_segment()));
        let holder = LockHolder::of_this_process(run.run.clone(), task);
        self.lock_resource(&path, &holder, LockedResource::Location(location.clone()))
    }

    /// The directory of a location's mirror. The made-up data of the embedded sandbox have one of their own.
    #[must_use]
    pub fn mirror_dir(&self, location: &LocationId, sandbox: bool) -> PathBuf {
        let name = location.escaped_segment();
        self.mirrors.join(if sandbox { format!("sandbox.{name}") } else { name })
    }

    /// The directory of all runs.
    pub(super) fn run_dirs(&self) -> &Path {
        &self.runs
    }

    /// The program's home.
    #[must_use]
    pub fn home_dir(&self) -> &Path {
        self.runs.parent().unwrap_or(&self.runs)
    }

    /// The key of the hashes in masked exports; it is made when it is first needed.
    ///
    /// # Errors
    /// When it cannot be read or written, or is damaged.
    pub fn load_mask_key(&self) -> Result<MaskKey, RunError> {
        MaskKey::load_or_create(self.home_dir())
    }

    /// The directory that has a directory for each mirror. It need not exist.
    #[must_use]
    pub fn mirrors_dir(&self) -> &Path {
        &self.mirrors
    }

    /// Locks a location's mirror for a run that brings it up to date. Creates its directory.
    ///
    /// # Errors
    /// [`RunError::Locked`] when another process has locked it.
    pub fn lock_mirror(
        &self,
        location: &LocationId,
        sandbox: bool,
        run: &RunId,
    ) -> Result<FileLock, RunError> {
        let path = self.create_mirror_dir(location, sandbox)?.join("lock");
        let holder = LockHolder::of_this_process(run.clone(), "sync");
        self.lock_resource(&path, &holder, LockedResource::Mirror(location.clone()))
    }

    /// Locks the delivery of a location's events, so that each is delivered by one process. Syncs go on beside it.
    ///
    /// # Errors
    /// [`RunError::Locked`] when another process has locked it.
    pub fn lock_watch(&self, location: &LocationId, sandbox: bool) -> Result<FileLock, RunError> {
        let path = self.create_mirror_dir(location, sandbox)?.join("watch.lock");
        let holder = LockHolder::of_this_process(RunId::new(jiff::Timestamp::now()), "watch");
        self.lock_resource(&path, &holder, LockedResource::Watch(location.clone()))
    }

    /// Locks a job, so that one process at a time runs it.
    ///
    /// # Errors
    /// [`RunError::Locked`] when another process has locked it.
    pub fn lock_job(&self, job: &str, run: &RunId) -> Result<FileLock, RunError> {
        let dir = self.home_dir().join("jobs");
        create_private_dir(&dir).map_err(|source| RunError::from_io(&dir, source))?;
        let holder = LockHolder::of_this_process(run.clone(), "job");
        let path = dir.join(format!("{job}.lock"));
        self.lock_resource(&path, &holder, LockedResource::Job(job.to_owned()))
    }

    fn create_mirror_dir(&self, location: &LocationId, sandbox: bool) -> Result<PathBuf, RunError> {
        let dir = self.mirror_dir(location, sandbox);
        create_private_dir(&dir).map_err(|source| RunError::from_io(&dir, source))?;
        Ok(dir)
    }

    /// Locks a run.
    fn lock_run(&self, id: &RunId, task: &str) -> Result<FileLock, RunError> {
        let path = self.lock_path(id);
        let holder = LockHolder::of_this_process(id.clone(), task);
        self.lock_resource(&path, &holder, LockedResource::Run(id.clone()))
    }

    /// Locks a file for what it stands for, or says who has it.
    fn lock_resource(
        &self,
        path: &Path,
        holder: &LockHolder,
        resource: LockedResource,
    ) -> Result<FileLock, RunError> {
        FileLock::try_lock_file(path, holder)?.ok_or_else(|| {
            let holder = LockHolder::read(path);
            let is_held_by_run =
                matches!(resource, LockedResource::Location(_) | LockedResource::Mirror(_));
            let run = holder.as_ref().filter(|_| is_held_by_run);
            let run = run.map(|holder| self.short_ids().shorten(&holder.run));
            RunError::Locked(Box::new(LockConflict { resource, run, holder }))
        })
    }

    /// The error for an output directory that another process has locked. `writers` are the runs that may be
    /// writing to it: the one whose run is locked, too, is named, or the only one there is.
    #[must_use]
    pub fn locked_output_error(&self, out: &Path, writers: &[RunId]) -> RunError {
        let at_work = writers.iter().find(|run| FileLock::is_locked(&self.lock_path(run)));
        let holder = at_work.and_then(|run| LockHolder::read(&self.lock_path(run)));
        let only = match writers {
            [only] => Some(only),
            _ => None,
        };
        let run = at_work.or(only).map(|run| self.short_ids().shorten(run));
        let resource = LockedResource::OutputDir(out.to_owned());
        RunError::Locked(Box::new(LockConflict { resource, run, holder }))
    }

    /// The file of the rate-limit window that processes share for a location and a token. `create` creates its
    /// directory.
    ///
    /// # Errors
    /// When the directory cannot be created.
    pub fn shared_window_path(
        &self,
        location: &LocationId,
        identity: &str,
        create: bool,
    ) -> Result<PathBuf, RunError> {
        if create {
            create_private_dir(&self.locations)
                .map_err(|source| RunError::from_io(&self.locations, source))?;
        }
        Ok(self.locations.join(format!("{}.{identity}.window", location.escaped_segment())))
    }

    /// What earlier runs learnt about a location.
    #[must_use]
    pub fn location_facts(&self, location: &LocationId) -> LocationFacts {
        LocationFacts::new(
            self.locations.join(format!("{}.facts.json", location.escaped_segment())),
        )
    }

    /// Creates a run: whole, or not at all. Removes what a killed process has left of a run that it was creating.
    pub fn create_run(&self, meta: RunMetadata) -> Result<Run, RunError> {
        let dir = self.run_dir(&meta.run);
        let lock = new_run::create_run_dir(&self.runs, &dir, &meta)?;
        Ok(Run::new(meta, dir, lock))
    }

    /// Opens a run after checking every page of its database, that no row has vanished, and that it has not lost its
    /// last writes.
    ///
    /// # Errors
    /// When it does not exist, another process has locked it, or it is damaged.
    pub fn open_run(&self, id: &RunId) -> Result<Run, RunError> {
        let run = self.open_run_to_recover(id)?;
        let path = run.db_path();
        ledger::ensure_tail_complete(&path, &db::open(&path)?)?;
        Ok(run)
    }

    /// Opens a run that may have lost its last writes, to recover it.
    ///
    /// # Errors
    /// When it does not exist, another process has locked it, or it is damaged in another way.
    pub fn open_run_to_recover(&self, id: &RunId) -> Result<Run, RunError> {
        let dir = self.find_run_dir(id)?;
        let lock = self.lock_run(id, "")?;
        let path = dir.join("run.db");
        let connection = db::open(&path)?;
        db::check_integrity(&path, &connection)?;
        schema_check::check_definitions(&path, &connection)?;
        metadata::check_facts(&path, &connection)?;
        plan_contents::check_plan_contents(&path, &connection, &PlanPart::ALL)?;
        spool_contents::check_spool_contents(&path, &connection)?;
        let meta = read_run_metadata(&path, &connection)?;
        if meta.run != *id {
            return Err(RunError::damaged(&path, format!("it belongs to run `{}`", meta.run)));
        }
        Ok(Run::new(meta, dir, lock))
    }

    /// All runs, oldest first. A run that cannot be read is in the list with the reason.
    pub fn list_runs(&self) -> Result<Vec<RunSummary>, RunError> {
        let runs = self.list_run_dirs()?.into_iter().map(|(id, dir)| summarize_run(id, dir));
        let mut runs: Vec<_> = runs.collect();
        // The id's time has whole seconds only.
        runs.sort_by_key(RunSummary::created);
        Ok(runs)
    }

    /// The directories of all runs, oldest first.
    fn list_run_dirs(&self) -> Result<Vec<(RunId, PathBuf)>, RunError> {
        let entries = match std::fs::read_dir(&self.runs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(RunError::from_io(&self.runs, source)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| RunError::from_io(&self.runs, source))?;
            let id = entry.file_name().to_str().and_then(|name| name.parse::<RunId>().ok());
            let is_run =
                entry.path().join("run.db").exists() || !new_run::is_unfinished(&entry.path());
            runs.extend(id.filter(|_| is_run).map(|id| (id, entry.path())));
        }
        runs.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(runs)
    }

    /// The runs with readable metadata, oldest first; including those of version 0.1.0.
    pub fn list_receipts(&self) -> Result<Vec<RunReceipt>, RunError> {
        let dbs = self.list_run_dirs()?.into_iter().map(|(_, dir)| dir.join("run.db"));
        Ok(dbs.filter_map(RunReceipt::read).collect())
    }

    /// Those whose database was written at this time or later, in milliseconds since 1970.
    pub fn receipts_written_since(&self, since_ms: i64) -> Result<Vec<RunReceipt>, RunError> {
        let mut dirs = self.list_run_dirs()?;
        dirs.retain(|(_, dir)| {
            ["run.db", "run.db-wal"].iter().any(|name| is_written_since(&dir.join(name), since_ms))
        });
        Ok(dirs.into_iter().filter_map(|(_, dir)| RunReceipt::read(dir.join("run.db"))).collect())
    }

    /// One run, as in a list.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn run_summary(&self, id: &RunId) -> Result<RunSummary, RunError> {
        Ok(summarize_run(id.clone(), self.find_run_dir(id)?))
    }

    /// The latest run that matches.
    pub fn latest_run_id(
        &self,
        fits: impl Fn(&RunMetadata, RunState) -> bool,
    ) -> Result<Option<RunId>, RunError> {
        let fits = |summary: &RunSummary| match &summary.known {
            Ok((meta, state)) => fits(meta, *state),
            Err(_) => false,
        };
        Ok(self.list_runs()?.into_iter().rev().find(fits).map(|summary| summary.id))
    }

    /// Deletes a run.
    ///
    /// # Errors
    /// When it does not exist, or a process has locked it.
    pub fn remove_run(&self, id: &RunId) -> Result<(), RunError> {
        let dir = self.find_run_dir(id)?;
        let _lock = self.lock_run(id, "removal")?;
        std::fs::remove_dir_all(&dir).map_err(|source| RunError::from_io(&dir, source))
    }

    /// The run that a user has named.
    ///
    /// # Errors
    /// When no run has this name, or several have it.
    pub fn find_run(&self, named: &RunRef) -> Result<RunId, RunError> {
        let ids = self.list_run_ids()?;
        match named.matching_runs(&ids).as_slice() {
            [id] => Ok(RunId::clone(id)),
            [] => {
                let closest = named.closest_run(&ids);
                Err(RunError::Missing { run: named.to_string(), closest })
            }
            several => Err(RunError::Ambiguous {
                named: named.to_string(),
                candidates: several.iter().copied().cloned().collect(),
            }),
        }
    }

    /// What shortens ids for people. If the runs cannot be listed, it leaves them as they are.
    #[must_use]
    pub fn short_ids(&self) -> ShortRunIds {
        self.list_run_ids().map(ShortRunIds).unwrap_or_default()
    }

    fn list_run_ids(&self) -> Result<Vec<RunId>, RunError> {
        Ok(self.list_run_dirs()?.into_iter().map(|(id, _)| id).collect())
    }

    /// The directory of a run.
    #[must_use]
    pub fn run_dir(&self, id: &RunId) -> PathBuf {
        self.runs.join(id.escaped_segment())
    }

    fn lock_path(&self, id: &RunId) -> PathBuf {
        self.run_dir(id).join("lock")
    }

    fn find_run_dir(&self, id: &RunId) -> Result<PathBuf, RunError> {
        let dir = self.run_dir(id);
        if dir.join("run.db").is_file() {
            Ok(dir)
        } else {
            Err(RunError::Missing { run: id.to_string(), closest: None })
        }
    }
}
