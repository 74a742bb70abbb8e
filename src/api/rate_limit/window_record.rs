//! What the file of a shared window contains, and who gets the next slot.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{RateLimits, padded_window};

/// How often a process looks again that cannot know when a slot becomes free.
pub(super) const POLL: Duration = Duration::from_millis(20);
/// How long a waiting interactive command goes before the others without looking again, in milliseconds.
const PRIORITY: u64 = 250;
/// After so many milliseconds without a sign of life, what a stopped process has in flight is answered or lost.
const STALE: u64 = 120_000;
/// The largest number of requests per window that is shared: a server with a higher limit needs no sharing.
pub(super) const MAX_SHARED_LIMIT: u32 = 10_000;

/// Who uses the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitPriority {
    /// A person waits for the answer: served first.
    Interactive,
    /// A run.
    Background,
}

/// What the file contains.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct WindowRecord {
    /// When the answers arrived, in milliseconds of the monotonic clock of the machine, oldest first.
    pub(super) used: Vec<u64>,
    /// Nothing is sent before this time.
    pub(super) blocked_until: u64,
    /// The limits that the server last reported: requests, and milliseconds.
    pub(super) limits: Option<(u32, u64)>,
    pub(super) users: Vec<WindowUser>,
}

/// A process that uses the window.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WindowUser {
    pub(super) id: u64,
    pub(super) pid: u32,
    /// What it does, such as `export` or a run's id.
    pub(super) name: String,
    pub(super) priority: LimitPriority,
    pub(super) in_flight: u32,
    /// When it last used the file.
    pub(super) seen: u64,
    /// Until when its wish for a slot goes before others'.
    pub(super) waits_until: u64,
}

/// The answer to a request for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SharedDecision {
    Go,
    /// Ask again after this time.
    After(Duration),
}

impl WindowRecord {
    pub(super) fn limits(&self) -> (u32, u64) {
        self.limits.filter(|(requests, window)| *requests > 0 && *window > 0).unwrap_or_else(|| {
            let documented = RateLimits::default();
            (documented.requests, u64::try_from(documented.window.as_millis()).unwrap_or(10_000))
        })
    }

    /// How long a slot is occupied after an answer, in milliseconds.
    pub(super) fn window(&self) -> u64 {
        let padded = padded_window(Duration::from_millis(self.limits().1));
        u64::try_from(padded.as_millis()).unwrap_or(u64::MAX) + 1
    }

    pub(super) fn in_flight(&self) -> usize {
        self.users.iter().map(|user| user.in_flight as usize).sum()
    }

    /// Removes what no longer counts. A time in the future is of before a restart of the machine.
    pub(super) fn remove_old(&mut self, now: u64) {
        let window = self.window();
        let limit = now.saturating_add(1_000);
        self.used.retain(|at| *at <= limit && at.saturating_add(window) > now);
        if self.blocked_until > now.saturating_add(600_000) {
            self.blocked_until = 0;
        }
    }

    /// Removes processes that were killed or are stopped for long. Their requests count from now on.
    pub(super) fn remove_dead(&mut self, path: &Path, me: u64, now: u64) {
        let dead = |user: &WindowUser| {
            user.id != me && (is_dead(path, user.id) || user.seen.saturating_add(STALE) < now)
        };
        let dead: Vec<u64> =
            self.users.iter().filter(|user| dead(user)).map(|user| user.id).collect();
        for id in dead {
            self.remove_user(id, now);
        }
    }

    pub(super) fn remove_user(&mut self, id: u64, now: u64) {
        let lost =
            self.users.iter().filter(|user| user.id == id).map(|user| user.in_flight as usize);
        let lost = lost.sum();
        self.occupy(now, lost);
        self.users.retain(|user| user.id != id);
    }

    /// Occupies slots as if so many requests had been answered now. No more than the largest limit that is shared:
    /// the number may come from the server.
    pub(super) fn occupy(&mut self, now: u64, slots: usize) {
        let slots = slots.min((MAX_SHARED_LIMIT as usize).saturating_sub(self.used.len()));
        self.used.extend(std::iter::repeat_n(now, slots));
    }

    /// Takes a slot for a process, which is not among the users at the moment.
    pub(super) fn take(&mut self, me: &mut WindowUser, now: u64) -> SharedDecision {
        if self.blocked_until > now {
            return SharedDecision::After(Duration::from_millis(self.blocked_until - now));
        }
        let first = |user: &WindowUser| {
            user.priority == LimitPriority::Interactive && user.waits_until > now
        };
        if me.priority == LimitPriority::Background && self.users.iter().any(first) {
            return SharedDecision::After(POLL);
        }
        let occupied = self.used.len() + self.in_flight() + me.in_flight as usize;
        if occupied < self.limits().0 as usize {
            me.in_flight += 1;
            me.waits_until = 0;
            return SharedDecision::Go;
        }
        let free = self.used.first().map(|at| (at + self.window()).saturating_sub(now));
        let wait = free.unwrap_or(0).max(1);
        me.waits_until = now.saturating_add(wait).saturating_add(PRIORITY);
        match free {
            Some(_) => SharedDecision::After(Duration::from_millis(wait)),
            // All slots are in flight: an answer of another process is not announced.
            None => SharedDecision::After(POLL),
        }
    }
}

/// The file whose lock shows that a process lives.
pub(super) fn presence_path(path: &Path, id: u64) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{id:016x}"));
    path.with_file_name(name)
}

/// Whether a process has lost the lock that it holds while it lives.
fn is_dead(path: &Path, id: u64) -> bool {
    let presence = presence_path(path, id);
    let Ok(file) = File::open(&presence) else { return true };
    match file.try_lock() {
        Ok(()) => {
            // The next process would find the same.
            let _ = std::fs::remove_file(&presence);
            true
        }
        Err(_) => false,
    }
}
