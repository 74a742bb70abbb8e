//! Contact values for rows of tasks and notes: stored on disk and looked up by contact id.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};

use super::bind::BoundTemplateColumn;
use super::cell_source::TemplateCellSource;
use crate::mapping::preset::template::FieldSource;
use crate::publish::PublishError;
use crate::resource::ColumnKind;
use crate::table::BatchTexts;

/// The file's name; it is deleted before the export is put in place.
const FILE: &str = ".people.db";

/// Selected fields of all contacts.
#[derive(Debug)]
pub(super) struct ContactLookup {
    db: Connection,
    path: PathBuf,
    fields: Vec<FieldSource>,
    kinds: Vec<ColumnKind>,
    /// The contact that was looked up last: tasks of one contact often follow each other.
    last: RefCell<(String, Vec<Vec<String>>)>,
}

impl ContactLookup {
    pub(super) fn create(fields: Vec<FieldSource>, staging: &Path) -> Result<Self, PublishError> {
        let path = staging.join(FILE);
        let fail = |error| db_error(&path, error);
        let db = Connection::open(&path).map_err(fail)?;
        // The data need not survive this process, so durability is off.
        db.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4096;
             CREATE TABLE people (id TEXT PRIMARY KEY, cells TEXT NOT NULL) WITHOUT ROWID;",
        )
        .map_err(fail)?;
        let kinds = vec![ColumnKind::Text; fields.len()];
        Ok(Self { db, path, fields, kinds, last: RefCell::default() })
    }

    /// The stored fields.
    pub(super) fn fields(&self) -> &[FieldSource] {
        &self.fields
    }

    /// The value type of a field.
    pub(super) fn field_kind(&self, place: usize) -> ColumnKind {
        self.kinds[place]
    }

    /// Stores the contacts of a batch, replacing earlier versions.
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
        keeping.commit().map_err(fail)?;
        // It may be a contact that has just been replaced.
        self.last = RefCell::default();
        Ok(())
    }

    /// The values of a contact's field; empty if the contact is unknown.
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

    /// Closes and deletes the file.
    pub(super) fn close_and_delete(self) -> Result<(), PublishError> {
        drop(self.db);
        std::fs::remove_file(&self.path)
            .map_err(|source| PublishError::from_io_error(&self.path, source))
    }
}

fn db_error(path: &Path, error: rusqlite::Error) -> PublishError {
    PublishError::from_io_error(path, std::io::Error::other(error))
}
