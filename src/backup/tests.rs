//! Tests of writers, readers, forgetting and pruning beside each other: whatever the order of their operations, every
//! snapshot that is there can be read.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::event::NullObserver;
use crate::id::LocationId;
use crate::mirror::{
    MergeBatch, MergeEnd, MergeRow, MirrorWriter, NoteFacts, RecordKind, SyncCounts, SyncFacts,
    SyncKind,
};
use crate::plan::snapshot_retention::SnapshotRules;
use crate::repository::{MemoryStore, ObjectStore, PutResult, Repository, StoredObject};
use crate::run::RunStore;

const DAY: Duration = Duration::from_hours(24);

fn location() -> LocationId {
    "loc".parse().unwrap()
}

fn noon(day: i8) -> Timestamp {
    format!("2026-11-{day:02}T12:00:00Z").parse().unwrap()
}

/// Whose turn it is among several threads: one operation at a time, in an order that a seed decides.
struct Schedule {
    state: Mutex<ScheduleState>,
    changed: Condvar,
}

struct ScheduleState {
    rng: fastrand::Rng,
    active: Vec<usize>,
    current: usize,
}

impl ScheduleState {
    fn pick_next(&mut self) {
        if !self.active.is_empty() {
            self.current = self.active[self.rng.usize(..self.active.len())];
        }
    }
}

impl Schedule {
    fn new(actors: usize, seed: u64) -> Arc<Self> {
        let active = (0..actors).collect();
        let mut state = ScheduleState { rng: fastrand::Rng::with_seed(seed), active, current: 0 };
        state.pick_next();
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() })
    }

    fn take_turn<T>(&self, actor: usize, work: impl FnOnce() -> T) -> T {
        let state = self.state.lock().unwrap();
        let mut state = self.changed.wait_while(state, |state| state.current != actor).unwrap();
        let result = work();
        state.pick_next();
        self.changed.notify_all();
        result
    }

    fn leave(&self, actor: usize) {
        let mut state = self.state.lock().unwrap();
        state.active.retain(|other| *other != actor);
        if state.current == actor {
            state.pick_next();
        }
        self.changed.notify_all();
    }
}

/// Lets the others go on when a thread is done, or has failed.
struct LeaveWhenDone<'a> {
    schedule: &'a Schedule,
    actor: usize,
}

impl Drop for LeaveWhenDone<'_> {
    fn drop(&mut self) {
        self.schedule.leave(self.actor);
    }
}

/// A store whose operations wait for their turn.
struct ScheduledStore {
    inner: Arc<MemoryStore>,
    schedule: Arc<Schedule>,
    actor: usize,
}

impl std::fmt::Debug for ScheduledStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScheduledStore({})", self.actor)
    }
}

