//! When the notes of each contact were last read: the queue of those that are read next, and how old the readings are.
//!
//! A row says in which sync the contact last changed, in which its notes did, and which read them. The list of a contact
//! counts as read only when the merge ends, so that a merge that goes on after a kill comes to the same.

use rusqlite::{Connection, Row, params};

use super::error::MirrorError;
use super::mirror_reader::MirrorReader;
use crate::run::RunError;

/// The table; part of the mirror's schema.
macro_rules! note_readings_schema {
    () => {
        "CREATE TABLE notes_of (
    contact TEXT PRIMARY KEY, added_ms INTEGER NOT NULL, read_at INTEGER, read_seq INTEGER NOT NULL,
    contact_seq INTEGER NOT NULL, moved_seq INTEGER NOT NULL, notes_seq INTEGER NOT NULL, list_seq INTEGER NOT NULL,
    tried_seq INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX notes_of_read_at ON notes_of (read_at);
"
    };
}
pub(super) use note_readings_schema;

/// In place of the sync that has read the list of a contact, while a merge ends: the list could not be read.
const UNREAD: i64 = -1;

/// What a sync has read of notes as a whole.
#[derive(Debug, Clone, Default)]
pub struct NotesEnd {
    /// When they were read, in milliseconds since 1970 by the server's clock.
    pub read_at_ms: i64,
    /// Whether the notes of all contacts were read.
    pub whole: bool,
    /// The contacts whose notes could not be read.
    pub unread: Vec<String>,
    /// The contacts whose turn it was, whether or not their notes could be read.
    pub tried: Vec<String>,
}

/// Contacts whose notes differed when they were read again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct NoteFindings {
    /// The contact's `dateUpdated` had moved.
    pub(super) announced: u64,
    /// It had not.
    pub(super) silent: u64,
}

/// How old the readings of notes are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoteAges {
    /// The contacts that exist.
    pub contacts: u64,
    /// Those whose notes were never read.
    pub unread: u64,
    /// Those that have changed since their notes were read.
    pub outdated: u64,
    /// Those whose notes were read since a given time.
    pub recent: u64,
    /// The time of the oldest reading, in milliseconds since 1970; `None` without any.
    pub oldest_ms: Option<i64>,
    /// The time of the reading in the middle.
    pub median_ms: Option<i64>,
}

/// The write side, within a transaction of a merge.
pub(super) struct NoteReadings<'a> {
    pub(super) connection: &'a Connection,
    pub(super) seq: i64,
}

impl NoteReadings<'_> {
    /// A contact is new, or says something else than before. `moved` is whether its `dateUpdated` says so.
    pub(super) fn note_contact(
        &self,
        contact: &str,
        added_ms: i64,
        moved: bool,
    ) -> rusqlite::Result<()> {
        // Its list may have been read before it changed.
        let query = "INSERT INTO notes_of VALUES (?1, ?2, NULL, 0, ?3, ?3, 0, 0, 0) ON CONFLICT (contact) DO UPDATE SET
             contact_seq = ?3, moved_seq = iif(?4, ?3, moved_seq), list_seq = 0";
        self.execute(query, params![contact, added_ms, self.seq, moved])
    }

    pub(super) fn remove_contact(&self, contact: &str) -> rusqlite::Result<()> {
        self.execute("DELETE FROM notes_of WHERE contact = ?", params![contact])
    }

    /// A note of a contact has changed.
    pub(super) fn note_change(&self, contact: &str) -> rusqlite::Result<()> {
        let query = "UPDATE notes_of SET notes_seq = ? WHERE contact = ?";
        self.execute(query, params![self.seq, contact])
    }

    /// The list of a contact's notes was read.
    pub(super) fn mark_list(&self, contact: &str) -> rusqlite::Result<()> {
        let query = "UPDATE notes_of SET list_seq = ? WHERE contact = ?";
        self.execute(query, params![self.seq, contact])
    }

    /// Ends a merge: the lists that were read count, and what they have shown is counted.
    pub(super) fn finish(&self, end: &NotesEnd) -> rusqlite::Result<NoteFindings> {
        for contact in &end.unread {
            let query = "UPDATE notes_of SET list_seq = ? WHERE contact = ?";
            self.execute(query, params![UNREAD, contact])?;
        }
        for contact in &end.tried {
            let query = "UPDATE notes_of SET tried_seq = ? WHERE contact = ?";
            self.execute(query, params![self.seq, contact])?;
        }
        let is_read = if end.whole { "list_seq <> ?2" } else { "list_seq = ?1 AND list_seq <> ?2" };
        let query = format!(
            "SELECT coalesce(sum(moved_seq > read_seq), 0), coalesce(sum(moved_seq <= read_seq), 0)
             FROM notes_of WHERE {is_read} AND read_seq > 0 AND notes_seq > read_seq"
        );
        let read = |row: &Row<'_>| {
            let (announced, silent) = (count_column(row, 0)?, count_column(row, 1)?);
            Ok(NoteFindings { announced, silent })
        };
        let findings = self.connection.query_row(&query, [self.seq, UNREAD], read)?;
        let query = format!(
            "UPDATE notes_of SET read_at = ?3, read_seq = ?1, list_seq = ?1 WHERE {is_read}"
        );
        self.execute(&query, params![self.seq, UNREAD, end.read_at_ms])?;
        for contact in &end.unread {
            let query = "UPDATE notes_of SET list_seq = 0 WHERE contact = ?";
            self.execute(query, params![contact])?;
        }
        Ok(findings)
    }

    fn execute(&self, query: &str, parameters: &[&dyn rusqlite::ToSql]) -> rusqlite::Result<()> {
        self.connection.prepare_cached(query)?.execute(parameters).map(drop)
    }
}

