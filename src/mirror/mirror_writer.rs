//! The write side of a mirror: what a sync merges into it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::error::MirrorError;
use super::failures;
use super::field_columns;
use super::mirror_db::{self, meta_key};
use super::note_readings::{NoteReadings, NotesEnd};
use super::record::RecordKind;
use super::stored_record::{self, DELETED, LIVE, StoredRecord};
use super::sync_log::{self, SyncFacts, SyncRecord, SyncState};
use crate::event::ChangeCounts;
use crate::id::{LocationId, RunId};
use crate::resource::{FieldColumn, UNDATED};
use crate::run::{FetchFailure, RunError};

/// A row that a sync has read.
#[derive(Debug, Clone)]
pub struct MergeRow {
    /// The kind.
    pub kind: RecordKind,
    /// When it was added, in milliseconds since 1970; the minimum if that is unknown.
    pub added_ms: i64,
    /// Its id.
    pub id: String,
    /// The contact that it belongs to.
    pub parent: Option<String>,
    /// The digest of what it says.
    pub digest: [u8; 16],
    /// Whether it says itself that it has not changed since the last sync. A change of it is silent: only a walk finds it.
    pub claims_unchanged: bool,
    /// The row, as the server sent it.
    pub body: Box<str>,
}

/// What is merged in one transaction.
#[derive(Debug, Default)]
pub struct MergeBatch {
    /// Rows that the server sent.
    pub rows: Vec<MergeRow>,
    /// Records that the server has said no longer exist.
    pub deleted: Vec<(RecordKind, String)>,
    /// The contacts whose own lists of notes were read.
    pub note_lists: Vec<String>,
    /// The last entry of the spool whose rows are in the mirror after it.
    pub place: i64,
}

/// The write side. Its owner has locked the mirror.
#[derive(Debug)]
pub struct MirrorWriter {
    path: PathBuf,
    connection: Connection,
}

