//! The merge of rows into the records of a mirror, within one transaction.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;

use rusqlite::{Connection, params};

use super::body_codec::BodyEncoder;
use super::error::MirrorError;
use super::merge_batch::MergeRow;
use super::mirror_db;
use super::note_readings::{NoteReadings, NotesEnd};
use super::record::RecordKind;
use super::stored_record::{self, DELETED, LIVE, StoredRecord};
use super::sync_log::SyncRecord;
use crate::concurrency;
use crate::event::ChangeCounts;
use crate::resource::UNDATED;
use crate::run::RunError;

/// What the transactions of a merge have in common.
#[derive(Debug)]
pub(super) struct MergeState {
    encoder: BodyEncoder,
    /// The kinds of which the mirror had no record when the first transaction began: their rows are probably new.
    new_kinds: Vec<RecordKind>,
    /// Whether notes of any contact had been read by then.
    has_readings: bool,
    /// Whether every page of the database was checked.
    is_checked: bool,
}

impl MergeState {
    /// The state before the first transaction.
    pub(super) fn load(path: &Path, connection: &Connection) -> Result<Self, MirrorError> {
        let fail = |source| RunError::from_sqlite(path, source);
        let exists =
            |query: &str, parameter: i64| connection.prepare_cached(query)?.exists([parameter]);
        let mut new_kinds = Vec::new();
        for kind in RecordKind::ALL {
            if !exists("SELECT 1 FROM record WHERE kind = ? LIMIT 1", kind.code()).map_err(fail)? {
                new_kinds.push(kind);
            }
        }
        let query = "SELECT 1 FROM notes_of WHERE read_at > ? LIMIT 1";
        let has_readings = exists(query, i64::MIN).map_err(fail)?;
        let encoder = BodyEncoder::load(path, connection)?;
        Ok(Self { encoder, new_kinds, has_readings, is_checked: false })
    }
}

/// A merge within one transaction.
pub(super) struct RecordMerge<'a> {
    pub(super) path: &'a Path,
    pub(super) connection: &'a Connection,
    pub(super) sync: &'a mut SyncRecord,
    pub(super) read_at_ms: i64,
    pub(super) state: &'a mut MergeState,
}

impl<'a> RecordMerge<'a> {
    pub(super) fn fail(&self, source: rusqlite::Error) -> RunError {
        RunError::from_sqlite(self.path, source)
    }

