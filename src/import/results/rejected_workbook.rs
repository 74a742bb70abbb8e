//! `rejected.xlsx`: the rows of `rejected.csv` as a workbook, for those whose sheet was one.
//!
//! All cells are text, as the sheet's cells were read: what is fixed in it comes back as it is, and a
//! spreadsheet executes and converts nothing.

use std::path::{Path, PathBuf};

use super::persist_file;
use super::source_sheet::REJECTED_WORKBOOK;
use crate::import::ImportError;
use crate::import::run_files::create_temporary_file;
use crate::table::{TableWriteError, TextWorkbook};

/// The workbook under construction.
pub(super) struct RejectedWorkbook {
    path: PathBuf,
    workbook: TextWorkbook,
}

impl RejectedWorkbook {
    pub(super) fn new(out: &Path, header: &[String]) -> Result<Self, ImportError> {
        let path = out.join(REJECTED_WORKBOOK);
        let workbook = TextWorkbook::new(&path, header.iter().map(String::as_str));
        let workbook = workbook.map_err(|error| convert_error(&path, error))?;
        Ok(Self { path, workbook })
    }

    pub(super) fn write_record(&mut self, cells: &[String]) -> Result<(), ImportError> {
        let written = self.workbook.write_row(cells.iter().map(String::as_str));
        written.map_err(|error| convert_error(&self.path, error))
    }

    /// Puts the complete file under its name.
    pub(super) fn commit(self) -> Result<PathBuf, ImportError> {
        let Self { path, workbook } = self;
        let fail = |source| ImportError::File { path: path.clone(), source };
        let dir = path.parent().unwrap_or(Path::new("."));
        let mut file = create_temporary_file(dir).map_err(fail)?;
        workbook.save(&mut file).map_err(|error| convert_error(&path, error))?;
        persist_file(file, path)
    }
}

fn convert_error(path: &Path, error: TableWriteError) -> ImportError {
    let source = match error {
        TableWriteError::Create { source, .. } | TableWriteError::Write { source, .. } => source,
        error @ TableWriteError::Encode { .. } => std::io::Error::other(error.to_string()),
    };
    ImportError::File { path: path.to_owned(), source }
}