impl ObjectStore for ScheduledStore {
    fn put_new(
        &self,
        key: &str,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<PutResult> {
        self.schedule.take_turn(self.actor, || self.inner.put_new(key, write))
    }

    fn get(&self, key: &str) -> io::Result<Box<dyn Read + Send>> {
        self.schedule.take_turn(self.actor, || self.inner.get(key))
    }

    fn list(&self, prefix: &str) -> io::Result<Vec<StoredObject>> {
        self.schedule.take_turn(self.actor, || self.inner.list(prefix))
    }

    fn delete(&self, key: &str) -> io::Result<()> {
        self.schedule.take_turn(self.actor, || self.inner.delete(key))
    }

    fn head(&self, key: &str) -> io::Result<Option<StoredObject>> {
        self.schedule.take_turn(self.actor, || self.inner.head(key))
    }
}

/// A mirror and a repository with its snapshots.
struct World {
    home: tempfile::TempDir,
    store: Arc<MemoryStore>,
    syncs: u8,
}

impl World {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::default());
        Repository::create(store.clone(), "repo", Vec::new()).unwrap();
        Self { home: tempfile::tempdir().unwrap(), store, syncs: 0 }
    }

    fn home(&self) -> RunStore {
        RunStore::new(self.home.path())
    }

    fn repository(&self) -> Repository {
        Repository::open(self.store.clone(), "repo").unwrap()
    }

    /// A sync that finds a new contact and a change of the first one.
    fn sync(&mut self, at: Timestamp) {
        self.syncs += 1;
        let dir = self.home().mirror_dir(&location(), false);
        crate::run::create_private_dir(&dir).unwrap();
        let mut writer = MirrorWriter::open(&dir, &location()).unwrap();
        let mut sync = writer.begin_merge(facts(self.syncs, at)).unwrap();
        let first = if self.syncs == 1 { 0..40 } else { 0..1 };
        let mut rows: Vec<_> = first.map(|id| row(id, self.syncs)).collect();
        rows.push(row(100 + self.syncs, 1));
        let batch = MergeBatch { rows, deleted: Vec::new(), note_lists: Vec::new(), place: 1 };
        writer.merge_batch(&mut sync, &batch, 0).unwrap();
        writer.finish_merge(&mut sync, &MergeEnd::default(), 0).unwrap();
    }

    fn back_up(&self, full: bool) -> SnapshotReport {
        back_up(self.home.path(), &self.repository(), full).unwrap()
    }

    /// Another world with the same content.
    fn copy(&self) -> Self {
        let home = tempfile::tempdir().unwrap();
        let dir = RunStore::new(home.path()).mirror_dir(&location(), false);
        crate::run::create_private_dir(&dir).unwrap();
        for file in std::fs::read_dir(self.home().mirror_dir(&location(), false)).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), dir.join(file.file_name())).unwrap();
        }
        Self { home, store: Arc::new(self.store.copy()), syncs: self.syncs }
    }

    /// Every snapshot that is there can be read.
    fn check_all(&self, seed: u64) {
        let repository = self.repository();
        let list = repository.list_snapshots(&location()).unwrap();
        assert!(!list.snapshots.is_empty() && list.damaged.is_empty(), "seed {seed}");
        for snapshot in &list.snapshots {
            let chain = repository.open_chain(&list, snapshot, None);
            let verified = chain.and_then(|chain| chain.verify_state());
            assert!(
                verified.is_ok(),
                "seed {seed}: {} of {:?}",
                verified.unwrap_err(),
                self.store.keys()
            );
        }
    }
}

fn back_up(
    home: &Path,
    repository: &Repository,
    full: bool,
) -> Result<SnapshotReport, BackupError> {
    let request = SnapshotRequest {
        location: location(),
        sandbox: false,
        full,
        recipients: Vec::new(),
        requests: std::collections::BTreeMap::new(),
        is_complete: true,
        alerts: AlertLimits::default(),
    };
    let observer: crate::event::SharedObserver = Arc::new(NullObserver);
    write_snapshot(&RunStore::new(home), repository, &request, &observer)
}

fn facts(sync: u8, at: Timestamp) -> SyncFacts {
    SyncFacts {
        run: format!("r{sync}").parse().unwrap(),
        kind: SyncKind::Walk,
        started: at,
        read_until: None,
        watermark_ms: at.as_millisecond(),
        changes_ms: at.as_millisecond(),
        counts_agree: true,
        requests: 1,
        counts: SyncCounts::new(),
        silent_changes: 0,
        notes: NoteFacts::default(),
        tasks_ms: None,
        readings: std::collections::BTreeMap::new(),
    }
}

fn row(id: u8, version: u8) -> MergeRow {
    MergeRow {
        kind: RecordKind::Contact,
        added_ms: i64::from(id),
        id: format!("c{id}"),
        parent: None,
        digest: [version; 16],
        claims_unchanged: false,
        body: format!("{{\"id\":\"c{id}\",\"v\":{version}}}").into(),
        is_fallback: false,
    }
}

/// Two chains of snapshots, of which some were forgotten long ago and some today.
fn old_world() -> World {
    let mut world = World::new();
    for (day, full) in [(1, true), (2, false), (3, false), (4, true), (5, false)] {
        world.store.set_now(noon(day));
        world.sync(noon(day));
        world.back_up(full);
    }
    let repository = world.repository();
    let list = repository.list_snapshots(&location()).unwrap();
    // The full one of the first chain, and one in the middle of it.
    for at in [0, 1] {
        world.store.set_now(noon(6));
        repository.forget_snapshot(&list.snapshots[at]).unwrap();
    }
    world.store.set_now(noon(20));
    world.sync(noon(20));
    world
}

