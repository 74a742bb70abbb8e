//! Spreadsheets: XLSX, XLSM, XLSB, XLS and ODS files, of which one sheet is read.
//!
//! The file is read into memory once, so that the bytes hashed are the bytes read; the cells of one sheet are held,
//! packed. Values are typed: dates as dates, numbers in the form to send, and errors and formulas without a result
//! as such. Formulas are never computed.

mod archive;
mod cells;
mod compound;
mod grid;
mod hidden;
mod merged;
mod number_format;
mod ods_bounds;
mod open;
mod reader;
mod select;
mod xls_bounds;
mod xlsx_flags;

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::grid::CellGrid;
use super::error::{file_changed_error, io_error};
use super::row::SheetRow;
use super::row_shaper::{RawSheetRow, RowShaper};
use super::source_file::{self, FileStamp, HashingReader};
use super::{HiddenRowPolicy, SheetColumn};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::text::format_count;

pub(super) use self::open::open;

/// The maximum size of a spreadsheet, and of each of its parts when unpacked, in bytes.
const BOUND: u64 = 1024 * 1024 * 1024;

/// The maximum number of cells in the rectangles of all sheets of an XLS or ODS file together: some 200 MB of memory.
const MAX_CELLS: u64 = 8 * 1024 * 1024;

/// The file's bytes, in the form that readers take.
type BytesCursor = Cursor<Arc<[u8]>>;

/// A spreadsheet that was prescanned, and its selected sheet.
#[derive(Debug)]
pub(super) struct WorkbookFile {
    path: PathBuf,
    stamp: FileStamp,
    pub(super) digest: String,
    content: Arc<WorkbookContent>,
}

/// The data that its rows are read from.
#[derive(Debug)]
struct WorkbookContent {
    grid: CellGrid,
    sheet: Arc<str>,
    names: Arc<[String]>,
    /// The index of the first row below the header.
    first: usize,
    /// The number of rows that are not blank.
    total: u64,
    hidden: HiddenRowPolicy,
}

/// The result of opening a spreadsheet.
pub(super) struct OpenedWorkbook {
    pub(super) workbook: WorkbookFile,
    pub(super) columns: Vec<SheetColumn>,
    pub(super) what: String,
    pub(super) warnings: Vec<Diagnostic>,
}

impl WorkbookFile {
    /// Reads the rows below the header.
    pub(super) fn rows(&self) -> Result<WorkbookRows, Diagnostic> {
        let (_, stamp) = source_file::open_file(&self.path)?;
        if stamp != self.stamp {
            return Err(file_changed_error(&self.path));
        }
        let content = Arc::clone(&self.content);
        let names = Arc::clone(&content.names);
        let shape = RowShaper::new(names, Some(Arc::clone(&content.sheet)), content.total);
        let line =
            content.first.checked_sub(1).map_or(0, |header| content.grid.line_number(header));
        Ok(WorkbookRows { at: content.first, content, shape, line })
    }
}

/// The rows of a sheet.
pub(super) struct WorkbookRows {
    content: Arc<WorkbookContent>,
    at: usize,
    shape: RowShaper,
    /// The last row read, from 1.
    line: u64,
}

impl Iterator for WorkbookRows {
    type Item = Result<SheetRow, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        let WorkbookContent { grid, names, hidden, .. } = &*self.content;
        loop {
            let index = self.at;
            if index == grid.row_count() {
                return None;
            }
            self.at += 1;
            if *hidden == HiddenRowPolicy::Skip && grid.is_hidden(index) {
                continue;
            }
            let line = grid.line_number(index);
            // Rows without any cell are not stored.
            if line > self.line + 1 || grid.is_blank(index) {
                self.shape.skip_blank_row();
            }
            self.line = line;
            if !grid.is_blank(index) {
                let cells = grid.row_cells(index, names.len());
                return Some(Ok(self.shape.shape_row(RawSheetRow { line, cells, fault: None })));
            }
        }
    }
}

/// Reads a whole file, and returns its bytes, its stamp and its digest.
fn read_file(path: &Path) -> Result<(Arc<[u8]>, FileStamp, String), Diagnostic> {
    let failed = |error: std::io::Error| io_error(path, &error);
    let (file, stamp) = source_file::open_file(path)?;
    if stamp.size > BOUND {
        return Err(too_large_error("the file", BOUND));
    }
    let mut hashing = HashingReader::new(file.take(BOUND));
    let mut bytes = Vec::new();
    hashing.read_to_end(&mut bytes).map_err(failed)?;
    Ok((bytes.into(), stamp, hashing.finish_digest().map_err(failed)?))
}

/// A file or part that is larger than any spreadsheet of contacts.
fn too_large_error(what: &str, bound: u64) -> Diagnostic {
    let message = format!("{what} has more than {} MiB unpacked", bound / 1024 / 1024);
    Diagnostic::new(DiagnosticCode::E_XLSX_CORRUPT, message)
        .with_hint("save the sheet as CSV, which can have any size")
}

/// Why a file is refused whose sheets would take more than [`MAX_CELLS`].
fn far_apart_reason(cells: u64) -> String {
    format!(
        "the cells of its sheets lie so far apart that {} would be read; at most {} are",
        format_count(cells),
        format_count(MAX_CELLS)
    )
}

/// A spreadsheet that is damaged.
fn corrupt_error(reason: &str) -> Diagnostic {
    let message = format!("the spreadsheet is damaged: {reason}");
    Diagnostic::new(DiagnosticCode::E_XLSX_CORRUPT, message)
        .with_hint("open it in a spreadsheet program and save it again, or export it once more")
}
