//! Removes a person from a mirror, so that no byte of theirs is left in its files.
//!
//! Unlike a deletion, nothing stays that says that there was one: a reader of changes does not hear of it. The snapshot
//! that the mirror made last is forgotten before, since what it says and what the mirror has no longer fit: the next
//! snapshot is a full one, unless what the repository has was written again, too.

use std::path::Path;

use rusqlite::{Connection, Transaction, params};

use super::error::MirrorError;
use super::mirror_db::{self, meta_key};
use super::mirror_reader::MirrorReader;
use super::mirror_writer::MirrorWriter;
use super::outbox::{self, ChangePosition};
use super::record::RecordKind;
use crate::run::RunError;

/// What was removed of people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErasedRows {
    /// Records that the mirror had: contacts, and what belonged to them.
    pub records: u64,
    /// Former versions of them.
    pub versions: u64,
    /// Events that were not delivered yet.
    pub events: u64,
}

/// A record of a contact, by kind and id.
type RecordRef = (RecordKind, String);

impl MirrorReader {
    /// The records of a contact, itself included, that exist, were deleted or have former versions.
    ///
    /// # Errors
    /// When the mirror cannot be read.
    pub fn list_records_of(&self, contact: &str) -> Result<Vec<(RecordKind, String)>, MirrorError> {
        let found = find_records(self.connection(), contact);
        found.map_err(|source| RunError::from_sqlite(self.path(), source).into())
    }

    /// How many versions the mirror has of a contact and of what belongs to it, and how many events wait about them.
    ///
    /// # Errors
    /// When the mirror cannot be read.
    pub fn count_rows_of(&self, contact: &str) -> Result<ErasedRows, MirrorError> {
        let count = |query: &str| {
            self.connection().query_row(query, [contact], |row| row.get::<_, i64>(0)).map_or_else(
                |source| Err(RunError::from_sqlite(self.path(), source)),
                |count| Ok(count.cast_unsigned()),
            )
        };
        let own = "(kind = 1 AND id = ?1) OR parent = ?1";
        Ok(ErasedRows {
            records: count(&format!("SELECT count(*) FROM record WHERE {own}"))?,
            versions: count(&format!("SELECT count(*) FROM version WHERE {own}"))?,
            events: count("SELECT count(*) FROM outbox WHERE instr(body, ?1) > 0")?,
        })
    }
}

impl MirrorWriter {
    /// Forgets which snapshots the mirror made last, and gives the ids of their repositories.
    ///
    /// # Errors
    /// When the mirror cannot be written.
    pub fn forget_last_snapshots(&self) -> Result<Vec<String>, MirrorError> {
        let fail = |source| RunError::from_sqlite(self.path(), source);
        let prefix = super::last_snapshot::meta_key("");
        let read = || {
            let mut query = self.connection().prepare("SELECT key FROM meta ORDER BY key")?;
            let keys = query.query_map([], |row| row.get(0))?;
            keys.collect::<rusqlite::Result<Vec<String>>>()
        };
        let keys = read().map_err(fail)?;
        let repositories = keys.iter().filter_map(|key| key.strip_prefix(&prefix));
        let repositories: Vec<String> = repositories.map(str::to_owned).collect();
        for key in keys.iter().filter(|key| key.starts_with(&prefix)) {
            mirror_db::delete_meta(self.path(), self.connection(), key)?;
        }
        Ok(repositories)
    }

    /// Removes everything of these contacts, and everything that was stored about them.
    ///
    /// # Errors
    /// When the mirror cannot be written. Nothing is removed then.
    pub fn erase_contacts(&mut self, contacts: &[String]) -> Result<ErasedRows, MirrorError> {
        let path = self.path().to_owned();
        let fail = |source| RunError::from_sqlite(&path, source);
        let transaction = self.connection_mut().transaction().map_err(fail)?;
        let mut erased = ErasedRows::default();
        for contact in contacts {
            let of_contact = erase_contact(&path, &transaction, contact)?;
            erased.records += of_contact.records;
            erased.versions += of_contact.versions;
            erased.events += of_contact.events;
        }
        transaction.commit().map_err(fail)?;
        Ok(erased)
    }

