//! Reads the mirror's rows into the columns of the exports' tables.

use arrow_array::RecordBatch;

use super::row_members::RowMembers;
use crate::mirror::{ChangeKind, RecordChange, RecordKind, TaskDueChange};
use crate::resource::{CustomFieldColumns, ResourceSpec, RowDecodeError, RowDecoder, TableSchema};

/// Reads rows as the server sent them.
pub(super) struct RowReader {
    tables: Vec<(RecordKind, TableSchema, RowDecoder)>,
}

impl RowReader {
    /// A reader for rows of these kinds.
    pub(super) fn new(kinds: &[RecordKind], fields: &CustomFieldColumns) -> Self {
        let table = |kind: &RecordKind| {
            let spec = ResourceSpec::from_name(kind.table_name());
            let table = spec.expect("every kind is in the registry").table_schema(fields);
            let decoder = RowDecoder::new(&table);
            (*kind, table, decoder)
        };
        Self { tables: kinds.iter().map(table).collect() }
    }

    /// The columns of a kind.
    pub(super) fn table(&self, kind: RecordKind) -> &TableSchema {
        let found = self.tables.iter().find(|(known, ..)| *known == kind);
        &found.expect("the reader was made for the kind").1
    }

    /// A batch of one row.
    pub(super) fn read_row(
        &mut self,
        kind: RecordKind,
        row: &str,
    ) -> Result<RecordBatch, RowDecodeError> {
        let found = self.tables.iter_mut().find(|(known, ..)| *known == kind);
        let decoder = &mut found.expect("the reader was made for the kind").2;
        decoder.push_row(row)?;
        Ok(decoder.finish())
    }

    /// What a change of a task says about when it is due.
    pub(super) fn read_due_date(&mut self, change: &RecordChange) -> TaskDueChange {
        if change.change == ChangeKind::Delete {
            return TaskDueChange { task: change.id.clone(), due_ms: None };
        }
        self.read_due_date_of(&change.id, &change.body)
    }

    /// When a task is due; a task that is done is not.
    pub(super) fn read_due_date_of(&mut self, task: &str, body: &str) -> TaskDueChange {
        let row = self.read_row(RecordKind::Task, body).ok();
        let members = row.map(|row| RowMembers::from_row(&row)).unwrap_or_default();
        let due: Option<jiff::Timestamp> =
            members.text("due_date").and_then(|text| text.parse().ok());
        let is_open = members.value("completed") != Some("true");
        let due_ms = due.filter(|_| is_open).map(jiff::Timestamp::as_millisecond);
        TaskDueChange { task: task.to_owned(), due_ms }
    }
}
