//! Where a run is: the machine, the directory and the file.
//!
//! Two copies of an import would both send the rest of it. So a run that sends belongs to the place where it was
//! created; a copied, moved or restored directory is another place.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::metadata::RunFact;

/// Where a run is.
pub(super) const PLACE: RunFact<RunPlace> = RunFact::new("place");

/// The place of a run's database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RunPlace {
    /// The machine's id, on systems that have one.
    machine: Option<String>,
    /// The directory, without symbolic links.
    dir: PathBuf,
    /// The file's number in its file system. A copy has another one, unless the number was free again.
    file: Option<u64>,
    /// When the file was created, in nanoseconds since 1970, on file systems that store it. A copy was created later.
    created_ns: Option<u64>,
}

impl RunPlace {
    /// The place of a database.
    pub(super) fn of_database(db: &Path) -> std::io::Result<Self> {
        let dir = db.parent().unwrap_or(Path::new(".")).canonicalize()?;
        let metadata = std::fs::metadata(db)?;
        #[cfg(unix)]
        let file = Some(std::os::unix::fs::MetadataExt::ino(&metadata));
        // Other systems do not say.
        #[cfg(not(unix))]
        let file = None;
        Ok(Self { machine: machine_id(), dir, file, created_ns: created_ns(&metadata) })
    }

    /// How this place differs from the one where the run was created, for a message; `None` if it is the same.
    pub(super) fn difference_from(&self, created: &Self) -> Option<String> {
        let differs =
            |a: Option<&str>, b: Option<&str>| matches!((a, b), (Some(a), Some(b)) if a != b);
        if differs(self.machine.as_deref(), created.machine.as_deref()) {
            return Some("on another machine".to_owned());
        }
        if self.dir != created.dir {
            return Some(format!("in `{}`", created.dir.display()));
        }
        let is_other =
            |a: Option<u64>, b: Option<u64>| matches!((a, b), (Some(a), Some(b)) if a != b);
        let is_copy =
            is_other(self.file, created.file) || is_other(self.created_ns, created.created_ns);
        is_copy.then(|| "here, but its file has been replaced since".to_owned())
    }
}

/// The id of this machine, as systemd and D-Bus keep it. A container without one has none.
fn machine_id() -> Option<String> {
    let read = |path| std::fs::read_to_string(path).ok();
    let id = read("/etc/machine-id").or_else(|| read("/var/lib/dbus/machine-id"))?;
    let id = id.trim();
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_owned())
}

fn created_ns(metadata: &Metadata) -> Option<u64> {
    let since = metadata.created().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_differs_by_machine_directory_or_file() {
        let place = |machine: Option<&str>, dir: &str, file| RunPlace {
            machine: machine.map(str::to_owned),
            dir: dir.into(),
            file,
            created_ns: Some(1),
        };
        let created = place(Some("a"), "/home/runs/1", Some(7));
        for (now, expected) in [
            (place(Some("a"), "/home/runs/1", Some(7)), None),
            (place(None, "/home/runs/1", Some(7)), None),
            (place(Some("b"), "/home/runs/1", Some(7)), Some("on another machine")),
            (place(Some("a"), "/home2/runs/1", Some(9)), Some("in `/home/runs/1`")),
            (
                place(Some("a"), "/home/runs/1", Some(8)),
                Some("here, but its file has been replaced since"),
            ),
        ] {
            assert_eq!(now.difference_from(&created).as_deref(), expected);
        }
        let later = RunPlace { created_ns: Some(2), ..created.clone() };
        assert!(
            later.difference_from(&created).is_some(),
            "the number of a deleted file is used again"
        );
        let unknown = RunPlace { created_ns: None, file: None, ..created.clone() };
        assert_eq!(unknown.difference_from(&created), None);
    }

    #[test]
    fn a_copy_of_a_file_is_another_place() {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("run.db");
        std::fs::write(&db, "x").unwrap();
        let created = RunPlace::of_database(&db).unwrap();
        assert_eq!(RunPlace::of_database(&db).unwrap().difference_from(&created), None);
        let other = dir.path().join("other");
        std::fs::create_dir(&other).unwrap();
        std::fs::copy(&db, other.join("run.db")).unwrap();
        let copied = RunPlace::of_database(&other.join("run.db")).unwrap();
        assert!(copied.difference_from(&created).is_some());
    }
}
