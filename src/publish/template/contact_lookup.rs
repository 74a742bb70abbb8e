//! What rows of tasks and notes say about their contacts: kept on disk, looked up by the contact's id.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};

use super::bind::{Bound, Source};
use crate::mapping::preset::template::Fill;
use crate::publish::Error;
use crate::resource::Kind;
use crate::table::Texts;

/// The file's name; it is gone before the files are put in place.
const FILE: &str = ".people.db";

/// What is kept of every contact.
#[derive(Debug)]
pub(super) struct People {
    db: Connection,
    path: PathBuf,
    fills: Vec<Fill>,
    kinds: Vec<Kind>,
    /// The contact that was looked up last: its tasks often come together.
    last: RefCell<(String, Vec<Vec<String>>)>,
}

impl People {
    pub(super) fn begin(fills: Vec<Fill>, staging: &Path) -> Result<Self, Error> {
        let path = staging.join(FILE);
        let fail = |error| failure(&path, error);
        let db = Connection::open(&path).map_err(fail)?;
        // It lives as long as this process: nothing of it has to outlast a crash.
        db.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4096;
             CREATE TABLE people (id TEXT PRIMARY KEY, cells TEXT NOT NULL) WITHOUT ROWID;",
        )
        .map_err(fail)?;
        let kinds = vec![Kind::Text; fills.len()];
        Ok(Self { db, path, fills, kinds, last: RefCell::default() })
    }

    /// What is kept.
    pub(super) fn fills(&self) -> &[Fill] {
        &self.fills
    }

    /// What kind of values a fill has.
    pub(super) fn kind(&self, place: usize) -> Kind {
        self.kinds[place]
    }

    /// Keeps the contacts of a batch; one that came before is replaced.
    pub(super) fn keep(&mut self, bound: &[Bound], texts: &Texts<'_>) -> Result<(), Error> {
        for (kind, bound) in self.kinds.iter_mut().zip(bound) {
            if let Some(Source::Column(_, its)) = bound.sources.first() {
                *kind = *its;
            }
        }
        let fail = |error| failure(&self.path, error);
        let keeping = self.db.transaction().map_err(fail)?;
        for row in 0..texts.rows() {
            let cells: Vec<_> = bound
                .iter()
                .map(|bound| {
                    bound.sources.first().map(|source| source.of(texts, row)).unwrap_or_default()
                })
                .collect();
            let cells = serde_json::to_string(&cells).expect("texts are JSON");
            keeping
                .prepare_cached("INSERT OR REPLACE INTO people VALUES (?1, ?2)")
                .and_then(|mut insert| insert.execute((texts.get(0, row).concat(), cells)))
                .map_err(fail)?;
        }
        keeping.commit().map_err(fail)
    }

    /// What a contact has of a fill; nothing where nobody has that id.
    pub(super) fn look(&self, place: usize, id: &str) -> Result<Vec<String>, Error> {
        let mut last = self.last.borrow_mut();
        if last.0 != id {
            let cells: Option<String> = self
                .db
                .prepare_cached("SELECT cells FROM people WHERE id = ?1")
                .and_then(|mut select| select.query_row([id], |row| row.get(0)).optional())
                .map_err(|error| failure(&self.path, error))?;
            let cells = cells.and_then(|cells| serde_json::from_str(&cells).ok());
            *last = (id.to_owned(), cells.unwrap_or_default());
        }
        Ok(last.1.get(place).cloned().unwrap_or_default())
    }

    /// Removes it.
    pub(super) fn close(self) -> Result<(), Error> {
        drop(self.db);
        std::fs::remove_file(&self.path).map_err(|source| Error::file(&self.path, source))
    }
}

fn failure(path: &Path, error: rusqlite::Error) -> Error {
    Error::file(path, std::io::Error::other(error))
}