    pub(super) fn note_readings(&self) -> NoteReadings<'a> {
        NoteReadings { connection: self.connection, seq: self.sync.seq }
    }

    pub(super) fn finish_notes(&mut self, end: &NotesEnd) -> Result<(), RunError> {
        let found = self.note_readings().finish(end).map_err(|it| self.fail(it))?;
        let notes = &mut self.sync.facts.notes;
        notes.announced += found.announced;
        notes.silent += found.silent;
        Ok(())
    }

    /// Records that a contact or note has changed: notes are read by what is known of their contact.
    fn note_record(&self, record: &StoredRecord, moved: bool) -> Result<(), RunError> {
        let readings = self.note_readings();
        let noted = match (record.kind, &record.parent) {
            (RecordKind::Contact, _) if record.state == DELETED => {
                readings.remove_contact(&record.id)
            }
            (RecordKind::Contact, _) => readings.note_contact(&record.id, record.added_ms, moved),
            // It matters only of a contact whose notes had been read before.
            (RecordKind::Note, Some(contact)) if self.state.has_readings => {
                readings.note_change(contact)
            }
            _ => Ok(()),
        };
        noted.map_err(|source| self.fail(source))
    }

    fn count_change(&mut self, kind: RecordKind) -> &mut ChangeCounts {
        self.sync.facts.counts.entry(kind.table_name().to_owned()).or_default()
    }

    /// Merges rows in their order. The bodies of those that are probably new are compressed first, on several threads.
    pub(super) fn merge_rows(&mut self, rows: &[MergeRow]) -> Result<(), MirrorError> {
        self.add_dictionaries(rows)?;
        let (state, path) = (&*self.state, self.path);
        let is_new = |row: &&MergeRow| state.new_kinds.contains(&row.kind);
        let new: Vec<&MergeRow> = rows.iter().filter(is_new).collect();
        let bodies = concurrency::map_in_parallel(&new, || {
            let mut encoder = state.encoder.copy_for_thread();
            move |row: &&MergeRow| encoder.encode(path, row.kind, &row.body)
        });
        let mut bodies = bodies.into_iter();
        for row in rows {
            let is_new = self.state.new_kinds.contains(&row.kind);
            let body = is_new.then(|| bodies.next()).flatten().transpose()?;
            if let Some(body) = &body
                && self.insert_new_row(row, body)?
            {
                continue;
            }
            self.merge_row(row)?;
        }
        Ok(())
    }

    /// Makes dictionaries for kinds that have none, if the rows are enough for one.
    fn add_dictionaries(&mut self, rows: &[MergeRow]) -> Result<(), MirrorError> {
        for kind in RecordKind::ALL {
            let bodies = rows.iter().filter(|row| row.kind == kind).map(|row| &*row.body);
            self.state.encoder.add_dictionary(self.path, self.connection, kind, bodies)?;
        }
        Ok(())
    }

    /// Checks every page of the database before the first record of a merge is changed.
    fn ensure_sound(&mut self) -> Result<(), MirrorError> {
        if !self.state.is_checked {
            mirror_db::check_integrity(self.path, self.connection)?;
            self.state.is_checked = true;
        }
        Ok(())
    }

    /// Inserts a row; false if its record is there already.
    fn insert_new_row(&mut self, row: &MergeRow, body: &[u8]) -> Result<bool, MirrorError> {
        self.ensure_sound()?;
        let record = self.new_record(row, row.added_ms, None);
        let read = (self.read_at_ms, body);
        if !stored_record::insert_record(self.path, self.connection, &record, read)? {
            return Ok(false);
        }
        self.count_change(row.kind).added += 1;
        self.note_record(&record, !row.claims_unchanged)?;
        Ok(true)
    }

    /// The record that a row makes, of one that was known or not.
    fn new_record(
        &self,
        row: &MergeRow,
        added_ms: i64,
        known: Option<&StoredRecord>,
    ) -> StoredRecord {
        let seq = self.sync.seq;
        let returned = known.is_some_and(|known| known.state == DELETED);
        let returned_seq = known.and_then(|known| known.returned_seq);
        StoredRecord {
            kind: row.kind,
            added_ms,
            id: row.id.clone(),
            parent: row.parent.clone(),
            first_seq: known.map_or(seq, |known| known.first_seq),
            seq,
            deleted_seq: known.and_then(|known| known.deleted_seq),
            returned_seq: if returned { Some(seq) } else { returned_seq },
            state: LIVE,
            digest: row.digest.to_vec(),
        }
    }

    fn merge_row(&mut self, row: &MergeRow) -> Result<(), MirrorError> {
        let known = stored_record::find_record(self.path, self.connection, row.kind, &row.id)?;
        let seq = self.sync.seq;
        // A contact's own list of tasks leaves out when they were added: the first row that says so is news.
        let tells_date =
            |known: &StoredRecord| known.added_ms == UNDATED && row.added_ms != UNDATED;
        let is_same = |known: &StoredRecord| {
            known.state == LIVE && known.digest == row.digest && !tells_date(known)
        };
        if known.as_ref().is_some_and(|known| row.is_fallback || is_same(known)) {
            return Ok(());
        }
        self.ensure_sound()?;
        let (added_ms, body) = dated_body(row, known.as_ref());
        let body = self.state.encoder.encode(self.path, row.kind, &body)?;
        let record = self.new_record(row, added_ms, known.as_ref());
        let returned = known.as_ref().is_some_and(|known| known.state == DELETED);
        let is_silent =
            |known: &StoredRecord| row.claims_unchanged && known.state == LIVE && known.seq != seq;
        self.sync.facts.silent_changes += u64::from(known.as_ref().is_some_and(is_silent));
        let counts = self.count_change(row.kind);
        match &known {
            None => counts.added += 1,
            Some(_) if returned => counts.added += 1,
            // A row that comes twice in a sync changes nothing more than once.
            Some(known) if known.seq == seq => {}
            Some(_) => counts.changed += 1,
        }
        self.note_record(&record, !row.claims_unchanged)?;
        let read = (self.read_at_ms, body.as_slice());
        match known {
            None => {
                stored_record::insert_record(self.path, self.connection, &record, read)?;
            }
            Some(known) => {
                self.keep_version(&known)?;
                stored_record::update_record(self.path, self.connection, &record, Some(read))?;
            }
        }
        Ok(())
    }

    /// Keeps what an earlier sync saw of a record that is about to change.
    fn keep_version(&self, known: &StoredRecord) -> Result<(), RunError> {
        if known.seq == self.sync.seq {
            return Ok(());
        }
        stored_record::keep_version(self.path, self.connection, known)
    }

    /// Marks a record as deleted, and with a contact everything that belongs to it.
    pub(super) fn delete_record(&mut self, kind: RecordKind, id: &str) -> Result<(), MirrorError> {
        let known = stored_record::find_record(self.path, self.connection, kind, id)?;
        let Some(mut known) = known.filter(|known| known.state == LIVE) else { return Ok(()) };
        self.ensure_sound()?;
        self.keep_version(&known)?;
        known.state = DELETED;
        known.deleted_seq = Some(self.sync.seq);
        known.seq = self.sync.seq;
        stored_record::update_record(self.path, self.connection, &known, None)?;
        self.note_record(&known, true)?;
        self.count_change(kind).deleted += 1;
        if kind == RecordKind::Contact {
            for child in [RecordKind::Task, RecordKind::Note] {
                for id in live_ids(self.path, self.connection, child, Some(id))? {
                    self.delete_record(child, &id)?;
                }
            }
        }
        Ok(())
    }

    /// Marks every record of a kind as deleted that has none of these ids.
    pub(super) fn delete_others(
        &mut self,
        kind: RecordKind,
        ids: &[String],
    ) -> Result<(), MirrorError> {
        let ids: HashSet<&String> = ids.iter().collect();
        for id in live_ids(self.path, self.connection, kind, None)? {
            if !ids.contains(&id) {
                self.delete_record(kind, &id)?;
            }
        }
        Ok(())
    }
}

