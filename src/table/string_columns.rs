//! The cells of a batch as texts, for whoever makes rows of another shape of them.

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
    /// Of a batch of one of our tables.
    #[must_use]
    pub fn from_batch(batch: &'b RecordBatch) -> Self {
        let fields = batch.schema_ref().fields().iter().zip(batch.columns());
        let columns =
            fields.map(|(field, column)| ColumnCells::from_array(field, column)).collect();
        Self { columns, rows: batch.num_rows() }
    }

    /// How many rows there are.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows
    }

    /// How many columns there are.
    #[must_use]
    pub fn column_count(&self) -> usize {
        self.columns.len()
    }

    /// What a cell says: nothing, one text, or the texts of a list. Days and moments are ISO 8601.
    #[must_use]
    pub fn cell_texts(&self, column: usize, row: usize) -> Vec<Cow<'b, str>> {
        self.columns[column].cell_texts(row)
    }

    /// Whether a cell says anything: a text, a number, a yes.
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
