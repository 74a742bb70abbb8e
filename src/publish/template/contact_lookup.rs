//! What rows of tasks and notes say about their contacts: kept on disk, looked up by the contact's id.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};

use super::bind::BoundTemplateColumn;
use super::cell_source::TemplateCellSource;
use crate::mapping::preset::template::FieldSource;
use crate::publish::PublishError;
use crate::resource::ColumnKind;
use crate::table::BatchTexts;

/// The file's name; it is gone before the files are put in place.
const FILE: &str = ".people.db";

/// What is kept of every contact.
#[derive(Debug)]
pub(super) struct ContactLookup {
    db: Connection,
    path: PathBuf,
    fills: Vec<FieldSource>,
    kinds: Vec<ColumnKind>,
    /// The contact that was looked up last: its tasks often come together.
    last: RefCell<(String, Vec<Vec<String>>)>,
}

impl ContactLookup {
    pub(super) fn create(fills: Vec<FieldSource>, staging: &Path) -> Result<Self, PublishError> {
        let path = staging.join(FILE);
        let fail = |error| db_error(&path, error);
        let db = Connection::open(&path).map_err(fail)?;
        // It lives as long as this process: nothing of it has to outlast a crash.
        db.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4096;
             CREATE TABLE people (id TEXT PRIMARY KEY, cells TEXT NOT NULL) WITHOUT ROWID;",
        )
        .map_err(fail)?;
        let kinds = vec![ColumnKind::Text; fills.len()];
        Ok(Self { db, path, fills, kinds, last: RefCell::default() })
    }

    /// What is kept.
    pub(super) fn fields(&self) -> &[FieldSource] {
        &self.fills
    }

    /// What kind of values a fill has.
    pub(super) fn field_kind(&self, place: usize) -> ColumnKind {
        self.kinds[place]
    }

    /// Keeps the contacts of a batch; one that came before is replaced.
    pub(super) fn insert_contacts(
        &mut self,
        bound: &[BoundTemplateColumn],
        texts: &BatchTexts<'_>,
    ) -> Result<(), PublishError> {
        for (kind, bound) in self.kinds.iter_mut().zip(bound) {
            if let Some(TemplateCellSource::Column(_, its)) = bound.sources.first() {
                *kind = *its;
            }
        }
        let fail = |error| db_error(&self.path, error);
        let keeping = self.db.transaction().map_err(fail)?;
        for row in 0..texts.row_count() {
            let cells: Vec<_> = bound
                .iter()
                .map(|bound| {
                    bound
                        .sources
                        .first()
                        .map(|source| source.read_values(texts, row))
                        .unwrap_or_default()
                })
                .collect();
            let cells = serde_json::to_string(&cells).expect("texts are JSON");
            keeping
                .prepare_cached("INSERT OR REPLACE INTO people VALUES (?1, ?2)")
                .and_then(|mut insert| insert.execute((texts.cell_texts(0, row).concat(), cells)))
                .map_err(fail)?;
        }
        keeping.commit().map_err(fail)
    }

    /// What a contact has of a fill; nothing where nobody has that id.
    pub(super) fn look_up_values(
        &self,
        place: usize,
        id: &str,
    ) -> Result<Vec<String>, PublishError> {
        let mut last = self.last.borrow_mut();
        if last.0 != id {
            let cells: Option<String> = self
                .db
                .prepare_cached("SELECT cells FROM people WHERE id = ?1")
                .and_then(|mut select| select.query_row([id], |row| row.get(0)).optional())
                .map_err(|error| db_error(&self.path, error))?;
            let cells = cells.and_then(|cells| serde_json::from_str(&cells).ok());
            *last = (id.to_owned(), cells.unwrap_or_default());
        }
        Ok(last.1.get(place).cloned().unwrap_or_default())
    }

    /// Removes it.
    pub(super) fn close_and_delete(self) -> Result<(), PublishError> {
        drop(self.db);
        std::fs::remove_file(&self.path)
            .map_err(|source| PublishError::from_io_error(&self.path, source))
    }
}

fn db_error(path: &Path, error: rusqlite::Error) -> PublishError {
    PublishError::from_io_error(path, std::io::Error::other(error))
}
