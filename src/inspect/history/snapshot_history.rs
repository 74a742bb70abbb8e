//! The history of a contact as the snapshots of a repository tell it, also where the mirror is gone or was made again.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{ChangeWindow, ContactHistory, KINDS, RecordedChange, compare_rows, place_of, spec_of};
use crate::id::ContactId;
use crate::inspect::record_row::{RecordReader, RecordRow};
use crate::inspect::snapshot_diff::load_fields;
use crate::mirror::{ChangeKind, RecordKind};
use crate::repository::{
    Identities, Repository, RepositoryError, Snapshot, SnapshotKind, SnapshotLine, SnapshotList,
};
use crate::resource::CustomFieldColumns;

/// Reads the history of a contact from all snapshots of a location; `None` if they do not have it. Reads the files of
/// three tables of every snapshot.
///
/// # Errors
/// When a snapshot is damaged, or cannot be decrypted.
pub fn read_snapshot_history(
    repository: &Repository,
    list: &SnapshotList,
    identities: Option<&Identities>,
    id: &ContactId,
) -> Result<Option<ContactHistory>, RepositoryError> {
    let Some(newest) = list.newest() else { return Ok(None) };
    let chain = repository.open_chain(list, newest, identities.cloned())?;
    let fields = load_fields(&chain)?;
    let (mut changes, mut current) = (Vec::new(), RecordRow::default());
    for kind in KINDS {
        let mut known = KnownRecords {
            kind,
            contact: id.as_str(),
            fields: &fields,
            reader: RecordReader::new(spec_of(kind), &fields, None),
            records: BTreeMap::new(),
            changes: &mut changes,
        };
        let mut before = None;
        for snapshot in &list.snapshots {
            let lines = read_lines(repository, snapshot, identities, kind, id.as_str())?;
            known.add_snapshot(snapshot, lines, before);
            before = Some(snapshot.manifest.as_of);
        }
        if kind == RecordKind::Contact {
            let Some(contact) = known.records.remove(id.as_str()) else { return Ok(None) };
            current = contact.row;
        }
    }
    // A mirror that was made again numbers its syncs from the beginning.
    let key = |it: &RecordedChange| (it.between.1, place_of(it.kind), it.id.clone());
    changes.sort_by_cached_key(key);
    let field_labels = crate::inspect::label_fields(&fields);
    Ok(Some(ContactHistory { contact: current, changes, field_labels }))
}

/// The lines of a snapshot about the contact.
fn read_lines(
    repository: &Repository,
    snapshot: &Snapshot,
    identities: Option<&Identities>,
    kind: RecordKind,
    contact: &str,
) -> Result<Vec<SnapshotLine>, RepositoryError> {
    let mut lines = Vec::new();
    repository.for_each_line(&snapshot.manifest, kind.table_name(), identities, |line| {
        let (id, of) = match line {
            SnapshotLine::Put(record) => (&record.id, &record.of),
            SnapshotLine::Del { id, of, .. } => (id, of),
        };
        if id == contact || of.as_deref() == Some(contact) {
            lines.push(line.clone());
        }
    })?;
    Ok(lines)
}

/// A record as the snapshots read so far have it.
struct KnownRecord {
    digest: Vec<u8>,
    row: RecordRow,
    exists: bool,
}

/// The records of one table that belong to the contact.
struct KnownRecords<'a> {
    kind: RecordKind,
    contact: &'a str,
    fields: &'a CustomFieldColumns,
    reader: RecordReader,
    records: BTreeMap<String, KnownRecord>,
    changes: &'a mut Vec<RecordedChange>,
}

impl KnownRecords<'_> {
    /// Compares what a snapshot has with the ones before it.
    fn add_snapshot(
        &mut self,
        snapshot: &Snapshot,
        lines: Vec<SnapshotLine>,
        before: Option<Timestamp>,
    ) {
        let manifest = &snapshot.manifest;
        let window = ChangeWindow(before, manifest.as_of);
        if manifest.kind == SnapshotKind::Full {
            // What a full snapshot does not have was deleted, although it has no line about it.
            let has = |id: &String| {
                lines.iter().any(|it| matches!(it, SnapshotLine::Put(record) if record.id == *id))
            };
            let gone = self.records.iter().filter(|(id, it)| it.exists && !has(id));
            let gone: Vec<String> = gone.map(|(id, _)| id.clone()).collect();
            for id in gone {
                self.add_deletion(&id, manifest.seq, window);
            }
        }
        for line in lines {
            match line {
                SnapshotLine::Put(record) => {
                    let Ok(row) = self.reader.read_row(&record.body) else { continue };
                    self.add_version(record.id, record.digest, row, record.seq, window);
                }
                SnapshotLine::Del { id, seq, .. } => self.add_deletion(&id, seq, window),
            }
        }
    }

    fn add_version(
        &mut self,
        id: String,
        digest: Vec<u8>,
        row: RecordRow,
        seq: i64,
        window: ChangeWindow,
    ) {
        let known = self.records.get(&id);
        let change = match known {
            None => ChangeKind::Insert,
            Some(known) if !known.exists => ChangeKind::Return,
            Some(known) if known.digest == digest => return,
            Some(_) => ChangeKind::Update,
        };
        let before = known.map(|known| &known.row);
        let fields = compare_rows(self.kind, before, &row, self.fields);
        // Written in another way, it says the same.
        if change != ChangeKind::Update || !fields.is_empty() {
            self.push_change(&id, seq, change, window, fields);
        }
        self.records.insert(id, KnownRecord { digest, row, exists: true });
    }

    fn add_deletion(&mut self, id: &str, seq: i64, window: ChangeWindow) {
        let Some(known) = self.records.get_mut(id).filter(|known| known.exists) else { return };
        known.exists = false;
        self.push_change(id, seq, ChangeKind::Delete, window, BTreeMap::new());
    }

    fn push_change(
        &mut self,
        id: &str,
        seq: i64,
        change: ChangeKind,
        between: ChangeWindow,
        fields: BTreeMap<String, super::FieldChange>,
    ) {
        self.changes.push(RecordedChange {
            seq,
            kind: self.kind,
            change,
            id: id.to_owned(),
            contact_id: self.contact.to_owned(),
            between,
            fields,
            before_unknown: false,
        });
    }
}
