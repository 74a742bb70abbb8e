//! Where runs live: one directory each, under the program's home.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::db;
use super::error::Error;
use super::lock::Lock;
use super::metadata::{self, Meta, State};
use crate::id::{LocationId, RunId};

/// The directory of all runs.
#[derive(Debug, Clone)]
pub struct Home {
    runs: PathBuf,
    locations: PathBuf,
}

/// A run that this process holds.
#[derive(Debug)]
pub struct Run {
    /// What it is.
    pub meta: Meta,
    dir: PathBuf,
    _lock: Lock,
}

/// A run as a list shows it.
#[derive(Debug)]
pub struct Summary {
    /// Its id.
    pub id: RunId,
    /// Its directory.
    pub dir: PathBuf,
    /// What it is and where it stands, or why that cannot be read.
    pub known: Result<(Meta, State), Error>,
    /// Whether a process holds it now.
    pub running: bool,
}

impl Home {
    /// The home at a path. Nothing is made yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { runs: path.join("runs"), locations: path.join("locations") }
    }

    /// Holds a location: only one process at a time writes to it.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process holds it.
    pub fn hold(&self, location: &LocationId) -> Result<Lock, Error> {
        private(&self.locations).map_err(|source| Error::file(&self.locations, source))?;
        Lock::file(&self.locations.join(format!("{}.lock", location.segment())))
    }

    /// Makes a run.
    ///
    /// # Errors
    /// When the directory or its database cannot be made.
    pub fn create(&self, meta: Meta) -> Result<Run, Error> {
        let dir = self.dir(&meta.run);
        private(&dir).map_err(|source| Error::file(&dir, source))?;
        let lock = Lock::file(&dir.join("lock"))?;
        let path = dir.join("run.db");
        let connection = db::create(&path)?;
        metadata::write(&path, &connection, "run", &meta)?;
        metadata::write(&path, &connection, "state", &State::Unfinished)?;
        Ok(Run { meta, dir, _lock: lock })
    }

    /// Takes up a run, after a look at every page of its database.
    ///
    /// # Errors
    /// When there is none, another process holds it, or it is damaged.
    pub fn open(&self, id: &RunId) -> Result<Run, Error> {
        let dir = self.find(id)?;
        let lock = Lock::file(&dir.join("lock"))?;
        let path = dir.join("run.db");
        let connection = db::open(&path)?;
        db::check(&path, &connection)?;
        let meta = read_meta(&path, &connection)?;
        if meta.run != *id {
            return Err(Error::damaged(&path, format!("it belongs to run `{}`", meta.run)));
        }
        Ok(Run { meta, dir, _lock: lock })
    }

    /// All runs, oldest first.
    ///
    /// # Errors
    /// When the directory cannot be read. A run that cannot be read is in the list, with the reason.
    pub fn list(&self) -> Result<Vec<Summary>, Error> {
        let entries = match std::fs::read_dir(&self.runs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(Error::file(&self.runs, source)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| Error::file(&self.runs, source))?;
            let id = entry.file_name().to_str().and_then(|name| name.parse::<RunId>().ok());
            runs.extend(id.map(|id| summary(id, entry.path())));
        }
        runs.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(runs)
    }

    /// One run, as a list shows it.
    ///
    /// # Errors
    /// When there is none.
    pub fn show(&self, id: &RunId) -> Result<Summary, Error> {
        Ok(summary(id.clone(), self.find(id)?))
    }

    /// The latest run that fits.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn latest(&self, fits: impl Fn(&Meta, State) -> bool) -> Result<Option<RunId>, Error> {
        let fits = |summary: &Summary| match &summary.known {
            Ok((meta, state)) => fits(meta, *state),
            Err(_) => false,
        };
        Ok(self.list()?.into_iter().rev().find(fits).map(|summary| summary.id))
    }

    /// Removes a run for good.
    ///
    /// # Errors
    /// When there is none, or a process holds it.
    pub fn remove(&self, id: &RunId) -> Result<(), Error> {
        let dir = self.find(id)?;
        let _lock = Lock::file(&dir.join("lock"))?;
        std::fs::remove_dir_all(&dir).map_err(|source| Error::file(&dir, source))
    }

    fn dir(&self, id: &RunId) -> PathBuf {
        self.runs.join(id.segment())
    }

    fn find(&self, id: &RunId) -> Result<PathBuf, Error> {
        let dir = self.dir(id);
        if dir.join("run.db").is_file() { Ok(dir) } else { Err(Error::Missing(id.to_string())) }
    }
}

impl Summary {
    /// A fact that was written before.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn noted<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let path = self.dir.join("run.db");
        metadata::read(&path, &db::open(&path)?, key)
    }
}

impl Run {
    /// The run's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The run's database.
    #[must_use]
    pub fn db(&self) -> PathBuf {
        self.dir.join("run.db")
    }

    /// Writes a fact about the run.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn note<T: Serialize>(&self, key: &str, value: &T) -> Result<(), Error> {
        let path = self.db();
        metadata::write(&path, &db::open(&path)?, key, value)
    }

    /// A fact that was written before.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn noted<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let path = self.db();
        metadata::read(&path, &db::open(&path)?, key)
    }

    /// Where the run stands.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn state(&self) -> Result<State, Error> {
        let path = self.db();
        read_state(&path, &db::open(&path)?)
    }

    /// Writes down where the run stands.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn set_state(&self, state: State) -> Result<(), Error> {
        let path = self.db();
        metadata::write(&path, &db::open(&path)?, "state", &state)
    }
}

/// Makes a directory that only its owner may look into: it will hold customers.
fn private(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir)
}

fn read_meta(path: &Path, connection: &Connection) -> Result<Meta, Error> {
    metadata::read(path, connection, "run")?
        .ok_or_else(|| Error::damaged(path, "it does not say what it is"))
}

fn read_state(path: &Path, connection: &Connection) -> Result<State, Error> {
    metadata::read(path, connection, "state")?
        .ok_or_else(|| Error::damaged(path, "it does not say where it stands"))
}

fn summary(id: RunId, dir: PathBuf) -> Summary {
    let path = dir.join("run.db");
    let known = db::open(&path).and_then(|connection| {
        Ok((read_meta(&path, &connection)?, read_state(&path, &connection)?))
    });
    let running = matches!(Lock::file(&dir.join("lock")), Err(Error::Locked(_)));
    Summary { id, dir, known, running }
}
