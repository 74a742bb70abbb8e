//! What the result files must know about the sheet that was imported.

use crate::sheet::Sheet;

/// The sheet that the rows come from.
#[derive(Debug, Clone, Default)]
pub(in crate::import) struct SourceSheet {
    /// The names of its columns.
    pub(in crate::import) columns: Vec<String>,
    /// Whether it was in a workbook rather than a text file.
    pub(in crate::import) is_workbook: bool,
}

impl SourceSheet {
    /// The sheet of an import that begins.
    pub(in crate::import) fn from_sheet(sheet: &Sheet) -> Self {
        let columns = sheet.columns.iter().map(|column| column.name.clone()).collect();
        Self { columns, is_workbook: sheet.is_workbook() }
    }
}