fn count_column(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get(at).map(i64::cast_unsigned)
}

impl MirrorReader {
    /// Contacts whose notes have to be read: those that have changed since their notes were read, then those whose notes
    /// were never read, the newest ones first. Those that were tried after a sync are left out.
    pub fn contacts_with_due_notes(
        &self,
        after_seq: i64,
        limit: usize,
    ) -> Result<Vec<String>, MirrorError> {
        let query = "SELECT contact FROM notes_of WHERE (read_seq = 0 OR contact_seq > read_seq) AND tried_seq <= ?1
             ORDER BY read_seq = 0, iif(read_seq = 0, -added_ms, contact_seq), contact LIMIT ?2";
        self.query_contacts(query, after_seq, limit)
    }

    /// Contacts whose notes were read longest ago, of those that [`Self::contacts_with_due_notes`] does not give and whose
    /// notes were not read after a sync.
    pub fn contacts_with_oldest_notes(
        &self,
        after_seq: i64,
        limit: usize,
    ) -> Result<Vec<String>, MirrorError> {
        let query = "SELECT contact FROM notes_of WHERE read_at IS NOT NULL AND read_seq <= ?1 AND contact_seq <= read_seq
             AND tried_seq <= ?1 ORDER BY read_at LIMIT ?2";
        self.query_contacts(query, after_seq, limit)
    }

    /// Contacts that have changed since their notes were last read as a whole, each with the sync that saw the change,
    /// those that changed first at the beginning.
    pub fn contacts_changed_since_reading(
        &self,
        limit: usize,
    ) -> Result<Vec<(String, i64)>, MirrorError> {
        let query = "SELECT contact, contact_seq FROM notes_of WHERE contact_seq > read_seq
             ORDER BY contact_seq, contact LIMIT ?";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.connection()
            .prepare_cached(query)
            .and_then(|mut query| {
                query.query_map([limit], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
            })
            .map_err(|source| RunError::from_sqlite(self.path(), source).into())
    }

    fn query_contacts(
        &self,
        query: &str,
        after_seq: i64,
        limit: usize,
    ) -> Result<Vec<String>, MirrorError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.connection()
            .prepare_cached(query)
            .and_then(|mut query| query.query_map([after_seq, limit], |row| row.get(0))?.collect())
            .map_err(|source| RunError::from_sqlite(self.path(), source).into())
    }

    /// How old the readings of notes are, and how many are not older than a time in milliseconds since 1970.
    pub fn measure_note_ages(&self, since_ms: i64) -> Result<NoteAges, MirrorError> {
        let query =
            "SELECT count(*), count(*) - count(read_at), coalesce(sum(read_seq > 0 AND contact_seq > read_seq), 0),
             coalesce(sum(read_at >= ?1), 0), min(read_at) FROM notes_of";
        let read = |row: &Row<'_>| {
            Ok(NoteAges {
                contacts: count_column(row, 0)?,
                unread: count_column(row, 1)?,
                outdated: count_column(row, 2)?,
                recent: count_column(row, 3)?,
                oldest_ms: row.get(4)?,
                median_ms: None,
            })
        };
        let median = "SELECT (SELECT read_at FROM notes_of WHERE read_at IS NOT NULL ORDER BY read_at LIMIT 1 OFFSET ?)";
        let measure = || {
            let ages = self.connection().query_row(query, [since_ms], read)?;
            let middle = (ages.contacts - ages.unread) / 2;
            let median =
                self.connection().query_row(median, [middle.cast_signed()], |row| row.get(0))?;
            Ok(NoteAges { median_ms: median, ..ages })
        };
        measure().map_err(|source| RunError::from_sqlite(self.path(), source).into())
    }

    /// When the notes of a contact were last read, in milliseconds since 1970; `None` if they never were.
    pub fn note_reading_ms(&self, contact: &str) -> Result<Option<i64>, MirrorError> {
        let query = "SELECT (SELECT read_at FROM notes_of WHERE contact = ?)";
        self.connection()
            .prepare_cached(query)
            .and_then(|mut query| query.query_row([contact], |row| row.get(0)))
            .map_err(|source| RunError::from_sqlite(self.path(), source).into())
    }
}