impl MirrorWriter {
    /// Opens the mirror in a directory, or creates an empty one, and checks it for damage.
    ///
    /// # Errors
    /// When it is damaged or of another version, or cannot be opened.
    pub fn open(dir: &Path, location: &LocationId) -> Result<Self, MirrorError> {
        let path = super::database_path(dir);
        let connection = mirror_db::open_or_create(&path, location)?;
        mirror_db::check_integrity(&path, &connection)?;
        let owner = mirror_db::read_meta(&path, &connection, meta_key::LOCATION)?;
        if owner.as_deref() != Some(location.as_str()) {
            let why = "it belongs to another location".to_owned();
            return Err(MirrorError::Damaged { path, why });
        }
        Ok(Self { path, connection })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// The same mirror with another connection, for another thread.
    pub fn open_again(&self) -> Result<Self, MirrorError> {
        let connection = mirror_db::open(&self.path)?;
        Ok(Self { path: self.path.clone(), connection })
    }

    /// Whether all that a run has read is in the mirror.
    pub fn is_merged(&self, run: &RunId) -> Result<bool, MirrorError> {
        let sync = sync_log::read_last_sync(&self.path, &self.connection, "run = ?", run.as_str())?;
        Ok(sync.is_some_and(|sync| sync.state == SyncState::Done))
    }

    /// The run that was reading for the mirror when it was started, if it has not been merged.
    pub fn pending_run(&self) -> Result<Option<RunId>, MirrorError> {
        let run = mirror_db::read_meta(&self.path, &self.connection, meta_key::PENDING_RUN)?;
        Ok(run.and_then(|run| run.parse().ok()))
    }

    /// Remembers the run that reads for the mirror from now on; `None` once its run is merged or given up.
    pub fn set_pending_run(&self, run: Option<&RunId>) -> Result<(), MirrorError> {
        let (path, connection, key) = (&self.path, &self.connection, meta_key::PENDING_RUN);
        match run {
            Some(run) => mirror_db::write_meta(path, connection, key, run.as_str())?,
            None => mirror_db::delete_meta(path, connection, key)?,
        }
        Ok(())
    }

    /// Counts requests that were sent on a day, and forgets the days before.
    pub fn add_requests(&self, day: &str, sent: u64) -> Result<(), MirrorError> {
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let add = "INSERT INTO request_count VALUES (?1, ?2)
             ON CONFLICT (day) DO UPDATE SET requests = requests + ?2";
        self.connection.execute(add, params![day, sent.cast_signed()]).map_err(fail)?;
        self.connection.execute("DELETE FROM request_count WHERE day < ?", [day]).map_err(fail)?;
        Ok(())
    }

    /// How many requests were sent on a day.
    pub fn count_requests(&self, day: &str) -> Result<u64, MirrorError> {
        let query = "SELECT coalesce(sum(requests), 0) FROM request_count WHERE day = ?";
        let count = self.connection.query_row(query, [day], |row| row.get::<_, i64>(0));
        let count = count.map_err(|source| RunError::from_sqlite(&self.path, source))?;
        Ok(count.max(0).cast_unsigned())
    }

    /// Begins to merge what a run has read, or goes on with it. A sync that is done already is returned as such.
    pub fn begin_merge(&mut self, mut facts: SyncFacts) -> Result<SyncRecord, MirrorError> {
        let (path, connection) = (&self.path, &self.connection);
        let run = facts.run.as_str();
        if let Some(known) = sync_log::read_last_sync(path, connection, "run = ?", run)? {
            return Ok(known);
        }
        let last = sync_log::read_last_sync(path, connection, "'' = ?", "")?;
        let seq = last.as_ref().map_or(1, |last| last.seq + 1);
        if let Some(last) = &last {
            facts.changes_ms = facts.changes_ms.max(last.facts.changes_ms);
        }
        // What another one has merged before its run was lost stays; this one completes it.
        sync_log::delete_unfinished(path, connection)?;
        let sync = SyncRecord { seq, state: SyncState::Merging, place: 0, facts };
        sync_log::write_sync(path, connection, &sync)?;
        Ok(sync)
    }

    /// Gives columns of custom fields, in the order in which they were first seen, other names.
    pub fn rename_field_columns(&self, columns: &[FieldColumn]) -> Result<(), MirrorError> {
        let transaction = self.connection.unchecked_transaction();
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let transaction = transaction.map_err(fail)?;
        field_columns::replace_columns(&self.path, &transaction, columns, 0)?;
        transaction.commit().map_err(fail)?;
        Ok(())
    }

    /// Merges a batch in one transaction, with its place. `read_at_ms` is when the rows were read.
    pub fn merge_batch(
        &mut self,
        sync: &mut SyncRecord,
        batch: &MergeBatch,
        read_at_ms: i64,
    ) -> Result<(), MirrorError> {
        self.commit_merge(sync, read_at_ms, |merge| {
            for row in &batch.rows {
                merge.merge_row(row)?;
            }
            for (kind, id) in &batch.deleted {
                merge.delete_record(*kind, id)?;
            }
            for contact in &batch.note_lists {
                merge.note_readings().mark_list(contact).map_err(|it| merge.fail(it))?;
            }
            merge.sync.place = merge.sync.place.max(batch.place);
            Ok(())
        })
    }

    /// Ends a merge: deletes what `whole_lists` no longer have, replaces the failures and the location's settings, and
    /// marks the sync as done, in one transaction.
    pub fn finish_merge(
        &mut self,
        sync: &mut SyncRecord,
        end: &MergeEnd,
        read_at_ms: i64,
    ) -> Result<(), MirrorError> {
        self.commit_merge(sync, read_at_ms, |merge| {
            for (kind, ids) in &end.whole_lists {
                merge.delete_others(*kind, ids)?;
            }
            let (path, connection) = (merge.path, merge.connection);
            if let Some(settings) = &end.location_settings {
                mirror_db::write_meta(path, connection, meta_key::SETTINGS, settings)?;
            }
            failures::replace_failures(path, connection, &end.failures)?;
            merge.finish_notes(&end.notes)?;
            field_columns::replace_columns(path, connection, &end.field_columns, merge.sync.seq)?;
            merge.sync.state = SyncState::Done;
            Ok(())
        })
    }

    /// Does a part of a merge in one transaction, with what it has changed in the log of syncs.
    fn commit_merge(
        &mut self,
        sync: &mut SyncRecord,
        read_at_ms: i64,
        work: impl FnOnce(&mut Merge<'_>) -> Result<(), MirrorError>,
    ) -> Result<(), MirrorError> {
        let (path, mut merged) = (self.path.clone(), sync.clone());
        let fail = |source| RunError::from_sqlite(&path, source);
        let transaction = self.connection.transaction().map_err(fail)?;
        work(&mut Merge::new(&path, &transaction, &mut merged, read_at_ms)?)?;
        sync_log::write_sync(&path, &transaction, &merged)?;
        transaction.commit().map_err(fail)?;
        *sync = merged;
        Ok(())
    }
}

/// What ends a merge.
#[derive(Debug, Default)]
pub struct MergeEnd {
    /// Lists that were read as a whole, with the ids that they have: other records of the kind no longer exist.
    pub whole_lists: Vec<(RecordKind, Vec<String>)>,
    /// The location's settings, if they were read.
    pub location_settings: Option<String>,
    /// The records that could not be read.
    pub failures: Vec<FetchFailure>,
    /// What was read of notes as a whole.
    pub notes: NotesEnd,
    /// The columns of custom fields: those that were known, in their order, then new ones.
    pub field_columns: Vec<FieldColumn>,
}

/// A merge within one transaction.
struct Merge<'a> {
    path: &'a Path,
    connection: &'a Connection,
    sync: &'a mut SyncRecord,
    read_at_ms: i64,
    compressor: zstd::bulk::Compressor<'static>,
}

impl<'a> Merge<'a> {
    fn new(
        path: &'a Path,
        connection: &'a Connection,
        sync: &'a mut SyncRecord,
        read_at_ms: i64,
    ) -> Result<Self, MirrorError> {
        let compressor = stored_record::new_compressor(path)?;
        Ok(Self { path, connection, sync, read_at_ms, compressor })
    }

