//! The window that all processes of one machine share for one location and token.
//!
//! It is a small file under a kernel lock: when the answers arrived whose requests may still count, and how many
//! requests each process has in flight. Each process also holds a lock on a file of its own for as long as it
//! lives. A process that was killed has lost that lock; what it had in flight then counts as answered now, since
//! the server may have counted it until then. A file that cannot be understood counts as a full window.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::RateLimits;
use super::window_record::{
    LimitPriority, POLL, SharedDecision, WindowRecord, WindowUser, presence_path,
};

/// The largest file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// The shared window of one location and token.
#[derive(Debug)]
pub struct SharedWindow {
    state: Mutex<SharedWindowState>,
}

#[derive(Debug)]
struct SharedWindowState {
    path: PathBuf,
    file: File,
    me: WindowUser,
    presence: PathBuf,
    /// Locked for as long as this process uses the window.
    _alive: File,
    /// Answers that could not be written into the file yet.
    unreported: Vec<u64>,
    /// Whether this process does not use the window any more.
    left: bool,
}

impl SharedWindow {
    /// Joins the window in a file, which is created if necessary. `name` says what this process does.
    ///
    /// # Errors
    /// When the file cannot be created or locked.
    pub fn join(path: &Path, name: &str, priority: LimitPriority) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        let id = fastrand::u64(..);
        let presence = presence_path(path, id);
        let alive = options.open(&presence)?;
        alive.try_lock()?;
        let me = WindowUser {
            id,
            pid: std::process::id(),
            name: name.to_owned(),
            priority,
            in_flight: 0,
            seen: 0,
            waits_until: 0,
        };
        let state = SharedWindowState {
            path: path.to_owned(),
            file,
            me,
            presence,
            _alive: alive,
            unreported: Vec::new(),
            left: false,
        };
        Ok(Self { state: Mutex::new(state) })
    }

    /// Says what this process does from now on, such as the id of its run.
    pub fn set_name(&self, name: &str) {
        name.clone_into(&mut self.lock_state().me.name);
    }

    /// The other processes that use the window now.
    #[must_use]
    pub fn other_users(&self) -> Vec<String> {
        let mut state = self.lock_state();
        let id = state.me.id;
        let found = state.with_record(|record, _, _| {
            let others = record.users.iter().filter(|user| user.id != id);
            others.map(|user| format!("{} (process {})", user.name, user.pid)).collect()
        });
        found.ok().flatten().unwrap_or_default()
    }

    /// Takes a slot if one is free.
    pub(super) fn try_take(&self) -> io::Result<SharedDecision> {
        let mut state = self.lock_state();
        let taken = state.with_record(WindowRecord::take)?;
        Ok(taken.unwrap_or(SharedDecision::After(POLL / 4)))
    }

    /// Records that a request of this process was answered or lost.
    pub(super) fn finish(&self) {
        let mut state = self.lock_state();
        state.unreported.push(machine_time());
        // If another process has the file, the next use reports it.
        let _ = state.with_record(|_, _, _| ());
    }

    /// Records the limits, and requests of other applications that the server has counted.
    pub(super) fn learn(
        &self,
        limits: RateLimits,
        counted: Option<u32>,
        blocked: Option<Duration>,
    ) {
        let mut state = self.lock_state();
        let _ = state.with_record(|record, me, now| {
            let window = u64::try_from(limits.window.as_millis()).unwrap_or(u64::MAX);
            record.limits = Some((limits.requests, window));
            let ours = record.used.len() + record.in_flight() + me.in_flight as usize;
            let unknown = (counted.unwrap_or(0) as usize).saturating_sub(ours);
            record.occupy(now, unknown);
            if let Some(blocked) = blocked {
                let until = now.saturating_add(u64::try_from(blocked.as_millis()).unwrap_or(0));
                record.blocked_until = record.blocked_until.max(until);
            }
        });
    }

    fn lock_state(&self) -> MutexGuard<'_, SharedWindowState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SharedWindow {
    fn drop(&mut self) {
        let mut state = self.lock_state();
        state.left = true;
        // What is left in the file otherwise is found to be dead by the next process.
        let _ = state.with_record(|record, me, now| record.occupy(now, me.in_flight as usize));
        let _ = std::fs::remove_file(&state.presence);
    }
}

impl SharedWindowState {
    /// Changes the record under the file's lock; `None` if another process has the lock.
    fn with_record<T>(
        &mut self,
        change: impl FnOnce(&mut WindowRecord, &mut WindowUser, u64) -> T,
    ) -> io::Result<Option<T>> {
        if !lock_soon(&self.file)? {
            return Ok(None);
        }
        let done = self.change_record(change);
        self.file.unlock()?;
        done.map(Some)
    }

