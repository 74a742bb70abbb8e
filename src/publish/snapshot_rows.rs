//! The rows of a snapshot, in the order of their tables.

use std::path::Path;
use std::sync::mpsc::SyncSender;

use super::table_writer::RowSource;
use super::{
    BUFFERED_ENTRIES, OpenTables, PublishError, PublishOptions, PublishReport, SortableRow,
    SplitRows,
};
use crate::concurrency;
use crate::event::SharedObserver;
use crate::repository::{Chain, LOCATION_TABLE, TABLES};
use crate::resource::{CustomFieldColumns, FieldColumn, ResourceSpec, RowSortKey};

/// Rows that are sent at once.
const BATCH: usize = 500;

/// Writes the tables of a snapshot into `staging`.
///
/// # Errors
/// When the snapshot is damaged or a file cannot be written. No file has its final name then.
pub fn write_snapshot(
    chain: &Chain,
    staging: &Path,
    options: &PublishOptions,
    observer: &SharedObserver,
) -> Result<PublishReport, PublishError> {
    let fields = load_custom_fields(chain)?;
    let mut open = OpenTables::create(&fields, staging, options, RowSource::Snapshot, observer)?;
    concurrency::run_pipeline(
        BUFFERED_ENTRIES,
        |batches| send_rows(chain, &options.tables, batches),
        |rows: SplitRows| open.writers[rows.table].add_rows(rows),
    )?;
    open.finish(None, Vec::new(), observer)
}

/// The custom fields of a snapshot, as columns of the contacts: with the names that its mirror gave them.
fn load_custom_fields(chain: &Chain) -> Result<CustomFieldColumns, PublishError> {
    let (_, columns) = chain.read_location()?;
    if let Some(columns) = columns {
        let columns: Vec<FieldColumn> = serde_json::from_str(&columns).map_err(|error| {
            crate::repository::RepositoryError::Damaged {
                object: LOCATION_TABLE.to_owned(),
                why: format!("the columns of its custom fields: {error}"),
            }
        })?;
        return Ok(CustomFieldColumns::from_columns(&columns));
    }
    Ok(CustomFieldColumns::default())
}

/// Sends the rows of these tables, table by table. Tables that a snapshot does not have are empty.
fn send_rows(
    chain: &Chain,
    tables: &[&'static ResourceSpec],
    batches: &SyncSender<SplitRows>,
) -> Result<(), PublishError> {
    for (table, spec) in tables.iter().enumerate() {
        if !TABLES.contains(&spec.name) {
            continue;
        }
        let (mut seq, mut rows) = (1, Vec::with_capacity(BATCH));
        let mut send = |rows: &mut Vec<_>| {
            let rows = std::mem::take(rows);
            seq += 1;
            // When the writer has failed, it reports the reason itself.
            rows.is_empty() || batches.send(SplitRows { table, seq, rows, deleted: 0 }).is_ok()
        };
        for record in chain.records(spec.name)? {
            let record = record?;
            let key = RowSortKey { added: record.added_ms, id: record.id };
            rows.push(Ok(SortableRow { key, seq: 1, text: record.body.into() }));
            if rows.len() >= BATCH && !send(&mut rows) {
                return Ok(());
            }
        }
        send(&mut rows);
    }
    Ok(())
}
