//! Where a run is: the machine, the directory and the file.
//!
//! Two copies of an import would both send the rest of it. So a run that sends belongs to the place where it was
//! created; a copied, moved or restored directory is another place.

use std::path::{Path, PathBuf};

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
    /// The file's number in its file system: a copy has another one.
    file: Option<u64>,
}

impl RunPlace {
    /// The place of a database.
    pub(super) fn of_database(db: &Path) -> std::io::Result<Self> {
        let dir = db.parent().unwrap_or(Path::new(".")).canonicalize()?;
        Ok(Self { machine: machine_id(), dir, file: file_number(db)? })
    }

    /// The place after its directory is renamed to another one in the same directory.
    pub(super) fn renamed(mut self, dir: &Path) -> Self {
        self.dir.set_file_name(dir.file_name().unwrap_or_default());
        self
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
        let is_copy = matches!((self.file, created.file), (Some(a), Some(b)) if a != b);
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

#[cfg(unix)]
fn file_number(path: &Path) -> std::io::Result<Option<u64>> {
    Ok(Some(std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(path)?)))
}

/// Other systems do not say.
#[cfg(not(unix))]
fn file_number(_: &Path) -> std::io::Result<Option<u64>> {
    Ok(None)
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
