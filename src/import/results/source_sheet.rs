//! What the result files must know about the sheet that was imported.

use crate::sheet::Sheet;

/// The file of the rejected rows.
pub(in crate::import) const REJECTED_CSV: &str = "rejected.csv";
/// The same as a workbook, if the sheet was in one.
pub(in crate::import) const REJECTED_WORKBOOK: &str = "rejected.xlsx";

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

    /// The file of the rejected rows that is fixed and imported again: of the same type as the sheet.
    pub(in crate::import) fn rejected_file(&self) -> &'static str {
        if self.is_workbook { REJECTED_WORKBOOK } else { REJECTED_CSV }
    }
}
