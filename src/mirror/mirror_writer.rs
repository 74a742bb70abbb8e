//! The write side of a mirror: what a sync merges into it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::error::MirrorError;
use super::failures;
use super::field_columns;
use super::merge_batch::{MergeBatch, MergeEnd};
use super::mirror_db::{self, meta_key};
use super::record_merge::{MergeState, RecordMerge};
use super::sync_log::{self, SyncFacts, SyncRecord, SyncState};
use crate::id::{LocationId, RunId};
use crate::resource::FieldColumn;
use crate::run::RunError;

/// The write side. Its owner has locked the mirror.
#[derive(Debug)]
pub struct MirrorWriter {
    path: PathBuf,
    connection: Connection,
    /// What merges have in common; `None` before the first one.
    merging: Option<MergeState>,
}

impl MirrorWriter {
    /// Opens the mirror in a directory, or creates an empty one. Damage shows when it is read, or before its first record
    /// is changed.
    ///
    /// # Errors
    /// When it is damaged or of another version, or cannot be opened.
    pub fn open(dir: &Path, location: &LocationId) -> Result<Self, MirrorError> {
        let path = super::database_path(dir);
        let connection = mirror_db::open_or_create(&path, location)?;
        let owner = mirror_db::read_meta(&path, &connection, meta_key::LOCATION)?;
        if owner.as_deref() != Some(location.as_str()) {
            let why = "it belongs to another location".to_owned();
            return Err(MirrorError::Damaged { path, why });
        }
        Ok(Self { path, connection, merging: None })
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
        let connection = mirror_db::open_for_merge(&self.path)?;
        Ok(Self { path: self.path.clone(), connection, merging: None })
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
            merge.merge_rows(&batch.rows)?;
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
        })?;
        self.merging = None;
        Ok(())
    }

    /// Does a part of a merge in one transaction, with what it has changed in the log of syncs.
    fn commit_merge(
        &mut self,
        sync: &mut SyncRecord,
        read_at_ms: i64,
        work: impl FnOnce(&mut RecordMerge<'_>) -> Result<(), MirrorError>,
    ) -> Result<(), MirrorError> {
        let (path, mut merged) = (self.path.clone(), sync.clone());
        let fail = |source| RunError::from_sqlite(&path, source);
        // Taken, so that a transaction that fails leaves nothing of what it has not written.
        let merging = self.merging.take();
        let transaction = self.connection.transaction().map_err(fail)?;
        let mut state = match merging {
            Some(state) => state,
            None => MergeState::load(&path, &transaction)?,
        };
        work(&mut RecordMerge {
            path: &path,
            connection: &transaction,
            sync: &mut merged,
            read_at_ms,
            state: &mut state,
        })?;
        sync_log::write_sync(&path, &transaction, &merged)?;
        transaction.commit().map_err(fail)?;
        self.merging = Some(state);
        *sync = merged;
        Ok(())
    }
}
