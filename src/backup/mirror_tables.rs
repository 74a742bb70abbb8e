//! The lines of a snapshot, from the records of a mirror.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::BackupError;
use crate::mirror::{MirrorReader, RecordKind, SnapshotRow};
use crate::repository::{
    DataFileWriter, DeletionReason, FIELD_COLUMNS_ID, LOCATION_TABLE, SnapshotLine, SnapshotRecord,
    StateHash,
};
use crate::resource::{FieldColumn, UNDATED};

/// What a snapshot says of the location itself.
pub(super) struct LocationRecords {
    records: Vec<SnapshotRecord>,
    /// The digest of all of it.
    pub(super) digest: String,
}

impl LocationRecords {
    /// The location's settings, and the columns of its custom fields, which keep their names for ever.
    pub(super) fn read(mirror: &MirrorReader, seq: i64, time_ms: i64) -> Result<Self, BackupError> {
        let (settings, columns) =
            (mirror.location_settings()?, mirror.load_field_columns(i64::MAX)?);
        let settings = settings.map(|settings| without_trace(&settings));
        let columns = (!columns.is_empty()).then(|| columns_json(&columns));
        let all =
            [(FIELD_COLUMNS_ID.to_owned(), columns), (mirror.location()?.to_string(), settings)];
        let (mut records, mut digest) = (Vec::new(), Sha256::new());
        for (id, body) in all {
            let Some(body) = body else { continue };
            let hash = Sha256::digest(body.as_bytes());
            digest.update(hash);
            records.push(SnapshotRecord {
                added_ms: UNDATED,
                id,
                of: None,
                seq,
                seen_at_ms: time_ms,
                read_at_ms: time_ms,
                digest: hash[..16].to_vec(),
                body,
            });
        }
        records.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Self { records, digest: base16ct::lower::encode_string(&digest.finalize()) })
    }

    pub(super) fn count(&self) -> u64 {
        self.records.len() as u64
    }

    pub(super) fn write(&self, to: &mut DataFileWriter<'_>) -> Result<(), BackupError> {
        for record in &self.records {
            to.add_line(&SnapshotLine::Put(record.clone()))?;
        }
        Ok(())
    }

    fn add_to_state(&self, state: &mut StateHash) {
        for record in &self.records {
            state.add_record(LOCATION_TABLE, &record.id, &record.digest);
        }
    }
}

/// The settings without what differs from answer to answer, such as the id of the request.
fn without_trace(settings: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        location: &'a serde_json::value::RawValue,
    }
    let location = serde_json::from_str::<Answer>(settings);
    location.map_or_else(
        |_| settings.to_owned(),
        |it| format!("{{\"location\":{}}}", it.location.get()),
    )
}

fn columns_json(columns: &[FieldColumn]) -> String {
    serde_json::to_string(columns).expect("columns are plain JSON")
}

/// The state of a mirror: the same that a snapshot of it has when it is read.
pub(super) fn hash_state(
    mirror: &MirrorReader,
    location: &LocationRecords,
) -> Result<String, BackupError> {
    let mut state = StateHash::default();
    for kind in RecordKind::ALL {
        mirror.for_each_digest(kind, |id, digest| {
            state.add_record(kind.table_name(), id, digest);
        })?;
    }
    location.add_to_state(&mut state);
    Ok(state.finish())
}

/// Turns records of a mirror into lines.
pub(super) struct LineBuilder<'m> {
    mirror: &'m MirrorReader,
    /// The server's time when a sync began, by its number.
    times: HashMap<i64, i64>,
    /// The time of syncs that are no longer known.
    last_ms: i64,
}

impl<'m> LineBuilder<'m> {
    pub(super) fn new(mirror: &'m MirrorReader, last_ms: i64) -> Self {
        Self { mirror, times: HashMap::new(), last_ms }
    }

    /// Writes the lines of a table: of all records, or of what has changed after a sync.
    pub(super) fn write_table(
        &mut self,
        kind: RecordKind,
        after_seq: Option<i64>,
        to: &mut DataFileWriter<'_>,
    ) -> Result<(), BackupError> {
        self.mirror.for_each_snapshot_row(kind, after_seq, |row| {
            // What came and went since is in no file of the chain.
            let is_unknown = after_seq.is_some_and(|after| row.first_seq > after);
            if row.row.deleted_seq.is_some() && is_unknown {
                return Ok(());
            }
            let line = self.build_line(kind, row)?;
            Ok(to.add_line(&line)?)
        })
    }

    fn build_line(
        &mut self,
        kind: RecordKind,
        row: SnapshotRow,
    ) -> Result<SnapshotLine, BackupError> {
        let SnapshotRow { row, digest, .. } = row;
        let seen_at_ms = self.time_of(row.seq)?;
        let (added_ms, id, of, seq) = (row.added_ms, row.id, row.parent, row.seq);
        if row.deleted_seq.is_some() {
            let why = self.deletion_reason(kind, of.as_deref())?;
            return Ok(SnapshotLine::Del { added_ms, id, of, seq, seen_at_ms, why });
        }
        let (read_at_ms, body) = (row.read_at_ms, row.body);
        let record = SnapshotRecord { added_ms, id, of, seq, seen_at_ms, read_at_ms, digest, body };
        Ok(SnapshotLine::Put(record))
    }

    fn deletion_reason(
        &self,
        kind: RecordKind,
        contact: Option<&str>,
    ) -> Result<DeletionReason, BackupError> {
        if kind == RecordKind::Contact {
            return Ok(DeletionReason::OwnEndpoint);
        }
        let contact =
            contact.map(|id| self.mirror.find_version(RecordKind::Contact, id)).transpose()?;
        let is_gone = contact.flatten().is_some_and(|contact| !contact.is_live);
        Ok(if is_gone { DeletionReason::Contact } else { DeletionReason::List })
    }

    fn time_of(&mut self, seq: i64) -> Result<i64, BackupError> {
        if let Some(time) = self.times.get(&seq) {
            return Ok(*time);
        }
        // A sync whose run was lost was completed by a later one.
        let sync = self.mirror.find_sync(seq)?;
        let time = sync.map_or(self.last_ms, |sync| sync.facts.changes_ms);
        self.times.insert(seq, time);
        Ok(time)
    }
}