    /// Writes the database again without the unused parts of its pages, and empties the log of writes.
    ///
    /// # Errors
    /// When the mirror cannot be written, or another process reads it.
    pub fn purge_unused_pages(&mut self) -> Result<(), MirrorError> {
        let path = self.path().to_owned();
        let fail = |source| RunError::from_sqlite(&path, source);
        self.connection().execute_batch("VACUUM").map_err(fail)?;
        let truncate = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 =
            self.connection().query_row(truncate, [], |row| row.get(0)).map_err(fail)?;
        if busy == 0 {
            return Ok(());
        }
        let reading = std::io::Error::new(
            std::io::ErrorKind::ResourceBusy,
            "another process reads it; run the same command again when it is done",
        );
        Err(RunError::from_io(&path, reading).into())
    }
}

fn find_records(connection: &Connection, contact: &str) -> rusqlite::Result<Vec<RecordRef>> {
    let own = "(kind = 1 AND id = ?1) OR parent = ?1";
    let query = format!(
        "SELECT kind, id FROM record WHERE {own} UNION SELECT kind, id FROM version WHERE {own}"
    );
    let mut query = connection.prepare_cached(&query)?;
    let rows = query.query_map([contact], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
    let known = rows.into_iter().filter_map(|(code, id)| Some((RecordKind::from_code(code)?, id)));
    Ok(known.collect())
}

fn erase_contact(
    path: &Path,
    transaction: &Transaction<'_>,
    contact: &str,
) -> Result<ErasedRows, MirrorError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let mut records = find_records(transaction, contact).map_err(fail)?;
    // From the last to the first: a position may move to a record that is removed, too.
    records.sort_by(|one, other| other.cmp(one));
    let mut erased = ErasedRows::default();
    for (kind, id) in &records {
        move_positions(path, transaction, *kind, id)?;
    }
    let execute = |query: &str, parameters: &[&dyn rusqlite::ToSql]| {
        let done =
            transaction.prepare_cached(query).and_then(|mut query| query.execute(parameters));
        done.map(|rows| rows as u64).map_err(fail)
    };
    for (kind, id) in &records {
        let of_record = params![kind.code(), id];
        erased.records += execute("DELETE FROM record WHERE kind = ? AND id = ?", of_record)?;
        erased.versions += execute("DELETE FROM version WHERE kind = ? AND id = ?", of_record)?;
        erased.events += execute(
            "DELETE FROM outbox WHERE record = ? || ' ' || ?",
            params![kind.table_name(), id],
        )?;
        execute("DELETE FROM task_due WHERE task = ?", params![id])?;
        execute("DELETE FROM reminded WHERE task = ?", params![id])?;
        execute("DELETE FROM failure WHERE subject = ?1 OR instr(facts, ?1) > 0", params![id])?;
    }
    erased.events += execute("DELETE FROM outbox WHERE instr(body, ?1) > 0", params![contact])?;
    execute("DELETE FROM failure WHERE subject = ?1 OR instr(facts, ?1) > 0", params![contact])?;
    execute("DELETE FROM notes_of WHERE contact = ?", params![contact])?;
    Ok(erased)
}

/// Moves the positions in the change log that name a record to the change before it.
fn move_positions(
    path: &Path,
    transaction: &Transaction<'_>,
    kind: RecordKind,
    id: &str,
) -> Result<(), MirrorError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let before = |seq: i64| {
        let query = "SELECT max(id) FROM (
            SELECT id FROM record WHERE kind = ?1 AND seq = ?2 AND id < ?3
            UNION ALL SELECT id FROM version WHERE kind = ?1 AND seq = ?2 AND id < ?3)";
        let found = transaction.query_row(query, params![kind.code(), seq, id], |row| row.get(0));
        found.map(|id: Option<String>| id.unwrap_or_default()).map_err(fail)
    };
    let sinks = || {
        let mut query =
            transaction.prepare_cached("SELECT name, seq FROM sink WHERE kind = ? AND id = ?")?;
        let rows =
            query.query_map(params![kind.code(), id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<Vec<(String, i64)>>>()
    };
    for (sink, seq) in sinks().map_err(fail)? {
        let position = ChangePosition { seq, kind, id: before(seq)? };
        outbox::write_position(transaction, &sink, &position).map_err(fail)?;
    }
    let due = mirror_db::read_meta(path, transaction, meta_key::DUE_POSITION)?;
    let due = due.as_deref().and_then(|text| text.split_once(' '));
    if let Some((seq, task)) = due
        && kind == RecordKind::Task
        && task == id
        && let Ok(seq) = seq.parse()
    {
        let text = format!("{seq} {}", before(seq)?);
        mirror_db::write_meta(path, transaction, meta_key::DUE_POSITION, &text)?;
    }
    Ok(())
}