#[test]
fn whatever_the_order_every_snapshot_can_be_read() {
    let template = old_world();
    for seed in 0..1_000 {
        let world = template.copy();
        let schedule = Schedule::new(4, seed);
        let repository = |actor| {
            let (inner, schedule) = (world.store.clone(), schedule.clone());
            let store = ScheduledStore { inner, schedule, actor };
            Repository::open(Arc::new(store), "repo").unwrap()
        };
        let now = noon(20);
        std::thread::scope(|scope| {
            let run = |actor: usize, work: Box<dyn FnOnce(&Repository) + Send>| {
                let schedule = schedule.clone();
                let repository = &repository;
                scope.spawn(move || {
                    let _turn = LeaveWhenDone { schedule: &schedule, actor };
                    work(&repository(actor));
                })
            };
            let home = world.home.path().to_owned();
            run(0, Box::new(move |repository| drop(back_up(&home, repository, false).unwrap())));
            run(
                1,
                Box::new(move |repository| {
                    let list = repository.list_snapshots(&location()).unwrap();
                    let rules = SnapshotRules { last: 1, ..SnapshotRules::default() };
                    let plan = ForgetPlan::by_rules(&location(), &list, &rules);
                    forget_snapshots(repository, &plan).unwrap();
                    let list = repository.list_snapshots(&location()).unwrap();
                    if let Some(forgotten) = list.forgotten.last().filter(|_| seed % 2 == 0) {
                        // It may have been pruned already, but never one that was forgotten today.
                        remember_snapshot(repository, &location(), forgotten.id(), now).unwrap();
                    }
                }),
            );
            run(
                2,
                Box::new(move |repository| {
                    prune_location(repository, &location(), DAY, now).unwrap();
                    prune_location(repository, &location(), DAY, now).unwrap();
                }),
            );
            run(
                3,
                Box::new(move |repository| {
                    let list = repository.list_snapshots(&location()).unwrap();
                    let snapshot =
                        &list.snapshots[usize::try_from(seed).unwrap() % list.snapshots.len()];
                    let chain = repository.open_chain(&list, snapshot, None).unwrap();
                    chain.verify_state().unwrap();
                }),
            );
        });
        world.check_all(seed);
        // Much later everything is still there that is needed.
        let later = noon(20) + jiff::SignedDuration::from_hours(90 * 24);
        prune_location(&world.repository(), &location(), DAY, later).unwrap();
        world.check_all(seed);
    }
}

#[test]
fn two_writers_fork_and_both_their_chains_are_whole() {
    let template = old_world();
    for seed in 0..50 {
        let (world, other) = (template.copy(), template.copy());
        let schedule = Schedule::new(2, seed);
        std::thread::scope(|scope| {
            for (actor, home) in [world.home.path(), other.home.path()].into_iter().enumerate() {
                let (inner, schedule) = (world.store.clone(), schedule.clone());
                scope.spawn(move || {
                    let store = ScheduledStore { inner, schedule: schedule.clone(), actor };
                    let _turn = LeaveWhenDone { schedule: &schedule, actor };
                    let repository = Repository::open(Arc::new(store), "repo").unwrap();
                    back_up(home, &repository, false).unwrap();
                });
            }
        });
        world.check_all(seed);
        let list = world.repository().list_snapshots(&location()).unwrap();
        assert_eq!(list.snapshots.len(), 5, "seed {seed}");
    }
}

#[test]
fn a_base_that_is_forgotten_while_a_snapshot_is_written_is_not_built_upon() {
    let world = old_world();
    let repository = world.repository();
    let list = repository.list_snapshots(&location()).unwrap();
    repository.forget_snapshot(list.newest().unwrap()).unwrap();
    let report = world.back_up(false);
    assert_eq!(report.full_because.as_deref(), Some("the snapshot before was forgotten"));
    world.check_all(0);
}

#[test]
fn prune_refuses_where_a_manifest_is_damaged() {
    let world = old_world();
    let newest =
        world.repository().list_snapshots(&location()).unwrap().newest().unwrap().id().clone();
    world.store.set_bytes(&format!("loc/{newest}/manifest.json"), b"{}".to_vec());
    let keys = world.store.keys();
    let error = prune_location(&world.repository(), &location(), DAY, noon(30)).unwrap_err();
    assert!(error.to_string().contains("nothing was deleted"), "{error}");
    assert_eq!(world.store.keys(), keys);
}