    fn fail(&self, source: rusqlite::Error) -> RunError {
        RunError::from_sqlite(self.path, source)
    }

    fn note_readings(&self) -> NoteReadings<'a> {
        NoteReadings { connection: self.connection, seq: self.sync.seq }
    }

    fn finish_notes(&mut self, end: &NotesEnd) -> Result<(), RunError> {
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
            (RecordKind::Note, Some(contact)) => readings.note_change(contact),
            _ => Ok(()),
        };
        noted.map_err(|source| self.fail(source))
    }

    fn count_change(&mut self, kind: RecordKind) -> &mut ChangeCounts {
        self.sync.facts.counts.entry(kind.table_name().to_owned()).or_default()
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
        if known.as_ref().is_some_and(is_same) {
            return Ok(());
        }
        let (added_ms, body) = dated_body(row, known.as_ref());
        let body = self
            .compressor
            .compress(body.as_bytes())
            .map_err(|source| RunError::from_io(self.path, source))?;
        let returned = known.as_ref().is_some_and(|known| known.state == DELETED);
        let record = StoredRecord {
            kind: row.kind,
            added_ms,
            id: row.id.clone(),
            parent: row.parent.clone(),
            first_seq: known.as_ref().map_or(seq, |known| known.first_seq),
            seq,
            deleted_seq: known.as_ref().and_then(|known| known.deleted_seq),
            returned_seq: if returned {
                Some(seq)
            } else {
                known.as_ref().and_then(|known| known.returned_seq)
            },
            state: LIVE,
            digest: row.digest.to_vec(),
        };
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
            None => stored_record::insert_record(self.path, self.connection, &record, read)?,
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
    fn delete_record(&mut self, kind: RecordKind, id: &str) -> Result<(), MirrorError> {
        let known = stored_record::find_record(self.path, self.connection, kind, id)?;
        let Some(mut known) = known.filter(|known| known.state == LIVE) else { return Ok(()) };
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
    fn delete_others(&mut self, kind: RecordKind, ids: &[String]) -> Result<(), MirrorError> {
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
