//! A spreadsheet: XLSX, XLSM, XLSB, XLS or ODS, of which one sheet is read.
//!
//! The file is read into memory once, so that what is hashed is what is read, and of it one sheet's cells
//! are kept, packed. It promises typed values: dates as dates, numbers as they are to be sent, errors and
//! formulas without a result as such. Formulas are never computed.

mod archive;
mod cells;
mod grid;
mod hidden;
mod number_format;
mod open;
mod reader;
mod select;
mod xlsx_flags;

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::grid::Grid;
use super::row::Row;
use super::row_shaper::{Raw, Shape};
use super::source_file::{self, Hashing, Stamp};
use super::{Column, Hidden, Refusal, Warning};

pub(super) use self::open::open;

/// Bytes that a spreadsheet, or a part of it once unpacked, may have.
const BOUND: u64 = 1024 * 1024 * 1024;

/// The file's bytes, as its readers take them.
type Bytes = Cursor<Arc<[u8]>>;

/// A spreadsheet that was looked over, and the sheet that is read.
#[derive(Debug)]
pub(super) struct Book {
    path: PathBuf,
    stamp: Stamp,
    pub(super) digest: String,
    content: Arc<Content>,
}

/// What its rows are made of.
#[derive(Debug)]
struct Content {
    grid: Grid,
    sheet: Arc<str>,
    names: Arc<[String]>,
    /// The index of the row behind the header.
    first: usize,
    /// Rows that are no blank ones.
    total: u64,
    hidden: Hidden,
}

/// What looking over gives.
pub(super) struct Opened {
    pub(super) book: Book,
    pub(super) columns: Vec<Column>,
    pub(super) what: String,
    pub(super) warnings: Vec<Warning>,
}

impl Book {
    /// The rows behind the header.
    pub(super) fn rows(&self) -> Result<BookRows, Refusal> {
        let (_, stamp) = source_file::open(&self.path)?;
        if stamp != self.stamp {
            return Err(Refusal::changed(&self.path));
        }
        let content = Arc::clone(&self.content);
        let names = Arc::clone(&content.names);
        let shape = Shape::new(names, Some(Arc::clone(&content.sheet)), content.total);
        let line = content.first.checked_sub(1).map_or(0, |header| content.grid.line(header));
        Ok(BookRows { at: content.first, content, shape, line })
    }
}

/// The rows of a sheet.
pub(super) struct BookRows {
    content: Arc<Content>,
    at: usize,
    shape: Shape,
    /// The row that was looked at last, counted from 1.
    line: u64,
}

impl Iterator for BookRows {
    type Item = Result<Row, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        let Content { grid, names, hidden, .. } = &*self.content;
        loop {
            let index = self.at;
            if index == grid.len() {
                return None;
            }
            self.at += 1;
            if *hidden == Hidden::Skip && grid.is_hidden(index) {
                continue;
            }
            let line = grid.line(index);
            // Rows without any cell are not kept.
            if line > self.line + 1 || grid.is_blank(index) {
                self.shape.blank();
            }
            self.line = line;
            if !grid.is_blank(index) {
                let cells = grid.cells(index, names.len());
                return Some(Ok(self.shape.row(Raw { line, cells, fault: None })));
            }
        }
    }
}

/// Reads a whole file: its bytes, what the system says about it, and its digest.
fn read(path: &Path) -> Result<(Arc<[u8]>, Stamp, String), Refusal> {
    let failed = |error: std::io::Error| Refusal::io(path, &error);
    let (file, stamp) = source_file::open(path)?;
    if stamp.size > BOUND {
        return Err(too_large("the file"));
    }
    let mut hashing = Hashing::new(file.take(BOUND));
    let mut bytes = Vec::new();
    hashing.read_to_end(&mut bytes).map_err(failed)?;
    Ok((bytes.into(), stamp, hashing.finish().map_err(failed)?))
}

/// Something is larger than any spreadsheet of contacts.
fn too_large(what: &str) -> Refusal {
    let message = format!("{what} has more than {} MiB unpacked", BOUND / 1024 / 1024);
    Refusal::new("E_XLSX_CORRUPT", message)
        .hint("save the sheet that is meant as CSV, which may be of any size")
}

/// The spreadsheet cannot be read as one.
fn corrupt(reason: &str) -> Refusal {
    let message = format!("the spreadsheet is damaged: {reason}");
    Refusal::new("E_XLSX_CORRUPT", message)
        .hint("open it in a spreadsheet program and save it again, or export it once more")
}
