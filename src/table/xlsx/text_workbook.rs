//! A workbook of texts: for rows that come from a spreadsheet and go back into one.

use std::io::{BufWriter, Write};
use std::path::Path;

use super::super::TableWriteError;
use super::workbook_writer::{CellFormat, SheetColumn, WorkbookWriter};

/// A workbook of one table, all cells of which are text: nothing in it is converted or executed.
pub struct TextWorkbook {
    workbook: WorkbookWriter,
}

impl TextWorkbook {
    /// Starts a workbook with this header. `path` is the final name of the file, which is not
    /// created here.
    pub fn new<'h>(
        path: &Path,
        header: impl IntoIterator<Item = &'h str>,
    ) -> Result<Self, TableWriteError> {
        let column = |name: &str| SheetColumn {
            name: name.to_owned(),
            format: CellFormat::Text,
            width: 16.0,
        };
        let mut workbook = WorkbookWriter::new(path, header.into_iter().map(column).collect())?;
        workbook.set_properties(None, &[]);
        Ok(Self { workbook })
    }

    /// Adds a row.
    pub fn write_row<'t>(
        &mut self,
        cells: impl IntoIterator<Item = &'t str>,
    ) -> Result<(), TableWriteError> {
        self.workbook.write_rows(|workbook| {
            workbook.begin_row()?;
            let mut cells = cells.into_iter().enumerate();
            cells.try_for_each(|(place, cell)| workbook.write_text(place, cell))
        })
    }

    /// Packs the workbook into a file that the caller syncs and names.
    pub fn save(self, output: &mut (impl Write + Send)) -> Result<(), TableWriteError> {
        let path = self.workbook.path().to_owned();
        let mut output = BufWriter::new(output);
        self.workbook.save(&mut output)?;
        output.flush().map_err(|source| TableWriteError::write_error(&path, source))
    }
}
