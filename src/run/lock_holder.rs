//! Who holds a lock, as the lock's file says it, and what a message makes of it.
//!
//! The process that took the lock has written the text, so it may be stale, damaged or made up. It is read with a
//! bound, shown shortened, and never decides anything.

use std::fmt;
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::id::{LocationId, RunId};
use crate::text::truncate_text;

/// The bytes of a lock file that are read.
const MAX_BYTES: u64 = 4_096;
/// The characters of a host or a task that are shown.
const MAX_SHOWN: usize = 60;

/// The process that holds a lock, and what it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// Its process id.
    pub pid: u32,
    /// The machine that it runs on.
    pub host: String,
    /// When it took the lock.
    pub since: jiff::Timestamp,
    /// The run that it works on.
    pub run: RunId,
    /// What it does, such as `import people.csv`; may be empty.
    pub task: String,
}

impl LockHolder {
    /// This process, which works on a run from now on.
    pub(super) fn of_this_process(run: RunId, task: &str) -> Self {
        Self {
            pid: std::process::id(),
            host: host_name(),
            since: jiff::Timestamp::now(),
            run,
            task: truncate_text(task, MAX_SHOWN),
        }
    }

    /// Writes it to a lock file in place of the previous holder.
    pub(super) fn write_to(&self, mut file: &File) {
        let text = serde_json::to_string(self).expect("it is plain JSON");
        // The lock holds without its text, for example on a full disk.
        let _ = file.set_len(0).and_then(|()| file.rewind());
        let _ = file.write_all(text.as_bytes());
    }

    /// Reads it from a lock file; `None` if it is not there or not readable. Windows does not let others read
    /// a file that is locked.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

#[cfg(unix)]
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

/// What is locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockedResource {
    /// A location, to which one run at a time writes.
    Location(LocationId),
    /// A run.
    Run(RunId),
    /// The output directory of an export.
    OutputDir(PathBuf),
    /// The mirror of a location, which one process at a time brings up to date.
    Mirror(LocationId),
    /// The delivery of the events of a location.
    Watch(LocationId),
    /// A job of this name.
    Job(String),
}

/// Something that another process has locked, with what is known of that process.
#[derive(Debug, Clone)]
pub struct LockConflict {
    /// What is locked.
    pub resource: LockedResource,
    /// The run that the process works on, as short as it is unique, if it is another than the locked one.
    pub run: Option<String>,
    /// The process, if the lock says it.
    pub holder: Option<LockHolder>,
}

impl fmt::Display for LockConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            LockedResource::Location(location) => write!(f, "location `{location}`")?,
            LockedResource::Run(run) => write!(f, "run `{run}`")?,
            LockedResource::OutputDir(dir) => write!(f, "`{}`", dir.display())?,
            LockedResource::Mirror(location) => write!(f, "the mirror of location `{location}`")?,
            LockedResource::Job(job) => write!(f, "job `{job}`")?,
            LockedResource::Watch(location) => write!(f, "the watch of location `{location}`")?,
        }
        let Some(holder) = &self.holder else {
            return match &self.run {
                Some(run) => write!(f, " is in use by run `{run}` of another process"),
                None => f.write_str(" is locked by another process"),
            };
        };
        f.write_str(" is in use by ")?;
        let task = truncate_text(&holder.task, MAX_SHOWN);
        let task = if task.is_empty() { String::new() } else { format!(" ({task})") };
        match &self.run {
            Some(run) => write!(f, "run `{run}`{task} of process {}", holder.pid)?,
            None => write!(f, "process {}{task}", holder.pid)?,
        }
        if !holder.host.is_empty() {
            write!(f, " on {}", truncate_text(&holder.host, MAX_SHOWN))?;
        }
        write!(f, ", since {}", holder.since.strftime("%Y-%m-%d %H:%M UTC"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conflict(run: Option<&str>, holder: Option<LockHolder>) -> String {
        let resource = LockedResource::Location("loc".parse().unwrap());
        LockConflict { resource, run: run.map(str::to_owned), holder }.to_string()
    }

    fn holder() -> LockHolder {
        LockHolder {
            pid: 4711,
            host: "crm-1".to_owned(),
            since: "2026-11-29T14:03:59Z".parse().unwrap(),
            run: "20261129-140359-k3f9".parse().unwrap(),
            task: "import in.csv".to_owned(),
        }
    }

    #[test]
    fn a_conflict_says_as_much_as_is_known() {
        assert_eq!(conflict(None, None), "location `loc` is locked by another process");
        assert_eq!(
            conflict(Some("k3f9"), None),
            "location `loc` is in use by run `k3f9` of another process"
        );
        assert_eq!(
            conflict(Some("k3f9"), Some(holder())),
            "location `loc` is in use by run `k3f9` (import in.csv) of process 4711 on crm-1, since \
             2026-11-29 14:03 UTC"
        );
        let unknown = LockHolder { host: String::new(), task: String::new(), ..holder() };
        assert_eq!(
            conflict(None, Some(unknown)),
            "location `loc` is in use by process 4711, since 2026-11-29 14:03 UTC"
        );
    }

    #[test]
    fn a_lock_file_says_who_wrote_it_last_and_damage_is_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        std::fs::write(&path, "x".repeat(10_000)).unwrap();
        assert_eq!(LockHolder::read(&path), None);
        holder().write_to(&File::options().write(true).open(&path).unwrap());
        assert_eq!(LockHolder::read(&path), Some(holder()));
        let long = serde_json::to_string(&LockHolder { host: "h".repeat(5_000), ..holder() });
        std::fs::write(&path, long.unwrap()).unwrap();
        assert_eq!(LockHolder::read(&path), None);
        assert_eq!(LockHolder::read(&dir.path().join("none")), None);
    }
}