/// The body of a row, with when it was added. A contact's own list of tasks leaves that out; the search may have said so
/// before.
fn dated_body<'a>(row: &'a MergeRow, known: Option<&StoredRecord>) -> (i64, Cow<'a, str>) {
    let plain = (row.added_ms, Cow::from(&*row.body));
    if row.kind != RecordKind::Task || row.added_ms != UNDATED {
        return plain;
    }
    let Some(known) = known else { return plain };
    let Ok(added) = jiff::Timestamp::from_millisecond(known.added_ms) else { return plain };
    let added = added.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    let rest = row.body.trim_start_matches('{');
    (known.added_ms, format!("{{\"dateAdded\":\"{added}\",{rest}").into())
}

/// The ids of the records of a kind that exist; with a parent, of those that belong to it.
fn live_ids(
    path: &Path,
    connection: &Connection,
    kind: RecordKind,
    parent: Option<&str>,
) -> Result<Vec<String>, RunError> {
    let condition = if parent.is_some() { "parent = ?3" } else { "?3 IS NULL" };
    let query = format!("SELECT id FROM record WHERE kind = ?1 AND state = ?2 AND {condition}");
    connection
        .prepare_cached(&query)
        .and_then(|mut query| {
            query.query_map(params![kind.code(), LIVE, parent], |row| row.get(0))?.collect()
        })
        .map_err(|source| RunError::from_sqlite(path, source))
}
