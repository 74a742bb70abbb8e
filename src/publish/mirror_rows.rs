//! The rows of a mirror, in the order of their tables.

use std::path::Path;
use std::sync::mpsc::SyncSender;

use super::{PublishError, SortableRow, SplitRows};
use crate::mirror::{MirrorError, MirrorReader, RecordKind};
use crate::resource::{CustomFieldColumns, ResourceSpec, RowSortKey};

/// Rows that are read at once.
const BATCH: usize = 500;

/// Opens a mirror that exists.
pub(super) fn open_mirror(dir: &Path) -> Result<MirrorReader, MirrorError> {
    let missing = || MirrorError::Damaged {
        path: crate::mirror::database_path(dir),
        why: "it has disappeared".to_owned(),
    };
    MirrorReader::open(dir)?.ok_or_else(missing)
}

/// The custom fields, which become columns of the contacts.
pub(super) fn load_custom_fields(mirror: &MirrorReader) -> Result<CustomFieldColumns, MirrorError> {
    let definitions = mirror.load_rows(RecordKind::CustomField, None, usize::MAX)?;
    let rows = definitions.iter().map(|definition| definition.body.as_str());
    let is_sound = |row: &&str| CustomFieldColumns::from_definitions([*row]).is_ok();
    Ok(CustomFieldColumns::from_definitions(rows.filter(is_sound)).unwrap_or_default())
}

/// Sends the rows of these tables, table by table. Tables that a mirror does not have are empty.
pub(super) fn send_rows(
    dir: &Path,
    tables: &[&'static ResourceSpec],
    batches: &SyncSender<SplitRows>,
) -> Result<(), PublishError> {
    let mirror = open_mirror(dir)?;
    for (table, spec) in tables.iter().enumerate() {
        let Some(kind) = RecordKind::from_table_name(spec.name) else { continue };
        let mut after: Option<(i64, String)> = None;
        for seq in 1.. {
            let from = after.as_ref().map(|(added, id)| (*added, id.as_str()));
            let rows = mirror.load_rows(kind, from, BATCH)?;
            let Some(last) = rows.last() else { break };
            after = Some((last.added_ms, last.id.clone()));
            let rows = rows.into_iter().map(|row| {
                let key = RowSortKey { added: row.added_ms, id: row.id };
                Ok(SortableRow { key, seq, text: row.body.into() })
            });
            let rows = SplitRows { table, seq, rows: rows.collect(), deleted: 0 };
            if batches.send(rows).is_err() {
                // The writer has failed and reports the reason.
                return Ok(());
            }
        }
    }
    Ok(())
}
