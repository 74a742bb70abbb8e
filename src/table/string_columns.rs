//! The cells of a batch as texts, for writers of rows with other columns.

use std::borrow::Cow;

use arrow_array::{Array as _, RecordBatch};

use super::cell_text::ColumnCells;

/// The cells of a batch as texts.
#[derive(Debug)]
pub struct BatchTexts<'b> {
    columns: Vec<ColumnCells<'b>>,
    rows: usize,
}

impl<'b> BatchTexts<'b> {
    /// Reads a batch of one of our tables.
    #[must_use]
    pub fn from_batch(batch: &'b RecordBatch) -> Self {
        let fields = batch.schema_ref().fields().iter().zip(batch.columns());
        let columns =
            fields.map(|(field, column)| ColumnCells::from_array(field, column)).collect();
        Self { columns, rows: batch.num_rows() }
    }

    /// The number of rows.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    #[must_use]
    pub fn column_count(&self) -> usize {
        self.columns.len()
    }

    /// The texts of a cell: none if it is null, several if it is a list, else one. Days and
    /// instants are ISO 8601.
    #[must_use]
    pub fn cell_texts(&self, column: usize, row: usize) -> Vec<Cow<'b, str>> {
        self.columns[column].cell_texts(row)
    }

    /// Whether a cell has a value other than an empty text or list, or `false`.
    #[must_use]
    pub fn has_value(&self, column: usize, row: usize) -> bool {
        match &self.columns[column] {
            ColumnCells::Text(cells) => !cells.is_null(row) && !cells.value(row).trim().is_empty(),
            ColumnCells::Json(cells) => {
                !cells.is_null(row) && !matches!(cells.value(row), "{}" | "[]" | "\"\"")
            }
            ColumnCells::Boolean(cells) => !cells.is_null(row) && cells.value(row),
            ColumnCells::List(cells, _) => !cells.is_null(row) && cells.value_length(row) > 0,
            cells => !cells.is_null(row),
        }
    }
}
