//! The cells of a sheet, packed one after the other.
//!
//! A sheet of a million rows has about ten million cells, which would take a gigabyte as separate values. Packed, a
//! cell takes little more than its text. Rows and cells may arrive in any order.

use std::collections::BTreeMap;

use jiff::civil::DateTime;

use crate::sheet::row::SheetCell;

/// The maximum number of columns in a spreadsheet.
pub(super) const COLUMNS: u32 = 16_384;
/// The maximum number of rows in a sheet.
pub(super) const ROWS: u32 = 1_048_576;

/// The non-empty cells of a sheet, by row.
#[derive(Debug, Default)]
pub(super) struct CellGrid {
    bytes: Vec<u8>,
    rows: Vec<PackedRow>,
    long_numbers: BTreeMap<u32, LongNumbers>,
}

/// The numbers of a column that have more digits than a spreadsheet keeps.
#[derive(Debug)]
pub(super) struct LongNumbers {
    pub(super) count: u64,
    /// The first one, and its row.
    pub(super) first: String,
    pub(super) line: u32,
}

/// From here on, an integer has more than 15 digits.
const LONG_NUMBER: f64 = 1e15;

#[derive(Debug, Clone, Copy)]
struct PackedRow {
    /// Counted from 1.
    line: u32,
    hidden: bool,
    /// The column after its last cell.
    width: u32,
    begin: usize,
    end: usize,
}

impl CellGrid {
    /// Adds a cell; `row` and `column` count from 0.
    pub(super) fn push_cell(&mut self, row: u32, column: u32, cell: &SheetCell) {
        let line = row.saturating_add(1);
        let begin = self.bytes.len();
        if self.rows.last().is_none_or(|last| last.line != line) {
            self.rows.push(PackedRow { line, hidden: false, width: 0, begin, end: begin });
        }
        let last = self.rows.last_mut().expect("a row was just added");
        if *cell != SheetCell::Empty && column < COLUMNS {
            last.width = last.width.max(column + 1);
            pack_cell(&mut self.bytes, column, cell);
            last.end = self.bytes.len();
            if let SheetCell::Number(number, text) = cell
                && number.abs() >= LONG_NUMBER
            {
                let first = || LongNumbers { count: 0, first: text.clone(), line };
                self.long_numbers.entry(column).or_insert_with(first).count += 1;
            }
        }
    }

    /// Sorts the rows, and joins the parts of each row. To be called after the last cell was added.
    pub(super) fn sort_rows(&mut self) {
        self.rows.sort_by_key(|row| row.line);
        let mut rows: Vec<PackedRow> = Vec::with_capacity(self.rows.len());
        for row in std::mem::take(&mut self.rows) {
            match rows.last_mut() {
                Some(last) if last.line == row.line => {
                    // The parts are moved to the end, where the next one can follow.
                    if last.end != self.bytes.len() {
                        let begin = self.bytes.len();
                        self.bytes.extend_from_within(last.begin..last.end);
                        last.begin = begin;
                    }
                    self.bytes.extend_from_within(row.begin..row.end);
                    last.end = self.bytes.len();
                    last.width = last.width.max(row.width);
                }
                _ => rows.push(row),
            }
        }
        self.rows = rows;
    }

    /// Marks the hidden rows; `hidden` takes a row number counted from 0.
    pub(super) fn mark_hidden_rows(&mut self, hidden: impl Fn(u32) -> bool) {
        for row in &mut self.rows {
            row.hidden = hidden(row.line - 1);
        }
    }