    fn change_record<T>(
        &mut self,
        change: impl FnOnce(&mut WindowRecord, &mut WindowUser, u64) -> T,
    ) -> io::Result<T> {
        let now = machine_time();
        let mut record = self.read_record(now)?;
        record.remove_old(now);
        record.remove_dead(&self.path, self.me.id, now);
        // Its entry may be gone if this process was stopped for long.
        if let Some(known) = record.users.iter().find(|user| user.id == self.me.id) {
            self.me.in_flight = known.in_flight;
        } else {
            self.me.in_flight = 0;
        }
        record.users.retain(|user| user.id != self.me.id);
        for at in self.unreported.drain(..) {
            self.me.in_flight = self.me.in_flight.saturating_sub(1);
            record.used.push(at);
        }
        record.used.sort_unstable();
        self.me.seen = now;
        let done = change(&mut record, &mut self.me, now);
        if !self.left {
            record.users.push(self.me.clone());
        }
        let mut text = serde_json::to_vec(&record).expect("numbers and texts are JSON");
        // A shorter record leaves the end of a longer one behind it, which is not read.
        text.push(b'\n');
        write_at_start(&self.file, &text)?;
        Ok(done)
    }

    fn read_record(&self, now: u64) -> io::Result<WindowRecord> {
        let size = self.file.metadata()?.len();
        if size == 0 {
            return Ok(WindowRecord::default());
        }
        let bytes = read_from_start(&self.file, size.min(MAX_BYTES))?;
        let mut values = serde_json::Deserializer::from_slice(&bytes).into_iter();
        Ok(match values.next() {
            Some(Ok(record)) => record,
            // Unknown use: as if all had been sent now.
            _ => WindowRecord {
                used: vec![now; RateLimits::default().requests as usize],
                ..WindowRecord::default()
            },
        })
    }
}

/// Locks the file; false if another process keeps it for more than an instant, such as one that was stopped.
fn lock_soon(file: &File) -> io::Result<bool> {
    let until = Instant::now() + Duration::from_millis(10);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(Duration::from_micros(50));
            }
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

#[cfg(unix)]
fn read_from_start(file: &File, size: u64) -> io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt as _;
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

#[cfg(unix)]
fn write_at_start(file: &File, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, 0)
}

#[cfg(not(unix))]
fn read_from_start(mut file: &File, size: u64) -> io::Result<Vec<u8>> {
    use std::io::{Read as _, Seek as _};
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(not(unix))]
fn write_at_start(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    use std::io::{Seek as _, Write as _};
    file.rewind()?;
    file.write_all(bytes)
}

/// Milliseconds of a clock that all processes of the machine share and that no user can set.
#[cfg(unix)]
fn machine_time() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds * 1_000 + u64::try_from(now.tv_nsec / 1_000_000).unwrap_or(0)
}

#[cfg(not(unix))]
fn machine_time() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(window: &SharedWindow) -> bool {
        window.try_take().unwrap() == SharedDecision::Go
    }

    fn limits(requests: u32) -> RateLimits {
        RateLimits { requests, window: Duration::from_secs(10), daily: 200_000 }
    }

    fn two(priority: LimitPriority) -> (tempfile::TempDir, SharedWindow, SharedWindow) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("window");
        let first = SharedWindow::join(&path, "export", LimitPriority::Background).unwrap();
        let second = SharedWindow::join(&path, "other", priority).unwrap();
        first.learn(limits(3), None, None);
        (dir, first, second)
    }

    #[test]
    fn two_users_never_take_more_than_the_limit() {
        let (_dir, first, second) = two(LimitPriority::Background);
        assert!(taken(&first) && taken(&second) && taken(&first));
        assert!(!taken(&second));
        // The slot stays occupied until a window after the answer.
        first.finish();
        assert!(!taken(&second));
        assert_eq!(second.other_users().len(), 1);
    }

    #[test]
    fn a_waiting_person_is_served_before_a_run() {
        let (_dir, run, person) = two(LimitPriority::Interactive);
        assert!(taken(&run) && taken(&run) && taken(&run));
        assert!(!taken(&person));
        run.learn(limits(4), None, None);
        assert!(!taken(&run), "the person waits for the free slot");
        assert!(taken(&person));
        run.learn(limits(5), None, None);
        assert!(taken(&run));
    }

    #[test]
    fn requests_of_a_user_that_is_gone_count_for_one_more_window() {
        let (_dir, first, second) = two(LimitPriority::Background);
        assert!(taken(&first) && taken(&first) && taken(&first));
        drop(first);
        assert!(!taken(&second));
        assert_eq!(second.other_users(), Vec::<String>::new());
    }

    #[test]
    fn a_damaged_file_counts_as_a_full_window() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("window");
        std::fs::write(&path, "{\"used\":[1,2").unwrap();
        let window = SharedWindow::join(&path, "export", LimitPriority::Background).unwrap();
        assert!(!taken(&window));
    }

    #[test]
    fn what_others_have_sent_occupies_slots() {
        let (_dir, first, second) = two(LimitPriority::Background);
        first.learn(limits(3), Some(3), None);
        assert!(!taken(&second));
    }

    #[test]
    fn a_refusal_blocks_everybody() {
        let (_dir, first, second) = two(LimitPriority::Background);
        first.learn(limits(3), None, Some(Duration::from_secs(5)));
        match second.try_take().unwrap() {
            SharedDecision::After(wait) => assert!(wait > Duration::from_secs(4)),
            SharedDecision::Go => panic!("it is blocked"),
        }
    }
}
