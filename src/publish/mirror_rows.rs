//! The rows of a mirror, in the order of their tables, with the facts of their syncs.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::SyncSender;

use super::{PublishError, SortableRow, SplitRows};
use crate::mirror::{
    DeletedRows, MirrorError, MirrorReader, MirrorRow, NetChange, NoteReadingTimes, RecordKind,
    SyncRecord,
};
use crate::resource::{CustomFieldColumns, ResourceSpec, RowSortKey, RowSyncFacts};

/// Rows that are read at once.
const BATCH: usize = 500;
/// Contacts whose reading of notes is kept in memory because it was not that of most others.
const MOST_READINGS: usize = 20_000;

/// Which changes of a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeRange {
    /// Those after this sync.
    pub after: i64,
    /// Those up to this one.
    pub until: i64,
    /// Whether the reader has lost its place, so that every record that exists is shown instead.
    pub reload: bool,
}

/// Opens a mirror that exists.
pub(super) fn open_mirror(dir: &Path) -> Result<MirrorReader, MirrorError> {
    let missing = || MirrorError::Damaged {
        path: crate::mirror::database_path(dir),
        why: "it has disappeared".to_owned(),
    };
    MirrorReader::open(dir)?.ok_or_else(missing)
}

/// The custom fields that were known to a sync, as columns of the contacts.
pub fn load_custom_fields(
    mirror: &MirrorReader,
    until_seq: i64,
) -> Result<CustomFieldColumns, MirrorError> {
    Ok(CustomFieldColumns::from_columns(&mirror.load_field_columns(until_seq)?))
}

/// Sends the rows of these tables, table by table. Tables that a mirror does not have are empty.
pub(super) fn send_rows(
    dir: &Path,
    tables: &[&'static ResourceSpec],
    deleted: DeletedRows,
    batches: &SyncSender<SplitRows>,
) -> Result<(), PublishError> {
    for_each_table(dir, tables, batches, |mirror, facts, kind, table| {
        // A column keeps its name for ever, and so its description.
        let deleted = if kind == RecordKind::CustomField { DeletedRows::Keep } else { deleted };
        let mut after: Option<(i64, String)> = None;
        loop {
            let from = after.as_ref().map(|(added, id)| (*added, id.as_str()));
            let rows = mirror.load_rows(kind, from, deleted, BATCH)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some((last.added_ms, last.id.clone()));
            for row in rows {
                let facts = facts.of_row(kind, &row)?;
                if !table.send_row(row, facts) {
                    return Ok(());
                }
            }
        }
    })
}

/// Sends what has changed in these tables, table by table.
pub(super) fn send_changes(
    dir: &Path,
    tables: &[&'static ResourceSpec],
    range: ChangeRange,
    batches: &SyncSender<SplitRows>,
) -> Result<(), PublishError> {
    let span = (if range.reload { 0 } else { range.after }, range.until);
    for_each_table(dir, tables, batches, |mirror, facts, kind, table| {
        let mut failure = None;
        mirror.for_each_net_change(kind, span, |changed| {
            match facts.of_change(kind, &changed, range) {
                Ok(facts) => table.send_row(changed.row, facts),
                Err(error) => {
                    failure = Some(error);
                    false
                }
            }
        })?;
        failure.map_or(Ok(()), |error| Err(error.into()))
    })
}

/// Does `send` for every table that a mirror has.
fn for_each_table(
    dir: &Path,
    tables: &[&'static ResourceSpec],
    batches: &SyncSender<SplitRows>,
    mut send: impl FnMut(
        &MirrorReader,
        &mut SyncFactsReader<'_>,
        RecordKind,
        &mut RowBatches<'_>,
    ) -> Result<(), PublishError>,
) -> Result<(), PublishError> {
    let mirror = open_mirror(dir)?;
    let mut facts = SyncFactsReader::new(&mirror)?;
    for (table, spec) in tables.iter().enumerate() {
        let Some(kind) = RecordKind::from_table_name(spec.name) else { continue };
        let mut rows = RowBatches { table, seq: 1, rows: Vec::new(), batches };
        send(&mirror, &mut facts, kind, &mut rows)?;
        rows.send_batch();
    }
    Ok(())
}

/// The rows of a table on their way to its writer.
struct RowBatches<'a> {
    table: usize,
    seq: i64,
    rows: Vec<SortableRow>,
    batches: &'a SyncSender<SplitRows>,
}

impl RowBatches<'_> {
    /// Sends a row, with others; false if the writer has failed, which reports the reason itself.
    fn send_row(&mut self, row: MirrorRow, facts: RowSyncFacts) -> bool {
        let text = facts.add_to_row(&row.body).into();
        let key = RowSortKey { added: row.added_ms, id: row.id };
        self.rows.push(SortableRow { key, seq: self.seq, text });
        self.rows.len() < BATCH || self.send_batch()
    }

    fn send_batch(&mut self) -> bool {
        let (table, seq) = (self.table, self.seq);
        self.seq += 1;
        let rows: Vec<_> = std::mem::take(&mut self.rows).into_iter().map(Ok).collect();
        rows.is_empty() || self.batches.send(SplitRows { table, seq, rows, deleted: 0 }).is_ok()
    }
}

/// Says when rows were seen.
struct SyncFactsReader<'a> {
    mirror: &'a MirrorReader,
    /// The server's time when a sync began, by its number.
    times: HashMap<i64, i64>,
    last_walk_ms: i64,
    /// When all tasks were last read.
    tasks_ms: i64,
    /// When the tables were last read as a whole that are read only on request.
    last_readings: HashMap<RecordKind, i64>,
    note_readings: NoteReadingTimes,
}