    pub(super) fn row_count(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn line_number(&self, index: usize) -> u64 {
        u64::from(self.rows[index].line)
    }

    pub(super) fn is_hidden(&self, index: usize) -> bool {
        self.rows[index].hidden
    }

    pub(super) fn is_blank(&self, index: usize) -> bool {
        self.rows[index].width == 0
    }

    pub(super) fn row_width(&self, index: usize) -> usize {
        self.rows[index].width as usize
    }

    /// The cells of a row: one per column, and more if there are any to the right of those.
    pub(super) fn row_cells(&self, index: usize, columns: usize) -> Vec<SheetCell> {
        let mut cells = vec![SheetCell::Empty; columns];
        let row = &self.rows[index];
        let mut rest = &self.bytes[row.begin..row.end];
        while let Some((column, cell)) = unpack_cell(&mut rest) {
            match cells.get_mut(column as usize) {
                Some(place) => *place = cell,
                None => cells.push(cell),
            }
        }
        cells
    }

    /// The numbers with more digits than a spreadsheet keeps, by column.
    pub(super) fn long_numbers(&self) -> &BTreeMap<u32, LongNumbers> {
        &self.long_numbers
    }

    /// A cell; `row` and `column` count from 0. The rows must be sorted.
    pub(super) fn find_cell(&self, row: u32, column: u32) -> Option<SheetCell> {
        let line = row.checked_add(1)?;
        let index = self.rows.binary_search_by_key(&line, |row| row.line).ok()?;
        let row = &self.rows[index];
        let mut rest = &self.bytes[row.begin..row.end];
        std::iter::from_fn(|| unpack_cell(&mut rest))
            .find(|(at, _)| *at == column)
            .map(|(_, cell)| cell)
    }

    /// The rows between two, both included, that are not blank; all count from 0. The rows must be sorted.
    pub(super) fn rows_between(&self, first: u32, last: u32) -> impl Iterator<Item = u32> {
        let begin = self.rows.partition_point(|row| row.line <= first);
        let rows = self.rows[begin..].iter().take_while(move |row| row.line - 1 <= last);
        rows.filter(|row| row.width > 0).map(|row| row.line - 1)
    }

    /// The columns in which a row has a value.
    pub(super) fn filled_columns(&self, index: usize) -> Vec<usize> {
        let row = &self.rows[index];
        let mut rest = &self.bytes[row.begin..row.end];
        std::iter::from_fn(|| unpack_cell(&mut rest)).map(|(column, _)| column as usize).collect()
    }
}

const TEXT: u8 = 0;
const NUMBER: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const DATE: u8 = 4;
const ERROR: u8 = 5;
const NO_VALUE: u8 = 6;

fn pack_cell(bytes: &mut Vec<u8>, column: u32, cell: &SheetCell) {
    let tag = match cell {
        SheetCell::Empty => return,
        SheetCell::Text(_) => TEXT,
        SheetCell::Number(..) => NUMBER,
        SheetCell::Bool(false) => FALSE,
        SheetCell::Bool(true) => TRUE,
        SheetCell::Date(_) => DATE,
        SheetCell::Error(_) => ERROR,
        SheetCell::NoValue => NO_VALUE,
    };
    bytes.extend_from_slice(&column.to_le_bytes()[..3]);
    bytes.push(tag);
    match cell {
        SheetCell::Text(text) | SheetCell::Error(text) => pack_text(bytes, text),
        SheetCell::Number(number, text) => {
            bytes.extend_from_slice(&number.to_le_bytes());
            pack_text(bytes, text);
        }
        SheetCell::Date(date) => pack_text(bytes, &date.to_string()),
        SheetCell::Empty | SheetCell::Bool(_) | SheetCell::NoValue => {}
    }
}

fn pack_text(bytes: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).expect("a part of a spreadsheet is at most 1 GiB long");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn unpack_cell(rest: &mut &[u8]) -> Option<(u32, SheetCell)> {
    let [a, b, c, tag] = take_bytes(rest)?;
    let cell = match tag {
        TEXT => SheetCell::Text(unpack_text(rest)?),
        NUMBER => SheetCell::Number(f64::from_le_bytes(take_bytes(rest)?), unpack_text(rest)?),
        FALSE => SheetCell::Bool(false),
        TRUE => SheetCell::Bool(true),
        DATE => SheetCell::Date(unpack_text(rest)?.parse::<DateTime>().ok()?),
        ERROR => SheetCell::Error(unpack_text(rest)?),
        _ => SheetCell::NoValue,
    };
    Some((u32::from_le_bytes([a, b, c, 0]), cell))
}

fn unpack_text(rest: &mut &[u8]) -> Option<String> {
    let length = u32::from_le_bytes(take_bytes(rest)?) as usize;
    let (text, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    String::from_utf8(text.to_vec()).ok()
}

fn take_bytes<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*bytes)
}
