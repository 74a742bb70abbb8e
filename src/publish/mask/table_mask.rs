//! The mask of one table: its columns as the files have them, and its batches.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::mask_array::mask_array;
use super::mask_rule::MaskMethod;
use crate::resource::{ColumnKind, TableColumn, TableSchema};
use crate::run::MaskKey;

/// The mask of a table.
#[derive(Debug)]
pub(in crate::publish) struct TableMask {
    /// How each column is masked, in the order of the table.
    methods: Vec<Option<MaskMethod>>,
    table: TableSchema,
    schema: SchemaRef,
    key: Option<MaskKey>,
}

impl TableMask {
    pub(super) fn new(
        table: &TableSchema,
        methods: Vec<Option<MaskMethod>>,
        key: Option<MaskKey>,
    ) -> Self {
        let columns = table.columns.iter().zip(&methods);
        let columns = columns.filter_map(|(column, method)| mask_column(column, *method));
        let table = table.with_columns(columns.collect());
        Self { methods, schema: table.arrow_schema(), table, key }
    }

    /// The table as the files have it.
    pub(in crate::publish) fn table(&self) -> &TableSchema {
        &self.table
    }

    /// Whether a column is written as it is.
    pub(in crate::publish) fn keeps_column(&self, index: usize) -> bool {
        self.methods.get(index).is_some_and(Option::is_none)
    }

    /// Masks a batch.
    ///
    /// # Panics
    /// If the batch is of another table, which is a bug.
    pub(in crate::publish) fn mask_batch(&self, batch: &RecordBatch) -> RecordBatch {
        let columns = batch.columns().iter().zip(&self.methods);
        let columns = columns.filter_map(|(column, method)| match method {
            None => Some(Arc::clone(column)),
            Some(method) => mask_array(column, *method, self.key.as_ref()),
        });
        RecordBatch::try_new(Arc::clone(&self.schema), columns.collect())
            .expect("every mask gives the type of its column")
    }
}

/// The column as the files have it; `None` if they do not.
fn mask_column(column: &TableColumn, method: Option<MaskMethod>) -> Option<TableColumn> {
    let kind = match method {
        None | Some(MaskMethod::Last4 | MaskMethod::Domain) => column.kind,
        Some(MaskMethod::Drop) => return None,
        Some(MaskMethod::Hash) if column.kind == ColumnKind::TextList => ColumnKind::TextList,
        Some(MaskMethod::Hash) => ColumnKind::Text,
        Some(MaskMethod::Year) => ColumnKind::Integer,
    };
    Some(TableColumn { kind, ..column.clone() })
}