impl<'a> SyncFactsReader<'a> {
    fn new(mirror: &'a MirrorReader) -> Result<Self, MirrorError> {
        let time = |sync: SyncRecord| sync.facts.changes_ms;
        let last_walk_ms = mirror.last_walk()?.map_or(i64::MIN, time);
        let tasks_ms = mirror.last_sync()?.and_then(|sync| sync.facts.tasks_ms);
        let tasks_ms = tasks_ms.unwrap_or(last_walk_ms);
        let mut last_readings = HashMap::new();
        for kind in [RecordKind::Appointment, RecordKind::Business] {
            let last = mirror.last_reading_of(kind)?.map_or(i64::MIN, time);
            last_readings.insert(kind, last);
        }
        let note_readings = mirror.load_note_reading_times(MOST_READINGS)?;
        let times = HashMap::new();
        Ok(Self { mirror, times, last_walk_ms, tasks_ms, last_readings, note_readings })
    }

    fn time_of(&mut self, seq: i64) -> Result<i64, MirrorError> {
        if let Some(time) = self.times.get(&seq) {
            return Ok(*time);
        }
        // A sync whose run was lost was completed by one that read everything.
        let sync = self.mirror.find_sync(seq)?;
        let time = sync.map_or(self.last_walk_ms, |sync| sync.facts.changes_ms);
        self.times.insert(seq, time);
        Ok(time)
    }

    fn of_row(&mut self, kind: RecordKind, row: &MirrorRow) -> Result<RowSyncFacts, MirrorError> {
        let changed_ms = self.time_of(row.seq)?;
        let is_note = kind == RecordKind::Note;
        // A walk need not have read the notes of all contacts.
        let read_ms = match row.parent.as_deref().filter(|_| is_note) {
            Some(contact) => {
                let known = self.note_readings.find_reading_ms(contact);
                let read_ms = known.map_or_else(|| self.mirror.note_reading_ms(contact), Ok)?;
                read_ms.unwrap_or(i64::MIN)
            }
            None if kind == RecordKind::Task => self.tasks_ms,
            None => self.last_readings.get(&kind).copied().unwrap_or(self.last_walk_ms),
        };
        let synced_ms = changed_ms.max(read_ms);
        let deleted_ms = row.deleted_seq.map(|seq| self.time_of(seq)).transpose()?;
        let checked_ms = is_note.then_some(synced_ms);
        Ok(RowSyncFacts {
            change: None,
            seq: row.seq,
            synced_ms,
            changed_ms,
            deleted_ms,
            checked_ms,
        })
    }

    /// The facts of a change. They do not depend on later syncs, so that a file of changes can be written again.
    fn of_change(
        &mut self,
        kind: RecordKind,
        changed: &NetChange,
        range: ChangeRange,
    ) -> Result<RowSyncFacts, MirrorError> {
        let mut facts = self.of_row(kind, &changed.row)?;
        if range.reload {
            facts.change = Some("reload");
            facts.changed_ms = self.time_of(range.until)?;
        } else {
            facts.change = Some(changed.change.spelling());
        }
        facts.synced_ms = facts.changed_ms;
        facts.checked_ms = facts.checked_ms.map(|_| facts.changed_ms);
        Ok(facts)
    }
}
